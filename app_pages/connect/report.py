"""Step 6: what the workbench would accept and refuse of the delivery, in numbers."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app_pages.connect import news, state, trial, words
from app_pages.connect.state import Place
from app_pages.session.markdown import escape_markdown
from pipelines.operations.source_check import SourceCheck
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices

ANSWERED = ("yes", "in part")
STATUSES = {
    "accepted": "Used",
    "refused": "Not used",
    "missing": "Missing",
    "absent": "Never comes",
}


def show(at: Place, choices: Choices) -> None:
    """The numbers of a trial, which keeps and publishes nothing."""
    choices = choices_module.as_seen(choices, state.seen(at, choices))
    st.text("The delivery is tried as it would be read each night. Nothing is kept of it.")
    found = trial.result(at, choices)
    if found is None:
        return
    for table, why in found.imported.held.items():
        st.warning(
            escape_markdown(f"{words.table(table)} cannot be used: {words.reason(why)}."),
            icon=":material/front_hand:",
        )
    news.show_words(at, choices, found.imported.new)
    _show_tables(found)
    _show_refused(found)
    _show_types(found)
    if found.lacking:
        listed = " and ".join(words.table(table) for table in found.lacking)
        st.error(
            f"No list of tasks can be made without {listed}. Change a step above.",
            icon=":material/error:",
        )
        return
    st.button(
        "These numbers are right",
        key="connect.confirm.report",
        type="primary",
        icon=":material/check:",
        on_click=state.action(_confirm),
        args=(at, choices),
    )


def _show_tables(found: SourceCheck) -> None:
    rows = [
        {
            "table": words.table(read.table),
            "used": STATUSES.get(read.status, read.status),
            "accepted": read.rows_staged,
            "refused": read.rows_refused,
        }
        for read in found.reads
        if read.status != "absent"
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=36,
        alt="Rows accepted and refused, by table",
        column_config={
            "table": "Table",
            "used": "",
            "accepted": st.column_config.NumberColumn("Rows accepted", format="localized"),
            "refused": st.column_config.NumberColumn("Rows refused", format="localized"),
        },
    )


def _show_refused(found: SourceCheck) -> None:
    if not found.refused:
        st.text("No row is refused.")
        return
    tables = {file: read.table for read in found.reads for file in read.files}
    rows = [
        {
            "table": words.table(tables.get(kind.file, kind.file.removesuffix(".csv"))),
            "column": words.columns(kind.column or ""),
            "check": words.check(kind.check),
            "rows": kind.rows,
        }
        for kind in found.refused
    ]
    st.markdown("**Why rows are refused**")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=36,
        alt="Refused rows by table, column and reason",
        column_config={
            "table": "Table",
            "column": "Column",
            "check": "What is wrong with it",
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
        },
    )


def _show_types(found: SourceCheck) -> None:
    """Which task types the delivery can answer."""
    answered = [rule for rule in found.rules if rule.answers in ANSWERED]
    others = [rule.title for rule in found.rules if rule.answers not in ANSWERED]
    st.markdown("**Task types that this delivery can answer**")
    for rule in answered:
        part = ", in part" if rule.answers == "in part" else ""
        st.text(f"{rule.title}: {rule.tasks:,} tasks{part}")
    if others:
        with st.expander(f"Not from this delivery: {len(others)} task types"):
            st.text(", ".join(others))


def _confirm(at: Place, choices: Choices) -> None:
    state.keep(at, choices.with_done("report"))
