"""Reports in a browser: made, read and downloaded, and drawn without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.worklist.filters import Filters
from tests.browser import facts
from tests.browser.screen import settle, sit_down
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRACE = "Grace Abbott"
MAKING = 60_000  # milliseconds
DRAWN = """() => [...document.querySelectorAll('img[src^="data:image/png"]')]
  .filter(picture => picture.naturalWidth > 100).length"""


def test_the_digest_is_read_on_the_page(server: Server, new_browser: Callable[..., Page]) -> None:
    page = sit_down(new_browser, server.url, GRACE, "/reports?report=digest")
    page.get_by_role("button", name="Make the report").click()
    page.get_by_role("button", name="Download the page").wait_for(timeout=MAKING)
    settle(page)
    assert (
        page.get_by_role(
            "heading", name="Tasks of the week, November 8 to November 14, 2026"
        ).count()
        == 1
    )
    assert page.evaluate(DRAWN) == 3


def test_a_notebooks_page_taken_along_draws_its_charts_without_a_network(
    server: Server, new_browser: Callable[..., Page], tmp_path: Path
) -> None:
    page = sit_down(new_browser, server.url, GRACE, "/reports")
    page.get_by_role("button", name="Make the report").click()
    link = page.get_by_role("button", name="Download the page")
    link.wait_for(timeout=MAKING)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "review.html")
    offline = new_browser(offline=True)
    offline.set_content((tmp_path / "review.html").read_text(encoding="utf-8"))
    offline.locator("figure .main-svg").first.wait_for()
    assert (
        offline.locator("figure:has(.main-svg)").count() == offline.locator("figure").count() == 3
    )
    still_open = facts.tasks(server, Filters(status="open"))
    assert offline.get_by_text(f"{len(still_open)} tasks are open.").count() == 1
