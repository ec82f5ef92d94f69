"""Sessions end once and in all their tabs; a browser returns to its page after sign-in."""

from __future__ import annotations

import datetime as dt

import pytest
from starlette.datastructures import MutableHeaders

from app_pages.server import guard
from app_pages.session import browser as session_browser
from app_pages.session import clock, logins
from app_pages.session.logins import Returns, Session, Sessions

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
BROWSER = "b" * 43


def session(staff_id: str = "S1", browser: str = BROWSER, at: dt.datetime = NOON) -> Session:
    return Session(staff_id, browser, at)


def test_a_session_begins_once_and_ends_once() -> None:
    known = Sessions()
    assert known.begin("a", session())
    assert not known.begin("a", session())
    assert known.end("a", "left")
    assert not known.end("a", "timed out")
    assert known.find("a").ended == "left"
    assert known.begin("a", session())
    assert known.find("a").ended is None


def test_using_one_that_is_over_does_not_revive_it() -> None:
    known = Sessions()
    known.begin("a", session())
    known.use("a", NOON + dt.timedelta(minutes=1))
    assert known.find("a").used_at == NOON + dt.timedelta(minutes=1)
    known.end("a", "left")
    known.use("a", NOON + dt.timedelta(minutes=2))
    known.use("unknown", NOON)
    assert known.find("a") == Session("S1", BROWSER, NOON + dt.timedelta(minutes=1), None, "left")
    assert known.find("unknown") is None


def test_who_signs_out_is_out_everywhere_and_nobody_else() -> None:
    known = Sessions()
    for login, staff_id in (("a", "S1"), ("b", "S1"), ("c", "S2")):
        known.begin(login, session(staff_id))
    known.end_all("S1", "left")
    assert [known.find(login).ended for login in "abc"] == ["left", "left", None]


def test_a_browser_is_open_while_a_session_in_it_is() -> None:
    known = Sessions()
    known.begin("a", session())
    assert known.is_open_in(BROWSER)
    assert not known.is_open_in("another")
    known.end("a", "left")
    assert not known.is_open_in(BROWSER)


def test_nobody_can_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "MOST", 3)
    known, returns = Sessions(), Returns()
    for number in range(5):
        known.begin(str(number), session())
        known.is_news(str(number), "no")
        returns.put(str(number), "/tasks", NOON)
    assert [known.find(str(number)) is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert [known.is_news(str(number), "no") for number in (4, 0)] == [False, True]
    assert [returns.take(str(number), NOON) for number in (0, 4)] == [None, "/tasks"]


def test_a_page_to_return_to_is_handed_out_once_and_soon() -> None:
    returns = Returns()
    returns.put("b", "/old", NOON)
    returns.put("b", "/tasks?facility=1", NOON)
    assert returns.take("b", NOON + dt.timedelta(minutes=10)) == "/tasks?facility=1"
    assert returns.take("b", NOON) is None
    returns.put("b", "/tasks", NOON)
    assert returns.take("b", NOON + dt.timedelta(minutes=10, seconds=1)) is None


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/", "/"),
        ("/tasks?facility=1&payer=a%20b", "/tasks?facility=1&payer=a%20b"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/tasks\\x", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/tasks\r\nSet-Cookie: a=b", "/"),
        ("/\tevil", "/"),
        ("tasks", "/"),
    ],
)
def test_signing_in_leads_to_pages_of_our_own_only(target: str, leads_to: str) -> None:
    logins.RETURNS.put(BROWSER, target, clock.machine_now())
    cookie = f"{session_browser.COOKIE}={BROWSER}".encode()
    headers = MutableHeaders({"location": "/"})
    guard.return_to_page(
        {"type": "http", "path": "/oauth2callback", "headers": [(b"cookie", cookie)]}, 302, headers
    )
    assert headers["location"] == leads_to
