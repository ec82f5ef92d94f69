"""Build, publish and open snapshots."""
