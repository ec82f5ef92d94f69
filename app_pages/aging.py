"""Aging: how old the open tasks are, how long tasks take, how they end, who puts them off and who holds them."""

import streamlit as st

from app_pages.ui import (
    aging_ages,
    aging_deferrals,
    aging_ends,
    aging_money,
    aging_owners,
    aging_times,
    aging_view,
    data_notice,
    facets,
    past,
    views,
    workspace,
)
from app_pages.ui.plain import plain
from pipelines.worklist import Filters

SECTIONS = {
    "age": aging_ages,
    "time": aging_times,
    "ends": aging_ends,
    "deferrals": aging_deferrals,
    "owners": aging_owners,
    "money": aging_money,
}

view = aging_view.read(workspace.worklist())
worklist = past.worklist(view)

with st.session_state["sidebar"]:
    facets.show(view, worklist, Filters("open", **facets.chosen(view)))
    past.show_picker(view)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Aging", width="stretch")
    views.show_menu(view, "aging")
past.show_banner(view, worklist)
if not past.is_on(view):
    data_notice.show(worklist, view["facility"])
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")

aging_view.show_choice(view, "show", "Show", aging_view.SECTIONS)
SECTIONS[view["show"]].show(worklist, view, aging_view.filters(view))
