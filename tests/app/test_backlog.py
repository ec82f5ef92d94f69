"""The Backlog page: every number is that of the list behind it, for clinics, types and people, now and in the past."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from app_pages.ui import backlog_view, task_view
from pipelines import settings
from pipelines.worklist import Filters, open_worklist
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def weeks(clinic: Workbench, practice: Practice, move_clock: Callable) -> Workbench:
    """On day 1 six tasks opened; Bo's copay was completed that day, Ana's paid by day 8, Cy's is put off; on day 8 Bo owes again."""
    clinic.act("complete", clinic.one(1, "uncollected_payments", "V-B"), 1.1, "--reason", "waived")
    clinic.act("defer", clinic.one(1, "uncollected_payments", "V-C"), 7.9, "--for", "1w")
    practice.payment("P-A", "A", "2026-10-30", "40.00")
    practice.visit("V-B2", "B", "2026-11-06T09:00:00", amount_due="9.00")
    clinic.run(practice, 8)
    move_clock(clinic.day(8.2))
    return clinic


def cards(app: App) -> dict[str, tuple[str, dict[str, list[str]]]]:
    """Number and query of each card that is a link, by its name."""
    return {
        label.partition(":")[0]: (label.partition(":")[2].strip(" *"), parse_qs(query)) for label, query in app.links if ":" in label and "*" in label
    }


def behind(workbench: Workbench, app: App, query: dict[str, list[str]]) -> list[str]:
    """The ids of the tasks that a link to the Tasks page lists, by one-shot questions past the app."""
    asked = {name: value if len(value) > 1 else value[0] for name, value in query.items()}
    app.open("tasks", **asked)
    wanted: Filters = task_view.filters(app.test.session_state["url.view.tasks"])
    with open_worklist(settings.load(), workbench.day(8.2)) as worklist:
        return worklist.tasks(wanted)["task_id"].tolist()


def test_the_numbers_are_those_of_the_lists_behind_them(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", step="day")
    found = cards(dana)
    assert {name: number for name, (number, _) in found.items()} == {
        "Open": "5",
        "Overdue": "3",
        "Deferred": "1",
        "Oldest": "Oct 29, 2026",
        "Came in": "7",
        "Went out": "2",
    }
    for name in ("Open", "Overdue", "Deferred", "Came in", "Went out"):
        number, query = found[name]
        assert len(behind(weeks, dana, query)) == int(number), name
    assert "Net: +5" in dana.open("backlog").says


def test_a_split_is_compared_with_itself_before(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", weeks="4", split="type")
    rows = dana.test.dataframe[-1].value.set_index("named")
    assert list(rows.loc["Uncollected Payments", ["tasks", "deferred", "came_in", "went_out", "net", "came_in_before"]]) == [2, 1, 4, 2, 2, 0]
    assert rows.loc["Uncollected Payments", "amount"] == 16.5
    assert rows["tasks"].sum() == 5


def select(app: App, name: str, **selection: object) -> App:
    """Tick a row of a table, or click a mark of a chart, by its name on the page."""
    chosen = {"rows": [], "columns": [], "cells": [], "points": []} | selection
    app.test.session_state[app.test.session_state[f"backlog.{name}"]] = {"selection": chosen}
    return app.run()


def test_every_chart_and_table_is_said_in_words(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", weeks="4", split="type")
    alts = [chart.proto.alt for chart in dana.test.get("plotly_chart")]
    assert alts == [
        "0 open in the evening of October 24, 5 in that of November 9; Uncollected Payments has the most, 2. Deferred tasks count.",
        "7 came in and 2 went out: 50% of it cleared by the system, 50% completed by people.",
        "The gap between the lines is what is open: 0 before the period, 5 at its end.",
    ]
    assert all(table.proto.alt for table in dana.test.get("dataframe"))


@pytest.mark.parametrize("split", list(backlog_view.SPLITS))
def test_every_number_of_the_comparison_leads_to_as_many_tasks(weeks: Workbench, split: str) -> None:
    dana = App("S1").open("backlog", split=split)
    rows = dana.test.dataframe[-1].value
    assert rows[["tasks", "came_in", "went_out"]].to_numpy().sum() == 5 + 7 + 2
    columns = {"Open": "tasks", "Overdue": "overdue", "Deferred": "deferred", "Came in": "came_in", "Went out": "went_out"}
    for place, row in rows.head(2).iterrows():
        links = select(dana.open("backlog", split=split), "comparison", rows=[place]).links
        counted = [link for link in links if ": " in link[0] and "*" not in link[0]]
        last = itertools.takewhile(lambda link: link[0].partition(": ")[0] in columns, reversed(counted))
        found = [(label, parse_qs(query)) for label, query in last]
        shown = {label.partition(": ")[0]: int(label.partition(": ")[2]) for label, _ in found}
        assert shown == {name: row[column] for name, column in columns.items() if row[column]}
        for label, query in found:
            assert len(behind(weeks, dana, query)) == shown[label.partition(": ")[0]], label


def test_a_mark_of_a_chart_leads_to_its_tasks(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", split="type", step="day", weeks="4")
    assert dana.says.count("Click a bar for its tasks") == 2
    select(dana, "open", points=[{"customdata": ["Nov 2", "uncollected_payments"]}])
    # Bo's was completed that day.
    assert ("List 2 tasks: Uncollected Payments, Nov 2", "type=uncollected_payments&status=all&on=2026-11-02") in dana.links
    select(dana, "flow", points=[{"customdata": ["Nov 9", "cleared", 1]}])
    (query,) = [parse_qs(query) for label, query in dana.links if label == "List 1 task: Cleared by the system, Nov 9"]
    dana.open("tasks", **{name: value if len(value) > 1 else value[0] for name, value in query.items()})
    assert dana.tasks == [("Uncollected Payments", "Test, Ana")]


def test_the_bars_stand_in_the_order_of_the_days(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", split="type", step="day", weeks="4")
    backlog, flow = (json.loads(chart.proto.spec) for chart in dana.test.get("plotly_chart")[:2])
    days = [f"{dt.date(2026, 10, 18) + dt.timedelta(days=number):%b %-d}" for number in range(23)]
    assert [bar["x"] for bar in backlog["data"]] == [days] * len(backlog["data"])
    assert flow["data"][0]["x"] == days


def test_filters_are_in_the_url_and_junk_is_named(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", facility="F2", weeks="5", split="colour", at="soon")
    assert cards(dana)["Open"] == ("2", {"facility": ["F2"], "status": ["open"]})
    for said in ("Period: there is no “5”", "By: there is no “colour”", "As it was: “soon” is not a day"):
        assert said in dana.says


def test_the_backlog_as_it_was(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", at="2026-11-03")
    found = cards(dana)
    assert (found["Open"][0], found["Came in"][0], found["Went out"][0], found["Deferred"][0]) == ("5", "6", "1", "0")
    assert found["Open"][1]["at"] == ["2026-11-03"]
    assert "The list as it was in the evening of Tuesday, November 3, 2026" in dana.says


def test_nothing_to_draw_is_said(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", type="mips")
    assert "No task that matches was ever on the list until then" in dana.says
    assert "No tasks now for task type “MIPS”" in dana.says


def test_a_week_that_is_not_over_is_said_to_be_so(weeks: Workbench) -> None:
    assert f"the last week goes to {dt.date(2026, 11, 14):%B %-d} and is not over" in App("S1").open("backlog").says
