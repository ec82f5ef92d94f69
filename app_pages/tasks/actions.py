"""Acting on tasks: the confirmation, recording the action, its outcome, and Undo."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app_pages.session import labels, patient_data, times, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.session.patient_data import Said
from app_pages.tasks import grid, refusals
from app_pages.url import view
from pipelines.errors import UserError
from pipelines.ledger import deferral
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest, ActorRefused, Recorded, Rejected
from pipelines.worklist.worklist import Worklist

DEFERRALS = {"1 day": "1d", "2 days": "2d", "3 days": "3d", "1 week": "1w", "2 weeks": "2w"}
BULK = (
    ("complete", "Complete", "done_all"),
    ("defer", "Defer", "snooze"),
    ("assign", "Assign", "person_add"),
)  # action, label, icon
ASKED, OUTCOME = "actions.asked", "actions.outcome"
REFUSALS_SHOWN = 5
NOBODY = "Unassigned (back to the record's owner)"
NOT_ACTIVE = "You are no longer on the list of active staff. Nothing was changed."
ABOUT_DEFERRING = "The age keeps counting; what clears meanwhile is cleared."
ABOUT_OVERRIDES = (
    "once the work is done in the EMR. Completing by hand is recorded as an **override** and "
    "needs a reason; it does not come back while nothing changes in the EMR."
)
REASON_MISSING = "Write why this is completed by hand: the reason is kept in the patient's history."


@dataclass(frozen=True)
class Outcome:
    """The result of this session's last action: what was done, why the rest was refused."""

    title: str
    done: tuple[Recorded, ...]
    refused: tuple[Said, ...]
    can_undo: bool = True


def ask(action: str, seen: dict[str, int]) -> None:
    """Have the page ask for confirmation; `seen` is task id → ledger number as seen."""
    st.session_state[ASKED] = (action, seen)


def ask_ticked(action: str) -> None:
    """Ask for all tasks that are ticked when the click arrives, also those ticked since drawing."""
    ask(action, grid.ticked())


def do(requests: Sequence[ActionRequest], title: str) -> None:
    """Record the requests of the person at the keyboard and keep the outcome for the page."""
    worklist, person = workspace.worklist(), workspace.person()
    ledger = workspace.workspace().shared.ledger
    try:
        done, rejected = actions.act_all(worklist, ledger, person.staff_id, requests)
        refused = _said(worklist, rejected)
    except ActorRefused:
        done, refused = [], (Said(NOT_ACTIVE),)
    except UserError as error:
        done, refused = [], (Said(str(error)),)
    st.session_state[OUTCOME] = Outcome(title, tuple(done), refused)


def complete_one(task_id: str, seen: int) -> None:
    """Complete a task that needs no reason."""
    do([ActionRequest(task_id, "complete", seen=seen)], "Completed")


def returns_at(span: str) -> dt.datetime:
    """When a task deferred now for a span such as "1 day" is back on the list."""
    return workspace.now() + length_of(span)


def length_of(span: str) -> dt.timedelta:
    """How long a span such as "1 day" is, counted from when the deferral is recorded."""
    return deferral.parse_span(DEFERRALS[span])


def show_outcome() -> None:
    """The outcome of the last action, with Undo, until the next action or until it is closed."""
    outcome: Outcome | None = st.session_state.get(OUTCOME)
    if outcome is None:
        return
    refused = patient_data.sentences(outcome.refused[:REFUSALS_SHOWN])
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key="actions.outcome"
    ):
        if outcome.done:
            one, count = outcome.done[0].title, len(outcome.done)
            tasks = escape_markdown(one if count == 1 else f"{count:,} tasks")
            text = f":material/check_circle: **{escape_markdown(outcome.title)}: {tasks}**"
            st.markdown(text, width="stretch")
        for text in refused:
            st.warning(escape_markdown(text), icon=":material/block:")
        if len(outcome.refused) > REFUSALS_SHOWN:
            st.warning(f"and {len(outcome.refused) - REFUSALS_SHOWN:,} more were not done")
        if outcome.done and outcome.can_undo:
            st.button(
                "Undo",
                key="actions.undo",
                icon=":material/undo:",
                on_click=view.touch(_undo),
                args=(outcome,),
            )
        st.button(
            "Close",
            key="actions.close",
            type="tertiary",
            icon=":material/close:",
            on_click=view.touch(_close),
        )


def show_outcome_in_panel() -> None:
    """Why the last action was refused: an open panel covers the page's own message."""
    outcome: Outcome | None = st.session_state.get(OUTCOME)
    for text in patient_data.sentences(outcome.refused if outcome is not None else ()):
        st.warning(escape_markdown(text), icon=":material/block:")


