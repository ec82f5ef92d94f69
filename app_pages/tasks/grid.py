"""The table of tasks: one page of the list, ticked by task id, so that somebody else's action never moves a tick to another task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from app_pages.components import widget_key
from app_pages.url import view
from pipelines.vocabulary import CLOSE_KINDS

ROW_HEIGHT, MOST_PIXELS = 36, 650
PAGER_PIXELS, PAGE_NUMBER_PIXELS, MOST_PAGE_NUMBERS = (
    90,
    40,
    7,
)  # of the arrows, and of each number between them
TICKED = "grid.ticked"  # task id → the ledger number of the task when it was ticked
COLUMNS = [
    "open",
    "task",
    "patient",
    "reason",
    "due",
    "state",
    "staff",
    "payer",
    "since",
    "age",
    "amount",
    "facility",
    "returns",
    "closed",
]
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
    """The table of these rows of Worklist.tasks; `on_open` is called with the id of the task whose Open was clicked."""
    shown = [
        (str(task_id), int(seq))
        for task_id, seq in zip(tasks["task_id"], tasks["last_seq"], strict=True)
    ]
    key = widget_key.of_content("grid", shown)
    if st.session_state.get("grid.key") != key:
        # Other rows than last time: the ticks go along by id, once, since a default that changed with each tick would send the table again.
        ticked = st.session_state.get(TICKED, {})
        st.session_state["grid.key"] = key
        st.session_state["grid.default"] = [
            row for row, (task_id, _) in enumerate(shown) if task_id in ticked
        ]
        st.session_state[TICKED] = {
            task_id: ticked[task_id] for task_id, _ in shown if task_id in ticked
        }

    def take(rows: Sequence[int]) -> None:
        before = st.session_state.get(TICKED, {})
        # What a person saw when they ticked counts, also when the row was drawn anew since.
        st.session_state[TICKED] = {
            shown[row][0]: before.get(*shown[row]) for row in rows if row < len(shown)
        }

    def tick() -> None:
        # Here and not only below: by then other rows may stand in the table than those that were ticked.
        take(st.session_state.get(key, {}).get("selection", {}).get("rows", []))

    def click() -> None:
        row = st.session_state[f"{key}.open"].row
        if row < len(shown):
            on_open(shown[row][0])

    hidden = {
        name
        for name, wanted in (
            ("facility", with_facility),
            ("returns", with_return),
            ("closed", with_end),
        )
        if not wanted
    }
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
        column_order=[name for name in COLUMNS if name not in hidden],
        column_config=_columns(f"{key}.open", view.touch(click)),
    )
    take(event.selection.rows)


def show_pages(pages: int, page: int, on_page: Callable[[int], None]) -> None:
    """The numbers to turn pages with."""
    key = f"grid.page.{page}"  # a new widget for each page shown: one that was set from outside would log a warning

    def turn() -> None:
        on_page(st.session_state[key])

    width = PAGER_PIXELS + PAGE_NUMBER_PIXELS * min(
        pages, MOST_PAGE_NUMBERS
    )  # left to itself it shows the first and the last number only
    st.pagination(pages, default=page, key=key, on_change=view.touch(turn), width=width)


def ticked() -> dict[str, int]:
    """The ticked tasks of this page: task id → the ledger number of the task when it was ticked."""
    return dict(st.session_state.get(TICKED, {}))


def untick() -> None:
    """Forget the ticks, once they have been acted on."""
    st.session_state[TICKED] = {}
    st.session_state.pop("grid.key", None)


def _rows(tasks: pd.DataFrame) -> pd.DataFrame:
    days_late = (
        tasks["age_days"]
        - (pd.to_datetime(tasks["due_on"]) - pd.to_datetime(tasks["since"])).dt.days
    )
    state = pd.Series("Pending", index=tasks.index)
    state[days_late == 0] = "Due today"
    state[tasks["overdue"]] = "Overdue"
    state[tasks["status"] == "deferred"] = "Deferred"
    state = (
        tasks["close_kind"].map(ENDED).astype(object).where(~tasks["is_open"].astype(bool), state)
    )
    return pd.DataFrame(
        {
            "open": "Open",  # no icon: a screen reader would spell its name
            "task": tasks["title"],
            "patient": tasks["patient"],
            "reason": tasks["reason"],
            "due": tasks["due_on"],
            "state": [[value] for value in state],
            "staff": tasks["staff"],
            "payer": tasks["payer"],
            "since": tasks["since"],
            "age": tasks["age_days"],
            "amount": tasks["amount"].astype(float),
            "facility": tasks["facility"],
            "returns": tasks["returns_at"],
            "closed": tasks["closed_on"],
        }
    )


def _columns(open_key: str, on_open: Callable[[], None]) -> dict[str, object]:
    config = st.column_config
    colours = STATES | dict.fromkeys(ENDED.values(), ENDED_COLOUR)
    return {
        "open": config.ButtonColumn(
            "Open", type="tertiary", key=open_key, on_click=on_open, width=74
        ),
        "task": config.TextColumn("Task", width=160),
        "patient": config.TextColumn("Patient", width=115),
        "reason": config.TextColumn("Reason", width=262),
        "due": config.DateColumn(
            "Due", format="MMM D", width=62, help="The day it is due; older is overdue"
        ),
        "state": config.MultiselectColumn(
            "Status", options=list(colours), color=list(colours.values()), width=92
        ),
        "staff": config.TextColumn("Staff", width=120),
        "payer": config.TextColumn("Payer", width=120),
        "since": config.DateColumn(
            "Since", format="MMM D, YYYY", width=100, help="The day it fell due in the data"
        ),
        "age": config.NumberColumn("Age (days)", format="%d", width=86),
        "amount": config.NumberColumn("Amount", format="dollar", width=86),
        "facility": config.TextColumn("Facility", width=150),
        "closed": config.DateColumn(
            "Closed", format="MMM D, YYYY", width=100, help="The facility's day it was closed"
        ),
        "returns": config.DatetimeColumn(
            "Returns",
            format="MMM D, HH:mm",
            width=110,
            help="When it is back on the list, in the facility's time",
        ),
    }
