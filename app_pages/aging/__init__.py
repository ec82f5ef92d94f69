"""The Aging page."""
