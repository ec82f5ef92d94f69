"""The Open panel of one task: why it exists, how to resolve it, what can be done, its history."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from app_pages.session import labels, patient_data, times, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.session.patient_data import OpenedTask
from app_pages.tasks import actions, links, timeline
from app_pages.url import filters, time_travel
from app_pages.url import view as url_view
from pipelines.rules.model import Rule
from pipelines.runs import history
from pipelines.vocabulary import EVENTS
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.worklist import Worklist

ACTED = "panel.acted"
STATES: dict[str, Literal["blue", "gray", "green"]] = {
    "pending": "blue",
    "deferred": "gray",
    "completed": "green",
    "cleared": "green",
}
ABOUT_OVERRIDE = "Marking it complete by hand is an override: the reason you write stays on record."


def show(view: url_view.View) -> None:
    """The panel of the task in the view's URL; closing it takes the task out of the URL.

    In a past list the task can only be looked at.
    """
    found = patient_data.open_task(_list_of(view), view["task"])
    title = "No such task" if found is None else escape_markdown(found.row["title"])

    def close() -> None:
        view.set("task", None)

    @st.dialog(
        title,
        width="medium",
        position="right",
        icon=":material/task:",
        on_dismiss=url_view.touch(close),
    )
    def panel() -> None:
        if st.session_state.pop(ACTED, False):
            st.rerun()  # the list behind the panel has changed, too
        worklist = _list_of(view)
        opened = patient_data.open_task(worklist, view["task"])
        if opened is None:
            where = filters.among(worklist)
            st.warning(
                f"There is no task “{escape_markdown(view['task'])}”{where}. The link may be of "
                "another practice, or mistyped."
            )
            return
        can_act = "at" not in view.params or not time_travel.is_on(view)
        _show(opened, can_act=can_act)

    panel()


def _list_of(view: url_view.View) -> Worklist:
    return time_travel.worklist(view) if "at" in view.params else workspace.worklist()


def _show(opened: OpenedTask, *, can_act: bool) -> None:
    worklist, task = opened.worklist, opened.row
    rule = workspace.rules().applied.rules.get(task["rule_id"])
    _show_head(worklist, task)
    if not can_act:
        past = "This is the task as it was; go back to now to act on it."
        st.info(past, icon=":material/history:")
    if can_act:
        _show_held(opened)
        _show_not_connected(opened)
    actions.show_outcome_in_panel()
    _heading("Why this task exists")
    purpose = f"  \n{escape_markdown(rule.purpose)}" if rule is not None else ""
    st.markdown(f"**{escape_markdown(task['reason'])}**{purpose}")
    _show_facts(opened, rule)
    if rule is not None:
        _show_steps(task, rule)
    if can_act and (task["is_open"] or task["status"] == "completed"):
        _show_actions(worklist, task)
    _heading("What happened")
    timeline.show(worklist, opened.steps(), task["task_id"])


def _show_held(opened: OpenedTask) -> None:
    """Why the last run could not close or change the task, if so."""
    held = opened.held()
    if not held.runs:
        return
    last = "The last run" if held.runs == 1 else f"The last {held.runs:,} runs"
    if held.is_unseen:
        says = (
            f"{last} could not check this task: the data do not reach back far enough. The Runs "
            "page says from which day on they are delivered. The task stays as it is."
        )
    elif held.guard is None:
        says = (
            f"{last} could not check this task: a row of the data that could not be read may "
            "concern it. The task stays as it is until that row is corrected."
        )
    else:
        says = (
            f"{last} would have closed this task together with far more others than usual, so it "
            "stays as it is until the delivery is corrected or a manager accepts it on the Runs "
            "page."
        )
    st.warning(says, icon=":material/pause_circle:")


def _show_not_connected(opened: OpenedTask) -> None:
    """That no run asks about this open task, since the practice never delivers a table it needs."""
    apart = history.not_connected(opened.worklist.con)
    if opened.row["is_open"] and opened.row["rule_id"] in set(apart["rule_id"]):
        (why,) = apart.loc[apart["rule_id"] == opened.row["rule_id"], "reason"]
        st.info(
            f"Tasks of this type are {escape_markdown(why)}, which the practice never delivers. "
            "No run changes or closes this one; it stays until a person completes it.",
            icon=":material/link_off:",
        )


def _heading(text: str) -> None:
    st.markdown(f"**:blue[{text}]**")  # a dialog draws headings smaller than its text


def _show_head(worklist: Worklist, task: pd.Series) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(escape_markdown(task["category"]), color="blue")
        st.badge(task["status"].capitalize(), color=STATES[task["status"]])
        if task["overdue"] and task["status"] == "pending":
            st.badge("Overdue", icon=":material/schedule:", color="red")
        st.page_link(
            workspace.pages()["patient"],
            label=escape_markdown(task["patient"]),
            icon=":material/person:",
            query_params={"patient_id": task["patient_id"]},
        )
    if task["status"] == "deferred":
        until = task["deferred_until"].to_pydatetime()
        when = times.local_times(worklist, [task["facility_id"]], until)
        st.info(f"Hidden from the list; back {when}.", icon=":material/snooze:")
    if not task["is_open"]:
        by_system = task["closed_by"] == "system"
        by = "the system" if by_system else worklist.staff_name(task["closed_by"])
        how = escape_markdown(EVENTS[task["close_kind"]])
        when = timeline.when(worklist, task, task["closed_at"])
        st.success(f"{how} by {escape_markdown(by)}, {when}.")


def _show_facts(opened: OpenedTask, rule: Rule | None) -> None:
    task = opened.row
    age = f"{task['age_days']} days"
    if task["active_age_days"] != task["age_days"]:
        age += f", {task['active_age_days']} without deferrals"
    facts = {
        "Since": f"{task['since']:%B %-d, %Y}",
        "Age": age,
        "Due": f"{task['due_on']:%B %-d, %Y}",
        "Amount": None if pd.isna(task["amount"]) else f"${task['amount']:,.2f}",
        "Staff": task["staff"],
        "Payer": task["payer"],
        "Facility": task["facility"],
    }
    if rule is not None:
        facts |= opened.facts(rule.subject_table)
    with st.grid(3, gap="small"):
        for name, value in facts.items():
            if value is not None and str(value):
                st.markdown(f":gray[{escape_markdown(name)}]  \n{escape_markdown(value)}")


def _show_steps(task: pd.Series, rule: Rule) -> None:
    _heading("How to resolve")
    steps = enumerate(rule.resolve, start=1)
    st.markdown("\n".join(f"{number}. {escape_markdown(step)}" for number, step in steps))
    links.show(task, rule.links)
    is_auto = rule.clears == "auto"
    clears = "Clears by itself" if is_auto else "Stays until somebody completes it"
    st.markdown(f":material/info: **{clears}.** {escape_markdown(rule.clears_when)}")


def _show_actions(worklist: Worklist, task: pd.Series) -> None:
    """The controls; each keeps the task's ledger number as drawn, to notice who acted first."""
    task_id, seen, is_open = task["task_id"], int(task["last_seq"]), bool(task["is_open"])
    is_override = task["manual"] == "override"
    with st.container(border=True):
        if is_open and is_override:
            st.text(ABOUT_OVERRIDE)
        if is_open:
            st.text_input(
                "Reason" if is_override else "Reason (optional)",
                key=f"panel.reason.{task_id}",
                max_chars=500,
                on_change=_write_reason,
                args=(task, seen),
            )
        key = f"panel.complete.{task_id}.{seen}"
        st.checkbox(
            "Task Mark Complete", value=not is_open, key=key, on_change=_mark, args=(task, seen)
        )
        if st.session_state.get(key) and is_open:
            st.warning("A reason is needed before this is complete.", icon=":material/edit:")
        if is_open:
            _show_deferral(worklist, task, seen)
            _show_owner_and_note(worklist, task, seen)


