"""One patient: who they are, what is pending, all that happened, and the record behind it."""

import streamlit as st

from app_pages.ui import facets, patient_record, task_actions, task_cards, task_panel, timeline, url_state, workspace
from app_pages.ui.plain import plain
from pipelines import records
from pipelines.worklist import Filters

SECTIONS = {
    "tasks": "Tasks and history",
    "policies": "Policies",
    "payments": "Payments",
    "documents": "Clinical Documents",
    "schedule": "Schedule",
}

worklist = workspace.worklist()
view = url_state.read(
    "patient",
    [
        url_state.Param("patient_id", "Patient", "one"),
        url_state.Param("section", "Section", "one", lambda: SECTIONS, "tasks"),
        url_state.Param("task", "Task", "one"),
    ],
)
patient = records.patient(worklist.con, view["patient_id"]) if view["patient_id"] else None

st.title(plain(patient.name) if patient else "Patients")
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")
if view["patient_id"] and patient is None:
    st.warning(f"There is no patient “{plain(view['patient_id'])}”{facets.among(worklist)} in the newest extracts.", icon=":material/person_off:")

if patient is None:
    patient_record.show_search(worklist)
else:
    workspace.note_access(patient.patient_id, "patient page", view["section"])
    patient_record.show_head(worklist, patient)
    task_actions.show_outcome()
    st.segmented_control(
        "Section", list(SECTIONS), key=view.key("section"), format_func=SECTIONS.get, on_change=view.changed("section"), required=True
    )
    section = view["section"]
    if section == "tasks":
        pending = worklist.tasks(Filters(status="open", patient_id=patient.patient_id))
        st.subheader(f"Pending tasks: {len(pending)}")
        if pending.empty:
            st.text("Nothing is pending for this patient.")
        with st.container(border=not pending.empty):
            task_cards.show(pending, "patient", {"patient_id": [patient.patient_id]}, "patient", with_patient=False)
        st.subheader("Full history")
        history = timeline.table(worklist, worklist.history(patient.patient_id))
        st.dataframe(history, hide_index=True, row_height=36, alt=f"Everything that happened to this patient's tasks, {len(history)} steps")
    elif section == "policies":
        patient_record.show_policies(worklist, patient)
    elif section == "payments":
        patient_record.show_payments(worklist, patient)
    elif section == "documents":
        patient_record.show_documents(worklist, patient)
    else:
        patient_record.show_schedule(worklist, patient)

if view["task"] is not None and patient is not None:
    task_panel.show(view)
else:
    task_actions.show_confirmation()
