"""How screens look: the documentation's pictures, contrast, names of controls, page width."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app_pages.tasks.grid import ENDED, STATES, state_column
from pipelines.worklist.filters import Filters
from tests.browser import facts
from tests.browser.screen import Grid, panel, settle, sit_down
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRACE = "Grace Abbott"
PICTURES = Path(__file__).parent / "screenshots"
MOST_BYTES = 150_000
SAME_PIXELS = 500  # of a million: what the rasteriser rounds now one way, now the other
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = {
    "dashboard": "/",
    "tasks": "/tasks",
    "patients": "/patient",
    "patient": "/patient?patient_id=0000945",
    "runs": "/runs",
}
ANALYSES = {
    "backlog": "/backlog?split=type&weeks=4&step=day",
    "aging": "/aging",
    "time-to-clear": "/aging?show=time",
    "schedule": "/schedule",
    "rules": "/rules",
    "rule": "/rules?rule=authorization_expiring",
    "reports": "/reports",
}
PICTURED = {
    "dashboard",
    "tasks",
    "patient",
    "runs",
    "backlog",
    "aging",
    "time-to-clear",
    "schedule",
    "rule",
}  # for the README
PAST = {"past": "/tasks?at=2026-11-10", "closed": "/tasks?status=closed&out=2026-11-01..2026-11-07"}
SECTIONS = {
    f"patient, {section}": f"/patient?patient_id=0000945&section={section}"
    for section in ("policies", "payments", "documents", "schedule")
}

HERE = Path(__file__).parent
CONTRAST = (HERE / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (HERE / "nameless.js").read_text(encoding="utf-8")


@pytest.fixture
def grace(server: Server, new_browser: Callable[..., Page]) -> Callable[..., Page]:
    """Grace of the demo at her desk or with her phone, on a page."""

    def at(path: str, viewport: dict[str, int] = DESK) -> Page:
        page = sit_down(
            new_browser, server.url, GRACE, path, viewport=viewport, reduced_motion="reduce"
        )
        if page.get_by_test_id("stPlotlyChart").count():
            page.locator(".js-plotly-plot .main-svg").first.wait_for()
        if page.locator("[data-testid=stDataFrame]:visible").count():
            page.locator("[data-testid=stDataFrame]:visible canvas").first.wait_for()
            settle(page)
        return page

    return at


def take(page: Page, name: str) -> None:
    """Write the picture for the documentation, unless it differs by a few pixels of an edge."""
    from PIL import Image, ImageChops

    page.mouse.move(0, 0)
    settle(page)
    path = PICTURES / f"{name}.png"
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert(
        "RGB"
    )
    small = picture.quantize(colors=128, dither=Image.Dither.NONE)
    if path.exists():
        before, now = Image.open(path).convert("RGB"), small.convert("RGB")
        if (
            before.size == now.size
            and sum(ImageChops.difference(before, now).convert("L").histogram()[48:]) < SAME_PIXELS
        ):
            return
    small.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES


def a_draft(server: Server) -> str:
    return str(facts.tasks(server, Filters(rule_ids=("draft_documents",)))["task_id"].iloc[0])


def test_a_task_is_pictured(grace: Callable[..., Page], server: Server) -> None:
    page = grace(f"/tasks?type=draft_documents&task={a_draft(server)}")
    panel(page).get_by_text("What happened").wait_for()
    take(page, "task")


@pytest.mark.parametrize("name", ["dashboard", "patient"])
def test_a_phone_is_wide_enough(grace: Callable[..., Page], name: str) -> None:
    page = grace(PAGES[name], PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    take(page, f"{name}-phone")


@pytest.mark.parametrize("name", [*PAGES, *ANALYSES, *SECTIONS, *PAST])
def test_every_text_can_be_read_every_control_has_a_name_and_nothing_sticks_out(
    grace: Callable[..., Page], name: str
) -> None:
    page = grace((PAGES | ANALYSES | SECTIONS | PAST)[name])
    if name in PICTURED:
        take(page, name)
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
    for table in page.locator("[data-testid=stDataFrame]:visible").all():
        assert (
            table.locator("canvas").first.get_attribute("aria-label")
            or table.locator("[aria-label]").count()
        )
    for chart in page.get_by_test_id("stPlotlyChart").all():
        assert chart.locator("[aria-label], [role=img]").count() or chart.get_attribute(
            "aria-label"
        )


def test_a_panel_and_a_confirmation_can_be_read(grace: Callable[..., Page], server: Server) -> None:
    page = grace(f"/tasks?type=draft_documents&task={a_draft(server)}")
    panel(page).get_by_text("What happened").wait_for()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []
    page.keyboard.press("Escape")
    settle(page)
    Grid(page).tick(0)
    page.get_by_role("button", name="Complete").click()
    panel(page).get_by_text("Reason for the override").wait_for()
    assert page.evaluate(CONTRAST) == []


def test_the_page_before_all_others_can_be_read(server: Server, browser_page: Page) -> None:
    browser_page.goto(server.url)
    browser_page.get_by_role("heading", name="Who are you?").wait_for()
    settle(browser_page)
    assert browser_page.evaluate(CONTRAST) == []
    assert browser_page.evaluate(NAMELESS) == []


def test_status_badges_can_be_read_and_say_their_status_in_words() -> None:
    colours = state_column("Status", 92)["type_config"]["options"]
    assert [option["value"] for option in colours] == [*STATES, *ENDED.values()]
    for option in colours:
        assert contrast("#0F2A33", option["color"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    lights = []
    for colour in (one, other):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)
