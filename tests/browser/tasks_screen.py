"""The Tasks page as its browser tests read and use it; the people and facilities of the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.screen import (
    Grid,
    changing_address,
    chosen,
    panel,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

EMEKA, EMEKA_ID = "Emeka Goldberg – P", "003004"
GRACE, GRACE_ID = "Grace Abbott", "003002"
HARBOR, LAKEVIEW, MILL_POND = "001", "002", "003"


def seen(page: Page) -> dict[str, object]:
    """All that a view shows, also behind an open panel."""
    here = page.locator("nav [aria-current=page], [data-testid=stPagination] [aria-current]")
    return {
        "chosen": chosen(page),
        "status": page.locator("[role=radio][aria-checked=true]").inner_text(),
        "sort": page.locator(".st-key-tasks-sort input").input_value(),
        "numbers": page.get_by_test_id("stMetricValue").all_inner_texts(),
        "rows": Grid(page).column("Reason") if page.get_by_test_id("stDataFrame").count() else [],
        "page": here.all_inner_texts(),
        "panel": panel(page).locator("h2 p").all_inner_texts(),
    }


def status(page: Page, label: str) -> Page:
    """Choose a status."""
    with changing_address(page):
        page.get_by_role("radio", name=label).click()
    return page


def alerts(page: Page) -> str:
    """What the page warns of or says aside."""
    return "\n".join(page.get_by_test_id("stAlert").all_inner_texts())


def row_of(page: Page, task: str, reason: str = "") -> int:
    """The first row of a task type, or the one with this reason."""
    return next(
        number
        for number, row in enumerate(Grid(page).rows())
        if row["Task"] == task and reason in str(row["Reason"])
    )
