"""Actions from the Open panel, the dashboard and Runs, alone and against each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.commands import main
from pipelines.worklist.filters import Filters
from tests.browser import facts
from tests.browser.screen import Grid, come_in, outcome, panel, query, settle, sit_down, soon, visit
from tests.browser.servers import FRIDAY, Server
from tests.practice import Practice

if TYPE_CHECKING:
    from playwright.sync_api import Page

EMEKA, GRACE, GRACE_ID = "Emeka Goldberg – P", "Grace Abbott", "003002"
HOSTILE = [
    "<script>window.hacked=1</script>",
    "![x](http://elsewhere.example/x.png)",
    "**bold** :red[x] $x^2$ :material/home:",
    "[a](javascript:window.hacked=1)",
    "<img src=x onerror=window.hacked=1>",
]


def first(server: Server, rule_id: str, number: int = 0, facility_id: str | None = None) -> str:
    """The id of a pending task of a type, the oldest or a later one."""
    filters = Filters(rule_ids=(rule_id,), facility_ids=(facility_id,) if facility_id else ())
    return str(facts.tasks(server, filters)["task_id"].iloc[number])


def patient_of(server: Server, task_id: str) -> str:
    return str(facts.tasks(server, Filters("all", task_ids=(task_id,)))["patient_id"].iloc[0])


def kind_of(server: Server, task_id: str) -> str | None:
    """How a task was closed, None while it is open."""
    return (
        facts.tasks(server, Filters("all", task_ids=(task_id,)))["close_kind"]
        .astype(object)
        .where(lambda kind: kind.notna(), None)
        .iloc[0]
    )


def test_open_mark_complete_and_the_patients_history_says_who_and_when(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    task_id = first(server, "draft_documents", 3)
    page = sit_down(new_browser, server.url, GRACE, f"/tasks?task={task_id}")
    panel(page).get_by_text("Task Mark Complete").click()
    panel(page).get_by_text("A reason is needed before this is complete.").wait_for()
    panel(page).get_by_label("Reason").fill("Written on paper")
    page.keyboard.press("Enter")
    panel(page).get_by_text("Completed by hand (override) by Grace Abbott").wait_for()
    assert facts.actions(server, task_id) == [("complete", GRACE_ID, "Written on paper")]
    page.keyboard.press("Escape")
    soon(lambda: query(page).get("task"), None, page)
    visit(page, f"{server.url}/patient?patient_id={patient_of(server, task_id)}")
    row = next(
        row for row in Grid(page).ready().rows() if row["What"] == "Completed by hand (override)"
    )
    assert (row["Who"], row["Task"]) == ("Grace Abbott", "Draft Documents")
    assert "2026-11-20" in str(row["When"])


def test_the_panel_defers_with_the_moment_of_return_and_keeps_a_note(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    task_id = first(server, "pending_signature", 1)
    page = sit_down(new_browser, server.url, GRACE, f"/tasks?task={task_id}")
    panel(page).get_by_label("Note").fill("Called, nobody there")
    page.keyboard.press("Enter")
    panel(page).get_by_text("Called, nobody there").wait_for()
    panel(page).get_by_role("button", name="Defer Task").click()
    page.get_by_text("3 days: back Monday, November 23").click()
    panel(page).get_by_text("Hidden from the list; back Monday, November 23").wait_for()
    assert [action for action, _, _ in facts.actions(server, task_id)] == ["note", "defer"]
    panel(page).get_by_role("button", name="Return to the list").click()
    panel(page).get_by_text("Hidden from the list").wait_for(state="detached")


def test_of_two_browsers_one_completes_and_the_other_is_told_who_and_when(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    task_id = first(server, "pending_signature", 2)
    one = sit_down(new_browser, server.url, GRACE, f"/tasks?task={task_id}")
    other = sit_down(new_browser, server.url, EMEKA, f"/tasks?task={task_id}")
    panel(one).get_by_text("Task Mark Complete").click()
    panel(one).get_by_text("Completed by Grace Abbott").wait_for()
    panel(other).get_by_text("Task Mark Complete").click()
    panel(other).get_by_text("was already completed by Grace Abbott").wait_for()
    panel(other).get_by_text("Completed by Grace Abbott").first.wait_for()
    assert facts.actions(server, task_id) == [("complete", GRACE_ID, None)]


def test_the_x_dismisses_and_undo_takes_back(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, GRACE, "/?facility=001")
    plain = first(server, "pending_signature", facility_id="001")
    page.locator(f".st-key-cards-pending_signature-{plain} button").click()
    outcome(page).get_by_text("Completed: Pending Signature").wait_for()
    assert kind_of(server, plain) == "completed"
    outcome(page).get_by_role("button", name="Undo").click()
    outcome(page).get_by_text("Taken back: Pending Signature").wait_for()
    assert kind_of(server, plain) is None


def test_a_click_on_a_group_opens_its_tasks(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, server.url, GRACE, "/?facility=002")
    page.get_by_role("link", name="Pending Signature:").click()
    soon(lambda: query(page), {"facility": ["002"], "type": ["pending_signature"]}, page)
    settle(page)
    wanted = facts.tasks(server, Filters(facility_ids=("002",), rule_ids=("pending_signature",)))
    assert Grid(page).ready().column("Reason")[:5] == wanted["reason"].tolist()[:5]


def test_people_go_on_working_while_the_list_is_refreshed(
    start_server: Callable[..., Server], demo_data: Path, new_browser: Callable[..., Page]
) -> None:
    server = start_server(demo_data)
    boss = sit_down(new_browser, server.url, EMEKA, "/runs")
    front = sit_down(new_browser, server.url, GRACE, "/tasks?type=pending_signature")
    task_id = first(server, "pending_signature")
    before = Grid(boss).ready().column("Run")[0]
    boss.get_by_role("button", name="Refresh now").click()
    boss.get_by_text("(started by Emeka Goldberg").first.wait_for()
    Grid(front).ready().tick(0)
    front.get_by_role("button", name="Complete").click()
    panel(front).get_by_role("button", name="Complete 1 task").click()
    outcome(front).get_by_text("Completed: Pending Signature").wait_for()
    boss.get_by_text("A new list was published").wait_for(timeout=60_000)
    settle(boss)
    assert int(str(Grid(boss).ready().column("Run")[0])) == int(str(before)) + 1
    visit(front, front.url)
    assert kind_of(server, task_id) == "completed", "the completion made meanwhile is not lost"
    server.stop()


def test_a_patients_page_and_a_panel_are_on_record_once(
    server: Server, new_browser: Callable[..., Page]
) -> None:
    task_id = first(server, "mips")
    patient = patient_of(server, task_id)
    page = sit_down(new_browser, server.url, GRACE, f"/patient?patient_id={patient}")
    page.get_by_role("radio", name="Tasks and history").wait_for()
    settle(page)
    visit(page, f"{server.url}/tasks?task={task_id}")
    panel(page).get_by_text("What happened").wait_for()
    noted = facts.ledger(
        server, "SELECT kind, staff_id FROM accesses WHERE patient_id = ? ORDER BY seq", patient
    )
    assert noted == [("patient page", GRACE_ID), ("task", GRACE_ID)]


@pytest.fixture(scope="module")
def hostile_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice whose names, documents and holds hold hostile text."""
    folder = tmp_path_factory.mktemp("hostile")
    practice = Practice()
    for number, text in enumerate(HOSTILE):
        practice.patient(f"P{number}", first_name=text, last_name=f"Mallory{number}")
        practice.document(
            f"D{number}",
            f"P{number}",
            kind=text,
            started_at="2026-11-02T09:00:00",
            last_editor_id="S2",
        )
        practice.add("claims", f"C{number}", case_id=f"C-P{number}").add(
            "claim_holds", f"H{number}", claim_id=f"C{number}", reason=text
        )
        practice.tables["claim_holds"][f"H{number}"]["held_at"] = "2026-11-02T09:00:00"
    as_of = FRIDAY.replace(hour=11)
    practice.write(folder / "extracts", as_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(folder / "data"))
        assert (
            main(["run", "--extracts", str(folder / "extracts"), "--as-of", as_of.isoformat()]) == 0
        )
    return folder / "data"


