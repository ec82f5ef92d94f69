"""The record of a run: tables read, rules asked, and the refused rows to download for whoever mends them at the source."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pandas as pd
import streamlit as st

from app_pages.session import workspace
from app_pages.url import view
from pipelines.runs import history
from pipelines.worklist.worklist import Worklist

RUNS_KEY = "runs.history"


def show_history(worklist: Worklist, runs: pd.DataFrame, on_choose: Callable[[str], None]) -> None:
    """Every run kept, newest first; a click on a row shows it below."""
    shown = runs.assign(as_of=runs["as_of"].dt.tz_convert("UTC").dt.tz_localize(None))[
        [
            "run_no",
            "as_of",
            "rows_read",
            "rows_staged",
            "rows_refused",
            "tables_not_accepted",
            "opened",
            "closed",
            "withheld",
        ]
    ]

    def choose() -> None:
        rows = st.session_state.get(RUNS_KEY, {}).get("selection", {}).get("rows", [])
        if rows:
            on_choose(str(runs["run_id"].iloc[rows[0]]))

    st.dataframe(
        shown,
        key=RUNS_KEY,
        hide_index=True,
        on_select=view.touch(choose),
        selection_mode="single-row",
        height=min(36 * (len(shown) + 1) + 3, 330),
        row_height=36,
        placeholder="",
        alt=f"{len(runs)} runs: rows read, staged and refused, tasks opened and closed, rules withheld",
        column_config={
            "run_no": st.column_config.NumberColumn("Run", format="%d"),
            "as_of": st.column_config.DatetimeColumn("As of (UTC)", format="MMM D, YYYY, HH:mm"),
            "rows_read": st.column_config.NumberColumn("Rows read", format="localized"),
            "rows_staged": st.column_config.NumberColumn("Staged", format="localized"),
            "rows_refused": st.column_config.NumberColumn("Refused", format="localized"),
            "tables_not_accepted": st.column_config.NumberColumn("Tables not accepted"),
            "opened": st.column_config.NumberColumn("Tasks opened", format="localized"),
            "closed": st.column_config.NumberColumn("Tasks closed", format="localized"),
            "withheld": st.column_config.NumberColumn("Rules withheld"),
        },
    )


def show_rules(worklist: Worklist, run_no: int) -> None:
    """What each rule asked for and what came of it; withheld ones first, with the reason."""
    rules = history.run_rules(worklist.con, run_no)
    withheld = rules[rules["is_withheld"].astype(bool)]
    st.markdown(f"**Rules** · {len(rules) - len(withheld)} answered, {len(withheld)} withheld")
    st.dataframe(
        rules[
            [
                "title",
                "reason",
                "candidates",
                "opened",
                "cleared",
                "converted",
                "discharged",
                "source_gone",
                "held",
            ]
        ],
        hide_index=True,
        row_height=36,
        placeholder="",
        alt="What each rule asked for and what came of it",
        column_config={
            "title": "Task type",
            "reason": st.column_config.TextColumn("Withheld because", width=220),
            "candidates": "Asks for",
            "opened": "Opened",
            "cleared": "Cleared",
            "converted": "Converted",
            "discharged": "Discharged",
            "source_gone": "Record gone",
            "held": st.column_config.NumberColumn(
                "Held", help="Kept as they were, because a refused row could have changed them"
            ),
        },
    )


def show_tables(worklist: Worklist, run_no: int) -> None:
    """Rows read, staged and refused of each extract table."""
    tables = history.run_tables(worklist.con, run_no)
    st.markdown("**Extract tables** · every row read is staged or refused")
    st.dataframe(
        tables[
            [
                "table_name",
                "status",
                "rows_read",
                "rows_staged",
                "rows_refused",
                "reason",
                "warnings",
                "extracted_at",
                "horizon_on",
            ]
        ],
        hide_index=True,
        row_height=36,
        placeholder="",
        alt="Rows read, staged and refused of each extract table",
        column_config={
            "table_name": "Table",
            "status": "Status",
            "rows_read": st.column_config.NumberColumn("Read", format="localized"),
            "rows_staged": st.column_config.NumberColumn("Staged", format="localized"),
            "rows_refused": st.column_config.NumberColumn("Refused", format="localized"),
            "reason": "Not accepted because",
            "warnings": "Warnings",
            "extracted_at": st.column_config.DatetimeColumn(
                "Extracted (UTC)", format="MMM D, HH:mm"
            ),
            "horizon_on": st.column_config.DateColumn("Reaches to"),
        },
    )


def show_refusals(worklist: Worklist, run_no: int, run_id: str) -> None:
    """How many rows were refused by which check, and the rows themselves as a download; they hold patients' values."""
    refusals = history.refusals(worklist.con, run_no)
    folder = workspace.workspace().settings.rejected / run_id
    if not folder.is_dir():
        return
    st.markdown("**Refused rows**")
    if not refusals.empty:
        st.dataframe(
            refusals,
            hide_index=True,
            row_height=36,
            placeholder="",
            alt="Refused rows by table, column and check",
        )
    if worklist.state.facility_ids is not None:
        st.info(
            "The rows themselves hold values of all facilities’ patients: they are for those who see all facilities.",
            icon=":material/lock:",
        )
        return
    place, person, at = workspace.workspace(), workspace.person(), workspace.now()

    def archive() -> bytes:
        place.shared.ledger.record_access(
            at=at,
            staff_id=person.staff_id,
            patient_id="*",
            kind="export",
            detail=f"refused rows of run {run_id}",
        )
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
            for path in sorted(folder.glob("*.csv")):
                files.write(path, path.name)
        return target.getvalue()

    st.download_button(
        "Download refused rows",
        data=archive,
        file_name=f"refused-{run_id}.zip",
        mime="application/zip",
        key=f"runs.refused.{run_id}",
        icon=":material/download:",
        on_click="ignore",
        help="One CSV a table, each row with its line, column and check. Holds patients' values: it is noted under your name.",
    )
