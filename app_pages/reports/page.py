"""The reports: notebooks and the weekly digest, made for a period and a facility."""

import streamlit as st

from app_pages.reports import panel
from app_pages.reports import view as reports_view
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view as url_view

worklist = workspace.worklist()
view = reports_view.read(worklist)

st.title("Reports")
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
st.text("Reports name no patient: tasks appear as counts and ids.")

with st.container(horizontal=True, vertical_alignment="bottom"):
    reports_view.show_choices(view, worklist)
st.markdown(
    f"**{reports_view.REPORTS[view['report']]}** · "
    f"{escape_markdown(reports_view.ABOUT[view['report']])}"
)

panel.show(view)
url_view.carry("facility", [view["facility"]] if view["facility"] else [])
