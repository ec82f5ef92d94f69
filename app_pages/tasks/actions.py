"""Acting on tasks: one confirmation that says what will happen, the ledger, what became of it, and Undo right after."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app_pages.session import labels, times, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.tasks import grid
from app_pages.url import view
from pipelines.errors import UserError
from pipelines.ledger import deferral
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest, Recorded, Rejected
from pipelines.worklist.filters import Filters
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


@dataclass(frozen=True)
class Outcome:
    """What became of the last action of this session: what was done, what was not and why, and whether it can be taken back."""

    said: str
    done: tuple[Recorded, ...]
    refused: tuple[Rejected, ...]
    can_undo: bool = True


def ask(action: str, seen: dict[str, int]) -> None:
    """Have the page ask for confirmation, once, before it is done; `seen` is task id → ledger number as the person saw it."""
    st.session_state[ASKED] = (action, seen)


def ask_ticked(action: str) -> None:
    """Ask for all that is ticked when the click arrives: who is quick may have ticked one more since the button was drawn."""
    ask(action, grid.ticked())


def do(wishes: Sequence[ActionRequest], said: str) -> Outcome:
    """Record the wishes of whoever is at the keyboard and keep what became of them for the page to say."""
    worklist, ledger, person = (
        workspace.worklist(),
        workspace.workspace().shared.ledger,
        workspace.person(),
    )
    try:
        done, refused = actions.act_all(worklist, ledger, person.staff_id, wishes)
    except UserError as error:
        done, refused = [], [Rejected(wish, str(error)) for wish in wishes]
    outcome = Outcome(said, tuple(done), tuple(refused))
    st.session_state[OUTCOME] = outcome
    return outcome


def complete_one(task_id: str, seen: int) -> None:
    """Complete a task that needs no reason."""
    do([ActionRequest(task_id, "complete", seen=seen)], "Completed")


def returns_at(span: str) -> dt.datetime:
    """When a task deferred now for a span such as "1 day" is back on the list."""
    return workspace.now() + length_of(span)


def length_of(span: str) -> dt.timedelta:
    """How long a span such as "1 day" is; a deferral is for so long from when it is done, or a day chosen a second before would be too short."""
    return deferral.parse_span(DEFERRALS[span])


def show_outcome() -> None:
    """What became of the last action, with Undo, until the next action or until it is put away."""
    outcome: Outcome | None = st.session_state.get(OUTCOME)
    if outcome is None:
        return
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key="actions.outcome"
    ):
        if outcome.done:
            kinds = Counter(done.title for done in outcome.done)
            what = next(iter(kinds)) if len(outcome.done) == 1 else f"{len(outcome.done):,} tasks"
            st.markdown(
                f":material/check_circle: **{escape_markdown(outcome.said)}: {escape_markdown(what)}**",
                width="stretch",
            )
        for refused in outcome.refused[:REFUSALS_SHOWN]:
            st.warning(escape_markdown(_in_words(refused.why)), icon=":material/block:")
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
    """Why the last action was not done, where it was not: an open panel covers what the page says."""
    outcome: Outcome | None = st.session_state.get(OUTCOME)
    for refused in outcome.refused if outcome is not None else ():
        st.warning(escape_markdown(_in_words(refused.why)), icon=":material/block:")


def show_confirmation() -> None:
    """The confirmation that was asked for, if any: the count, what happens to overrides, and a reason where one is needed."""
    asked = st.session_state.get(ASKED)
    if asked is None:
        return
    action, seen = asked
    worklist = workspace.worklist()
    tasks = worklist.tasks(Filters(status="all", task_ids=tuple(seen)))
    title = f"{ {'complete': 'Complete', 'defer': 'Defer', 'assign': 'Assign'}[action] } {_counted(len(tasks))}"

    @st.dialog(title, on_dismiss=view.touch(_forget))
    def confirmation() -> None:
        kinds = Counter(tasks["title"])
        st.text("\n".join(f"{count} × {kind}" for kind, count in kinds.most_common()))
        {
            "complete": _confirm_completing,
            "defer": _confirm_deferring,
            "assign": _confirm_assigning,
        }[action](worklist, tasks, seen)

    confirmation()


def _confirm_completing(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    overrides = set(tasks.loc[tasks["manual"] == "override", "task_id"])
    reason = None
    if overrides:
        st.markdown(
            f":material/info: {_counted(len(overrides))} of these normally {'clears by itself' if len(overrides) == 1 else 'clear by themselves'} "
            "once the work is done in the EMR. Completing by hand is recorded as an **override** and needs a reason; "
            "it does not come back while nothing changes in the EMR."
        )
        leave_out = len(overrides) < len(tasks) and st.checkbox(
            "Leave these out, complete the others only", key="confirm.leave_out"
        )
        seen = {
            task_id: seq
            for task_id, seq in seen.items()
            if not (leave_out and task_id in overrides)
        }
        if not leave_out:
            reason = st.text_area(
                "Reason for the override", key="confirm.reason", max_chars=500
            ).strip()
    else:
        st.text("Completed under your name, with the time, in the patient’s history.")
    if st.button(
        f"Complete {_counted(len(seen))}",
        key="confirm.go",
        type="primary",
        icon=":material/done_all:",
    ):
        if overrides & set(seen) and not reason:
            st.error(
                "Write why this is completed by hand: the reason is kept in the patient's history."
            )
            return
        _finish(
            [
                ActionRequest(
                    task_id, "complete", reason=reason if task_id in overrides else None, seen=seq
                )
                for task_id, seq in seen.items()
            ],
            "Completed",
        )


def _confirm_deferring(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    span = st.radio("Hide for", list(DEFERRALS), key="confirm.span", horizontal=True)
    st.text(
        f"Back on the list {times.local_times(worklist, tasks['facility_id'], returns_at(span))}. The age keeps counting; what clears meanwhile is cleared."
    )
    if st.button(
        f"Defer {_counted(len(seen))}", key="confirm.go", type="primary", icon=":material/snooze:"
    ):
        _finish(
            [
                ActionRequest(task_id, "defer", span=length_of(span), seen=seq)
                for task_id, seq in seen.items()
            ],
            f"Deferred for {span}",
        )


def _confirm_assigning(worklist: Worklist, tasks: pd.DataFrame, seen: dict[str, int]) -> None:
    staff = {"": NOBODY, **labels.active_staff(worklist)}
    to = st.selectbox(
        "Assign to",
        list(staff),
        index=None,
        key="confirm.to",
        format_func=staff.get,
        placeholder="Choose a colleague",
    )
    st.text("Whoever edits a document in the EMR next takes its tasks over again.")
    if st.button(
        f"Assign {_counted(len(seen))}",
        key="confirm.go",
        type="primary",
        icon=":material/person_add:",
        disabled=to is None,
    ):
        _finish(
            [
                ActionRequest(task_id, "assign", to_staff_id=to or None, seen=seq)
                for task_id, seq in seen.items()
            ],
            f"Assigned to {staff[to]}",
        )


def _finish(wishes: Sequence[ActionRequest], said: str) -> None:
    do(wishes, said)
    _forget()
    grid.untick()
    st.rerun()


def _undo(outcome: Outcome) -> None:
    worklist, ledger = workspace.worklist(), workspace.workspace().shared.ledger
    done, refused = actions.undo(worklist, ledger, workspace.person().staff_id, outcome.done)
    st.session_state[OUTCOME] = Outcome("Taken back", tuple(done), tuple(refused), can_undo=False)


def _close() -> None:
    st.session_state.pop(OUTCOME, None)


def _forget() -> None:
    st.session_state.pop(ASKED, None)


def _counted(count: int) -> str:
    return f"{count:,} task{'' if count == 1 else 's'}"


def _in_words(why: str) -> str:
    """The command line's message for the screen, which has a field where it has an option."""
    return why.replace("needs --reason TEXT", "needs a text").replace(
        "needs --reason", "needs a reason"
    )
