"""Watch, health, backup, permissions and logs."""
