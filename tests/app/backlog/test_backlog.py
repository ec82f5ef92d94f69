"""The Backlog page: every number is that of the list behind it, now and in the past."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest

from app_pages.backlog import view
from pipelines import settings
from pipelines.worklist.worklist import open_worklist
from tests.app.conftest import App, meant
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def weeks(facility: Workbench, practice: Practice, move_clock: Callable) -> Workbench:
    """Six tasks open on day 1, when Bo's copay is completed.

    By day 8 Ana's copay is paid, Cy's is deferred, and Bo owes again.
    """
    practice.payment("P-A", "A", "2026-10-30", "40.00")
    practice.visit("V-B2", "B", "2026-11-06T09:00:00", amount_due="9.00")

    def work() -> None:
        facility.act(
            "complete", facility.one(1, "uncollected_payments", "V-B"), 1.1, "--reason", "waived"
        )
        facility.act("defer", facility.one(1, "uncollected_payments", "V-C"), 7.9, "--for", "1w")
        facility.run(practice, 8)

    facility.once(work)
    move_clock(facility.day(8.2))
    return facility


def cards(app: App) -> dict[str, tuple[str, dict[str, list[str]]]]:
    """Number and query of each card that is a link, by its name."""
    return {
        label.partition(":")[0]: (label.partition(":")[2].strip(" *"), parse_qs(query))
        for label, query in app.links
        if ":" in label and "*" in label
    }


@contextmanager
def counting(
    workbench: Workbench, day: float = 8.2
) -> Iterator[Callable[[dict[str, list[str]]], int]]:
    """What says how many tasks a link to the Tasks page lists, asked of the list past the app."""
    with open_worklist(settings.load(), workbench.day(day)) as worklist:
        yield lambda query: len(worklist.tasks(meant(query)))


def on_the_page(app: App, query: dict[str, list[str]]) -> int:
    """How many tasks the Tasks page itself says a link to it lists."""
    app.open(
        "tasks", **{name: value if len(value) > 1 else value[0] for name, value in query.items()}
    )
    return len(app.tasks)


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
        assert on_the_page(dana, query) == int(number), name
    assert "Net: +5" in dana.open("backlog").says


def test_a_split_is_compared_with_itself_before(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", weeks="4", split="type")
    rows = dana.test.dataframe[-1].value.set_index("named")
    assert list(
        rows.loc[
            "Uncollected Payments",
            ["tasks", "deferred", "came_in", "went_out", "net", "came_in_before"],
        ]
    ) == [2, 1, 4, 2, 2, 0]
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
        "0 open in the evening of October 24, 5 in that of November 9; Uncollected Payments has "
        "the most, 2. Deferred tasks count.",
        "7 came in and 2 went out: 50% cleared by the system, 50% completed by people.",
        "The gap between the lines is what is open: 0 before the period, 5 at its end.",
    ]
    assert all(table.proto.alt for table in dana.test.get("dataframe"))


def links_of_row(
    app: App, table: int, name: str, row: int
) -> list[tuple[str, int, dict[str, list[str]]]]:
    """(what is counted, how many, query) of each link of a row of a table of the page."""
    found = select(app, name, rows=[row]).links_below_table(table)
    return [
        (
            label.rpartition(": ")[0],
            int(label.rpartition(": ")[2].replace(",", "")),
            parse_qs(asked),
        )
        for label, asked in found
    ]


@pytest.mark.parametrize("split", list(view.SPLITS))
def test_every_number_of_the_comparison_leads_to_as_many_tasks(
    weeks: Workbench, split: str
) -> None:
    dana = App("S1").open("backlog", split=split)
    rows = dana.test.dataframe[-1].value
    assert rows[["tasks", "came_in", "went_out"]].to_numpy().sum() == 5 + 7 + 2
    columns = [
        "tasks",
        "overdue",
        "deferred",
        "came_in",
        "went_out",
        "tasks_before",
        "overdue_before",
        "deferred_before",
        "came_in_before",
    ]
    with counting(weeks) as count:
        for place, row in rows.head(2).iterrows():
            links = links_of_row(dana, 3, "comparison", place)
            assert [number for _, number, _ in links] == [
                row[column] for column in columns if row[column]
            ]
            for label, number, query in links:
                assert count(query) == number, label


def test_what_was_before_the_period_leads_to_what_was_on_the_list_then(
    weeks: Workbench, practice: Practice, move_clock: Callable
) -> None:
    """Five weeks later: the evening before the period had five open, Cy's copay deferred."""
    weeks.run(practice, 36)
    move_clock(weeks.day(36.2))
    dana = App("S1")
    says = dana.open("backlog", weeks="4", split="type").says
    for number in ("5", "4", "1"):
        assert f"{number} in the evening of November 14, " in says
    sums: dict[str, int] = {}
    with counting(weeks, 36.2) as count:
        for place, row in dana.test.dataframe[-1].value.iterrows():
            before = [
                link for link in links_of_row(dana, 3, "comparison", place) if ", before" in link[0]
            ]
            assert [number for _, number, _ in before] == [
                row[name]
                for name in row.index
                if name.endswith("_before") and row[name] and name != "net_before"
            ]
            for label, number, query in before:
                assert count(query) == number, label
                sums[label] = sums.get(label, 0) + number
    assert sums == {
        "Open, before": 5,
        "Overdue, before": 4,
        "Deferred, before": 1,
        "Came in, before": 7,
        "Went out, before": 2,
    }