def show_confirmation() -> None:
    """The confirmation that was asked for, if any: the count, overrides, and a reason for them."""
    asked = st.session_state.get(ASKED)
    if asked is None:
        return
    action, seen = asked
    worklist = workspace.worklist()
    tasks = patient_data.without_patients(worklist, seen)
    verb, confirm = {
        "complete": ("Complete", _confirm_completing),
        "defer": ("Defer", _confirm_deferring),
        "assign": ("Assign", _confirm_assigning),
    }[action]

    @st.dialog(f"{verb} {_counted(len(tasks))}", on_dismiss=view.touch(_forget))
    def confirmation() -> None:
        kinds = Counter(tasks["title"])
        st.text("\n".join(f"{count} × {kind}" for kind, count in kinds.most_common()))
        confirm(worklist, tasks, seen)

    confirmation()


def _confirm_completing(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    overrides = set(tasks.loc[tasks["manual"] == "override", "task_id"])
    reason = None
    if overrides:
        clear = "clears by itself" if len(overrides) == 1 else "clear by themselves"
        of_these = f"{_counted(len(overrides))} of these normally {clear}"
        st.markdown(f":material/info: {of_these} {ABOUT_OVERRIDES}")
        leave_out = len(overrides) < len(tasks) and st.checkbox(
            "Leave these out, complete the others only", key="confirm.leave_out"
        )
        if leave_out:
            seen = {task_id: seq for task_id, seq in seen.items() if task_id not in overrides}
        else:
            text = st.text_area("Reason for the override", key="confirm.reason", max_chars=500)
            reason = text.strip()
    else:
        st.text("Completed under your name, with the time, in the patient’s history.")
    if _confirm_button(f"Complete {_counted(len(seen))}", "done_all"):
        if overrides & set(seen) and not reason:
            st.error(REASON_MISSING)
            return
        requests = [
            ActionRequest(
                task_id, "complete", reason=reason if task_id in overrides else None, seen=seq
            )
            for task_id, seq in seen.items()
        ]
        _finish(requests, "Completed")


def _confirm_deferring(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    span = st.radio("Hide for", list(DEFERRALS), key="confirm.span", horizontal=True)
    back = times.local_times(worklist, tasks["facility_id"].tolist(), returns_at(span))
    st.text(f"Back on the list {back}. {ABOUT_DEFERRING}")
    if _confirm_button(f"Defer {_counted(len(seen))}", "snooze"):
        requests = [
            ActionRequest(task_id, "defer", span=length_of(span), seen=seq)
            for task_id, seq in seen.items()
        ]
        _finish(requests, f"Deferred for {span}")


def _confirm_assigning(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    staff = {"": NOBODY, **labels.active_staff(worklist)}
    to = st.selectbox(
        "Assign to",
        list(staff),
        index=None,
        key="confirm.to",
        format_func=staff.__getitem__,
        placeholder="Choose a colleague",
    )
    st.text("The next person who edits a document in the EMR becomes the owner of its tasks again.")
    label = f"Assign {_counted(len(seen))}"
    if _confirm_button(label, "person_add", disabled=to is None) and to is not None:
        requests = [
            ActionRequest(task_id, "assign", to_staff_id=to or None, seen=seq)
            for task_id, seq in seen.items()
        ]
        _finish(requests, f"Assigned to {staff[to]}")


def _confirm_button(label: str, icon: str, *, disabled: bool = False) -> bool:
    return st.button(
        label, key="confirm.go", type="primary", icon=f":material/{icon}:", disabled=disabled
    )


def _finish(requests: Sequence[ActionRequest], title: str) -> None:
    do(requests, title)
    _forget()
    grid.untick()
    st.rerun()


def _undo(outcome: Outcome) -> None:
    worklist, person = workspace.worklist(), workspace.person()
    ledger = workspace.workspace().shared.ledger
    done, rejected = actions.undo(worklist, ledger, person.staff_id, outcome.done)
    refused = _said(worklist, rejected)
    st.session_state[OUTCOME] = Outcome("Taken back", tuple(done), refused, can_undo=False)


def _said(worklist: Worklist, rejected: Sequence[Rejected]) -> tuple[Said, ...]:
    return tuple(
        Said(refusals.in_words(worklist, each.refusal), each.refusal.patient_id)
        for each in rejected
    )


def _close() -> None:
    st.session_state.pop(OUTCOME, None)


def _forget() -> None:
    st.session_state.pop(ASKED, None)


def _counted(count: int) -> str:
    return f"{count:,} task{'' if count == 1 else 's'}"
