"""Tasks: the list, filtered and ordered; tasks are worked one by one or many at once."""

import streamlit as st

from app_pages.components import data_notice, export
from app_pages.session import patient_data, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.tasks import actions, grid, numbers, panel
from app_pages.tasks import view as tasks_view
from app_pages.url import filters as url_filters
from app_pages.url import saved_views, time_travel
from app_pages.url import view as url_view
from pipelines.vocabulary import OPEN_STATUSES, STATUSES

PAGE_ROWS = 100

view = tasks_view.read(workspace.worklist())
worklist = time_travel.worklist(view)
listed = patient_data.look_at_list(worklist, "tasks", view.query(task=None))
filters, order = url_filters.chosen(view), tasks_view.order(view)
can_act = view["status"] in OPEN_STATUSES and not time_travel.is_on(view)

with st.session_state["sidebar"]:
    tasks_view.show_filters(view, worklist)

count = numbers.count(worklist, view, filters)
pages = max(1, -(-count // PAGE_ROWS))
page = min(view["page"], pages)
tasks = listed.rows(filters, order, PAGE_ROWS, (page - 1) * PAGE_ROWS)
if page != view["page"]:
    view.set("page", page)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Tasks", width="stretch")
    saved_views.show_menu(view, "tasks")
    export.show_menu(worklist, filters, order, count)

time_travel.show_banner(view, worklist)
if not time_travel.is_on(view):
    data_notice.show_held(worklist)
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
tasks_view.show_days(view)
for notice in url_filters.without_tasks(view, worklist, filters):
    st.info(escape_markdown(notice), icon=":material/inbox:")

numbers.show(worklist, view, filters)
actions.show_outcome()

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.segmented_control(
        "Status",
        list(STATUSES),
        key=view.key("status"),
        format_func=STATUSES.__getitem__,
        on_change=view.changed("status"),
        required=True,
    )
    st.selectbox(
        "Sort",
        list(tasks_view.SORTS),
        key=view.key("sort"),
        format_func=tasks_view.SORTS.__getitem__,
        on_change=view.changed("sort"),
        width=210,
    )
bulk = st.container(border=True, horizontal=True, vertical_alignment="center", key="tasks.bulk")

grid.show(
    tasks,
    f"{count:,} tasks",
    lambda task_id: view.set("task", task_id),
    with_facility=len(view["facility"]) != 1,
    with_return=view["status"] in ("deferred", "open"),
    with_end=view["status"] not in OPEN_STATUSES,
)

ticked = grid.ticked()
with bulk:
    hint = "Tick tasks to act on several at once" if can_act else "Tick a task to open it"
    st.text(f"{len(ticked):,} selected" if ticked else hint, width="stretch")
    # The keyboard reaches a tick (Shift and Space) but not the Open button in the table.
    st.button(
        "Open",
        key="tasks.open",
        icon=":material/open_in_full:",
        disabled=len(ticked) != 1,
        on_click=url_view.touch(view.set),
        args=("task", next(iter(ticked), None)),
    )
    for action, label, icon in actions.BULK if can_act else ():
        st.button(
            label,
            key=f"tasks.{action}",
            type="primary" if action == "complete" else "secondary",
            icon=f":material/{icon}:",
            disabled=not ticked,
            on_click=url_view.touch(actions.ask_ticked),
            args=(action,),
        )

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    first = (page - 1) * PAGE_ROWS
    st.markdown(caption(f"{first + 1 if count else 0:,}–{first + len(tasks):,} of {count:,} tasks"))
    if pages > 1:
        grid.show_pages(pages, page, lambda chosen: view.set("page", chosen))

if view["task"] is not None:
    panel.show(view)
else:
    actions.show_confirmation()
