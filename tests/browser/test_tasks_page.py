"""The Tasks page in a browser: bulk actions with Undo, deferring, assigning, export."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.worklist.filters import Filters, Order
from tests.browser import facts
from tests.browser.screen import (
    Grid,
    choose,
    outcome,
    panel,
    sit_down,
    soon,
)
from tests.browser.servers import Server
from tests.browser.tasks_screen import (
    EMEKA,
    EMEKA_ID,
    GRACE,
    GRACE_ID,
    HARBOR,
    MILL_POND,
    row_of,
    status,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_several_are_completed_after_one_confirmation_and_taken_back(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks?facility=003&category=Billing")
    grid = Grid(page).ready()
    before, listed = (
        grid.rows(),
        facts.tasks(server, Filters(facility_ids=(MILL_POND,), categories=("Billing",))),
    )
    kinds = ["Uncollected Payments", "Authorization Expiring", "Benefit Verification Complete"]
    rows = [row_of(page, kind) for kind in kinds]
    ids = [str(listed["task_id"].iloc[row]) for row in rows]
    for row in rows:
        grid.tick(row)
    page.get_by_role("button", name="Complete", exact=True).click()
    confirm = panel(page).get_by_role("button", name="Complete 3 tasks")
    confirm.wait_for()
    said = panel(page).inner_text()
    assert all(f"1 × {kind}" in said for kind in kinds)
    assert "1 task of these normally clears by itself" in said
    confirm.click()
    panel(page).get_by_text("Write why this is completed by hand").wait_for()
    assert [facts.actions(server, task_id) for task_id in ids] == [[], [], []]
    panel(page).get_by_role("textbox", name="Reason for the override").fill("Renewed by phone")
    confirm.click()
    outcome(page).get_by_text("Completed: 3 tasks").wait_for()
    left = [row["Reason"] for number, row in enumerate(before) if number not in rows]
    soon(lambda: Grid(page).column("Reason")[: len(left)], left, page)
    reasons = [None, "Renewed by phone", None]
    assert [facts.actions(server, task_id) for task_id in ids] == [
        [("complete", EMEKA_ID, reason)] for reason in reasons
    ]
    page.get_by_role("button", name="Undo").click()
    outcome(page).get_by_text("Taken back: 3 tasks").wait_for()
    soon(lambda: Grid(page).column("Reason"), [row["Reason"] for row in before], page)


def on_the_second() -> None:
    """Wait for the next whole second: the app's clock steps with it."""
    time.sleep(-time.time() % 1)


def test_a_deferred_task_is_back_at_its_moment_and_not_a_second_before(
    start_server: Callable[..., Server], demo_data, new_browser: Callable[..., Page]
) -> None:
    server = start_server(demo_data)
    patient_id = facts.tasks(server, Filters(rule_ids=("intake_complete",)))["patient_id"].iloc[0]
    page = sit_down(
        new_browser, server.url, EMEKA, f"/tasks?type=intake_complete&patient={patient_id}"
    )
    Grid(page).ready().tick(0)
    page.get_by_role("button", name="Defer", exact=True).click()
    panel(page).get_by_text("2 days").click()
    panel(page).get_by_text("Back on the list Sunday, November 22 at 08:3").wait_for()
    panel(page).get_by_role("button", name="Defer 1 task").click()
    outcome(page).get_by_text("Deferred for 2 days: Intake Complete").wait_for()
    ((until,),) = facts.ledger(server, "SELECT until FROM actions ORDER BY seq DESC LIMIT 1")
    back_at = dt.datetime.fromisoformat(until)
    labels = ["All open", "Pending"]

    def look() -> tuple[str, str]:
        """Pending and deferred, after a click that makes the page look again."""
        status(page, labels[0])
        labels.reverse()
        return tuple(
            page.get_by_test_id("stMetricValue").nth(place).inner_text() for place in (0, 2)
        )

    for _ in range(30):
        server.set_clock(
            back_at - dt.timedelta(minutes=10)
        )  # further than a shared list overlooks, see LATE
        assert look() == ("0", "1")
        on_the_second()
        began = time.monotonic()
        server.set_clock(back_at - dt.timedelta(seconds=1))
        is_deferred = look() == ("0", "1")
        if time.monotonic() - began < 0.95:  # a look that took longer may have been too late
            break
    else:
        pytest.fail("this machine is too slow to look within a second")
    assert is_deferred
    on_the_second()
    server.set_clock(back_at)
    assert look() == ("1", "0")
    server.stop()


