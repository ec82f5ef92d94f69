"""Intake Complete: every submission of the digital intake forms."""

import pytest

RULE = "intake_complete"


def test_a_submission_opens_on_its_local_day(answers, practice):
    practice.patient("A").add(
        "intake_submissions", "I1", patient_id="A", submitted_at="2026-11-02T02:30:00Z"
    )
    row = answers(RULE, practice)["I1"]
    assert (
        str(row["since"]),
        row["case_id"],
        row["patient_id"],
        row["facility_id"],
        row["staff_id"],
    ) == ("2026-11-01", None, "A", "F1", None)
    assert row["reason"] == "Intake submitted on 2026-11-01 for review"


def test_the_case_s_facility_comes_first(answers, practice):
    practice.add("facilities", "F2", time_zone="America/Denver").patient("A").add(
        "cases", "C-A", facility_id="F2"
    )
    practice.add(
        "intake_submissions",
        "I1",
        patient_id="A",
        case_id="C-A",
        submitted_at="2026-11-02T06:30:00Z",
    )
    row = answers(RULE, practice)["I1"]
    assert (row["facility_id"], str(row["since"]), row["case_id"]) == ("F2", "2026-11-01", "C-A")


def test_nothing_submitted_nothing_opens(opens, practice):
    assert opens(RULE, practice.patient("A")) == []


@pytest.mark.parametrize(
    ("reviewed_at", "subjects"),
    [(None, ["I1"]), ("2026-11-02T09:00:00", []), ("2026-01-05T09:00:00Z", [])],
)
def test_one_that_was_reviewed_needs_nobody(opens, practice, reviewed_at, subjects):
    practice.patient("A").add(
        "intake_submissions",
        "I1",
        patient_id="A",
        submitted_at="2026-01-04T09:00:00",
        reviewed_at=reviewed_at,
    )
    assert opens(RULE, practice) == subjects
