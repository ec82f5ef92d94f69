"""The address of the Tasks page in a browser: it is the view, and never holds a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from pipelines.worklist.filters import Filters, Order
from tests.browser import facts
from tests.browser.screen import (
    Grid,
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
from tests.browser.tasks_screen import (
    EMEKA,
    GRACE,
    HARBOR,
    LAKEVIEW,
    alerts,
    seen,
    status,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page


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