def test_what_people_wrote_is_shown_as_text_everywhere_and_runs_nothing(
    start_server: Callable[..., Server], hostile_data: Path, new_browser: Callable[..., Page]
) -> None:
    server = start_server(hostile_data)
    page = new_browser()
    come_in(page, f"{server.url}/", "Dana")
    for number, text in enumerate(HOSTILE):
        task_id = str(
            facts.tasks(server, Filters(rule_ids=("draft_documents",), patient_id=f"P{number}"))[
                "task_id"
            ].iloc[0]
        )
        visit(page, f"{server.url}/tasks?task={task_id}")
        panel(page).get_by_label("Note").fill(text)
        page.keyboard.press("Enter")
        panel(page).get_by_text(f"Dana Whitfield: {text}").wait_for()
        assert panel(page).get_by_text(f"Mallory{number}, {text}").count()
        assert panel(page).get_by_text(f"Document {text}").count(), (
            "the document's kind among the facts"
        )
        visit(page, f"{server.url}/patient?patient_id=P{number}")
        page.get_by_role("heading", name=f"Mallory{number}, {text}").wait_for()
        assert text in str(Grid(page).ready().column("Detail"))
    visit(page, f"{server.url}/patient")
    page.get_by_label("Find a patient").fill("mallory")
    page.keyboard.press("Enter")
    page.get_by_text("Mallory0").wait_for()
    for address in ("/", "/tasks"):
        visit(page, server.url + address)
        shown = page.content() if address == "/" else str(Grid(page).ready().rows())
        assert "Mallory" in shown
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src*=elsewhere], script:not([src]):has-text('hacked')").count() == 0
    server.stop()
