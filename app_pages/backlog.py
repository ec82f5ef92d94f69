"""How the backlog moves: what is open, what came and went, compared with the period before and between clinics, types, payers and people."""

import streamlit as st

from app_pages.ui import backlog_numbers, backlog_pictures, backlog_view, data_notice, facets, past, url_state, views, workspace
from app_pages.ui.plain import plain

view = backlog_view.read(workspace.worklist())
worklist = past.worklist(view)
asked = backlog_view.asked(view, worklist)

with st.session_state["sidebar"]:
    facets.show(view, worklist, asked.filters)
    past.show_picker(view)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Backlog", width="stretch")
    views.show_menu(view, "backlog")
past.show_banner(view, worklist)
if not past.is_on(view):
    data_notice.show(worklist)
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")
for notice in facets.without_tasks(view, worklist, asked.filters):
    st.info(plain(notice), icon=":material/inbox:")

with st.container(horizontal=True, vertical_alignment="bottom"):
    for name, (label, choices) in backlog_view.CHOICES.items():
        st.segmented_control(label, list(choices), key=view.key(name), format_func=choices.get, on_change=view.changed(name), required=True)

moves = backlog_view.moves(worklist, asked)
standing = backlog_view.standing(worklist, asked)

backlog_numbers.show(asked, moves, standing)

if moves.flow.steps.empty:
    st.info("No task that matches was ever on the list until then, so there is nothing to draw.", icon=":material/inbox:")
else:
    st.subheader("Is it growing?")
    backlog_pictures.show_backlog(worklist, asked, moves)
    st.subheader("What came in and what went out?")
    backlog_pictures.show_flow(worklist, asked, moves)
    st.subheader("Does the gap widen?")
    backlog_pictures.show_cumulative(worklist, asked, moves)
    st.subheader("Where is it?" if asked.split == "all" else f"Where is it? By {asked.split_label.lower()}")
    backlog_numbers.show_comparison(asked, moves, standing)
url_state.carry("facility", view["facility"])
