"""Schedule gaps: a week at a facility, each open case's visits beside its weekly target."""

from zoneinfo import ZoneInfo

import streamlit as st

from app_pages.components import data_notice, export
from app_pages.schedule import week as schedule_week
from app_pages.session import access_record, labels, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import facility, filters
from app_pages.url import view as url_view
from pipelines.records import patients
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
rows = schedule_week.cases(worklist, facility_id, first)
week = schedule_week.week_in_words(first)
with header:
    export.show(
        export.Export(
            "Cases",
            f"schedule-{first:%Y%m%d}",
            f"{len(rows):,} cases of the week.",
            len(rows),
            lambda now: patients.schedule_week(now.con, facility_id, first),
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
    access_record.note_list("schedule", {"facility": [facility_id], "week": [first.isoformat()]})
    schedule_week.show_cases(rows, f"{facility_id} {first}")
