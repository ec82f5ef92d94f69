"""Watch, health, backup, permissions, logs and jobs."""
