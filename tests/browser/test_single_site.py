"""Without sign-in: the browser remembers the chosen name; only this machine is answered."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browser.screen import Grid, come_in, settle, visit
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOOKMARK = "/tasks?facility=F1&sort=-since"
PATIENT = re.compile("Zebulon|Quartermaine")


@pytest.fixture(scope="module")
def desk(start_server: Callable[..., Server], practice_data: Path) -> Server:
    """The small practice on this machine, where a choice lasts for 15 minutes without use."""
    return start_server(practice_data, idle_minutes=15)


def is_asked(page: Page) -> bool:
    return page.get_by_role("heading", name="Who are you?").count() == 1


def test_it_asks_who_is_there_and_says_that_it_believes_it(
    desk: Server, browser_page: Page
) -> None:
    visit(browser_page, desk.url + BOOKMARK)
    assert is_asked(browser_page)
    assert "No sign-in is set up" in browser_page.inner_text("body")
    assert not PATIENT.search(browser_page.content())
    browser_page.get_by_role("combobox", name="Your name").click()
    # An inactive member of staff is not among them.
    assert browser_page.get_by_role("option").all_text_contents() == [
        "Dana Whitfield – Front Desk",
        "Omar Reyes – Clinical Staff",
    ]
    browser_page.keyboard.press("Escape")
    browser_page.get_by_role("button", name="Start").click()
    settle(browser_page)
    assert is_asked(browser_page)


def test_a_choice_holds_in_every_tab_of_this_browser_and_in_no_other(
    desk: Server, browser_page: Page, new_browser: Callable[..., Page]
) -> None:
    come_in(browser_page, desk.url + BOOKMARK, "Omar")
    assert browser_page.url == desk.url + BOOKMARK
    assert "this computer only" in browser_page.inner_text("body")
    for tab in (
        settle(browser_page.reload() and browser_page),
        visit(browser_page.context.new_page(), desk.url + "/patient"),
    ):
        assert not is_asked(tab)
        assert tab.get_by_text("Omar Reyes").count() > 0
    assert is_asked(visit(new_browser(), desk.url + BOOKMARK))
    browser_page.get_by_role("button", name="Not me").click()
    tab.get_by_role("heading", name="Who are you?").wait_for()
    assert is_asked(settle(browser_page))
    with sqlite3.connect(desk.data / "ledger.sqlite") as ledger:
        assert ledger.execute(
            "SELECT staff_id, event, login FROM sessions ORDER BY seq"
        ).fetchall() == [
            ("S2", "signed in", "without sign-in"),
            ("S2", "signed out", "without sign-in"),
        ]


def test_a_choice_is_forgotten_when_nobody_uses_it(desk: Server, browser_page: Page) -> None:
    come_in(browser_page, desk.url + BOOKMARK, "Dana")
    desk.move_clock(minutes=14)
    assert not is_asked(settle(browser_page.reload() and browser_page))
    assert "Quartermaine, Zebulon" in Grid(browser_page).ready().cells(0)
    desk.move_clock(minutes=15)
    browser_page.get_by_role("heading", name="Who are you?").wait_for()
    settle(browser_page)
    assert "15 minutes" in browser_page.inner_text("body")
    assert not PATIENT.search(browser_page.content())
    come_in(browser_page, browser_page.url, "Omar")
    assert browser_page.url == desk.url + BOOKMARK


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "workbench.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "localhost@evil.example"},
        {"Host": "evil@localhost"},
        {"Host": ""},
        {"X-Forwarded-For": "10.1.2.3"},
        {"X-Forwarded-Host": "workbench.example"},
        {"Forwarded": "for=10.1.2.3"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "10.1.2.3"},
    ],
    ids=str,
)
def test_a_request_from_elsewhere_is_refused(desk: Server, headers: dict[str, str]) -> None:
    for path in ("/", BOOKMARK, "/static/none.js", "/media/x.csv", "/_stcore/host-config"):
        answer = httpx.get(desk.url + path, headers=headers)
        assert answer.status_code == 403
        assert "its own computer" in answer.text
        assert "docs/sign-in.md" in answer.text


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_each_name_of_this_machine_is_answered(desk: Server, name: str) -> None:
    assert httpx.get(desk.url, headers={"Host": f"{name}:{desk.port}"}).status_code == 200


def test_a_server_that_others_can_reach_answers_nobody(
    start_server: Callable[..., Server], practice_data: Path, browser_page: Page
) -> None:
    server = start_server(practice_data, "--server.address", "0.0.0.0")
    answer = browser_page.goto(server.url + BOOKMARK)
    assert answer is not None
    assert answer.status == 403
    text = browser_page.inner_text("body")
    assert "listen on 0.0.0.0" in text
    assert "server.address" in text
    assert httpx.get(server.url + "/_stcore/health").text == "ok"
    server.stop()


@pytest.mark.parametrize(
    ("arguments", "secrets", "says"),
    [
        (
            ["--server.trustedUserHeaders", '{"X-Email": "email"}'],
            "[auth]\nclient_id = 'x'",
            "overrule",
        ),
        (["--server.trustedUserHeaders", '{"X-Name": "name"}'], "", "e-mail"),
        ([], "[auth\nclient_id = 'x'", "not valid TOML"),
        ([], "[auth]\nclient_id = 'x'", "redirect_uri"),
        (
            [],
            "[auth]\nredirect_uri = 'http://localhost/oauth2callback'\ncookie_secret = 'short'",
            "32 random characters",
        ),
        ([], "[auth]\nredirect_uri = 'http://workbench.example/oauth2callback'", "https"),
        (
            [],
            "[auth]\nserver_metadata_url = 'https://login.microsoftonline.com/common/v2.0'",
            "of any organization",
        ),
    ],
)
def test_a_server_whose_sign_in_is_set_up_wrongly_answers_nobody(
    start_server: Callable[..., Server],
    practice_data: Path,
    arguments: list[str],
    secrets: str,
    says: str,
) -> None:
    server = start_server(practice_data, *arguments, secrets=secrets)
    answer = httpx.get(server.url)
    assert answer.status_code == 503
    assert says in answer.text
    server.stop()
