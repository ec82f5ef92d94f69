"""Who may sign in and how a session ends, in a browser against an OpenID Connect provider."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import oidc_provider_mock
import pytest

from tests.browser.screen import Grid, settle, visit
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOOKMARK = "/tasks?facility=F1&sort=-since"
PATIENT = re.compile("Zebulon|Quartermaine")
USERS = {
    "dana": {"email": "dana@FACILITY.example", "email_verified": True},
    "omar": {"email": "omar@facility.example", "email_verified": True},
    "dana again": {"email": "dana@facility.example", "email_verified": True},
    "gone": {"email": "gone@facility.example", "email_verified": True},
    "stranger": {"email": "<b>stranger</b>@elsewhere.example", "email_verified": True},
    "unconfirmed": {"email": "dana@facility.example", "email_verified": False},
    "nameless": {"name": "Dana Whitfield"},
}
SECRETS = """
[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "made up for this test only, and long enough"
client_id = "workbench"
client_secret = "any"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider(others: set[str]) -> Iterator[Callable[..., str]]:
    """The address of a provider that knows USERS; `seconds` is how long its tokens last."""
    running = []

    def start(seconds: int = 3600) -> str:
        users = [oidc_provider_mock.User(sub=name, claims=claims) for name, claims in USERS.items()]
        context = oidc_provider_mock.run_server_in_thread(
            access_token_max_age=dt.timedelta(seconds=seconds), user_claims=users
        )
        running.append(context)
        netloc = f"localhost:{context.__enter__().server_port}"
        others.add(netloc)
        return f"http://{netloc}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        yield start
        for context in running:
            context.__exit__(None, None, None)


@pytest.fixture(scope="module")
def facility(
    new_server: Callable[..., Server], practice_data: Path, provider: Callable[..., str]
) -> Server:
    """The small practice behind sign-in, which ends after 15 minutes without use."""
    server = new_server(practice_data)
    return server.start(idle_minutes=15, secrets=SECRETS.format(url=server.url, issuer=provider()))


def sign_in(page: Page, url: str, user: str) -> Page:
    """From a page of the workbench to the provider, there as the user, and back."""
    visit(page, url)
    page.get_by_role("button", name="Sign in").click()
    return back_as(page, user)


def back_as(page: Page, user: str) -> Page:
    page.get_by_role("button", name=user, exact=True).click()
    page.wait_for_url(lambda url: "oauth2" not in url)
    return settle(page)


def sessions(server: Server, event: str) -> list[tuple[str | None, str | None]]:
    """Whose, and why, the ledger says, oldest first."""
    with sqlite3.connect(server.data / "ledger.sqlite") as ledger:
        return ledger.execute(
            "SELECT staff_id, detail FROM sessions WHERE event = ? ORDER BY seq", (event,)
        ).fetchall()


def is_in(page: Page) -> bool:
    return page.get_by_role("button", name="Sign out").count() == 1


def wait_until_out(page: Page) -> None:
    page.get_by_role("heading", name="Sign in", exact=True).wait_for()
    settle(page)
    assert page.get_by_role("button", name="Sign out").count() == 0


def test_a_bookmark_survives_sign_in(facility: Server, browser_page: Page) -> None:
    before = len(sessions(facility, "signed in"))
    visit(browser_page, facility.url + BOOKMARK)
    assert browser_page.get_by_role("heading", name="Sign in", exact=True).count() == 1
    assert not is_in(browser_page)
    browser_page.get_by_role("button", name="Sign in").click()
    back_as(browser_page, "dana")
    assert browser_page.url == facility.url + BOOKMARK
    assert is_in(browser_page)
    assert browser_page.get_by_text("Dana Whitfield").count() > 0
    assert "Quartermaine, Zebulon" in Grid(browser_page).ready().cells(0)
    settle(browser_page.reload() and browser_page)
    assert is_in(browser_page)
    assert sessions(facility, "signed in")[before:] == [("S1", None)]


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("stranger", "no active member"),
        ("gone", "no active member"),
        ("unconfirmed", "nobody has confirmed"),
        ("nameless", "did not pass on"),
    ],
)
def test_nobody_else_gets_in(facility: Server, browser_page: Page, user: str, says: str) -> None:
    before = len(sessions(facility, "refused"))
    sign_in(browser_page, facility.url + BOOKMARK, user)
    assert browser_page.get_by_role("heading", name="You cannot use the workbench").count() == 1
    text = browser_page.inner_text("body")
    assert says in text
    assert USERS[user].get("email", "without an e-mail address") in text
    assert not is_in(browser_page)
    assert not PATIENT.search(browser_page.content())
    settle(browser_page.reload() and browser_page)
    assert len(sessions(facility, "refused")) == before + 1


def test_another_account_with_her_address_is_not_hers(
    facility: Server, new_browser: Callable[..., Page]
) -> None:
    assert is_in(sign_in(new_browser(), facility.url, "dana"))
    page = sign_in(new_browser(), facility.url + BOOKMARK, "dana again")
    assert not is_in(page)
    text = page.inner_text("body")
    assert "another account" in text
    assert "ask an administrator" in text
    assert not PATIENT.search(page.content())


