"""Aging: the age of open tasks, time to clear, how tasks end, deferrals, owners, money waiting."""

from dataclasses import replace

import streamlit as st

from app_pages.aging import ages, deferrals, ends, money, owners, times
from app_pages.aging import view as aging_view
from app_pages.components import data_notice
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import filters, saved_views, time_travel

SECTIONS = {
    "age": ages.show,
    "time": times.show,
    "ends": ends.show,
    "deferrals": deferrals.show,
    "owners": owners.show,
    "money": money.show,
}

view = aging_view.read(workspace.worklist())
worklist = time_travel.worklist(view)
wanted = filters.chosen(view, "all")

with st.session_state["sidebar"]:
    filters.show(view, worklist, replace(wanted, status="open"))
    time_travel.show_picker(view)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Aging", width="stretch")
    saved_views.show_menu(view, "aging")
time_travel.show_banner(view, worklist)
if not time_travel.is_on(view):
    data_notice.show(worklist, view["facility"])
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")

aging_view.show_choice(view, "show", "Show", aging_view.SECTIONS)
SECTIONS[view["show"]](worklist, view, wanted)
