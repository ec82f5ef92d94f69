"""Between the network and Streamlit: refused requests, closed paths, headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from app_pages.session import browser as session_browser
from app_pages.session import clock
from app_pages.session.browser import COOKIE
from app_pages.session.logins import RETURNS, SESSIONS
from app_pages.sign_in import modes
from app_pages.sign_in.modes import Mode, Refusal

HEALTH = "/_stcore/health"
# Streamlit's pages fetch these two; its other paths reveal or accept more than needed.
OPEN_CORE = {HEALTH, "/_stcore/host-config"}
SIGN_IN = {"/auth/login", "/auth/logout", "/oauth2callback"}
# After these Streamlit redirects to the first page.
BACK_FROM_SIGN_IN = {"/auth/logout", "/oauth2callback"}
# Signing out is also how a tab asks the proxy again.
MODES_WITH = {"/auth/logout": {Mode.SIGN_IN, Mode.PROXY}}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_OWN_PATH = re.compile(r"/(?:[^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?")
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
NO_PROVIDER = Refusal(
    502,
    "The sign-in service does not answer",
    ("Go back in your browser and try again in a few minutes.", "Nothing you did before is lost."),
)
FIXED_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def _script_hashes() -> str:
    """The hash of the inline script of Streamlit's page: no other inline script may run."""
    page = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page))
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


POLICY = (
    f"default-src 'none'; script-src 'self'{_script_hashes()}; "
    "style-src 'self' 'unsafe-inline'; "  # Streamlit and Plotly add styles at run time
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'{sockets}; "
    "manifest-src 'self'; worker-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)


class Guard:
    """The middleware around everything Streamlit serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await (_refused(scope) or self.app)(scope, receive, _with_headers(scope, send))
        else:
            await self.app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _inner(scope) == "/_stcore/stream" and modes.refusal(scope) is None:
            await self.app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def _refused(scope: Scope) -> Response | None:
    """The answer to a request that does not reach Streamlit."""
    path = _inner(scope)
    if path == HEALTH:  # monitors may use any host name; the answer is "ok"
        return None
    refused = modes.refusal(scope)
    if refused is not None:
        return _page(refused)
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        return Response(status_code=405, headers={"allow": "GET, HEAD, OPTIONS"})  # no uploads
    return Response(status_code=404) if _is_closed(path, Headers(scope=scope)) else None


def _is_closed(path: str, headers: Headers) -> bool:
    if path in SIGN_IN:
        # Only our own page may send a browser to sign out, not a link on another site.
        is_foreign = path == "/auth/logout" and headers.get("sec-fetch-site") == "cross-site"
        return is_foreign or modes.mode() not in MODES_WITH.get(path, {Mode.SIGN_IN})
    # The page's icon, a PNG, is needed before sign-in, too.
    if path.startswith("/media/") and not path.endswith(".png"):
        browser = session_browser.browser_of(headers.get("cookie"))
        return browser is None or not SESSIONS.is_open_in(browser)
    return path.startswith(("/_stcore", "/component", "/app/")) and path not in OPEN_CORE


def _with_headers(scope: Scope, send: Send) -> Send:
    """Send with our headers, also what Streamlit answers."""
    is_replaced = False

    async def send_with_headers(message: Message) -> None:
        nonlocal is_replaced
        if is_replaced:
            return
        if _inner(scope) == "/auth/login" and message.get("status") == 400:
            # Streamlit's own answer is a text of two words.
            await _page(NO_PROVIDER)(scope, _nothing, send_with_headers)
            is_replaced = True
            return
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(_headers_for(scope))
            if not _is_asset(scope, message["status"], headers):
                headers["cache-control"] = "no-store"
            return_to_page(scope, message["status"], headers)
            _set_cookies(scope, headers)
        await send(message)

    return send_with_headers


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _headers_for(scope: Scope) -> Mapping[str, str]:
    host = Headers(scope=scope).get("host", "")
    # 'self' does not cover WebSockets in every browser.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return {**FIXED_HEADERS, "content-security-policy": POLICY.replace("{sockets}", sockets)}


def _is_asset(scope: Scope, status: int, headers: Headers) -> bool:
    """A file of Streamlit's own page, which may be cached; unknown names get a page instead."""
    is_page = headers.get("content-type", "").startswith("text/html")
    return _inner(scope).startswith("/static/") and status in (200, 206, 304) and not is_page


def return_to_page(scope: Scope, status: int, headers: MutableHeaders) -> None:
    """After signing in, redirect to the page that was asked for; changes `location`."""
    if (
        _inner(scope) not in BACK_FROM_SIGN_IN
        or not 300 <= status < 400
        or headers.get("location", "").rstrip("/") != _base()
    ):
        return
    browser = session_browser.browser_of(Headers(scope=scope).get("cookie"))
    target = RETURNS.take(browser, clock.machine_now()) if browser else None
    if target and _OWN_PATH.fullmatch(target) and target.startswith(f"{_base()}/"):
        headers["location"] = target


def _set_cookies(scope: Scope, headers: MutableHeaders) -> None:
    """Mark a browser when it gets a page, and make cookies secure where there is encryption."""
    if (
        headers.get("content-type", "").startswith("text/html")
        and session_browser.browser_of(Headers(scope=scope).get("cookie")) is None
    ):
        headers.append(
            "set-cookie",
            f"{COOKIE}={secrets.token_urlsafe(32)}; Path={_base() or '/'}; HttpOnly; SameSite=Lax",
        )
    if _is_encrypted(scope):
        cookies = headers.getlist("set-cookie")
        del headers["set-cookie"]
        for cookie in cookies:
            headers.append(
                "set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure"
            )


def _is_encrypted(scope: Scope) -> bool:
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return (
        scope.get("scheme") == "https"
        or forwarded.split(",")[0].strip() == "https"
        or modes.is_public_by_https()
    )


def _base() -> str:
    """server.baseUrlPath as it begins each of our paths: "" or "/workbench"."""
    inner = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{inner}" if inner else ""


def _inner(scope: Scope) -> str:
    return scope["path"].removeprefix(_base())


def _page(refused: Refusal) -> HTMLResponse:
    """A page of our own that needs neither Streamlit nor a script."""
    title = html.escape(refused.title)
    return HTMLResponse("".join(_lines(title, refused.sentences)), refused.status)


def _lines(title: str, sentences: tuple[str, ...]) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width"></head>'
    yield (
        '<body style="font: 16px/1.5 sans-serif; color: #0F2A33; '
        'max-width: 40rem; margin: 4rem auto; padding: 0 1rem">'
    )
    yield f"<h1>{title}</h1>"
    yield from (f"<p>{sentence}</p>" for sentence in sentences)
    yield "</body></html>"


def broken(request: Request, error: Exception) -> Response:
    """The answer when the server failed; outside the middleware, so it sets the headers itself."""
    response = _page(
        Refusal(
            500,
            "The workbench could not answer",
            (
                "Reload the page. If it happens again, tell the person who looks after the "
                "workbench.",
            ),
        )
    )
    response.headers.update({**_headers_for(request.scope), "cache-control": "no-store"})
    return response


MIDDLEWARE = [Middleware(Guard)]
