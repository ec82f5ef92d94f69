"""Backlog and Aging in a browser: marks and numbers lead to their tasks, Back, the past."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.worklist.filters import Filters
from tests.browser import facts
from tests.browser.screen import Grid, changing_address, query, settle, sit_down
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRACE = "Grace Abbott"
NOVEMBER_11 = dt.date(2026, 11, 11)


@pytest.fixture
def grace(server: Server, new_browser: Callable[..., Page]) -> Callable[[str], Page]:
    """Grace of the demo at a page."""
    return lambda path: sit_down(new_browser, server.url, GRACE, path)


def bars(page: Page, chart: int) -> object:
    """The bars of one chart, in the order they were drawn."""
    found = page.get_by_test_id("stPlotlyChart").nth(chart).locator(".barlayer .point")
    found.first.wait_for()
    settle(page)
    return found


def count(page: Page) -> str:
    """How many tasks the Tasks page says it lists."""
    page.get_by_role("heading", name="Tasks", exact=True).wait_for()
    settle(page)
    return page.get_by_text("tasks", exact=False).filter(has_text="of").last.inner_text()


def test_a_bar_of_the_backlog_leads_to_its_tasks_and_back_to_the_chart(
    grace: Callable[[str], Page], server: Server
) -> None:
    page = grace("/backlog?split=category&step=day&weeks=4&facility=001")
    box = bars(page, 0).first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    link = page.get_by_role("link", name=re.compile(r"List \d+ tasks: \w+, Oct 25"))
    said = link.inner_text()
    link.click()
    listed = count(page)
    asked = query(page)
    assert (asked["facility"], asked["status"], asked["on"]) == (["001"], ["all"], ["2026-10-25"])
    wanted = Filters(
        status="all",
        facility_ids=("001",),
        categories=tuple(asked["category"]),
        open_on=dt.date(2026, 10, 25),
    )
    assert listed.endswith(f"of {len(facts.tasks(server, wanted)):,} tasks")
    assert f"List {len(facts.tasks(server, wanted))} tasks" in said
    page.go_back()
    page.get_by_role("heading", name="Backlog").wait_for()
    assert query(settle(page)) == {
        "facility": ["001"],
        "split": ["category"],
        "step": ["day"],
        "weeks": ["4"],
    }
    assert page.get_by_test_id("stPlotlyChart").count() == 3


def test_a_number_of_the_backlog_is_a_link(grace: Callable[[str], Page], server: Server) -> None:
    page = grace("/backlog?facility=002")
    overdue = len(facts.tasks(server, Filters(status="overdue", facility_ids=("002",))))
    page.get_by_role("link", name=f"Overdue: {overdue}").first.click()
    assert count(page).endswith(f"of {overdue} tasks")


def test_a_cell_of_the_ages_leads_to_its_tasks(
    grace: Callable[[str], Page], server: Server
) -> None:
    page = grace("/aging?type=pending_signature")
    page.get_by_test_id("stPlotlyChart").first.locator(".scatterlayer .point").last.click(
        force=True
    )
    settle(page)
    oldest = facts.tasks(
        server, Filters(status="open", rule_ids=("pending_signature",), age_bands=("31-",))
    )
    page.get_by_role("link", name=f"List {len(oldest)} tasks").click()
    assert count(page).endswith(f"of {len(oldest)} tasks")
    assert query(page)["age"] == ["31-"]


def test_the_list_of_an_evening_can_be_looked_at_and_left(
    grace: Callable[[str], Page], server: Server
) -> None:
    page = grace("/tasks?facility=001&at=2026-11-11")
    page.get_by_text(
        "The list as it was in the evening of Wednesday, November 11, 2026."
    ).wait_for()
    assert page.get_by_role("button", name="Complete").count() == 0
    wanted = Filters(status="all", facility_ids=("001",), open_on=NOVEMBER_11)
    page.get_by_role("radio", name="All open").click()
    assert count(page).endswith(f"of {len(facts.tasks(server, wanted)):,} tasks")
    panel = Grid(page).open(0)
    panel.get_by_text("This is the task as it was").wait_for()
    assert panel.get_by_role("checkbox").count() == 0
    page.keyboard.press("Escape")
    with changing_address(settle(page)):
        page.get_by_role("button", name="Back to now").click()
    assert query(page) == {"facility": ["001"], "status": ["open"]}
    assert count(page).endswith(
        f"of {len(facts.tasks(server, replace(wanted, status='open', open_on=None))):,} tasks"
    )
