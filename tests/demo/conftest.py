"""The app without a browser, for the first start."""

from tests.app.conftest import dana, facility, keep_main, move_clock, scan_components_once

__all__ = ["dana", "facility", "keep_main", "move_clock", "scan_components_once"]
