"""The parts of the schedule page: the week, its numbers, its cases, the link to a patient."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app_pages.components import widget_key
from app_pages.session import workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from app_pages.url.view import View

WEEKS_AROUND = 156  # the schedule can be asked for this far before and after this week
ROW_HEIGHT, MOST_PIXELS = 36, 650
UNDER, FULL, NO_TARGET = "Under-scheduled", "Fully scheduled", "No target"
COLOURS = ["#FECDCA", "#D1FADF", "#E4E7EC"]
ABOUT_SCHEDULED = (
    "Scheduled counts every visit booked for the week, also those cancelled or missed; the other "
    "three are of those. Days are the facility’s."
)


def sunday_of(day: dt.date) -> dt.date:
    """The first day of a day's week."""
    return day - dt.timedelta(days=(day.weekday() + 1) % 7)


def days_around(today: dt.date) -> list[str]:
    """Every day a URL may name."""
    weeks = WEEKS_AROUND + 1  # one more: another facility may already be in the next week
    first = sunday_of(today) - dt.timedelta(weeks=weeks)
    return [
        (first + dt.timedelta(days=number)).isoformat() for number in range(7 * (2 * weeks + 1))
    ]


def choose(view: View, today: dt.date) -> dt.date:
    """The Sunday of the week shown, with the buttons and the date box that change it."""
    this_week = sunday_of(today)
    first = sunday_of(dt.date.fromisoformat(view["week"])) if view["week"] else this_week
    earliest, latest = (
        this_week + dt.timedelta(weeks=weeks) for weeks in (-WEEKS_AROUND, WEEKS_AROUND)
    )

    def go(to: dt.date) -> None:
        view.set("week", None if sunday_of(to) == this_week else sunday_of(to).isoformat())

    def take() -> None:
        go(st.session_state["schedule.day"])

    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, icon, to in (
            ("Previous week", ":material/chevron_left:", first - dt.timedelta(weeks=1)),
            ("Next week", ":material/chevron_right:", first + dt.timedelta(weeks=1)),
            ("This week", ":material/today:", this_week),
        ):
            st.button(
                label,
                icon=icon,
                key=f"schedule.{label}",
                disabled=not earliest <= to <= latest or to == first,
                on_click=url_view.touch(go),
                args=(to,),
            )
        st.session_state["schedule.day"] = first
        st.date_input(
            "Week of (any of its days)",
            key="schedule.day",
            min_value=earliest,
            max_value=latest + dt.timedelta(days=6),
            format="MM/DD/YYYY",
            width=190,
            on_change=url_view.touch(take),
        )
    return first


def week_in_words(first: dt.date) -> str:
    """Sunday to Saturday, with the year once."""
    last = first + dt.timedelta(days=6)
    return f"Sunday, {first:%B %-d} to Saturday, {last:%B %-d, %Y}"


def show_numbers(rows: pd.DataFrame) -> None:
    """The week in six numbers, with their shares of the target and of the visits scheduled."""
    with_target = rows[rows["target"].fillna(0) > 0]
    target, towards = int(with_target["target"].sum()), int(with_target["scheduled"].sum())
    scheduled, under = int(rows["scheduled"].sum()), int(rows["is_under_scheduled"].sum())
    about_towards = f"Visits of cases with a target; all cases together have {scheduled:,}"
    tiles: list[tuple[str, int, str, str | None]] = [
        ("Open cases", len(rows), f"{len(rows) - len(with_target):,} without target", None),
        ("Under-scheduled", under, f"of {len(with_target):,} with target", None),
        ("Scheduled", towards, f"of {target:,} ({_share(towards, target)})", about_towards),
    ]
    for label, column in (
        ("Completed", "completed"),
        ("Cancelled", "cancelled"),
        ("No-show", "no_show"),
    ):
        visits = int(rows[column].sum())
        of_scheduled = f"Of the {scheduled:,} visits scheduled"
        tiles.append((label, visits, _share(visits, scheduled), of_scheduled))
    with st.grid(6, min_column_width=120):
        for label, value, beside, tip in tiles:
            st.metric(
                label,
                f"{value:,}",
                delta=beside,
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=tip,
            )
    st.markdown(caption(ABOUT_SCHEDULED))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "no share"


def show_cases(rows: pd.DataFrame, week: str) -> None:
    """The table, under-scheduled cases first, and a link to the patient of the ticked row."""
    key = widget_key.of_content("schedule", (week, *rows["case_id"]))
    st.session_state["schedule.key"] = key
    ticked = st.session_state.get(key, {}).get("selection", {}).get("rows", [])

    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        for number in (number for number in ticked if number < len(rows)):
            name, patient_id = rows["patient"].iloc[number], rows["patient_id"].iloc[number]
            st.page_link(
                workspace.pages()["patient"],
                label=f"Open {escape_markdown(name)}",
                icon=":material/person:",
                query_params={"patient_id": str(patient_id), "section": "schedule"},
            )
        if not ticked:
            st.text("Tick a case for the link to its patient")
    st.dataframe(
        _shown(rows),
        key=key,
        on_select=url_view.touch(),
        selection_mode="single-row",
        hide_index=True,
        lazy=False,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(rows) + 1) + 3, MOST_PIXELS),
        placeholder="",
        alt=f"{len(rows)} cases, those with fewer visits than their target first",
        column_config=dict(_columns()),
    )


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    state = pd.Series(FULL, index=rows.index)
    state[rows["target"].fillna(0) == 0] = NO_TARGET
    state[rows["is_under_scheduled"].astype(bool)] = UNDER
    shown = {
        "state": pd.Series([[value] for value in state], index=rows.index),
        "patient": rows["patient"],
        "therapist": rows["therapist"],
        "target": rows["target"].astype("Int64"),
    }
    for name in ("scheduled", "completed", "cancelled", "no_show"):
        shown[name] = rows[name]
        shown[f"{name}_share"] = rows[f"{name}_share"].astype(float).round(2)
    return pd.DataFrame({**shown, "reminders": rows["reminders"], "case_id": rows["case_id"]})


def _columns() -> dict[str, ColumnConfig]:
    config = st.column_config
    return {
        "state": config.MultiselectColumn(
            "Week", options=[UNDER, FULL, NO_TARGET], color=COLOURS, width=118
        ),
        "patient": config.TextColumn("Patient", width=112),
        "therapist": config.TextColumn("Therapist", width=112),
        "target": config.NumberColumn("Target", width=52, help="Visits a week"),
        "scheduled": config.NumberColumn("Scheduled", width=72),
        "scheduled_share": _percent("Scheduled of target"),
        "completed": config.NumberColumn("Completed", width=74),
        "completed_share": _percent("Completed of scheduled"),
        "cancelled": config.NumberColumn("Cancelled", width=70),
        "cancelled_share": _percent("Cancelled of scheduled"),
        "no_show": config.NumberColumn("No-show", width=62),
        "no_show_share": _percent("No-show of scheduled"),
        "reminders": config.TextColumn(
            "Reminders", width=140, help="The reminder status of the week's visits"
        ),
        "case_id": config.TextColumn("Case", width=90),
    }


def _percent(tip: str) -> ColumnConfig:
    return st.column_config.NumberColumn("%", help=tip, format="percent", width=50)
