"""The Tasks page beyond open tasks: closed tasks, days of links, and the past list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from app_pages.url import filters as url_filters
from app_pages.url import task_link
from pipelines.worklist.filters import Filters
from tests.app.conftest import App
from tests.conftest import Workbench

DAY = dt.date(2026, 11, 2)  # of the first run
OPENED_THEN = 6


def buttons(app: App) -> set[str]:
    return {button.label for button in app.test.button}


@pytest.fixture
def worked(facility: Workbench) -> Workbench:
    """Bo's copay is completed on day 1, Ana's draft on day 2; Ana's copay is deferred to day 4."""
    facility.act(
        "complete", facility.one(1, "uncollected_payments", "V-B"), 1.0, "--reason", "waived"
    )
    facility.act("defer", facility.one(1, "uncollected_payments", "V-A"), 1.2, "--for", "3d")
    facility.act(
        "complete",
        facility.one(1, "draft_documents", "D-A"),
        2.0,
        "--reason",
        "kept on paper",
        staff="S2",
    )
    return facility


def test_closed_tasks_say_when_and_how_and_offer_nothing_to_do(
    worked: Workbench, move_clock: Callable
) -> None:
    move_clock(worked.day(2))
    dana = App("S1")
    dana.open("tasks", status="closed")
    rows = dana.test.dataframe[0].value
    assert list(
        zip(
            rows["task"],
            rows["patient"],
            [state for (state,) in rows["state"]],
            rows["closed"],
            strict=True,
        )
    ) == [
        ("Uncollected Payments", "Test, Bo", "Completed", DAY),
        ("Draft Documents", "Test, Ana", "Override", DAY + dt.timedelta(days=1)),
    ]
    assert not {"Complete", "Defer", "Assign"} & buttons(dana)
    assert [
        dana.metric(label)
        for label in ("Still open", "Completed by people", "Closed by the system", "Dollars named")
    ] == [
        "0",
        "2",
        "0",
        "$5.00",
    ]
    assert {widget.label for widget in dana.test.multiselect} >= {"How it ended"}
    assert len(dana.open("tasks", status="all").tasks) == OPENED_THEN
    assert dana.open("tasks", status="closed", ended="override").tasks == [
        ("Draft Documents", "Test, Ana")
    ]
    assert dana.open("tasks", status="closed", ended="cleared").tasks == []


def test_days_of_a_link_are_said_and_can_be_taken_away(
    worked: Workbench, move_clock: Callable
) -> None:
    move_clock(worked.day(2))
    dana = App("S1")
    dana.open("tasks", status="all", out="2026-11-02..2026-11-02")
    assert dana.tasks == [("Uncollected Payments", "Test, Bo")]
    assert "Left the list November 2, 2026" in dana.says
    assert dana.click("Any day").query == {"status": "all"}
    assert len(dana.open("tasks", status="all", on="2026-11-02").tasks) == OPENED_THEN - 1
    assert len(dana.open("tasks", status="all", on="2026-11-03").tasks) == OPENED_THEN - 2
    assert (
        len(dana.open("tasks", status="all", **{"in": "2026-11-01..2026-11-02"}).tasks)
        == OPENED_THEN
    )
    assert dana.open("tasks", status="all", **{"in": "2026-11-03..2026-11-09"}).tasks == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("on", "yesterday", "is not a day such as"),
        ("in", "2026-11-05..2026-11-01", "is not a span of days"),
        ("out", "2026-11-05..x", "is not a span of days"),
        ("at", "0001-01-01", "is not a day such as"),
        ("at", "2026-11-01T18:00", "or a moment such as"),
        ("at", "2190-01-01", "is not a day such as"),
        ("at", "2099-01-01", "has not come yet"),
        ("ended", "well", "there is no “well”"),
    ],
)
def test_junk_is_named_and_ignored(dana: App, name: str, value: str, said: str) -> None:
    dana.open("tasks", **{name: value})
    assert said in dana.says
    assert len(dana.tasks) == OPENED_THEN


def test_the_list_as_it_was_in_the_evening_of_a_day(
    worked: Workbench, move_clock: Callable
) -> None:
    move_clock(worked.day(5))
    dana = App("S1")
    now = dana.open("tasks").tasks
    assert len(now) == OPENED_THEN - 2
    dana.open("tasks", at="2026-11-02")
    assert (
        len(dana.tasks) == OPENED_THEN - 2
    )  # Bo's copay was done that morning, Ana's was deferred
    assert ("Draft Documents", "Test, Ana") in dana.tasks
    assert "The list as it was in the evening of Monday, November 2, 2026." in dana.says
    assert not {"Complete", "Defer", "Assign"} & buttons(dana)
    assert dana.open("tasks", at="2026-11-02", status="deferred").tasks == [
        ("Uncollected Payments", "Test, Ana")
    ]
    assert dana.click("past.back").query == {"status": "deferred"}
    assert len(dana.open("tasks", at="2026-11-02T12:00:00+00:00").tasks) == OPENED_THEN - 1
    assert "Monday, November 2 at 06:00 (America/Chicago), 2026" in dana.says
    assert dana.open("tasks", at="2026-11-01").tasks == []  # before the first run


def test_a_past_task_opens_to_look_at_only(worked: Workbench, move_clock: Callable) -> None:
    move_clock(worked.day(5))
    dana = App("S1")
    task = worked.one(1, "draft_documents", "D-A")["task_id"]
    dana.open("tasks", at="2026-11-02", task=task)
    assert "This is the task as it was" in dana.says
    assert "Task Mark Complete" not in {box.label for box in dana.test.checkbox}
    assert "kept on paper" not in dana.says
    assert "kept on paper" in dana.open("tasks", task=task).says


def test_an_action_recorded_late_changes_the_past(worked: Workbench, move_clock: Callable) -> None:
    move_clock(worked.day(5))
    dana = App("S1")
    assert ("Intake Complete", "Test, Cy") in dana.open("tasks", at="2026-11-02").tasks
    worked.act("complete", worked.one(1, "intake_complete", "I-C"), 1.1)
    assert ("Intake Complete", "Test, Cy") not in dana.run().tasks


@pytest.mark.parametrize(
    "wanted",
    [
        Filters(),
        Filters(
            status="overdue",
            facility_ids=("F1", "F2"),
            rule_ids=("mips",),
            staff_ids=("S1", "unassigned"),
            patient_id="A",
        ),
        Filters(
            status="all",
            categories=("Billing",),
            payer_ids=("self-pay",),
            age_bands=("31-",),
            open_on=DAY,
        ),
        Filters(
            status="closed",
            close_kinds=("cleared", "override"),
            out_from=DAY,
            out_to=DAY + dt.timedelta(days=6),
        ),
        Filters(status="all", in_from=DAY, in_to=DAY),
        Filters(status="all", open_on=DAY, stood_as="overdue"),
        Filters(status="all", open_on=DAY, stood_as="deferred", facility_ids=("F1",)),
        Filters(status="all", open_on=DAY + dt.timedelta(days=6), open_since=DAY),
    ],
)
def test_a_link_asks_for_exactly_the_tasks_it_was_made_for(dana: App, wanted: Filters) -> None:
    dana.open("tasks", **task_link.query_of(wanted))
    assert url_filters.chosen(dana.test.session_state["url.view.tasks"]) == wanted
    assert dana.query.keys() == task_link.query_of(wanted).keys()
