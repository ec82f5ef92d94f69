"""The app without a browser, for the first start."""

from tests.app.conftest import keep_main, scan_components_once

__all__ = ["keep_main", "scan_components_once"]
