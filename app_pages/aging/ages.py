"""The open tasks by type and age: the heatmap and its table, the oldest, age less deferrals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.components import chart, number_links, number_table
from app_pages.session import cached, patient_data, typed_rows
from app_pages.session.markdown import caption, escape_markdown
from app_pages.tasks.task_row import TaskRow
from app_pages.url import view as url_view
from pipelines.analytics import charts, outcomes
from pipelines.vocabulary import AGE_BANDS, OLDEST_AGE_BAND
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

OLDEST = 5
ABOUT_AGE = (
    "Age runs from the day the task fell due in the data, not from the run that noticed it. "
    "Active age leaves out whole days of deferral: where both are alike, nobody deferred the "
    "work, and it still waited."
)


@dataclass(frozen=True)
class Grid:
    """The open tasks by type (rows, most tasks first) and age band (columns)."""

    counts: pd.DataFrame
    types: list[str]
    titles: list[str]

    @property
    def total(self) -> int:
        """All open tasks."""
        return int(self.counts.to_numpy().sum())

    @property
    def description(self) -> str:
        """The heatmap in words."""
        oldest = self.counts[OLDEST_AGE_BAND].to_numpy()
        most = (
            f"most of them {self.titles[int(oldest.argmax())]} ({oldest.max():,})"
            if oldest.max()
            else "so none waits that long"
        )
        return (
            f"{self.total:,} open tasks by type and age, deferred ones too; "
            f"{int(oldest.sum()):,} are 31 days old or more, {most}."
        )


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """All of it, for the open tasks that match."""
    wanted = replace(wanted, status="open")
    ages = cached.ask(outcomes.ages, worklist, wanted)
    if ages.empty:
        st.info("No task is open here with these filters.", icon=":material/task_alt:")
        return
    grid = _grid(ages)
    st.subheader("Where do the open tasks wait, and how long already?")
    _show_bands(worklist, view, wanted, grid)
    with st.expander(
        "The same as a table, for the keyboard", icon=":material/table:", key="aging.as_table"
    ):
        _show_table(view, wanted, grid)
    st.subheader("How old are they, with and without the time they were deferred?")
    _show_waits(worklist, view, wanted)


def _grid(ages: pd.DataFrame) -> Grid:
    counts = ages.pivot_table(
        index=["rule_id", "title"],
        columns="age_band",
        values="tasks",
        aggfunc="sum",
        fill_value=0,
        observed=True,
    )
    counts = counts.reindex(columns=list(AGE_BANDS), fill_value=0).astype(int)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    types = counts.index.get_level_values("rule_id").tolist()
    return Grid(counts, types, counts.index.get_level_values("title").tolist())


def _show_bands(worklist: Worklist, view: url_view.View, wanted: Filters, grid: Grid) -> None:
    ages, titles = list(AGE_BANDS.values()), grid.titles
    heatmap = charts.heatmap(grid.counts, ages, titles, "tasks")
    figure = charts.clickable(heatmap, ages, titles, grid.counts)
    clicked = chart.show_clickable(
        figure,
        grid.description,
        "aging.heatmap",
        on_select=url_view.touch(),
        height=max(200, 34 * len(titles) + 50),
    )
    row, column = (int(place or 0) for place in clicked) if clicked else (len(titles), 0)
    with st.container(border=True, gap="small"):
        if row < len(titles):
            of_cell = replace(
                wanted, rule_ids=(grid.types[row],), age_bands=(list(AGE_BANDS)[column],)
            )
            count = int(grid.counts.to_numpy()[row, column])
            _show_oldest(worklist, view, of_cell, f"{titles[row]}, {ages[column]}", count)
        else:
            _show_oldest(worklist, view, wanted, "All types and ages", grid.total)


def _show_table(view: url_view.View, wanted: Filters, grid: Grid) -> None:
    rows = grid.counts.reset_index(drop=True)
    rows = pd.concat([rows.sum().to_frame().T, rows], ignore_index=True)
    rows = rows.assign(
        named=["All types", *grid.titles], rule_id=["", *grid.types], tasks=rows.sum(axis=1)
    )

    def links(row: pd.Series) -> number_table.Links:
        rule_ids = (row["rule_id"],) if row["rule_id"] else wanted.rule_ids
        of_type = replace(wanted, rule_ids=rule_ids)
        yield "All ages", int(row["tasks"]), of_type
        for band in AGE_BANDS:
            yield AGE_BANDS[band], int(row[band]), replace(of_type, age_bands=(band,))

    columns = {
        "named": number_table.text("Task type"),
        **{band: number_table.number(AGE_BANDS[band]) for band in AGE_BANDS},
        "tasks": number_table.number("All"),
    }
    number_table.show(view, rows, columns, "Open tasks by type and age", links, name="bands")


def _show_oldest(
    worklist: Worklist, view: url_view.View, wanted: Filters, title: str, count: int
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        hint = caption("Click a cell above for its own")
        st.markdown(f"**{escape_markdown(title)}: the five oldest** {hint}", width="stretch")
        if count:
            number_links.link(view, f"List {count:,} tasks" if count > 1 else "List 1 task", wanted)
    if not count:
        st.text("No task is that old here.")
    oldest = typed_rows.read(TaskRow, patient_data.oldest(worklist, wanted, OLDEST))
    for task in oldest:
        with st.container(gap="xxsmall"):
            label = f"{task.title}: {task.patient}, {aging_view.days(task.age_days)}"
            number_links.link(view, label, replace(wanted, rule_ids=(task.rule_id,)), task.task_id)
            parts = [
                task.facility,
                task.staff,
                f"since {task.since:%b %-d, %Y}",
                task.reason,
                f"deferred until {task.returns_at:%b %-d}" if task.status == "deferred" else None,
            ]
            st.markdown(caption(escape_markdown(" · ".join(part for part in parts if part))))


def _show_waits(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    split = aging_view.choose_split(view, worklist)
    found = cached.ask(outcomes.waits, worklist, wanted, split.by)
    if split.by != "all":
        whole = cached.ask(outcomes.waits, worklist, wanted, "all")
        found = pd.concat([whole, found], ignore_index=True)
    rows = found.assign(named=[split.name_of(value) for value in found["split"]])

    def links(row: pd.Series) -> number_table.Links:
        of_value = split.narrow(wanted, row["split"])
        if of_value is not None:
            yield "Open", int(row["tasks"]), of_value
            yield "Deferred now", int(row["deferred"]), replace(of_value, status="deferred")

    younger, active = "Nine of ten are younger", "Days less those it was deferred"
    columns = {
        "named": number_table.text(split.heading),
        "tasks": number_table.number("Open"),
        "deferred": number_table.number("Deferred now"),
        "gross_median": number_table.number("Age, median", "Days since it fell due", "%.1f"),
        "gross_p90": number_table.number("Age, 90th pct.", younger, "%.1f"),
        "active_median": number_table.number("Active, median", active, "%.1f"),
        "active_p90": number_table.number("Active, 90th pct.", younger, "%.1f"),
        "inferred": number_table.number("Day inferred", aging_view.ABOUT_INFERRED),
    }
    alt = f"Age of the open tasks by {split.label}"
    number_table.show(view, rows, columns, alt, links, name="waits")
    inferred = int(found.loc[found["split"] == "all", "inferred"].sum())
    st.markdown(caption(f"{ABOUT_AGE} {_about_inferred(inferred)}"))


def _about_inferred(tasks: int) -> str:
    if not tasks:
        return "The data say of every task when it fell due."
    are = "1 task has" if tasks == 1 else f"{tasks:,} tasks have"
    return f"{are} an inferred day. {aging_view.ABOUT_INFERRED}."