def test_every_row_of_the_charts_numbers_leads_to_as_many_tasks(weeks: Workbench) -> None:
    seen = 0
    dana = App("S1").open("backlog", split="category", step="day", weeks="4")
    tables = [dana.test.dataframe[table].value for table in range(3)]
    with counting(weeks) as count:
        for table, (name, rows) in enumerate(
            zip(("evenings", "moves", "sums"), tables, strict=True)
        ):
            for place, row in rows.iterrows():
                if row["named"] in ("Nov 1", "Nov 2", "Nov 9"):
                    links = links_of_row(dana, table, name, place)
                    assert [number for _, number, _ in links] == [
                        row[column]
                        for column in rows.columns
                        if column not in ("named", "net") and row[column]
                    ]
                    for label, number, query in links:
                        assert count(query) == number, (name, row["named"], label)
                    seen += len(links)
    # On the 2nd and the 9th: all and three categories; in, out and how; both lines and the gap.
    assert seen == 2 * (4 + 3 + 3)


def test_both_sides_of_littles_law_are_said(weeks: Workbench) -> None:
    # Six came on November 2 and one left; on the 9th one came and one left: five open in each
    # of eight evenings.
    dana = App("S1")
    for step in ("day", "week"):
        says = dana.open("backlog", weeks="4", step=step).says
        evenings, left, days = 5 * 8, 2, 23
        assert f"Days to work it off: {evenings / left:.1f}" in says
        assert (
            f"{evenings / days:.1f} open on average ÷ {left / days:.1f} going out a day; "
            f"those that left stayed {(0 + 7) / left:.1f}" in says
        )


def test_a_mark_of_a_chart_leads_to_its_tasks(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", split="type", step="day", weeks="4")
    assert dana.says.count("Click a bar for its tasks") == 2
    select(dana, "open", points=[{"customdata": ["Nov 2", "uncollected_payments"]}])
    # Bo's was completed that day.
    assert (
        "List 2 tasks: Uncollected Payments, Nov 2",
        "type=uncollected_payments&status=all&on=2026-11-02",
    ) in dana.links
    select(dana, "flow", points=[{"customdata": ["Nov 9", "by_system", 1]}])
    (query,) = [
        parse_qs(query)
        for label, query in dana.links
        if label == "List 1 task: Cleared by the system, Nov 9"
    ]
    assert on_the_page(dana, query) == 1
    assert dana.tasks == [("Uncollected Payments", "Test, Ana")]
    select(
        dana.open("backlog", split="type", step="day", weeks="4"),
        "cumulative",
        points=[{"customdata": ["Nov 9", "arrived"]}],
    )
    (query,) = [
        parse_qs(query)
        for label, query in dana.links
        if label == "List 7 tasks: Open before, and came in since, Nov 9"
    ]
    assert on_the_page(dana, query) == 7


def test_the_bars_stand_in_the_order_of_the_days(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", split="type", step="day", weeks="4")
    backlog, flow = (json.loads(chart.proto.spec) for chart in dana.test.get("plotly_chart")[:2])
    days = [f"{dt.date(2026, 10, 18) + dt.timedelta(days=number):%b %-d}" for number in range(23)]
    assert [bar["x"] for bar in backlog["data"]] == [days] * len(backlog["data"])
    assert flow["data"][0]["x"] == days


def test_filters_are_in_the_url_and_junk_is_named(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", facility="F2", weeks="5", split="colour", at="soon")
    assert cards(dana)["Open"] == ("2", {"facility": ["F2"], "status": ["open"]})
    for said in (
        "Period: there is no “5”",
        "By: there is no “colour”",
        "As it was: “soon” is not a day",
    ):
        assert said in dana.says


def test_the_backlog_as_it_was(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", at="2026-11-03")
    found = cards(dana)
    assert (found["Open"][0], found["Came in"][0], found["Went out"][0], found["Deferred"][0]) == (
        "5",
        "6",
        "1",
        "0",
    )
    assert found["Open"][1]["at"] == ["2026-11-03"]
    assert "The list as it was in the evening of Tuesday, November 3, 2026" in dana.says


def test_nothing_to_draw_is_said(weeks: Workbench) -> None:
    dana = App("S1").open("backlog", type="mips")
    assert "No task that matches was ever on the list until then" in dana.says
    assert "No tasks now for task type “MIPS”" in dana.says


def test_a_week_that_is_not_over_is_said_to_be_so(weeks: Workbench) -> None:
    assert (
        f"the last week goes to {dt.date(2026, 11, 14):%B %-d} and is not over"
        in App("S1").open("backlog").says
    )
