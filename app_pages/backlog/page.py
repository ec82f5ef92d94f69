"""Backlog: what is open, what came and went, compared with the period before and by a split."""

import streamlit as st

from app_pages.backlog import charts, numbers
from app_pages.backlog import view as backlog_view
from app_pages.components import data_notice
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import filters, saved_views, time_travel
from app_pages.url import view as url_view

view = backlog_view.read(workspace.worklist())
worklist = time_travel.worklist(view)
asked = backlog_view.asked(view, worklist)

with st.session_state["sidebar"]:
    filters.show(view, worklist, asked.filters)
    time_travel.show_picker(view)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Backlog", width="stretch")
    saved_views.show_menu(view, "backlog")
time_travel.show_banner(view, worklist)
if not time_travel.is_on(view):
    data_notice.show(worklist)
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
for notice in filters.without_tasks(view, worklist, asked.filters):
    st.info(escape_markdown(notice), icon=":material/inbox:")

with st.container(horizontal=True, vertical_alignment="bottom"):
    for name, (label, choices) in backlog_view.CHOICES.items():
        st.segmented_control(
            label,
            list(choices),
            key=view.key(name),
            format_func=choices.__getitem__,
            on_change=view.changed(name),
            required=True,
        )

moves = backlog_view.moves(worklist, asked)
standing = backlog_view.standing(worklist, asked)

numbers.show(asked, moves, standing)

if moves.flow.steps.empty:
    st.info(
        "No task that matches was ever on the list until then, so there is nothing to draw.",
        icon=":material/inbox:",
    )
else:
    st.subheader("Is it growing?")
    charts.show_backlog(worklist, asked, moves)
    st.subheader("What came in and what went out?")
    charts.show_flow(worklist, asked, moves)
    st.subheader("Does the gap widen?")
    charts.show_cumulative(worklist, asked, moves)
    st.subheader(
        "Where is it?" if asked.split == "all" else f"Where is it? By {asked.split_label.lower()}"
    )
    numbers.show_comparison(asked, moves, standing)
url_view.carry("facility", view["facility"])