def test_a_refused_person_can_take_another_account(facility: Server, browser_page: Page) -> None:
    sign_in(browser_page, facility.url + BOOKMARK, "stranger")
    browser_page.get_by_role("button", name="Use another account").click()
    browser_page.get_by_role(
        "button", name=re.compile("log ?out|confirm|end session|yes", re.IGNORECASE)
    ).click()
    wait_until_out(browser_page)
    browser_page.get_by_role("button", name="Sign in").click()
    back_as(browser_page, "omar")
    assert browser_page.url == facility.url + BOOKMARK
    assert is_in(browser_page)


def test_signing_out_ends_every_tab_and_the_cookie(
    facility: Server, browser_page: Page, new_browser: Callable[..., Page]
) -> None:
    sign_in(browser_page, facility.url + BOOKMARK, "dana")
    other_tab = visit(browser_page.context.new_page(), facility.url + BOOKMARK)
    assert "Quartermaine, Zebulon" in Grid(other_tab).ready().cells(0)
    copied = browser_page.context.cookies()
    before = len(sessions(facility, "signed out"))
    browser_page.get_by_role("button", name="Sign out").click()
    wait_until_out(other_tab)
    assert "You signed out." in other_tab.inner_text("body")
    assert not PATIENT.search(other_tab.content())
    assert sessions(facility, "signed out")[before:] == [("S1", None)]
    for restart in (False, True):
        if restart:
            facility.stop()
            facility.start(idle_minutes=15)
        thief = new_browser()
        thief.context.add_cookies(copied)
        visit(thief, facility.url + BOOKMARK)
        wait_until_out(thief)
        assert not PATIENT.search(thief.content())
    assert sessions(facility, "refused")[-1] == ("S1", "That sign-in was ended. Sign in again.")
    sign_in(settle(other_tab.reload() and other_tab), facility.url + "/runs", "dana")
    assert is_in(other_tab)
    assert other_tab.url == facility.url + "/runs"


def test_a_session_ends_when_nobody_uses_any_of_its_tabs(
    facility: Server, browser_page: Page
) -> None:
    sign_in(browser_page, facility.url + BOOKMARK, "omar")
    other_tab = visit(browser_page.context.new_page(), facility.url + BOOKMARK)
    before = len(sessions(facility, "timed out"))
    facility.move_clock(minutes=10)
    settle(browser_page.reload() and browser_page)
    facility.move_clock(minutes=10)
    other_tab.wait_for_timeout(
        6_000
    )  # more than a turn of the watch, which must not take the reload of the first tab for nothing
    assert is_in(other_tab)
    facility.move_clock(minutes=6)
    for tab in (browser_page, other_tab):
        wait_until_out(tab)
        assert "15 minutes" in tab.inner_text("body")
        assert tab.url == facility.url + BOOKMARK
        assert not PATIENT.search(tab.content())
    settle(browser_page.reload() and browser_page)
    wait_until_out(browser_page)
    assert [staff_id for staff_id, _ in sessions(facility, "timed out")[before:]] == ["S2"]
    browser_page.get_by_role("button", name="Sign in").click()
    back_as(browser_page, "omar")
    assert browser_page.url == facility.url + BOOKMARK
    assert is_in(browser_page)


def test_an_expired_token_opens_nothing(
    new_server: Callable[..., Server],
    practice_data: Path,
    provider: Callable[..., str],
    browser_page: Page,
) -> None:
    server = new_server(practice_data)
    server.start(secrets=SECRETS.format(url=server.url, issuer=provider(seconds=-30)))
    sign_in(browser_page, server.url + BOOKMARK, "dana")
    wait_until_out(browser_page)
    assert "Your sign-in has expired." in browser_page.inner_text("body")
    assert browser_page.url == server.url + BOOKMARK
    assert sessions(server, "signed in") == []
    server.stop()


def test_a_provider_that_does_not_answer_is_no_dead_end(
    new_server: Callable[..., Server], practice_data: Path, browser_page: Page
) -> None:
    server = new_server(practice_data)
    server.start(secrets=SECRETS.format(url=server.url, issuer="http://localhost:9"))
    visit(browser_page, server.url + BOOKMARK)
    browser_page.get_by_role("button", name="Sign in").click()
    browser_page.get_by_role("heading", name="The sign-in service does not answer").wait_for()
    browser_page.go_back()
    browser_page.get_by_role("button", name="Sign in").wait_for()
    assert browser_page.url == server.url + BOOKMARK
    server.stop()


def test_another_name_of_the_server_leads_to_the_right_one(
    facility: Server, browser_page: Page, local: set[str]
) -> None:
    other = f"127.0.0.1:{facility.port}"
    local.add(other)
    browser_page.goto(f"http://{other}{BOOKMARK}")
    browser_page.get_by_role("link", name=facility.url).click()
    settle(browser_page)
    assert browser_page.url == facility.url + BOOKMARK
