"""What stands between the network and Streamlit: who may ask at all, what is closed, and what every answer says to the browser."""

from __future__ import annotations

import re

from starlette.requests import cookie_parser

COOKIE = "workbench_browser"
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_of(cookies: str | None) -> str | None:
    """The browser that a Cookie header names, None for one we have not marked."""
    name = cookie_parser(cookies or "").get(COOKIE, "")
    return name if _BROWSER.fullmatch(name) else None
