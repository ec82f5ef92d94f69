"""The Schedule gaps page."""
