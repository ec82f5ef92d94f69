"""Step 7: the first tasks that the delivery would open, and saving the connection."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app_pages.connect import news, state, trial
from app_pages.connect.state import Place
from app_pages.session import patient_data
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices


def show(at: Place, choices: Choices) -> None:
    """Twenty tasks with their reasons, to compare with the EMR."""
    found = trial.result(at, choices)
    if found is None:
        return
    tasks = patient_data.tried_tasks(found, choices.name)
    st.text(
        f"{found.tasks:,} tasks would open. Compare these {len(tasks)} with your EMR before you "
        "save."
    )
    rows = [
        {
            "title": one.title,
            "patient": one.patient_id,
            "facility": one.facility_id,
            "since": one.since,
            "reason": one.reason,
        }
        for one in tasks
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["title", "patient", "facility", "since", "reason"]),
        hide_index=True,
        row_height=36,
        alt="The first tasks of this delivery",
        column_config={
            "title": "Task",
            "patient": "Patient number",
            "facility": "Facility number",
            "since": st.column_config.DateColumn("Since", format="MMM D, YYYY"),
            "reason": st.column_config.TextColumn("Why", width="large"),
        },
    )
    st.button(
        "Save this connection",
        key="connect.save",
        type="primary",
        icon=":material/save:",
        on_click=state.action(_save),
        args=(at, choices),
    )


def _save(at: Place, choices: Choices) -> None:
    after = choices.with_done("tasks")
    choices_module.save(at.home, after)
    state.keep(at, after)
    news.forget(at, after)
    st.session_state[state.DONE] = "The connection is saved."
