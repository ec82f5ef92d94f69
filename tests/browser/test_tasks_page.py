"""The Tasks page in a browser: its address, bulk actions with Undo, deferring, export."""

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
from urllib.parse import unquote_plus

import pytest

from pipelines.worklist.filters import Filters, Order
from tests.browser import facts
from tests.browser.screen import (
    Grid,
    changing_address,
    choose,
    chosen,
    outcome,
    panel,
    pick,
    query,
    settle,
    sit_down,
    soon,
    visit,
)
from tests.browser.servers import Server

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


def test_a_pasted_address_opens_the_same_view_in_another_browser(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    emeka = sit_down(new_browser, server.url, EMEKA, "/tasks")
    pick(emeka, "Facility", "Harbor", "Lakeview")
    pick(emeka, "Category", "Clinical")
    choose(emeka, emeka.get_by_role("combobox", name="Sort"), "Newest")
    status(emeka, "All open")
    emeka.get_by_role("button", name="Page 2").click()
    Grid(emeka).ready().open(0)
    wanted = facts.tasks(
        server, Filters("open", (HARBOR, LAKEVIEW), ("Clinical",)), Order("since", True)
    )
    first = wanted.iloc[100]
    asked = {
        "facility": [HARBOR, LAKEVIEW],
        "category": ["Clinical"],
        "status": ["open"],
        "sort": ["-since"],
        "page": ["2"],
    }
    soon(lambda: query(emeka), {**asked, "task": [first["task_id"]]}, emeka)
    view = seen(emeka)
    rows = view["rows"]
    assert isinstance(rows, list)
    assert rows == wanted["reason"].tolist()[100 : 100 + len(rows)]
    assert view["panel"] == [first["title"]]
    grace = sit_down(new_browser, server.url, GRACE, emeka.url.removeprefix(server.url))
    panel(grace).wait_for()
    soon(lambda: seen(grace), view, grace)
    assert grace.url == emeka.url


def test_back_and_forward_step_through_the_filters(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks")
    views = [seen(page)]
    pick(page, "Category", "Billing")
    views.append(seen(page))
    pick(page, "Task type", "Uncollected")
    views.append(seen(page))
    status(page, "Deferred")
    views.append(seen(page))
    assert len({str(view["rows"]) for view in views}) == 4
    addresses = [
        {},
        {"category": ["Billing"]},
        {"category": ["Billing"], "type": ["uncollected_payments"]},
    ]
    for number in (2, 1, 0):
        page.go_back()
        soon(
            lambda number=number: (seen(page), query(page)),
            (views[number], addresses[number]),
            page,
        )
    for number in (1, 2, 3):
        page.go_forward()
        soon(lambda number=number: seen(page), views[number], page)
    assert query(page) == {**addresses[2], "status": ["deferred"]}


def test_ten_quick_clicks_end_with_the_address_being_the_view(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks?category=Billing")
    Grid(page).ready()
    for label in ["Overdue", "Deferred", "All open", "Pending", "Deferred"] * 2:
        page.get_by_role("radio", name=label).click()
    deferred = facts.tasks(server, Filters("deferred", categories=("Billing",)))["reason"].tolist()
    wanted = ({"category": ["Billing"], "status": ["deferred"]}, deferred)
    soon(lambda: (query(settle(page)), Grid(page).column("Reason")), wanted, page)
    assert page.locator("[role=radio][aria-checked=true]").inner_text() == "Deferred"


JUNK = (
    "/tasks?category=Billing&category=No+Such&payer=<script>alert(1)</script>&staff='+OR+1%3D1+--&status=gone&sort=since;+DROP+TABLE+tasks"
    "&page=-1&age=%00%1b[31m&nonsense=1&task=%FF%FE"
)


def test_junk_in_the_address_is_said_and_the_page_works(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, JUNK)
    said = panel(page).inner_text()
    assert "There is no task" in said
    page.keyboard.press("Escape")
    panel(page).wait_for(state="detached")
    said = alerts(settle(page))
    for part in (
        "Category: there is no “No Such”",
        "Payer: there is no “<script>alert(1)</script>”",
        "Status: there is no “gone”",
        "Sort",
        "Age",
    ):
        assert part in said
    assert "Page: “-1” is not a number" in said
    assert "a part “nonsense”" in said
    billing = facts.tasks(server, Filters(categories=("Billing",)))
    rows = Grid(page).column("Reason")
    assert rows == [*billing["reason"]][: len(rows)]
    status(page, "Overdue")
    soon(lambda: query(page), {"category": ["Billing"], "status": ["overdue"]}, page)
    assert alerts(page) == ""


def test_a_bookmark_outlives_its_last_task(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks?facility=001&type=refund_request")
    bookmark, rows = page.url, Grid(page).ready().column("Patient")
    for row in range(len(rows)):
        Grid(page).tick(row)
    page.get_by_role("button", name="Complete", exact=True).click()
    panel(page).get_by_role("button", name=f"Complete {len(rows)} tasks").click()
    outcome(page).wait_for()
    other_tab = visit(page.context.new_page(), bookmark)
    for tab in (settle(page), other_tab):
        assert "No tasks now for task type “Refund Request”" in alerts(tab)
        assert tab.url == bookmark
        assert chosen(tab) == {
            "Facility": ["Harbor Street Physical Therapy"],
            "Task type": ["Refund Request"],
        }
    page.get_by_role("button", name="Undo").click()
    soon(lambda: Grid(page).column("Patient"), rows, page)
    assert Grid(visit(other_tab, bookmark)).column("Patient") == rows
    assert alerts(other_tab) == ""


def test_names_and_searched_text_never_get_into_an_address(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, EMEKA, "/tasks")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    name = str(Grid(page).ready().column("Patient")[0])
    last, first = name.split(", ")
    page.get_by_role("searchbox", name="Patient").fill(f"{first} {last}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=name).first.click()
    soon(lambda: set(Grid(page).column("Patient")), {name}, page)
    (patient_id,) = query(page)["patient"]
    Grid(page).open(0).get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    assert query(settle(page)) == {"patient_id": [patient_id]}
    page.get_by_role("link", name="Another patient").click()
    page.get_by_role("searchbox", name="Find a patient").fill(f"{last} {first}")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=f"{name} ·").first.click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    assert addresses
    for address in [*addresses, settle(page).url, page.title()]:
        assert last.casefold() not in unquote_plus(address).casefold()
        assert first.casefold() not in unquote_plus(address).casefold()


def test_copy_link_copies_the_address_of_this_view(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(
        new_browser, server.url, EMEKA, "/tasks", permissions=["clipboard-read", "clipboard-write"]
    )
    pick(page, "Payer", "Self")
    status(page, "Overdue")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_test_id("stCode").hover()
    page.get_by_role("button", name="Copy to clipboard").click()
    soon(lambda: page.evaluate("navigator.clipboard.readText()"), page.url, page)
    assert query(page) == {"payer": ["self-pay"], "status": ["overdue"]}


def test_a_saved_view_is_there_in_another_browser(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    here = sit_down(
        new_browser, server.url, EMEKA, "/tasks?facility=001&category=Billing&sort=-amount"
    )
    here.get_by_role("button", name="Saved views").click()
    here.get_by_role("textbox", name="Name for this view").fill("Monday <copays>")
    here.get_by_role("button", name="Save", exact=True).click()
    here.get_by_role("link", name="Monday <copays>").wait_for()
    elsewhere = sit_down(
        new_browser, server.url, EMEKA, "/tasks?status=deferred", storage_state=None
    )
    elsewhere.get_by_role("button", name="Saved views").click()
    elsewhere.get_by_role("link", name="Monday <copays>").click()
    soon(lambda: (seen(elsewhere), elsewhere.url), (seen(here), here.url), elsewhere)
    assert query(here) == {"facility": ["001"], "category": ["Billing"], "sort": ["-amount"]}


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
    page = sit_down(new_browser, server.url, GRACE, "/tasks?status=open&sort=patient")
    wanted = facts.tasks(server, Filters("open"), Order("patient"))
    assert len(wanted) > 300, "more than three pages"
    page.get_by_role("button", name="Export").click()
    page.get_by_text(f"{len(wanted)} tasks as filtered and sorted now").wait_for()
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
