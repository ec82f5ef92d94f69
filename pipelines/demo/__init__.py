"""The demo practice: five weeks of runs and of its staff at work."""
