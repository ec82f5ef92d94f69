"""The record of a run: its tables, its rules, and the refused rows to download."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app_pages.components import run_times
from app_pages.session import patient_data, typed_rows, workspace
from app_pages.url import view
from pipelines.runs import history
from pipelines.vocabulary import CLOSE_KINDS, CLOSED_BY_RUN
from pipelines.worklist.worklist import Worklist

RUNS_KEY = "runs.history"
HISTORY: dict[str, ColumnConfig | str | None] = {
    "run_no": st.column_config.NumberColumn("Run", format="%d"),
    "as_of": "As of",
    "rows_read": st.column_config.NumberColumn("Rows read", format="localized"),
    "rows_staged": st.column_config.NumberColumn("Rows accepted", format="localized"),
    "rows_refused": st.column_config.NumberColumn("Rows refused", format="localized"),
    "tables_not_accepted": st.column_config.NumberColumn("Tables not accepted"),
    "opened": st.column_config.NumberColumn("Tasks opened", format="localized"),
    "closed": st.column_config.NumberColumn("Tasks closed", format="localized"),
    "withheld": st.column_config.NumberColumn("Rules withheld"),
}
RULES: dict[str, ColumnConfig | str | None] = {
    "title": "Task type",
    "reason": st.column_config.TextColumn("Withheld, not connected or held because", width=220),
    "candidates": "Asks for",
    "opened": "Opened",
    **{name: CLOSE_KINDS[name].short_label for name in CLOSED_BY_RUN},
    "held": st.column_config.NumberColumn(
        "Held",
        help="Not opened, changed or closed: a row that could not be read may concern them, the "
        "data do not reach back far enough, or a guard holds them",
    ),
    "held_runs": st.column_config.NumberColumn(
        "Held for (runs)", help="The longest held of them, in runs in a row; of the newest run only"
    ),
    "set_aside": st.column_config.NumberColumn(
        "Set aside",
        help="Not opened: they fell due before the practice began to work with the list",
    ),
}
TABLES: dict[str, ColumnConfig | str | None] = {
    "table_name": "Table",
    "status": "Status",
    "rows_read": st.column_config.NumberColumn("Read", format="localized"),
    "rows_staged": st.column_config.NumberColumn("Accepted", format="localized"),
    "rows_refused": st.column_config.NumberColumn("Refused", format="localized"),
    "reason": "Not accepted because",
    "warnings": "Warnings",
    "extracted_at": "Extracted",
    "since_on": st.column_config.DateColumn("Reaches back to"),
    "horizon_on": st.column_config.DateColumn("Reaches to"),
}

REFUSALS: dict[str, ColumnConfig | str | None] = {
    "table_name": "Table",
    "column_name": "Column",
    "check_name": "Reason",
    "refused_rows": st.column_config.NumberColumn("Rows refused", format="localized"),
}


GUARDS: dict[str, ColumnConfig | str | None] = {
    "guard": "Guard",
    "says": st.column_config.TextColumn("What it held", width="large"),
    "accepted_by_name": "Accepted by",
    "accepted_reason": "Because",
}


class Run(NamedTuple):
    """A run; `as_of` is aware."""

    run_no: int
    run_id: str
    as_of: dt.datetime


def runs_of(runs: pd.DataFrame) -> list[Run]:
    """The rows of `history.runs` as values."""
    return typed_rows.read(Run, runs)


def show_history(worklist: Worklist, runs: pd.DataFrame, on_choose: Callable[[str], None]) -> None:
    """Every run kept, newest first; a click on a row shows that run below."""

    def choose() -> None:
        rows = st.session_state.get(RUNS_KEY, {}).get("selection", {}).get("rows", [])
        if rows:
            on_choose(str(runs["run_id"].iloc[rows[0]]))

    as_of = run_times.heading(worklist, "As of")
    st.dataframe(
        runs.assign(as_of=run_times.local(worklist, runs["as_of"]))[list(HISTORY)],
        key=RUNS_KEY,
        hide_index=True,
        on_select=view.touch(choose),
        selection_mode="single-row",
        height=min(36 * (len(runs) + 1) + 3, 330),
        row_height=36,
        placeholder="",
        alt=f"{len(runs)} runs: rows read, accepted and refused, tasks opened and closed, "
        "rules withheld",
        column_config={
            **HISTORY,
            "as_of": st.column_config.DatetimeColumn(as_of, format="MMM D, YYYY, HH:mm"),
        },
    )


def show_guards(worklist: Worklist, run_no: int) -> None:
    """The guards that tripped in the run, and who accepted what they held; nothing if none did."""
    found = history.guards_of_run(worklist.con, run_no)
    if found.empty:
        return
    st.dataframe(
        found[list(GUARDS)],
        hide_index=True,
        row_height=36,
        placeholder="held",
        alt=f"The {len(found):,} guards that tripped in run {run_no}",
        column_config=GUARDS,
    )


def show_rules(worklist: Worklist, run_no: int) -> None:
    """What each rule asked for and what became of it; withheld rules first, with the reason."""
    rules = history.run_rules(worklist.con, run_no)
    withheld = int(rules["is_withheld"].astype(bool).sum())
    apart = int((~rules["is_connected"].astype(bool)).sum())
    counts = f"{len(rules) - withheld - apart} answered, {withheld} withheld"
    if apart:
        counts += f", {apart} not connected (they need a table that the practice never delivers)"
    st.markdown(f"**Rules** · {counts}")
    st.dataframe(
        rules[list(RULES)],
        hide_index=True,
        row_height=36,
        placeholder="",
        alt="What each rule asked for and what became of it",
        column_config=RULES,
    )


def show_tables(worklist: Worklist, run_no: int) -> None:
    """Rows read, accepted and refused of each extract table."""
    tables = history.run_tables(worklist.con, run_no)
    extracted = run_times.heading(worklist, "Extracted")
    st.markdown("**Extract tables** · every row read is accepted or refused")
    st.dataframe(
        tables.assign(extracted_at=run_times.local(worklist, tables["extracted_at"]))[list(TABLES)],
        hide_index=True,
        row_height=36,
        placeholder="",
        alt="Rows read, accepted and refused of each extract table",
        column_config={
            **TABLES,
            "extracted_at": st.column_config.DatetimeColumn(extracted, format="MMM D, HH:mm"),
        },
    )


def show_refusals(worklist: Worklist, run: Run) -> None:
    """How many rows each check refused, and the rows themselves, with patients' data, to download.

    The rows are for people who see all facilities.
    """
    folder = workspace.workspace().settings.rejected / run.run_id
    if not folder.is_dir():
        return
    refusals = history.refusals(worklist.con, run.run_no)
    st.markdown("**Refused rows**")
    if not refusals.empty:
        st.dataframe(
            refusals,
            hide_index=True,
            row_height=36,
            placeholder="",
            alt="Refused rows by table, column and check",
            column_config=REFUSALS,
        )
    if worklist.state.facility_ids is not None:
        st.info(
            "The rows hold data of patients of all facilities, so only people who see all "
            "facilities can download them.",
            icon=":material/lock:",
        )
        return
    st.download_button(
        "Download refused rows",
        data=_recorded_archive(run.run_id, folder),
        file_name=f"refused-{run.run_id}.zip",
        mime="application/zip",
        key=f"runs.refused.{run.run_id}",
        icon=":material/download:",
        on_click="ignore",
        help="Each refused row with the reason, for the person who corrects it in the EMR. "
        "The rows hold patients' data, so the download is recorded under your name.",
    )


def _recorded_archive(run_id: str, folder: Path) -> Callable[[], bytes]:
    """Makes the archive when it is downloaded, and records that look at all patients."""
    ledger = workspace.workspace().shared.ledger
    by = patient_data.Exporter(ledger, workspace.person().staff_id, workspace.now())

    def archive() -> bytes:
        patient_data.export_all(by, f"refused rows of run {run_id}")
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
            for path in sorted(folder.glob("*.csv")):
                files.write(path, path.name)
        return target.getvalue()

    return archive
