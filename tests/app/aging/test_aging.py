"""The Aging page, through AppTest from the frame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import parse_qs

import pandas as pd
import pytest

from pipelines import settings
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist
from tests.app.conftest import App, meant
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def worked(
    facility: Workbench, practice: Practice, move_clock: Callable[[dt.datetime], None]
) -> Workbench:
    """Day 5: Bo's copay is completed, Ana's draft was overridden and reopened.

    Ana's copay was deferred twice, Cy's forms are Dana's, Cy's copay is paid.
    """
    practice.payment("P-C", "C", "2026-10-29", "7.50")

    def work() -> None:
        facility.act("complete", facility.one(1, "uncollected_payments", "V-B"), 1.5)
        draft = facility.one(1, "draft_documents", "D-A")
        facility.act("complete", draft, 2, "--reason", "kept on paper", staff="S2")
        facility.act("reopen", draft, 3.5, "--reason", "not on paper either")
        facility.act("defer", facility.one(1, "uncollected_payments", "V-A"), 2, "--for", "1d")
        facility.act(
            "defer", facility.one(1, "uncollected_payments", "V-A"), 4, "--for", "3d", staff="S2"
        )
        facility.act("assign", facility.one(1, "intake_complete", "I-C"), 3, "--to", "S1")
        facility.run(practice, 5)

    facility.once(work)
    move_clock(facility.day(5))
    return facility


@pytest.fixture
def looking(worked: Workbench) -> App:
    return App("S1")


def links(app: App) -> dict[str, str]:
    """Label → query of the links to tasks, of which each label says how many."""
    found = [
        (link.label.replace("\\", ""), link.proto.query_string)
        for link in app.test.get("page_link")
    ]
    return {label: query for label, query in found if ": " in label or label.startswith("List ")}


def listed(app: App, query: str, workbench: Workbench) -> pd.DataFrame:
    """What the Tasks page lists behind a link, asked of the list itself."""
    with open_worklist(settings.load(), workbench.day(5)) as worklist:
        return worklist.tasks(meant(parse_qs(query)))


def tick(app: App, name: str, row: int) -> App:
    """Tick a row of the table of this name."""
    app.test.session_state[app.test.session_state[f"aging.{name}"]] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    return app.run()


def table(app: App, column: str) -> pd.DataFrame:
    """The table that has this column, by name."""
    (found,) = [frame.value for frame in app.test.dataframe if column in frame.value.columns]
    return found.set_index("named")


def assert_each_link_lists_what_it_counts(app: App, workbench: Workbench) -> None:
    counted = {
        label: query
        for label, query in links(app).items()
        if label.rsplit(": ", 1)[-1].replace(",", "").isdigit()
    }
    assert counted or "No tasks" in app.says
    for label, query in counted.items():
        assert len(listed(app, query, workbench)) == int(label.rsplit(": ", 1)[-1]), label


@pytest.mark.parametrize(
    ("show", "tables", "splits"),
    [
        ("age", ("bands", "waits"), ("type", "payer")),
        ("time", ("times",), ("type", "staff", "all")),
        ("ends", ("ends",), ("type", "facility", "staff")),
        ("deferrals", ("deferrals",), ("type", "category", "payer")),
        ("owners", ("owners",), ("type",)),
        ("money", ("money",), ("type",)),
    ],
)
def test_every_number_of_every_row_leads_to_exactly_its_tasks(
    looking: App, worked: Workbench, show: str, tables: tuple[str, ...], splits: tuple[str, ...]
) -> None:
    for split in splits:
        looking.open("aging", show=show, split=split)
        assert_each_link_lists_what_it_counts(looking, worked)
        for name in tables:
            for row in (1, 2):
                assert_each_link_lists_what_it_counts(tick(looking, name, row), worked)


def test_open_tasks_by_type_and_age_with_the_oldest(looking: App, worked: Workbench) -> None:
    looking.open("aging")
    assert (
        "4 open tasks by type and age, deferred ones too; 0 are 31 days old or more, so none "
        "waits that long." in looking.says
    )
    bands = table(looking, "0-1").drop(columns="tasks")
    assert {name: row.tolist() for name, row in bands.iterrows()} == {
        "All types": [0, 0, 4, 0, 0, 0],
        **dict.fromkeys(
            ("Draft Documents", "Faxing Required", "Intake Complete", "Uncollected Payments"),
            [0, 0, 1, 0, 0, 0],
        ),
    }
    oldest = [label for label in links(looking) if label.endswith("days")]
    with open_worklist(settings.load(), worked.day(5)) as worklist:
        rows = worklist.tasks(Filters("open"))
    assert oldest == [
        f"{row.title}: {row.patient}, {row.age_days} days" for row in rows.itertuples()
    ]
    assert links(looking)[f"List {len(rows)} tasks"] == "status=open"
    first = parse_qs(links(looking)[oldest[0]])
    assert first == {
        "task": [rows["task_id"].iloc[0]],
        "type": [rows["rule_id"].iloc[0]],
        "status": ["open"],
    }


def test_a_clicked_cell_shows_its_own_tasks(looking: App, worked: Workbench) -> None:
    def click_cell(row: int, column: int) -> None:
        points = [{"customdata": [row, column]}]
        looking.test.session_state["aging.heatmap"] = {"selection": {"points": points}}

    click_cell(0, 2)
    looking.open("aging")
    assert "Draft Documents, 4–7 days: the five oldest" in looking.says
    (label,) = [label for label in links(looking) if label.endswith(", 7 days")]
    assert label == "Draft Documents: Test, Ana, 7 days"
    rows = listed(looking, links(looking)["List 1 task"], worked)
    assert rows[["title", "age_band"]].to_numpy().tolist() == [["Draft Documents", "4-7"]]
    click_cell(0, 0)
    assert "No task is that old here." in looking.run().says


def test_it_says_of_how_many_tasks_the_day_is_inferred(
    looking: App, worked: Workbench, practice: Practice, move_clock: Callable[[dt.datetime], None]
) -> None:
    looking.open("aging", show="age", split="type")
    assert "The data say of every task when it fell due." in looking.says

    practice.add("policies", "POL", patient_id="A", authorization_required="true")
    practice.add(
        "authorizations",
        "AU",
        policy_id="POL",
        case_id="C-A",
        starts_on="2026-10-01",
        ends_on="2026-12-31",
        visit_limit="10",
        visits_used="9",  # the EMR's own count: no visit says when the ninth was
    )
    worked.run(practice, 6)
    move_clock(worked.day(6))
    expiring = worked.one(6, "authorization_expiring", "AU")
    assert expiring["since_is_inferred"] is True
    looking = App("S1")
    looking.open("aging", show="age", split="type")
    assert table(looking, "gross_p90")["inferred"].to_dict()["Authorization Expiring"] == 1
    assert table(looking, "gross_p90")["inferred"].to_dict()["All tasks"] == 1
    assert "1 task has an inferred day." in looking.says
    looking.open("aging", show="time", split="type")
    assert table(looking, "naive_median")["inferred"].to_dict()["All tasks"] == 1


def test_time_to_clear_says_who_is_censored(looking: App) -> None:
    looking.open("aging", show="time", split="all", clock="opened")
    row = table(looking, "naive_median").loc["All tasks"]
    assert (row["cleared"], row["still_open"], row["ended_otherwise"]) == (2, 4, 0)
    assert (row["naive_median"], row["median"]) == (2.0, "not reached")
    assert "Half are cleared after: All tasks not yet." in looking.says
    assert looking.metric("Stayed on average") == "0.5 days"  # the one paid today is not among them


def test_when_only_the_types_with_most_tasks_are_shown_the_page_says_so(
    looking: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "No more than the 2 with most tasks are shown."
    assert said not in looking.open("aging", show="time", split="type").says
    monkeypatch.setattr("app_pages.aging.times.MOST_ROWS", 2)
    looking.open("aging", show="time", split="type", clock="opened")
    assert said in looking.says
    assert list(table(looking, "naive_median").index) == [
        "All tasks",
        "Uncollected Payments",
        "Draft Documents",
    ]


def test_how_tasks_end(looking: App) -> None:
    looking.open("aging", show="ends")
    rows = table(looking, "by_system")
    assert rows.loc[
        "All tasks", ["closed", "by_system", "completed", "override", "reopened", "returned"]
    ].tolist() == [2, 1, 1, 0, 1, 0]
    assert rows.loc["Draft Documents", ["closed", "reopened", "reopened_share"]].tolist() == [
        0,
        1,
        1.0,
    ]
    assert (
        "Of 2 closed tasks: 50% cleared by the system, 50% completed by people, 0% overridden"
        in looking.says
    )


def test_deferrals_by_type_and_by_who_put_off(looking: App) -> None:
    looking.open("aging", show="deferrals")
    rows = table(looking, "per_task")
    assert rows.loc[
        "Uncollected Payments", ["tasks", "deferred", "deferred_again", "deferrals", "days"]
    ].tolist() == [3, 1, 1, 2, 2.0]
    people = [frame.value for frame in looking.test.dataframe][-1].set_index("named")
    assert people["deferrals"].to_dict() == {"Dana Whitfield": 1, "Omar Reyes": 1}


def test_owners_hold_from_when_the_task_was_theirs(looking: App) -> None:
    looking.open("aging", show="owners", type="intake_complete")
    rows = table(looking, "passed_on")
    assert rows.loc["Dana Whitfield", ["holding", "passed_on", "days"]].tolist() == [1, 0, 2.0]
    assert rows.loc["Unassigned", ["holding", "passed_on", "days"]].tolist() == [0, 1, 2.0]
    assert "move to the last editor of the document" in looking.says


def test_money_waiting_is_the_amount_of_the_tasks_page(looking: App) -> None:
    looking.open("aging", show="money")
    waiting = looking.metric("Dollars waiting")
    looking.open("tasks", status="open")
    assert waiting == looking.metric("Dollars waiting") == "$40.00"


def test_the_tasks_page_lists_what_happened_to_tasks(looking: App) -> None:
    assert looking.open("tasks", status="all", had="reopened").tasks == [
        ("Draft Documents", "Test, Ana")
    ]
    assert looking.open("tasks", status="all", had="deferred_again").tasks == [
        ("Uncollected Payments", "Test, Ana")
    ]
    assert looking.open("tasks", status="closed", had="deferred").tasks == []
    assert "What happened" in {widget.label for widget in looking.test.multiselect}
    assert "there is no “vanished”" in looking.open("tasks", had="vanished").says


def test_the_view_is_in_the_url(looking: App) -> None:
    looking.open("aging", facility="F1", staff="me", show="time", split="payer", clock="active")
    assert looking.query == {
        "facility": "F1",
        "staff": "me",
        "show": "time",
        "split": "payer",
        "clock": "active",
    }
    looking.open("aging", facility="F1")
    looking.test.segmented_control(key="aging.show").set_value("money")
    looking.run()
    assert looking.query == {"facility": "F1", "show": "money"}


def test_junk_in_the_url_is_named_and_ignored(looking: App) -> None:
    looking.open("aging", show="all", split="moon", clock="noon", type="nope")
    for text in (
        "Show: there is no “all”",
        "Split: there is no “moon”",
        "Clock: there is no “noon”",
        "Task type: there is no “nope”",
    ):
        assert text in looking.says
    assert "Where do the open tasks wait" in looking.says
    looking.open("aging", show="time", curve="nope")
    assert "Curve: there is no “nope” among these" in looking.says


@pytest.mark.parametrize(
    ("show", "why"),
    [
        ("age", "No task is open here"),
        ("time", "No task was ever on this list"),
        ("ends", "No task has left the list yet"),
        ("deferrals", "No task was ever deferred"),
        ("owners", "No task was ever on this list"),
        ("money", "No money waits"),
    ],
)
def test_an_empty_section_says_why(looking: App, show: str, why: str) -> None:
    looking.open("aging", show=show, type="refund_request")
    assert why in looking.says


def test_a_past_moment_shows_what_was_and_links_to_it(looking: App, worked: Workbench) -> None:
    looking.open("aging", show="ends", at="2026-11-03T12:00:00Z")
    assert table(looking, "by_system").loc["All tasks", "closed"] == 2
    assert all(
        "at=2026-11-03T12%3A00%3A00Z" in query
        for label, query in links(looking).items()
        if label.startswith("Closed")
    )
    assert "The list as it was" in looking.says
