"""The reports: the notebooks and the weekly digest, made for a period and a clinic, to read here or to take along."""

import streamlit as st

from app_pages.ui import report_panel, report_view, url_state, workspace
from app_pages.ui.plain import plain

worklist = workspace.worklist()
view = report_view.read(worklist)

st.title("Reports")
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")
st.text("Made by the notebooks in the folder notebooks, or by python -m pipelines report. They name no patient: tasks appear as counts and ids.")

with st.container(horizontal=True, vertical_alignment="bottom"):
    report_view.show_choices(view, worklist)
st.markdown(f"**{report_view.REPORTS[view['report']]}** · {plain(report_view.ABOUT[view['report']])}")

report_panel.show(view)
url_state.carry("facility", [view["facility"]] if view["facility"] else [])
