"""The open tasks by type and age: the heatmap and its table, the five oldest, and gross beside active age."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.aging import view as aging_view
from app_pages.components import chart, number_links, number_table
from app_pages.session import access_record, cached
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines.analytics import charts, outcomes
from pipelines.vocabulary import AGE_BANDS, OLDEST_AGE_BAND
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import Worklist

OLDEST = 5


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """All of it, of the open tasks that match."""
    wanted = replace(wanted, status="open")
    ages = aging_view.answer(outcomes.ages, worklist, wanted)
    if ages.empty:
        st.info("No task is open here with these filters.", icon=":material/task_alt:")
        return
    st.subheader("Where do the open tasks wait, and how long already?")
    _show_bands(worklist, view, wanted, ages)
    st.subheader("How old are they, with and without the time they were deferred?")
    _show_waits(worklist, view, wanted)


def _show_bands(
    worklist: Worklist, view: url_view.View, wanted: Filters, ages: pd.DataFrame
) -> None:
    grid = ages.pivot_table(
        index=["rule_id", "title"],
        columns="age_band",
        values="tasks",
        aggfunc="sum",
        fill_value=0,
        observed=True,
    )
    grid = grid.reindex(columns=list(AGE_BANDS), fill_value=0).astype(int)
    grid = grid.loc[grid.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    types, titles = (
        grid.index.get_level_values("rule_id").tolist(),
        grid.index.get_level_values("title").tolist(),
    )
    total, old = int(grid.to_numpy().sum()), int(grid[OLDEST_AGE_BAND].sum())
    figure = charts.clickable(
        charts.heatmap(grid, list(AGE_BANDS.values()), titles, "tasks"),
        list(AGE_BANDS.values()),
        titles,
        grid,
    )
    alt = f"{total:,} open tasks by type and age, deferred ones too; {old:,} are 31 days old or more, {_most(grid, titles)}."
    height = max(200, 34 * len(titles) + 50)
    chosen = cells_of(
        chart.show(figure, alt, "aging.heatmap", on_select=url_view.touch(), height=height)
    )
    with st.container(border=True, gap="small"):
        row, column = chosen[0] if chosen else (None, None)
        is_cell = row is not None and row < len(titles)
        title = (
            f"{titles[row]}, {list(AGE_BANDS.values())[column]}"
            if is_cell
            else "All types and ages"
        )
        of_cell = (
            replace(wanted, rule_ids=(types[row],), age_bands=(list(AGE_BANDS)[column],))
            if is_cell
            else wanted
        )
        count = int(grid.iat[row, column]) if is_cell else total
        _show_oldest(worklist, view, of_cell, title, count)
    with st.expander(
        "The same as a table, for the keyboard", icon=":material/table:", key="aging.as_table"
    ):
        _show_table(view, wanted, grid, types, titles)


def cells_of(chosen: object) -> list[tuple[int, int]]:
    """Row and column of the cell that was clicked, if one was."""
    points = chosen["selection"]["points"] if chosen else []
    return [
        (int(row), int(column)) for row, column in (point["customdata"] for point in points[:1])
    ]


def _most(grid: pd.DataFrame, titles: list[str]) -> str:
    oldest = grid[OLDEST_AGE_BAND].to_numpy()
    return (
        f"most of them {titles[oldest.argmax()]} ({oldest.max():,})"
        if oldest.max()
        else "so none waits that long"
    )


def _show_table(
    view: url_view.View, wanted: Filters, grid: pd.DataFrame, types: list[str], titles: list[str]
) -> None:
    rows = grid.reset_index(drop=True)
    rows = pd.concat([rows.sum().to_frame().T, rows], ignore_index=True)
    rows = rows.assign(named=["All types", *titles], rule_id=[None, *types], tasks=rows.sum(axis=1))

    def links(row: pd.Series) -> number_table.Links:
        of_type = (
            replace(wanted, rule_ids=(row["rule_id"],))
            if isinstance(row["rule_id"], str)
            else wanted
        )
        yield "All ages", int(row["tasks"]), of_type
        for band in AGE_BANDS:
            yield AGE_BANDS[band], int(row[band]), replace(of_type, age_bands=(band,))

    columns = {
        "named": number_table.text("Task type"),
        **{band: number_table.number(AGE_BANDS[band]) for band in AGE_BANDS},
    }
    columns["tasks"] = number_table.number("All")
    number_table.show(view, rows, columns, "Open tasks by type and age", links, name="bands")


def _show_oldest(
    worklist: Worklist, view: url_view.View, wanted: Filters, title: str, count: int
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{escape_markdown(title)}: the five oldest** {caption('Click a cell above for its own')}",
            width="stretch",
        )
        if count:
            number_links.link(view, f"List {count:,} tasks" if count > 1 else "List 1 task", wanted)
    if not count:
        st.text("No task is that old here.")
    oldest = cached.tasks(worklist, wanted, Order(), OLDEST, 0)
    access_record.note_accesses(sorted(set(oldest["patient_id"])), "oldest tasks")
    for task in oldest.itertuples():
        with st.container(gap="xxsmall"):
            label = f"{task.title}: {task.patient}, {aging_view.days(task.age_days)}"
            number_links.link(view, label, replace(wanted, rule_ids=(task.rule_id,)), task.task_id)
            hidden = (
                f" · deferred until {task.returns_at:%b %-d}" if task.status == "deferred" else ""
            )
            st.markdown(
                caption(
                    escape_markdown(
                        f"{task.facility} · {task.staff} · since {task.since:%b %-d, %Y} · {task.reason}{hidden}"
                    )
                )
            )


def _show_waits(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    aging_view.show_split(view)
    split = view["split"]
    found, named = (
        aging_view.answer(outcomes.waits, worklist, wanted, split),
        aging_view.labels(worklist, split),
    )
    if split != "all":
        found = pd.concat(
            [aging_view.answer(outcomes.waits, worklist, wanted, "all"), found], ignore_index=True
        )
    rows = found.assign(named=[named(value) for value in found["split"]])

    def links(row: pd.Series) -> number_table.Links:
        yield "Open", int(row["tasks"]), aging_view.narrowed(wanted, split, row["split"])
        yield (
            "Deferred now",
            int(row["deferred"]),
            aging_view.narrowed(wanted, split, row["split"], status="deferred"),
        )

    columns = {
        "named": number_table.text(filters.FACETS.get(split, "Tasks")),
        "tasks": number_table.number("Open"),
        "deferred": number_table.number("Deferred now"),
        "gross_median": number_table.number("Age, median", "Days since it fell due", "%.1f"),
        "gross_p90": number_table.number("Age, 90th pct.", "Nine of ten are younger", "%.1f"),
        "active_median": number_table.number(
            "Active, median", "Days less those it was deferred", "%.1f"
        ),
        "active_p90": number_table.number("Active, 90th pct.", "Nine of ten are younger", "%.1f"),
    }
    number_table.show(
        view,
        rows,
        columns,
        f"Age of the open tasks by {aging_view.SPLITS[split].lower()}",
        links,
        name="waits",
    )
    st.markdown(
        caption(
            "Age runs from the day the task fell due in the data, not from the run that noticed it. Active age leaves out whole days of deferral: "
            "where both are alike, nobody put the work off, and it waited all the same."
        )
    )
