"""What guards hold: a delivery that would close or open too much, and how a manager accepts it."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view
from pipelines.errors import UserError
from pipelines.runs import history, managers
from pipelines.runs.guards import accepting
from pipelines.runs.guards.model import age_in_words
from pipelines.runs.history import HeldGuard
from pipelines.warehouse import undone
from pipelines.worklist.worklist import Worklist

CHOSEN, WHY = "runs.guards", "runs.guards.reason"
PROBLEM, DONE = "runs.guards.problem", "runs.guards.done"
COLUMNS: dict[str, ColumnConfig | str | None] = {
    "name": "What is held",
    "says": st.column_config.TextColumn("Why", width="large"),
    "age": "Held",
    "state": "",
}


def show(worklist: Worklist) -> None:
    """What the guards of the newest run hold, if anything."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    if done := st.session_state.pop(DONE, None):
        st.success(escape_markdown(done), icon=":material/check_circle:")
    held = history.held_guards(worklist.con)
    if not held:
        return
    ledger = workspace.workspace().shared.ledger
    accepted = accepting.of_run(
        ledger.accepted_guards(), held[0].run_no, undone.read(worklist.settings.warehouse)
    )
    waiting = [guard for guard in held if not accepted.covers(guard.guard)]
    st.subheader("Held, because the delivery does not look right")
    st.markdown(
        "The newest delivery would do far more than usual. What is held here stays as it was; "
        "everything else is up to date. Have the export corrected: the next delivery then lifts "
        "this by itself. If it is true, a manager accepts it."
    )
    st.dataframe(
        pd.DataFrame([_row(worklist, guard, accepted.covers(guard.guard)) for guard in held]),
        hide_index=True,
        row_height=36,
        placeholder="",
        alt=f"What {len(held):,} guards hold",
        column_config=COLUMNS,
    )
    _show_form(worklist, waiting)


def _row(worklist: Worklist, guard: HeldGuard, is_accepted: bool) -> dict[str, object]:
    return {
        "name": guard.name,
        "says": guard.says,
        "age": age_in_words(guard.held_from, guard.runs, worklist.state.as_of),
        "state": (
            "Accepted: comes with the next refresh"
            if is_accepted
            else "Alarm: nobody has corrected or accepted it"
            if guard.is_alarm
            else ""
        ),
    }


def _show_form(worklist: Worklist, waiting: list[HeldGuard]) -> None:
    if not managers.is_manager(worklist, workspace.person().role):
        roles = " or ".join(worklist.settings.manager_roles) or "Nobody"
        st.info(f"{roles} can accept it.", icon=":material/lock:")
        return
    if not waiting:
        return
    names = {guard.guard: guard.name for guard in waiting}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "What is true",
            [guard.guard for guard in waiting],
            format_func=lambda guard: names[guard],
            key=CHOSEN,
            width=420,
        )
        st.text_input("Why it is true", key=WHY, width=420, max_chars=500)
        st.button(
            "Accept",
            key="runs.accept",
            icon=":material/verified:",
            on_click=view.touch(_accept),
            help="The next refresh publishes it. Your name, the time and the reason are recorded.",
        )


def _accept() -> None:
    """Record that the person accepts the chosen guards."""
    chosen: list[str] = st.session_state.get(CHOSEN) or []
    if not chosen:
        st.session_state[PROBLEM] = "Choose what is true."
        return
    try:
        person = workspace.person()
        with workspace.worklist() as worklist:
            accepted = accepting.accept(
                worklist,
                workspace.workspace().shared.ledger,
                person.staff_id,
                chosen,
                st.session_state.get(WHY) or "",
            )
    except UserError as error:
        st.session_state[PROBLEM] = str(error)
    else:
        names = ", ".join(guard.name for guard in accepted)
        st.session_state[DONE] = f"Accepted: {names}. It comes with the next refresh."
