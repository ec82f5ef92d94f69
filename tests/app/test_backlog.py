"""The Backlog page: every number is that of the list behind it, for clinics, types and people, now and in the past."""

from __future__ import annotations

import datetime as dt
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
        "Overdue": "0" if found["Overdue"][0] == "0" else found["Overdue"][0],
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
    rows = dana.test.dataframe[-1].value.set_index("name")
    assert list(rows.loc["Uncollected Payments", ["tasks", "deferred", "came_in", "went_out", "net", "came_in_before"]]) == [2, 1, 4, 2, 2, 0]
    assert rows.loc["Uncollected Payments", "amount"] == 16.5
    assert rows["tasks"].sum() == 5
    assert "2 cleared" not in dana.says


@pytest.mark.parametrize("split", list(backlog_view.SPLITS))
def test_every_cell_of_the_comparison_leads_to_as_many_tasks(weeks: Workbench, split: str) -> None:
    dana = App("S1").open("backlog", split=split)
    rows = dana.test.dataframe[-1].value
    counted = 0
    for place, row in rows.iterrows():
        for column in ("tasks", "overdue", "deferred", "came_in", "went_out", "came_in_before", "went_out_before"):
            dana.open("backlog", split=split)
            dana.test.session_state["backlog.comparison"] = {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}}
            dana.run()
            query = {name: value if isinstance(value, list) else [value] for name, value in dana.query.items()}
            assert dana.test.title[0].value == "Tasks"
            assert len(behind(weeks, dana, query)) == row[column], (place, column)
            counted += row[column]
        if place:
            break  # two rows of each split will do
    assert counted


def test_a_mark_of_a_chart_leads_to_its_tasks(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", split="type", step="day", weeks="4")
    dana.test.session_state["backlog.open"] = {"selection": {"points": [{"customdata": ["Nov 2", "uncollected_payments"]}]}}
    dana.run()
    assert dana.query == {"type": "uncollected_payments", "status": "all", "on": "2026-11-02"}
    assert len(dana.tasks) == 2  # Bo's was completed that day
    dana.open("backlog", split="type", step="day", weeks="4")
    dana.test.session_state["backlog.flow"] = {"selection": {"points": [{"customdata": ["Nov 9", "cleared", 1]}]}}
    dana.run()
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
