"""How people are known here: one of three modes, and which requests the server answers in each."""

from __future__ import annotations

import html
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.types import Scope
from streamlit.errors import StreamlitSecretNotFoundError

from pipelines.errors import UserError

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
FORWARDED = {"forwarded", "via", "x-real-ip"}  # and all x-forwarded-…: what a proxy adds
SINGLE_SITE = (
    "Without sign-in the workbench does not check who people are, so it answers this computer only."
)
EVERY_TENANT = {"common", "organizations", "consumers"}  # of Microsoft: anybody's accounts
SEE = "docs/sign-in.md shows how to set up sign-in so that other computers may use the workbench."


class Mode(Enum):
    """How people are known."""

    SIGN_IN = "OpenID Connect"
    PROXY = "a sign-on proxy's header"
    SINGLE_SITE = "a choice of name"


@dataclass(frozen=True)
class Refusal:
    """Why a request is turned away, in sentences of HTML for a page that says what to do."""

    status: int
    title: str
    sentences: tuple[str, ...]


def mode() -> Mode:
    """How people are known here; UserError where the settings contradict each other."""
    has_sign_in, headers = (
        auth_section() is not None,
        st.get_option("server.trustedUserHeaders") or {},
    )
    if has_sign_in and headers:
        raise UserError(
            "Both [auth] in secrets.toml and server.trustedUserHeaders are set, and the header "
            "would overrule the sign-in. Remove one of the two."
        )
    if headers and list(headers.values()) != ["email"]:
        raise UserError(
            "server.trustedUserHeaders must name one header, the one that holds the e-mail "
            'address, as in { X-Auth-Email = "email" }.'
        )
    return Mode.SIGN_IN if has_sign_in else Mode.PROXY if headers else Mode.SINGLE_SITE


def auth_section() -> Mapping[str, object] | None:
    """The [auth] section of secrets.toml, None without one; UserError for an unreadable file."""
    try:
        return st.secrets.get("auth")
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return None
        raise UserError(
            "secrets.toml cannot be read: it is not valid TOML. Correct it, then start the "
            "workbench again."
        ) from None
    except (OSError, ValueError):
        raise UserError(
            "secrets.toml cannot be read. Check its permissions and that it is UTF-8, then start "
            "the workbench again."
        ) from None


def providers() -> dict[str | None, str]:
    """Name → label of the providers in secrets.toml; None is the one in [auth] itself."""
    section = auth_section() or {}
    named: dict[str | None, str] = {
        name: f"Sign in with {name}"
        for name, value in section.items()
        if isinstance(value, Mapping) and "client_id" in value
    }
    return named if named and "client_id" not in section else {None: "Sign in", **named}


def _check_tenants(section: Mapping[str, object]) -> None:
    """UserError for a provider that lets in the accounts of every Microsoft tenant."""
    for part in (section, *(value for value in section.values() if isinstance(value, Mapping))):
        parts = urlsplit(str(part.get("server_metadata_url", "")).lower())
        host, tenant = parts.hostname or "", parts.path.strip("/").partition("/")[0]
        if tenant in EVERY_TENANT and ("microsoft" in host or host.endswith(".windows.net")):
            raise UserError(
                f"In secrets.toml, server_metadata_url names Microsoft’s “{tenant}”, where people "
                "of any organization sign in. Name your practice’s own tenant instead: "
                "https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration."
            )


def public_origin() -> str | None:
    """Scheme, host and port of redirect_uri, where people open the workbench; None without one."""
    section = auth_section()
    if section is None:
        return None
    _check_tenants(section)
    uri = str(section.get("redirect_uri", "")).replace("{port}", str(st.get_option("server.port")))
    parts = urlsplit(uri)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or not parts.path.endswith("/oauth2callback")
    ):
        raise UserError(
            "In secrets.toml, auth.redirect_uri must be the workbench's address followed by "
            "/oauth2callback."
        )
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise UserError(
            "In secrets.toml, auth.redirect_uri must begin with https: patients' data must not "
            "cross the network unencrypted."
        )
    if len(str(section.get("cookie_secret", ""))) < 32:
        raise UserError(
            "In secrets.toml, auth.cookie_secret must be at least 32 random characters: it "
            "protects sign-ins from forgery."
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_public_by_https() -> bool:
    """Whether people open the workbench by https, also where a proxy decrypts it."""
    try:
        return (public_origin() or "").startswith("https:")
    except UserError:
        return False


def refusal(scope: Scope) -> Refusal | None:
    """Why this request is not answered, None for one that may go on."""
    headers = Headers(scope=scope)
    try:
        known_by, origin = mode(), public_origin()
    except UserError as error:
        return Refusal(503, "The workbench is not set up", (html.escape(str(error)),))
    if known_by is Mode.SINGLE_SITE and (why := _from_elsewhere(scope, headers)):
        return Refusal(
            403,
            "This workbench answers only its own computer",
            (SINGLE_SITE, html.escape(why), SEE),
        )
    host = headers.get("host", "")
    if origin is not None and host != urlsplit(origin).netloc:
        return _moved(origin, scope, host)
    if known_by is Mode.PROXY and any(
        len(headers.getlist(name)) > 1 for name in st.get_option("server.trustedUserHeaders")
    ):
        return Refusal(
            400,
            "Two sign-ons in one request",
            ("The sign-on proxy must replace the header that names the person, not add to it.",),
        )
    if scope["type"] == "websocket" and headers.get("origin") not in (
        {origin} if origin else {f"http://{host}", f"https://{host}"}
    ):
        # Streamlit accepts a WebSocket without an Origin; a browser always sends one.
        return Refusal(
            403,
            "A request from another page",
            ("The connection does not come from a page of this workbench.",),
        )
    return None


def _from_elsewhere(scope: Scope, headers: Headers) -> str | None:
    """What shows that a request is not from a browser on this machine; None where nothing does."""
    address = st.get_option("server.address")
    if address not in THIS_MACHINE:
        return (
            f"It was started to listen on {address or 'every address'}: set server.address to "
            "“localhost” in .streamlit/config.toml."
        )
    if not all(_is_loopback(end[0]) for end in (scope.get("client"), scope.get("server")) if end):
        return "The request came over the network."
    if any(name in FORWARDED or name.startswith("x-forwarded-") for name in headers):
        return "The request came through a proxy, which may bring it from anywhere."
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in THIS_MACHINE or "@" in host:
        # DNS rebinding: another site may point its own name at 127.0.0.1 and read our pages.
        return "It was asked for by another name: open it as http://localhost with its port."
    return None


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _moved(origin: str, scope: Scope, host: str) -> Refusal:
    """Sign-in works at the host of redirect_uri only, to which its cookie belongs."""
    query = scope.get("query_string", b"").decode("latin-1")
    link = html.escape(
        f"{origin}/{scope['path'].lstrip('/')}{'?' + query if query else ''}", quote=True
    )
    sentences = (
        f'Open it at <a href="{link}">{html.escape(origin)}</a>.',
        f"The request was for {html.escape(host) or 'no host'}. A proxy in front must pass the "
        "browser's Host header on unchanged.",
    )
    return Refusal(421, "The workbench has another address", sentences)
