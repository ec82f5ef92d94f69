"""The table of tasks; ticks are kept by task id, so that they stay when rows move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ButtonColumnResult, ColumnConfig

from app_pages.components import widget_key
from app_pages.url import view
from pipelines.vocabulary import CLOSE_KINDS
from pipelines.worklist.columns import GRID, Grid, TaskColumn

ROW_HEIGHT, MOST_PIXELS = 36, 650
PAGER_PIXELS, PAGE_NUMBER_PIXELS = 90, 40  # of the arrows, and of each number between them
MOST_PAGE_NUMBERS = 7
TICKED = "grid.ticked"  # task id → the ledger number of the task when it was ticked
_COLUMNS = [(column, column.grid) for column in GRID if column.grid is not None]
STATES = {"Overdue": "#FECDCA", "Due today": "#FEDF89", "Pending": "#D1E9FF", "Deferred": "#E4E7EC"}
ENDED = {name: kind.short_label for name, kind in CLOSE_KINDS.items()}
ENDED_COLOUR = "#D1FADF"


def show(
    tasks: pd.DataFrame,
    alt: str,
    on_open: Callable[[str], None],
    *,
    with_facility: bool,
    with_return: bool,
    with_end: bool,
) -> None:
    """The table of rows of Worklist.tasks; `on_open` gets the id of the task to open."""
    shown = [
        (str(task_id), int(seq))
        for task_id, seq in zip(tasks["task_id"], tasks["last_seq"], strict=True)
    ]
    key = widget_key.of_content("grid", shown)
    if st.session_state.get("grid.key") != key:
        _restore_ticks(key, shown)

    def tick() -> None:
        # In the callback, too: afterwards the table may hold other rows than those ticked.
        _keep_ticks(shown, st.session_state.get(key, {}).get("selection", {}).get("rows", []))

    def click() -> None:
        row = st.session_state[f"{key}.open"].row
        if row < len(shown):
            on_open(shown[row][0])

    shows = {None: True, "facilities": with_facility, "deferred": with_return, "closed": with_end}
    columns = [grid.key for _, grid in _COLUMNS if shows[grid.only_with]]
    event = st.dataframe(
        _rows(tasks),
        key=key,
        on_select=view.touch(tick),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": st.session_state["grid.default"]}},
        height=min(ROW_HEIGHT * (len(tasks) + 1) + 3, MOST_PIXELS),
        row_height=ROW_HEIGHT,
        hide_index=True,
        lazy=False,
        placeholder="",
        alt=alt,
        column_order=["open", *columns],
        column_config=_config(f"{key}.open", view.touch(click)),
    )
    _keep_ticks(shown, event.selection.rows)


def _restore_ticks(key: str, shown: Sequence[tuple[str, int]]) -> None:
    """Tick the tasks again that were ticked among other rows; a new default resends the table."""
    ticked = st.session_state.get(TICKED, {})
    st.session_state["grid.key"] = key
    st.session_state["grid.default"] = [
        row for row, (task_id, _) in enumerate(shown) if task_id in ticked
    ]
    st.session_state[TICKED] = {
        task_id: ticked[task_id] for task_id, _ in shown if task_id in ticked
    }


def _keep_ticks(shown: Sequence[tuple[str, int]], rows: Sequence[int]) -> None:
    """Remember the ticked tasks with the ledger number seen when they were ticked."""
    before = st.session_state.get(TICKED, {})
    st.session_state[TICKED] = {
        shown[row][0]: before.get(*shown[row]) for row in rows if row < len(shown)
    }


def show_pages(pages: int, page: int, on_page: Callable[[int], None]) -> None:
    """The numbers to turn pages with."""
    key = f"grid.page.{page}"  # a widget a page: setting its value would log a warning

    def turn() -> None:
        on_page(st.session_state[key])

    # Without a width it shows the first and the last number only.
    width = PAGER_PIXELS + PAGE_NUMBER_PIXELS * min(pages, MOST_PAGE_NUMBERS)
    st.pagination(pages, default=page, key=key, on_change=view.touch(turn), width=width)


def ticked() -> dict[str, int]:
    """The ticked tasks of this page: task id → the ledger number of the task when it was ticked."""
    return dict(st.session_state.get(TICKED, {}))


def untick() -> None:
    """Forget the ticks, once they have been acted on."""
    st.session_state[TICKED] = {}
    st.session_state.pop("grid.key", None)


def _rows(tasks: pd.DataFrame) -> pd.DataFrame:
    # No icon for Open: a screen reader would spell its name.
    rows = pd.DataFrame({"open": "Open"}, index=tasks.index)
    for column, grid in _COLUMNS:
        rows[grid.key] = _values(tasks, column)
    return rows


def _values(tasks: pd.DataFrame, column: TaskColumn) -> pd.Series:
    if column.kind == "state":
        return pd.Series([[state] for state in _states(tasks)], index=tasks.index, dtype=object)
    values = tasks[column.source]
    return values.astype(float) if column.kind == "dollars" else values


def _states(tasks: pd.DataFrame) -> pd.Series:
    """The status of each task, with the words Overdue and Due today, or how it ended."""
    days_late = (
        tasks["age_days"]
        - (pd.to_datetime(tasks["due_on"]) - pd.to_datetime(tasks["since"])).dt.days
    )
    state = pd.Series("Pending", index=tasks.index)
    state[days_late == 0] = "Due today"
    state[tasks["overdue"]] = "Overdue"
    state[tasks["status"] == "deferred"] = "Deferred"
    ended = tasks["close_kind"].map(ENDED).astype(object)
    return ended.where(~tasks["is_open"].astype(bool), state)


def _config(
    open_key: str, on_open: Callable[[], None]
) -> dict[str, ColumnConfig | ButtonColumnResult]:
    button = st.column_config.ButtonColumn(
        "Open", type="tertiary", key=open_key, on_click=on_open, width=74
    )
    return {"open": button, **{grid.key: _shown(column, grid) for column, grid in _COLUMNS}}


def _shown(column: TaskColumn, grid: Grid) -> ColumnConfig:
    config = st.column_config
    heading, width, tip = column.heading, grid.width, grid.help
    if column.kind == "state":
        return state_column(heading, width)
    if column.kind == "flag":
        return config.CheckboxColumn(heading, width=width, help=tip)
    if column.kind == "text":
        return config.TextColumn(heading, width=width, help=tip)
    if column.kind == "day":
        return config.DateColumn(heading, format=grid.form, width=width, help=tip)
    if column.kind == "time":
        return config.DatetimeColumn(heading, format=grid.form, width=width, help=tip)
    return config.NumberColumn(heading, format=grid.form, width=width, help=tip)


def state_column(heading: str, width: int) -> ColumnConfig:
    """The column of a task's status or of how it ended, each in its colour."""
    colours = STATES | dict.fromkeys(ENDED.values(), ENDED_COLOUR)
    return st.column_config.MultiselectColumn(
        heading, options=list(colours), color=list(colours.values()), width=width
    )
