"""Patients: search, and of one patient what is pending, what happened, and their record."""

import streamlit as st

from app_pages.patient import record
from app_pages.session import access_record, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.tasks import actions, cards, panel, timeline
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines.records import patients
from pipelines.worklist.filters import Filters

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
patient = patients.patient(worklist.con, view["patient_id"]) if view["patient_id"] else None
moved_to = worklist.moved_to(view["patient_id"]) if view["patient_id"] and not patient else None
if moved_to is not None:
    patient = patients.patient(worklist.con, moved_to)

st.title(escape_markdown(patient.name) if patient else "Patients")
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
if moved_to is not None and patient is not None:
    st.info(
        f"The chart {escape_markdown(view['patient_id'])} is now part of this one, "
        f"{escape_markdown(moved_to)}.",
        icon=":material/merge:",
    )
if view["patient_id"] and patient is None:
    st.warning(
        f"There is no patient “{escape_markdown(view['patient_id'])}”{filters.among(worklist)} in "
        "the newest data.",
        icon=":material/person_off:",
    )

if patient is None:
    record.show_search(worklist)
else:
    access_record.note_access(patient.patient_id, "patient page", view["section"])
    record.show_head(worklist, patient)
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
        pending = worklist.tasks(Filters(status="open", patient_id=patient.patient_id))
        st.subheader(f"Pending tasks: {len(pending)}")
        if pending.empty:
            st.text("Nothing is pending for this patient.")
        with st.container(border=not pending.empty):
            cards.show(
                pending,
                "patient",
                {"patient_id": [patient.patient_id]},
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
        events = worklist.history(patient.patient_id, people_only=people_only)
        history = timeline.table(worklist, events)
        st.dataframe(
            history,
            hide_index=True,
            row_height=36,
            alt=f"Everything that happened to this patient's tasks, {len(history)} steps",
        )
    elif section == "policies":
        record.show_policies(worklist, patient)
    elif section == "payments":
        record.show_payments(worklist, patient)
    elif section == "documents":
        record.show_documents(worklist, patient)
    else:
        record.show_schedule(worklist, patient)

if view["task"] is not None and patient is not None:
    panel.show(view)
else:
    actions.show_confirmation()
