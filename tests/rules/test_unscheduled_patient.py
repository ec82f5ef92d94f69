"""Unscheduled Patient: an open case and no live visit in the days ahead."""

import pytest

from tests.rules.conftest import after

RULE = "unscheduled_patient"


@pytest.mark.parametrize(("days", "subjects"), [(-1, ["A"]), (0, []), (30, []), (31, ["A"])])
def test_looks_from_today_to_the_last_day_of_the_horizon(opens, practice, days, subjects):
    practice.patient("A").visit("V1", "A", f"{after(days)}T09:00:00", status="Scheduled")
    assert opens(RULE, practice) == subjects


@pytest.mark.parametrize("status", ["Scheduled", "Confirmed", "Arrived", "In Progress"])
def test_live_visits_count(opens, practice, status):
    assert (
        opens(RULE, practice.patient("A").visit("V1", "A", f"{after(0)}T09:00:00", status=status))
        == []
    )


@pytest.mark.parametrize("status", ["Completed", "Cancelled", "No Show"])
def test_others_do_not(opens, practice, status):
    assert opens(
        RULE, practice.patient("A").visit("V1", "A", f"{after(0)}T09:00:00", status=status)
    ) == ["A"]


def test_a_visit_in_another_case_counts(opens, practice):
    practice.patient("A").add("cases", "C-A2", patient_id="A", opened_on="2026-10-01")
    assert opens(RULE, practice.visit("V1", "A", f"{after(3)}T09:00:00", status="Scheduled")) == []


def test_one_task_for_two_cases_on_the_one_opened_last(answers, practice):
    rows = answers(
        RULE, practice.patient("A").add("cases", "C-A2", patient_id="A", opened_on="2026-10-01")
    )
    assert [(row["subject_id"], row["case_id"], str(row["since"])) for row in rows.values()] == [
        ("A", "C-A2", "2026-11-01")
    ]


@pytest.mark.parametrize(
    ("case", "subjects"),
    [
        ({"opened_on": after(0)}, ["A"]),
        ({"opened_on": after(1)}, []),
        ({"discharged_on": after(0)}, []),
        ({"discharged_on": after(1)}, ["A"]),
    ],
)
def test_the_case_must_be_open_today(opens, practice, case, subjects):
    assert opens(RULE, practice.patient("A").add("cases", "C-A", **case)) == subjects


def test_is_dated_from_the_job_or_from_the_case_if_that_is_younger(answers, practice):
    practice.patient("old").patient("new").add("cases", "C-new", opened_on="2026-11-02")
    rows = answers(RULE, practice)
    assert {subject: str(row["since"]) for subject, row in rows.items()} == {
        "old": "2026-11-01",
        "new": "2026-11-02",
    }
    assert (
        rows["old"]["reason"] == "No visit scheduled through 2026-12-03; case open since 2026-01-05"
    )


def test_today_is_the_facility_s_own(opens, practice):
    # 02:00 UTC of 4 December is still 3 December in New York: the visit of the 3rd counts.
    practice.patient("A").visit("V1", "A", "2026-12-03T09:00:00", status="Scheduled")
    assert opens(RULE, practice, "2026-12-04T02:00:00+00:00") == []
    assert opens(RULE, practice, "2026-12-04T06:00:00+00:00") == ["A"]
