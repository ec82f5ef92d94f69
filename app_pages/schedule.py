"""Schedule gaps: one week at one clinic, each open case's visits beside its weekly target, those that lack visits first."""

from zoneinfo import ZoneInfo

import streamlit as st

from app_pages.ui import data_notice, exporting, facets, names, one_clinic, schedule_week, url_state, workspace
from app_pages.ui.plain import plain
from pipelines import exports, records

worklist = workspace.worklist()
facilities = names.facilities(worklist)
zones = worklist.facilities().set_index("facility_id")["time_zone"]
view = url_state.read(
    "schedule",
    [
        facets.clinic(worklist),
        url_state.Param("week", "Week", "one", lambda: schedule_week.days_around(worklist.at.date())),
    ],
)
facility_id = one_clinic.choose(view, facilities)
today = worklist.at.astimezone(ZoneInfo(zones[facility_id])).date()

header = st.container(horizontal=True, vertical_alignment="bottom")
header.title("Schedule gaps", width="stretch")
one_clinic.say_one_of_several(view, facilities, facility_id, "schedule")
data_notice.show(worklist, [facility_id])
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")

first = schedule_week.choose(view, today)
rows = schedule_week.cases(worklist, facility_id, first)
week = schedule_week.week_in_words(first)
with header:
    exporting.show(
        exporting.Export(
            "Cases",
            f"schedule-{first:%Y%m%d}",
            f"{len(rows):,} cases of the week.",
            len(rows),
            lambda now: records.schedule_week(now.con, facility_id, first),
            exports.schedule_rows,
        )
    )

st.subheader(f"{plain(facilities[facility_id])}: {plain(week)}")
if rows.empty:
    st.info("No case of an active patient is open at this clinic in this week.", icon=":material/event_available:")
else:
    schedule_week.show_numbers(rows)
    if not rows["scheduled"].any():
        st.info("No visit is booked for this week in the newest extracts: it may lie beyond what they reach.", icon=":material/event_busy:")
    workspace.note_list("schedule", {"facility": [facility_id], "week": [first.isoformat()]})
    schedule_week.show_cases(rows, f"{facility_id} {first}")
