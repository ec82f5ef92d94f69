"""Behind a sign-on proxy: the header it sets says who is there, and without it nobody is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browser.screen import Grid, settle, visit
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOOKMARK = "/tasks?facility=F1&sort=-since"
HEADER = "X-Auth-Email"
PATIENT = re.compile("Zebulon|Quartermaine")


@pytest.fixture(scope="module")
def behind(start_server: Callable[..., Server], practice_data: Path) -> Server:
    """The small practice, told who is there by a header."""
    return start_server(
        practice_data, "--server.trustedUserHeaders", f'{{"{HEADER}": "email"}}', idle_minutes=15
    )


def is_in(page: Page) -> bool:
    return page.get_by_role("button", name="Sign out").count() == 1


def test_the_header_says_who_is_there(behind: Server, new_browser: Callable[..., Page]) -> None:
    page = visit(
        new_browser(extra_http_headers={HEADER: "OMAR@facility.example"}), behind.url + BOOKMARK
    )
    assert is_in(page)
    assert page.get_by_text("Omar Reyes").count() > 0
    assert page.url == behind.url + BOOKMARK


@pytest.mark.parametrize("email", ["stranger@elsewhere.example", "gone@facility.example"])
def test_nobody_else_gets_in(behind: Server, new_browser: Callable[..., Page], email: str) -> None:
    page = visit(new_browser(extra_http_headers={HEADER: email}), behind.url + BOOKMARK)
    assert not is_in(page)
    assert email in page.inner_text("body")
    assert not PATIENT.search(page.content())


def test_without_the_header_nobody_is_there(behind: Server, browser_page: Page) -> None:
    visit(browser_page, behind.url + BOOKMARK)
    assert "did not say who you are" in browser_page.inner_text("body")
    assert not PATIENT.search(browser_page.content())


def test_a_header_added_to_the_clients_own_is_refused(behind: Server) -> None:
    assert (
        httpx.get(
            behind.url,
            headers=[(HEADER, "omar@facility.example"), (HEADER, "dana@facility.example")],
        ).status_code
        == 400
    )


def test_who_was_away_or_signed_out_goes_on_through_the_proxy(
    behind: Server, new_browser: Callable[..., Page]
) -> None:
    page = visit(
        new_browser(extra_http_headers={HEADER: "dana@facility.example"}), behind.url + BOOKMARK
    )
    assert "Quartermaine, Zebulon" in Grid(page).ready().cells(0)
    behind.move_clock(minutes=15)
    for says in ("15 minutes", "You signed out."):
        page.get_by_role("heading", name="You are signed out").wait_for()
        assert says in settle(page).inner_text("body")
        assert not PATIENT.search(page.content())
        settle(page.reload() and page)
        assert not is_in(page)
        with page.expect_navigation():
            page.get_by_role("button", name="Go on as").click()
        assert is_in(settle(page))
        assert page.url == behind.url + BOOKMARK
        page.get_by_role("button", name="Sign out").click()
