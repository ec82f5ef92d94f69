"""The app and its small practice, for the page that makes reports."""

from tests.app.conftest import dana, facility, keep_main, move_clock, omar, scan_components_once

__all__ = ["dana", "facility", "keep_main", "move_clock", "omar", "scan_components_once"]
