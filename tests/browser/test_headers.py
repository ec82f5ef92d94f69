"""What every answer says to the browser, which doors are closed, and who may open a WebSocket."""

from __future__ import annotations

import http.client
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app_pages.session.browser import COOKIE
from tests.browser.servers import ROOT, Server

SECURED = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
SECRETS = """
[auth]
redirect_uri = "https://workbench.example/oauth2callback"
cookie_secret = "made up for this test only, and long enough"
client_id = "workbench"
client_secret = "any"
server_metadata_url = "http://localhost:9/.well-known/openid-configuration"
"""
SHIPPED = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
# Paths that ask a web server for a file of its folder or machine; {} is the file.
ASKING = (
    "/{}",
    "//{}",
    "/app/{}",
    "/app/static/{}",
    "/static/{}",
    "/media/{}",
    "/component/{}",
    "/_stcore/{}",
)
LEAVING = ("", "../", "../../", "..%2f", "%2e%2e/", "..%5c", "%2f")
SESSION_FREE = {
    "/": 200,
    "/tasks?facility=F1": 200,
    "/no/such/page": 200,  # Streamlit serves its page for every path
    "/static/js/no-such-file.js": 200,
    "/_stcore/health": 200,
    "/_stcore/host-config": 200,
    "/media/no-such-file.png": 404,
    "/media/no-such-file.csv": 404,
    "/..%2f..%2fetc/passwd": 400,
    "//evil.example/": 400,
}
CLOSED = [
    "/_stcore/metrics",
    "/_stcore/metrics/",
    "/_stcore/%6detrics",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/interact",
    "/_stcore/agent/mcp",
    "/_stcore/script-health-check",
    "/_stcore/upload_file/a/b",
    "/_stcore/bidi-components/a/b.js",
    "/_stcore/stream",
    "/_stcore",
    "/component/a/index.html",
    "/app/static/a.html",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
]


@pytest.fixture(scope="module")
def desk(start_server: Callable[..., Server], practice_data: Path) -> Server:
    """The small practice on this machine, without sign-in."""
    return start_server(practice_data)


@pytest.fixture(scope="module")
def public(start_server: Callable[..., Server], practice_data: Path) -> Server:
    """The small practice with sign-in, as it stands behind a proxy that does the encryption."""
    return start_server(practice_data, secrets=SECRETS)


def assert_secured(answer: httpx.Response) -> None:
    assert {name: answer.headers.get(name) for name in SECURED} == SECURED
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/=]{44}'", policy["script-src"])
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "*" not in answer.headers["content-security-policy"]
    assert "geolocation=()" in answer.headers["permissions-policy"]


@pytest.mark.parametrize(("path", "status"), SESSION_FREE.items())
def test_every_answer_is_secured_and_not_kept(desk: Server, path: str, status: int) -> None:
    answer = httpx.get(desk.url + path)
    assert answer.status_code == status
    assert_secured(answer)
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_parts_of_streamlits_page_are_kept(desk: Server) -> None:
    script = re.findall(r'src="\./(static/[^"]+\.js)"', httpx.get(desk.url).text)[0]
    answer = httpx.get(f"{desk.url}/{script}")
    assert_secured(answer)
    assert "immutable" in answer.headers["cache-control"]
    assert (
        httpx.get(
            f"{desk.url}/{script}", headers={"If-None-Match": answer.headers["etag"]}
        ).headers["x-frame-options"]
        == "DENY"
    )


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_nobody_needs_is_closed(desk: Server, method: str, path: str) -> None:
    answer = httpx.request(method, desk.url + path)
    assert answer.status_code == 404
    assert_secured(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_is_sent_to_the_server(desk: Server, method: str) -> None:
    for path in ("/", "/_stcore/upload_file/a/b", "/_stcore/agent/interact"):
        answer = httpx.request(method, desk.url + path)
        assert answer.status_code == 405
        assert_secured(answer)


def test_a_browser_is_marked_once_and_no_script_can_read_the_mark(desk: Server) -> None:
    with httpx.Client(base_url=desk.url) as client:
        mark = client.get("/tasks").headers["set-cookie"]
        assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Lax", mark)
        assert "set-cookie" not in client.get("/tasks").headers
    assert (
        COOKIE
        in httpx.get(desk.url, headers={"Cookie": f"{COOKIE}=chosen-by-somebody"}).headers[
            "set-cookie"
        ]
    )


def test_cookies_are_secure_where_the_connection_is(public: Server) -> None:
    for headers in ({}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "https, http"}):
        for path in ("/", "/_stcore/health", "/auth/logout"):
            answer = httpx.get(public.url + path, headers={"Host": "workbench.example", **headers})
            assert answer.status_code < 400
            assert answer.headers.get_list("set-cookie")
            assert [
                cookie
                for cookie in answer.headers.get_list("set-cookie")
                if not cookie.endswith("; Secure")
            ] == []


