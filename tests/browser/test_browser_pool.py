"""The shared browsers: a test finds nothing of the test before, not even its failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.browser_pool import VIEWPORT, BrowserPool

if TYPE_CHECKING:
    from playwright.sync_api import Page

STORE = """() => {
  localStorage.setItem('who', 'Dana');
  sessionStorage.setItem('who', 'Dana');
  document.cookie = 'who=Dana';
}"""
STORED = "() => [localStorage.length, sessionStorage.length, document.cookie.includes('who')]"


@pytest.fixture
def origin(local: set[str]) -> str:
    """A place that answers the browser without a server."""
    local.add("localhost:1")
    return "http://localhost:1"


def at(page: Page, origin: str) -> Page:
    page.route("**", lambda route: route.fulfill(body="<p>Here</p>", content_type="text/html"))
    page.goto(origin)
    return page


def test_nothing_is_left_of_the_test_before(browser_pool: BrowserPool, origin: str) -> None:
    before = at(
        browser_pool.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce"),
        origin,
    )
    before.evaluate(STORE)
    assert before.evaluate(STORED) == [1, 1, True]
    second = at(before.context.new_page(), origin)
    assert second.evaluate(STORED) == [1, 0, True]
    assert browser_pool.reset([origin]) == []
    after = at(browser_pool.new_page(), origin)
    assert after.context == before.context
    assert (before.is_closed(), second.is_closed()) == (True, True)
    assert after.evaluate(STORED) == [0, 0, False]
    assert after.evaluate("[innerWidth, innerHeight]") == list(VIEWPORT.values())
    assert not after.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert browser_pool.reset([origin]) == []


def test_two_browsers_of_a_test_share_nothing(browser_pool: BrowserPool, origin: str) -> None:
    one, other = at(browser_pool.new_page(), origin), at(browser_pool.new_page(), origin)
    one.evaluate(STORE)
    assert other.evaluate(STORED) == [0, 0, False]
    assert browser_pool.reset([origin]) == []


def test_requests_to_other_hosts_are_reported_once(browser_pool: BrowserPool, origin: str) -> None:
    page = at(browser_pool.new_page(), origin)
    page.evaluate("fetch('http://elsewhere.example/x.png', {mode: 'no-cors'})")
    page.evaluate("console.error('Refused by the Content Security Policy')")
    assert browser_pool.reset([origin]) == [
        "asked for http://elsewhere.example/x.png",
        "Refused by the Content Security Policy",
    ]
    assert browser_pool.reset([origin]) == []
