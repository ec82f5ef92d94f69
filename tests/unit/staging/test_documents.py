"""Whose a document is, which day it is of, and its moments on the facility's clock."""

import pytest

from tests.rules.conftest import TODAY, after

YESTERDAY = after(-1)


@pytest.fixture
def document(staged, practice):
    """document(**values): the staged document D of patient A, with these values."""
    practice.patient("A").add("cases", "C-A", therapist_id="T")

    def ask(**values):
        (row,) = staged("documents", practice.document("D", "A", **values))
        return row

    return ask


@pytest.mark.parametrize(
    ("values", "owner"),
    [
        ({"last_editor_id": "E", "appointment_id": "V1", "date_of_service": TODAY}, "E"),
        ({"appointment_id": "V1", "date_of_service": YESTERDAY}, "S-V1"),
        ({"date_of_service": YESTERDAY}, "S-V2"),
        ({"date_of_service": after(-5)}, "T"),
        ({}, "T"),
    ],
)
def test_the_owner_is_the_editor_the_visits_the_days_or_the_cases_therapist(
    document, practice, values, owner
):
    practice.visit("V1", "A", f"{TODAY}T09:00:00", staff_id="S-V1")
    practice.visit("V2", "A", f"{YESTERDAY}T09:00:00", staff_id="S-V2")
    assert document(**values)["owner_id"] == owner


@pytest.mark.parametrize(
    ("visits", "owner"),
    [
        ({"V2": ("10:00", "Completed"), "V1": ("11:00", "Completed")}, "S-V2"),
        ({"V1": ("09:00", "Cancelled"), "V2": ("10:00", "Completed")}, "S-V2"),
        ({"V1": ("09:00", "No Show"), "V2": ("10:00", "Scheduled")}, "S-V2"),
        ({"V1": ("09:00", "Cancelled")}, "S-V1"),
        ({"V10": ("09:00", "Completed"), "V9": ("09:00", "Completed")}, "S-V9"),
    ],
)
def test_of_a_days_visits_the_first_that_was_not_cancelled_counts(
    document, practice, visits, owner
):
    for key, (at, status) in visits.items():
        practice.visit(key, "A", f"{TODAY}T{at}:00", status=status, staff_id=f"S-{key}")
    assert document(date_of_service=TODAY)["owner_id"] == owner


def test_another_cases_visit_and_one_without_a_therapist_give_no_owner(document, practice):
    practice.patient("B").visit("V1", "B", f"{TODAY}T09:00:00", staff_id="S-V1")
    practice.visit("V2", "A", f"{TODAY}T09:00:00")
    assert document(date_of_service=TODAY)["owner_id"] == "T"
    practice.visit("V3", "A", f"{TODAY}T10:00:00", staff_id="S-V3")
    assert document(date_of_service=TODAY)["owner_id"] == "S-V3"


def test_a_day_without_a_document_takes_no_owner_from_another_day(staged, practice):
    practice.patient("A").visit("V1", "A", f"{TODAY}T09:00:00", staff_id="S-V1")
    practice.visit("V2", "A", f"{YESTERDAY}T09:00:00", staff_id="S-V2")
    practice.document("D1", "A", date_of_service=TODAY)
    practice.document("D2", "A", date_of_service=TODAY)
    practice.document("D3", "A", date_of_service=YESTERDAY)
    owners = [row["owner_id"] for row in staged("documents", practice)]
    assert owners == ["S-V1", "S-V1", "S-V2"]


@pytest.mark.parametrize(
    ("values", "day", "known_by"),
    [
        ({"appointment_id": "V1", "date_of_service": YESTERDAY}, TODAY, "appointment"),
        ({"date_of_service": YESTERDAY}, YESTERDAY, "date of service"),
        ({}, after(-2), "start"),
    ],
)
def test_its_day_is_the_visits_the_services_or_that_of_its_start(
    document, practice, values, day, known_by
):
    practice.visit("V1", "A", f"{TODAY}T09:00:00")
    row = document(started_at=f"{after(-2)}T09:00:00", **values)
    assert (str(row["visit_on"]), row["visit_known_by"]) == (day, known_by)


@pytest.mark.parametrize("moment", ["started", "completed", "submitted_for_review", "signed"])
@pytest.mark.parametrize(
    ("written", "local"),
    [(f"{TODAY}T03:30:00Z", f"{YESTERDAY} 22:30:00"), (f"{TODAY}T03:30:00", f"{TODAY} 03:30:00")],
)
def test_its_moments_are_on_the_facilitys_clock(document, moment, written, local):
    row = document(**{f"{moment}_at": written})
    assert (str(row[f"{moment}_at"]), str(row[f"{moment}_on"])) == (local, local[:10])


@pytest.mark.parametrize(
    ("visit", "facility", "local"), [("V1", "F2", "20:30:00"), (None, "F1", "01:30:00")]
)
def test_the_facility_is_the_visits_before_the_cases(document, practice, visit, facility, local):
    practice.add("facilities", "F2", time_zone="Pacific/Honolulu")
    practice.visit("V1", "A", f"{TODAY}T09:00:00", facility_id="F2")
    row = document(appointment_id=visit, completed_at=f"{TODAY}T06:30:00Z")
    assert (row["facility_id"], str(row["completed_at"])[11:]) == (facility, local)