def test_a_link_on_another_site_signs_nobody_out(public: Server) -> None:
    headers = {"Host": "workbench.example", "Sec-Fetch-Site": "cross-site"}
    assert httpx.get(public.url + "/auth/logout", headers=headers).status_code == 404
    assert httpx.get(public.url + "/oauth2callback", headers=headers).status_code == 302


@pytest.mark.parametrize(
    ("origin", "host", "is_open"),
    [
        ("http://{own}", "{own}", True),
        (None, "{own}", False),
        ("null", "{own}", False),
        ("http://localhost:1", "{own}", False),
        ("http://evil.example", "{own}", False),
        ("http://{own}.evil.example", "{own}", False),
        ("http://evil.example", "evil.example", False),
    ],
)
def test_a_websocket_is_for_our_own_pages(
    desk: Server, origin: str | None, host: str, is_open: bool
) -> None:
    own = {"own": desk.netloc}
    assert opens(desk, origin.format(**own) if origin else None, host.format(**own)) == is_open


@pytest.mark.parametrize(
    ("origin", "host", "is_open"),
    [
        ("https://workbench.example", "workbench.example", True),
        ("http://workbench.example", "workbench.example", False),
        ("https://evil.example", "workbench.example", False),
        (None, "workbench.example", False),
        ("http://{own}", "{own}", False),
    ],
)
def test_with_sign_in_a_websocket_is_for_the_address_of_redirect_uri(
    public: Server, origin: str | None, host: str, is_open: bool
) -> None:
    own = {"own": public.netloc}
    assert opens(public, origin.format(**own) if origin else None, host.format(**own)) == is_open


@pytest.mark.parametrize("path", ["/", "/_stcore/metrics", "/tasks/_stcore/stream"])
def test_there_is_one_websocket(desk: Server, path: str) -> None:
    assert not opens(desk, desk.url, desk.netloc, path)


def opens(server: Server, origin: str | None, host: str, path: str = "/_stcore/stream") -> bool:
    """Whether the handshake of a WebSocket succeeds; a refusal is a 403."""
    handshake = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c29tZXRoaW5nIHJhbmRvbQ==",
    }
    headers = handshake | {"Host": host} | ({"Origin": origin} if origin else {})
    with httpx.stream("GET", server.url + path, headers=headers) as answer:
        assert answer.status_code in (101, 403)
        return answer.status_code == 101


def test_the_protection_against_other_sites_is_shipped_switched_on() -> None:
    server = SHIPPED["server"]
    assert (
        server["enableXsrfProtection"],
        server["enableCORS"],
        server["enableStaticServing"],
    ) == (True, True, False)
    assert "corsAllowedOrigins" not in server
    assert SHIPPED["client"]["allowedOrigins"] == []


def test_what_is_shipped_is_in_force(desk: Server, public: Server) -> None:
    for server, host in ((desk, desk.netloc), (public, "workbench.example")):
        cookies = httpx.get(
            server.url + "/_stcore/health", headers={"Host": host}
        ).headers.get_list("set-cookie")
        assert [cookie.partition("=")[0] for cookie in cookies if "SameSite" in cookie].count(
            "_streamlit_xsrf"
        ) == 1
        for origin in ("https://evil.example", "null", "http://localhost:1"):
            for method in ("GET", "OPTIONS"):
                for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/none.csv"):
                    asked = {"Host": host, "Origin": origin, "Access-Control-Request-Method": "GET"}
                    answer = httpx.request(method, server.url + path, headers=asked)
                    assert [
                        name for name in answer.headers if name.startswith("access-control-allow")
                    ] == [], (method, path)


def test_no_file_is_served(desk: Server) -> None:
    page = _raw(desk, "/")[1]
    assert b"<!doctype html>" in page.lower()
    secret = next((desk.data / "warehouse").glob("*.duckdb"))
    inside = [
        path.relative_to(ROOT).as_posix()
        for path in (
            ROOT / "data" / "sample" / "patients.csv",
            ROOT / ".streamlit" / "config.toml",
            ROOT / "app.py",
        )
    ]
    outside = [
        path.as_posix().lstrip("/") for path in (secret, desk.data / "settings.toml", desk.log)
    ]
    for file in (*inside, *outside):
        for path in dict.fromkeys(
            way.format(leave * 8 + file) for way in ASKING for leave in LEAVING
        ):
            status, body = _raw(desk, path)
            # Streamlit answers a path it does not know with its page.
            assert status in (400, 404) or (status, body) == (200, page), path
    assert _raw(desk, "/no/such/file")[1] == page


def _raw(server: Server, path: str) -> tuple[int, bytes]:
    """The answer to a path exactly as it is written, which a client would tidy up."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
