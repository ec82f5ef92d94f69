"""Aging: how old the open tasks are, how long tasks take, how they end, who puts them off and who holds them."""

import streamlit as st

from app_pages.aging import ages, deferrals, ends, money, owners, times
from app_pages.aging import view as aging_view
from app_pages.components import data_notice
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import filters, saved_views, time_travel
from pipelines.worklist.filters import Filters

SECTIONS = {
    "age": ages,
    "time": times,
    "ends": ends,
    "deferrals": deferrals,
    "owners": owners,
    "money": money,
}

view = aging_view.read(workspace.worklist())
worklist = time_travel.worklist(view)

with st.session_state["sidebar"]:
    filters.show(view, worklist, Filters("open", **filters.chosen(view)))
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
SECTIONS[view["show"]].show(worklist, view, aging_view.filters(view))
