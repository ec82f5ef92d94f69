"""Schedule gaps: a week at a facility, each open case's visits beside its weekly target."""

from zoneinfo import ZoneInfo

import streamlit as st

from app_pages.components import data_notice, export
from app_pages.schedule import week as schedule_week
from app_pages.session import labels, patient_data, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import facility, filters
from app_pages.url import view as url_view
from pipelines.reports import spreadsheet

worklist = workspace.worklist()
facilities = labels.facilities(worklist)
zones = worklist.facilities().set_index("facility_id")["time_zone"]
view = url_view.read(
    "schedule",
    [
        filters.param(worklist, "facility"),
        url_view.Param(
            "week", "Week", "one", lambda: schedule_week.days_around(worklist.at.date())
        ),
    ],
)
facility_id = facility.choose(view, facilities)
today = worklist.at.astimezone(ZoneInfo(zones[facility_id])).date()

header = st.container(horizontal=True, vertical_alignment="bottom")
header.title("Schedule gaps", width="stretch")
facility.say_one_of_several(view, facilities, facility_id, "schedule")
data_notice.show(worklist, [facility_id])
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")

first = schedule_week.choose(view, today)
address = {"facility": [facility_id], "week": [first.isoformat()]}
rows = patient_data.look_at_list(worklist, "schedule", address).week(facility_id, first)
week = schedule_week.week_in_words(first)
with header:
    export.show(
        export.Export(
            "Cases",
            f"schedule-{first:%Y%m%d}",
            f"{len(rows):,} cases of the week.",
            len(rows),
            lambda listed: listed.week(facility_id, first),
            spreadsheet.schedule_rows,
        )
    )

st.subheader(f"{escape_markdown(facilities[facility_id])}: {escape_markdown(week)}")
if rows.empty:
    st.info(
        "No case of an active patient is open at this facility in this week.",
        icon=":material/event_available:",
    )
else:
    schedule_week.show_numbers(rows)
    if not rows["scheduled"].any():
        st.info(
            "No visit is booked for this week in the newest data, which may not reach so far.",
            icon=":material/event_busy:",
        )
    schedule_week.show_cases(rows, f"{facility_id} {first}")