def test_a_task_is_handed_to_a_colleague_and_back(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks?facility=003&type=unscheduled_patient")
    (reason, before), *_ = [(row["Reason"], row["Staff"]) for row in Grid(page).ready().rows()]
    Grid(page).tick(0)
    page.get_by_role("button", name="Assign", exact=True).click()
    choose(page, panel(page).get_by_role("combobox", name="Assign to"), "Grace Abb")
    panel(page).get_by_role("button", name="Assign 1 task").click()
    outcome(page).get_by_text("Assigned to Grace Abbott: Unscheduled Patient").wait_for()
    soon(lambda: Grid(page).column("Staff")[:1], ["Grace Abbott"], page)
    hers = sit_down(new_browser, server.url, GRACE, "/tasks?staff=me&type=unscheduled_patient")
    assert reason in Grid(hers).column("Reason")
    page.get_by_role("button", name="Undo").click()
    soon(lambda: Grid(page).column("Staff")[:1], [before], page)


def test_ticks_stay_on_their_tasks_when_somebody_else_completes(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    path = "/tasks?facility=001&type=uncollected_payments"
    emeka, grace = (sit_down(new_browser, server.url, name, path) for name in (EMEKA, GRACE))
    ids = facts.tasks(server, Filters(facility_ids=(HARBOR,), rule_ids=("uncollected_payments",)))[
        "task_id"
    ].tolist()
    rows = Grid(emeka).ready().column("Reason")
    for row in (2, 4):
        Grid(emeka).tick(row)
    Grid(grace).ready().tick(0)
    grace.get_by_role("button", name="Complete", exact=True).click()
    panel(grace).get_by_role("button", name="Complete 1 task").click()
    outcome(grace).wait_for()
    Grid(emeka).tick(5)
    soon(lambda: Grid(emeka).column("Reason"), rows[1:], emeka)
    assert [row["Reason"] for row in Grid(emeka).rows() if row["ticked"]] == [
        rows[2],
        rows[4],
        rows[5],
    ]
    emeka.get_by_role("button", name="Complete", exact=True).click()
    panel(emeka).get_by_role("button", name="Complete 3 tasks").click()
    outcome(emeka).get_by_text("Completed: 3 tasks").wait_for()
    done = {task_id: [staff for _, staff, _ in facts.actions(server, task_id)] for task_id in ids}
    assert {task_id: staff for task_id, staff in done.items() if staff} == {
        ids[0]: [GRACE_ID],
        **{ids[place]: [EMEKA_ID] for place in (2, 4, 5)},
    }


def texts_of_sheet(content: bytes) -> list[list[str]]:
    """The cells of an Excel file's only sheet, texts and numbers as they are written."""
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        shared = [
            re.sub("<.*?>", "", text)
            for text in re.findall("<si>(.*?)</si>", workbook.read("xl/sharedStrings.xml").decode())
        ]
        rows = re.findall("<row .*?</row>", workbook.read("xl/worksheets/sheet1.xml").decode())
    cells = [
        re.findall(r'<c r="\w+"(?: s="\d+")?(?: t="(\w+)")?(?:/>|><v>(.*?)</v></c>)', row)
        for row in rows
    ]
    return [[shared[int(value)] if kind == "s" else value for kind, value in row] for row in cells]


def test_the_whole_list_is_exported_in_its_order_and_on_record(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, GRACE, "/tasks?status=all&sort=patient")
    wanted = facts.tasks(server, Filters("all"), Order("patient"))
    assert len(wanted) > 300, "more than three pages"
    page.get_by_role("button", name="Export").click()
    page.get_by_text(f"{len(wanted):,} tasks as filtered and sorted now").wait_for()
    files = {}
    for label in ("CSV", "Excel"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Download {label}").click()
        files[label] = (waiting.value.suggested_filename, waiting.value.path().read_bytes())
    assert [re.sub(r"\d\d\.", "MM.", name) for name, _ in files.values()] == [
        "tasks-20261120-08MM.csv",
        "tasks-20261120-08MM.xlsx",
    ]
    rows = list(csv.DictReader(io.StringIO(files["CSV"][1].decode("utf-8-sig"))))
    assert [row["Task id"] for row in rows] == [*wanted["task_id"]]
    assert [row["Patient"] for row in rows] == [*wanted["patient"]]
    head, *lines = texts_of_sheet(files["Excel"][1])
    assert head == list(rows[0])
    assert [line[0] for line in lines] == [*wanted["task_id"]]
    noted = facts.ledger(
        server, "SELECT patient_id, staff_id, at FROM accesses WHERE kind = 'export'"
    )
    assert Counter(patient for patient, _, _ in noted) == dict.fromkeys(wanted["patient_id"], 2)
    assert {staff for _, staff, _ in noted} == {GRACE_ID}
    assert {at[:15] for _, _, at in noted} == {"2026-11-20T13:3"}
