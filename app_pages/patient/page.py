"""Patients: search, and of one patient what is pending, what happened, and their record."""

import streamlit as st

from app_pages.patient import record
from app_pages.session import patient_data, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.tasks import actions, cards, panel, timeline
from app_pages.url import filters
from app_pages.url import view as url_view

SECTIONS = {
    "tasks": "Tasks and history",
    "policies": "Policies",
    "payments": "Payments",
    "documents": "Clinical Documents",
    "schedule": "Schedule",
}

STEPS = {"all": "Everything", "people": "People only"}

worklist = workspace.worklist()
view = url_view.read(
    "patient",
    [
        url_view.Param("patient_id", "Patient", "one"),
        url_view.Param("section", "Section", "one", lambda: SECTIONS, "tasks"),
        url_view.Param("steps", "Steps", "one", lambda: STEPS, "all"),
        url_view.Param("task", "Task", "one"),
    ],
)
asked_for = view["patient_id"]
opened = patient_data.open_patient(worklist, asked_for, view["section"]) if asked_for else None

st.title(escape_markdown(opened.patient.name) if opened else "Patients")
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
if opened is not None and opened.moved_from is not None:
    st.info(
        f"The chart {escape_markdown(opened.moved_from)} is now part of this one, "
        f"{escape_markdown(opened.patient.patient_id)}.",
        icon=":material/merge:",
    )
if asked_for and opened is None:
    st.warning(
        f"There is no patient “{escape_markdown(asked_for)}”{filters.among(worklist)} in "
        "the newest data.",
        icon=":material/person_off:",
    )

if opened is None:
    record.show_search(worklist)
else:
    record.show_head(opened)
    actions.show_outcome()
    st.segmented_control(
        "Section",
        list(SECTIONS),
        key=view.key("section"),
        format_func=SECTIONS.__getitem__,
        on_change=view.changed("section"),
        required=True,
    )
    section = view["section"]
    if section == "tasks":
        pending = opened.pending()
        st.subheader(f"Pending tasks: {len(pending)}")
        if pending.empty:
            st.text("Nothing is pending for this patient.")
        with st.container(border=not pending.empty):
            cards.show(
                pending,
                "patient",
                {"patient_id": [opened.patient.patient_id]},
                "patient",
                with_patient=False,
            )
        st.subheader("Full history")
        st.segmented_control(
            "Steps",
            list(STEPS),
            key=view.key("steps"),
            format_func=STEPS.__getitem__,
            on_change=view.changed("steps"),
            required=True,
            label_visibility="collapsed",
        )
        people_only = view["steps"] == "people"
        history = timeline.table(worklist, opened.steps(people_only=people_only))
        st.dataframe(
            history,
            hide_index=True,
            row_height=36,
            alt=f"Everything that happened to this patient's tasks, {len(history)} steps",
        )
    elif section == "policies":
        record.show_policies(opened)
    elif section == "payments":
        record.show_payments(opened)
    elif section == "documents":
        record.show_documents(opened)
    else:
        record.show_schedule(opened)

if view["task"] is not None and opened is not None:
    panel.show(view)
else:
    actions.show_confirmation()
