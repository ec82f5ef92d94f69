"""Which browser asks: a random cookie of ours marks each browser, the same in all its tabs."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlencode, urlsplit

import streamlit as st
from starlette.requests import cookie_parser

from app_pages.session import clock
from app_pages.session.logins import RETURNS

COOKIE = "workbench_browser"
TAB = "identity.tab"
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_of(cookies: str | None) -> str | None:
    """The browser that a Cookie header names, None for one without our mark."""
    name = cookie_parser(cookies or "").get(COOKIE, "")
    return name if _BROWSER.fullmatch(name) else None


def this_browser() -> str:
    """The browser of this session; one that keeps no cookies is another browser in each tab."""
    if TAB not in st.session_state:
        st.session_state[TAB] = secrets.token_urlsafe(32)
    return browser_of(st.context.headers.get("Cookie")) or st.session_state[TAB]


def return_here_later() -> None:
    """Have the sign-in bring this browser back to the page it is on."""
    path = urlsplit(st.context.url or "/").path or "/"
    query = urlencode(
        [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    )
    RETURNS.put(this_browser(), f"{path}?{query}" if query else path, clock.machine_now())
