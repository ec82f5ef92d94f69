"""The task management page: every open task of the chosen clinics, filtered, ordered, and worked one by one or many at once."""

import streamlit as st

from app_pages.ui import asking, exporting, facets, past, task_actions, task_grid, task_numbers, task_panel, task_view, url_state, views, workspace
from app_pages.ui.plain import plain, quiet

PAGE_ROWS = 100

view = task_view.read(workspace.worklist())
worklist = past.worklist(view)
filters, order = task_view.filters(view), task_view.order(view)
can_act = view["status"] in task_view.OF_OPEN_TASKS and not past.is_on(view)

with st.session_state["sidebar"]:
    task_view.show_filters(view, worklist)

count = task_numbers.count(worklist, view, filters)
pages = max(1, -(-count // PAGE_ROWS))
page = min(view["page"], pages)
tasks = asking.tasks(worklist, filters, order, PAGE_ROWS, (page - 1) * PAGE_ROWS)
if page != view["page"]:
    view.set("page", page)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Tasks", width="stretch")
    views.show_menu(view, "tasks")
    exporting.show_menu(worklist, filters, order, count)

past.show_banner(view, worklist)
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")
task_view.show_days(view)
for notice in facets.without_tasks(view, worklist, filters):
    st.info(plain(notice), icon=":material/inbox:")

task_numbers.show(worklist, view, filters)
task_actions.show_outcome()

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.segmented_control(
        "Status",
        list(task_view.STATUSES),
        key=view.key("status"),
        format_func=task_view.STATUSES.get,
        on_change=view.changed("status"),
        required=True,
    )
    st.selectbox("Sort", list(task_view.SORTS), key=view.key("sort"), format_func=task_view.SORTS.get, on_change=view.changed("sort"), width=210)
bulk = st.container(border=True, horizontal=True, vertical_alignment="center", key="tasks.bulk")

task_grid.show(
    tasks,
    f"{count:,} tasks",
    lambda task_id: view.set("task", task_id),
    with_facility=len(view["facility"]) != 1,
    with_return=view["status"] in ("deferred", "open"),
    with_end=view["status"] not in task_view.OF_OPEN_TASKS,
)

workspace.note_list("tasks", view.query(task=None))
ticked = task_grid.ticked()
with bulk:
    hint = "Tick tasks to act on several at once" if can_act else "Tick a task to open it"
    st.text(f"{len(ticked):,} selected" if ticked else hint, width="stretch")
    # The table's own Open is out of the keyboard's reach; a tick (Shift and Space) is not.
    st.button(
        "Open",
        key="tasks.open",
        icon=":material/open_in_full:",
        disabled=len(ticked) != 1,
        on_click=url_state.touch(view.set),
        args=("task", next(iter(ticked), None)),
    )
    for action, label, icon in task_actions.BULK if can_act else ():
        st.button(
            label,
            key=f"tasks.{action}",
            type="primary" if action == "complete" else "secondary",
            icon=f":material/{icon}:",
            disabled=not ticked,
            on_click=url_state.touch(task_actions.ask_ticked),
            args=(action,),
        )

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    first = (page - 1) * PAGE_ROWS
    st.markdown(quiet(f"{first + 1 if count else 0:,}–{first + len(tasks):,} of {count:,} tasks"))
    if pages > 1:
        task_grid.show_pages(pages, page, lambda chosen: view.set("page", chosen))

if view["task"] is not None:
    task_panel.show(view)
else:
    task_actions.show_confirmation()
