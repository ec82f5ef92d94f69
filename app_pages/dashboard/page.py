"""The dashboard: one facility's tasks by category and type with the oldest of each, mine first."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import streamlit as st

from app_pages.components import data_notice
from app_pages.session import cached, labels, patient_data, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.tasks import actions, cards
from app_pages.url import facility
from app_pages.url import filters as url_filters
from app_pages.url import view as url_view
from pipelines.vocabulary import CLOSED_BY_PERSON, CLOSED_BY_RUN, ME
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

FIRST_TASKS = 3  # of each type; the rest is one click away

worklist = workspace.worklist()
person = workspace.person()
facilities = labels.facilities(worklist)
view = url_view.read("dashboard", [url_filters.param(worklist, "facility")])

facility_id = facility.choose(view, facilities)
filters = Filters(facility_ids=(facility_id,))
listed = patient_data.look_at_list(worklist, "dashboard", {"facility": [facility_id]})
numbers = cached.ask(Worklist.summary, worklist, replace(filters, status="open"))
counts = cached.ask(Worklist.counts, worklist, filters)
first = listed.first_rows(filters, FIRST_TASKS)
zones = worklist.facilities().set_index("facility_id")["time_zone"].astype(str)
zone = ZoneInfo(zones[facility_id])
yesterday = (worklist.at.astimezone(zone) - dt.timedelta(days=1)).replace(
    hour=0, minute=0, second=0, microsecond=0
)
moved: dict[str, int] = dict(
    cached.ask(Worklist.movements, worklist, yesterday, facility_id).itertuples(
        index=False, name=None
    )
)

st.title("Dashboard")
st.subheader(escape_markdown(facilities[facility_id]))
facility.say_one_of_several(view, facilities, facility_id, "dashboard")
data_notice.show(worklist, [facility_id])
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")

with st.grid(5, min_column_width=150):
    st.metric("Pending", f"{numbers['tasks'] - numbers['deferred']:,}", border=True)
    st.metric("Overdue", f"{numbers['overdue']:,}", border=True)
    st.metric(
        "New since yesterday", f"{moved.get('opened', 0) + moved.get('reopened', 0):,}", border=True
    )
    st.metric(
        "Cleared since yesterday",
        f"{sum(moved.get(event, 0) for event in CLOSED_BY_RUN):,}",
        border=True,
    )
    st.metric(
        "Done since yesterday",
        f"{sum(moved.get(event, 0) for event in CLOSED_BY_PERSON):,}",
        border=True,
    )

actions.show_outcome()

mine = replace(filters, staff_ids=(person.staff_id,))
my_tasks = cached.ask(Worklist.summary, worklist, mine)["tasks"]
with st.container(border=True):
    query = {"facility": [facility_id], "staff": [ME]}
    st.page_link(
        workspace.pages()["tasks"],
        label=f"**Assigned to me: {my_tasks:,}**",
        icon=":material/person_check:",
        query_params=query,
    )
    cards.show(listed.rows(mine, limit=FIRST_TASKS), "mine", query)

categories = list(dict.fromkeys(counts["category"]))
if not categories:
    st.success("Nothing is pending at this facility now.", icon=":material/done_all:")
for column, category in zip(st.columns(max(len(categories), 1)), categories, strict=False):
    groups = counts[counts["category"] == category]
    with column:
        query = {"facility": [facility_id], "category": [category]}
        st.page_link(
            workspace.pages()["tasks"],
            label=f"**{category}: {groups['tasks'].sum():,}**",
            icon=":material/folder_open:",
            query_params=query,
        )
        for group in groups.itertuples():
            query = {"facility": [facility_id], "type": [group.rule_id]}
            with st.container(border=True):
                st.page_link(
                    workspace.pages()["tasks"],
                    label=f"**{escape_markdown(group.title)}: {group.tasks:,}**",
                    icon=":material/checklist:",
                    query_params=query,
                )
                st.markdown(
                    caption(f"{group.overdue:,} overdue · oldest {group.oldest:%b %-d, %Y}")
                )
                cards.show(first[first["rule_id"] == group.rule_id], group.rule_id, query)

actions.show_confirmation()