def _show_deferral(worklist: Worklist, task: pd.Series, seen: int) -> None:
    task_id = task["task_id"]
    choices = {}
    for span in actions.DEFERRALS:
        back = times.local_times(worklist, [task["facility_id"]], actions.returns_at(span))
        choices[span] = f"{span}: back {back}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.menu_button(
            "Defer Task",
            list(choices),
            key=f"panel.defer.{task_id}",
            format_func=choices.__getitem__,
            icon=":material/snooze:",
            on_click=_defer,
            args=(task_id, seen),
        )
        if task["status"] == "deferred":
            st.button(
                "Return to the list",
                key=f"panel.return.{task_id}",
                icon=":material/undo:",
                on_click=_act,
                args=(ActionRequest(task_id, "return", seen=seen), "Returned to the list"),
            )


def _show_owner_and_note(worklist: Worklist, task: pd.Series, seen: int) -> None:
    task_id = task["task_id"]
    staff = {"": actions.NOBODY, **labels.active_staff(worklist)}
    st.selectbox(
        "Assign to",
        list(staff),
        index=None,
        key=f"panel.assign.{task_id}.{seen}",
        format_func=staff.__getitem__,
        placeholder=f"Now {task['staff']}",
        on_change=_assign,
        args=(task_id, seen, staff),
    )
    st.text_input(
        "Note",
        key=f"panel.note.{task_id}.{seen}",
        max_chars=500,
        placeholder="Press Enter to keep it",
        on_change=_note,
        args=(task_id, seen),
    )


def _act(request: ActionRequest, title: str) -> None:
    actions.do([request], title)
    st.session_state[ACTED] = True


def _mark(task: pd.Series, seen: int) -> None:
    task_id = task["task_id"]
    if not task["is_open"]:
        _act(ActionRequest(task_id, "reopen", seen=seen), "Reopened")
        return
    reason = st.session_state.get(f"panel.reason.{task_id}", "").strip()
    if task["manual"] == "override" and not reason:
        return  # the panel asks for it, and completes when it is there
    _act(ActionRequest(task_id, "complete", reason=reason or None, seen=seen), "Completed")


def _write_reason(task: pd.Series, seen: int) -> None:
    if st.session_state.get(f"panel.complete.{task['task_id']}.{seen}"):
        _mark(task, seen)


def _defer(task_id: str, seen: int) -> None:
    span = st.session_state[f"panel.defer.{task_id}"]
    if span is None:
        return
    reason = st.session_state.get(f"panel.reason.{task_id}", "").strip() or None
    length = actions.length_of(span)
    request = ActionRequest(task_id, "defer", span=length, reason=reason, seen=seen)
    _act(request, f"Deferred for {span}")


def _assign(task_id: str, seen: int, staff: dict[str, str]) -> None:
    to = st.session_state[f"panel.assign.{task_id}.{seen}"]
    if to is not None:
        request = ActionRequest(task_id, "assign", to_staff_id=to or None, seen=seen)
        _act(request, f"Assigned to {staff[to]}")


def _note(task_id: str, seen: int) -> None:
    text = st.session_state[f"panel.note.{task_id}.{seen}"].strip()
    if text:
        _act(ActionRequest(task_id, "note", reason=text, seen=seen), "Note kept")
