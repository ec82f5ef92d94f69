"""Step 5: what no file says and the workbench must know."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app_pages.connect import state, words
from app_pages.connect.state import Place
from pipelines.errors import UserError
from pipelines.sources import choices as choices_module
from pipelines.sources import dates
from pipelines.sources.choices import CONSTANT, FROM_COLUMN, Choices, Gap
from pipelines.sources.looking import Seen
from pipelines.vocabulary import MAY_BE_ABSENT

ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Phoenix": "Mountain, without daylight saving (Arizona)",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Atlantic (Puerto Rico)",
}
ORDERS = {
    dates.MONTH_FIRST: "Month first: 3/4/2026 is March 4",
    dates.DAY_FIRST: "Day first: 3/4/2026 is April 3",
}
YES_OR_NO = {"true": "Yes in every row", "false": "No in every row"}


def summary(choices: Choices) -> str:
    """The time zone, and how many tables never come."""
    zone = ZONES.get(choices.time_zone or "", "in the files")
    return f"time zone: {zone}; {len(choices.absent)} tables never come"


def show(at: Place, choices: Choices) -> None:
    """The questions that are left."""
    seen = state.seen(at, choices)
    if choices_module.needs_time_zone(choices):
        zones = list(ZONES)
        st.selectbox(
            "Time zone of the facilities",
            zones,
            index=zones.index(choices.time_zone) if choices.time_zone in zones else None,
            placeholder="Choose",
            key=state.widget(choices, "zone"),
            format_func=lambda name: ZONES[name],
            width=420,
        )
    if seen.is_order_open or choices.dates is not None:
        orders = list(ORDERS)
        st.selectbox(
            "Dates such as 3/4/2026",
            orders,
            index=orders.index(choices.dates) if choices.dates in orders else None,
            placeholder="Choose: the files do not tell",
            key=state.widget(choices, "order"),
            format_func=lambda name: ORDERS[name],
            width=420,
        )
    if "cases" not in choices.tables:
        st.checkbox(
            "Every patient has one case",
            value=choices.one_case,
            key=state.widget(choices, "one_case"),
            help="No file has cases (episodes of care), so each patient counts as one.",
        )
    found = list(choices_module.gaps(choices))
    for gap in found:
        _ask(choices, seen, gap)
    st.multiselect(
        "Never delivered by this practice",
        [table for table in MAY_BE_ABSENT if table not in choices.tables],
        default=[table for table in choices.absent if table not in choices.tables],
        key=state.widget(choices, "absent"),
        format_func=words.table,
        help="Nobody is warned about these. Take one out if it will be delivered later.",
    )
    st.button(
        "That is right",
        key="connect.confirm.gaps",
        type="primary",
        icon=":material/check:",
        on_click=state.action(_confirm),
        args=(at, choices, found, seen.is_order_open),
    )


def _ask(choices: Choices, seen: Seen, gap: Gap) -> None:
    file = seen.file(gap.relation)
    columns = [one.name for one in file.columns] if file else []
    options = [
        *(f"{CONSTANT}:{text}" for text in gap.constants),
        *(f"{FROM_COLUMN}:{name}" for name in columns),
    ]
    before = choices.fills.get(gap.relation, {}).get(gap.column)
    st.selectbox(
        f"{words.table(gap.table)}: {words.column(gap.column)} (no column was chosen for it)",
        options,
        index=options.index(before) if before in options else None,
        placeholder="Choose",
        key=state.widget(choices, "fill", gap.relation, gap.column),
        format_func=_option,
        width=420,
    )


def _option(option: str) -> str:
    kind, _, text = option.partition(":")
    if kind == FROM_COLUMN:
        return f"The same as the column {text}"
    return YES_OR_NO.get(text, f"{text} in every row")


def _confirm(at: Place, choices: Choices, found: list[Gap], is_order_open: bool) -> None:
    one_case = bool(state.value(state.widget(choices, "one_case"), False))
    fills: dict[str, dict[str, str]] = {}
    for gap in found:
        chosen = state.value(state.widget(choices, "fill", gap.relation, gap.column))
        if chosen:
            fills.setdefault(gap.relation, {})[gap.column] = chosen
    after = replace(
        choices,
        time_zone=state.value(state.widget(choices, "zone")),
        dates=state.value(state.widget(choices, "order")),
        one_case=one_case,
        absent=tuple(state.value(state.widget(choices, "absent"), ())),
        fills=fills,
    )
    state.keep(at, after)
    if choices_module.needs_time_zone(after) and after.time_zone is None and not after.preset:
        raise UserError("Choose the time zone of the facilities.")
    if is_order_open and after.dates is None:
        raise UserError("Say how dates such as 3/4/2026 are meant.")
    if "cases" not in after.tables and not one_case:
        raise UserError("No list of tasks can be made without cases: choose a file for them.")
    left = [
        gap for gap in choices_module.gaps(after) if gap.column not in fills.get(gap.relation, {})
    ]
    if left:
        listed = ", ".join(f"{words.table(one.table)}: {words.column(one.column)}" for one in left)
        raise UserError(f"Still to be answered: {listed}. A file without it cannot be used.")
    state.keep(at, after.with_done("gaps"))
