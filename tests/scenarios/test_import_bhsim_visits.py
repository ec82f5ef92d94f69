"""Visits of bhsim: their enrollment and their status at a moment, in small exports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipelines import sources
from tests.bhsim import EXPORT, Row, by_key, rewrite, rows_of

VISIT = dict.fromkeys(rows_of(EXPORT, "visits")[0], "") | {
    "individual_id": "0P",
    "program_id": "9",
    "employee_id": "043519",
    "location_id": "06802",
}


def import_visits(export: Path, visits: dict[str, Row], as_of: str) -> dict[str, Row]:
    """The appointments of a person with enrollments E1 (March) and E2 (from May), by id."""
    rewrite(
        export / "individuals.csv",
        [
            {
                "individual_id": "0P",
                "full_name": "Ana María de la Cruz",
                "date_of_birth": "",
                "sex": "",
            }
        ],
    )
    enrollment = {"individual_id": "0P", "program_id": "9"}
    rewrite(
        export / "individual_programs.csv",
        [
            {
                "enrollment_id": "E1",
                **enrollment,
                "start_date": "2026-03-01",
                "end_date": "2026-03-31",
            },
            {"enrollment_id": "E2", **enrollment, "start_date": "2026-05-01", "end_date": ""},
        ],
    )
    rewrite(
        export / "visits.csv", [VISIT | {"visit_id": key} | visit for key, visit in visits.items()]
    )
    (export / "assessments.csv").write_text(
        (EXPORT / "assessments.csv").read_text().splitlines()[0] + "\n"
    )
    out = export.parent / "out"
    sources.import_export("bhsim", export, out, datetime.fromisoformat(as_of))
    return by_key(out, "appointments", "appointment_id")


@pytest.mark.parametrize(
    ("day", "as_of", "case"),
    [
        pytest.param("2026-03-31", "2026-10-10", "E1", id="on-the-last-day"),
        pytest.param("2026-04-02", "2026-10-10", "E1", id="between-nearer-the-first"),
        pytest.param("2026-04-29", "2026-10-10", "E2", id="between-nearer-the-second"),
        pytest.param("2026-04-29", "2026-04-30", "E1", id="the-nearer-one-has-not-begun"),
        pytest.param("2026-05-01", "2026-05-01", "E2", id="on-the-first-day"),
        pytest.param("2026-05-01", "2026-04-30", None, id="its-own-has-not-begun"),
        pytest.param("2026-02-20", "2026-02-25", None, id="none-has-begun"),
    ],
)
def test_a_visit_belongs_to_the_enrollment_of_its_day_else_the_nearest_begun(
    export, day, as_of, case
) -> None:
    appointments = import_visits(
        export,
        {"V": {"visit_status": "SCHEDULED", "scheduled_start": f"{day}T09:00"}},
        f"{as_of}T12:00:00+00:00",
    )
    assert appointments.get("V", {}).get("case_id") == case


def test_a_visit_without_any_enrollment_stays_for_the_contract_to_refuse(export) -> None:
    visit = {
        "program_id": "none such",
        "visit_status": "SCHEDULED",
        "scheduled_start": "2026-06-01T09:00",
    }
    assert import_visits(export, {"V": visit}, "2026-06-01T12:00:00+00:00")["V"]["case_id"] == ""


@pytest.mark.parametrize(
    ("status", "as_of", "expected"),
    [
        ("CANCELED", "2026-10-09T23:59:00+00:00", "Scheduled"),
        ("CANCELED", "2026-10-10T00:00:00+00:00", "Cancelled"),
        ("RESCHEDULED", "2026-10-10T00:00:00+00:00", "Cancelled"),
        ("CANCELED", "2026-11-01T09:00:00+00:00", "Cancelled"),
        ("NO_SHOW", "2026-11-01T08:59:00+00:00", "Scheduled"),
        ("NO_SHOW", "2026-11-01T09:00:00+00:00", "No Show"),
        ("COMPLETED", "2026-11-01T09:04:00+00:00", "Scheduled"),
        ("COMPLETED", "2026-11-01T09:05:00+00:00", "In Progress"),
        ("COMPLETED", "2026-11-01T09:49:00+00:00", "In Progress"),
        ("COMPLETED", "2026-11-01T09:50:00+00:00", "Completed"),
        ("SCHEDULED", "2026-11-01T10:00:00+00:00", "Scheduled"),
    ],
)
def test_what_became_of_a_visit_is_known_from_its_own_minute_on(
    export, status, as_of, expected
) -> None:
    visit = {"visit_status": status, "scheduled_start": "2026-11-01T09:00"}
    if status == "COMPLETED":
        visit |= {
            "actual_start": "2026-11-01T09:05",
            "actual_end": "2026-11-01T09:50",
            "documented_at": "2026-11-02T08:00",
        }
    assert import_visits(export, {"V": visit}, as_of)["V"]["status"] == expected
    documents = by_key(export.parent / "out", "documents", "document_id")
    assert [row["status"] for row in documents.values()] == (
        ["Draft"] if expected == "Completed" else []
    )


def test_a_note_is_a_draft_until_the_minute_it_was_documented(export) -> None:
    times = {
        "scheduled_start": "2026-06-01T09:00",
        "actual_start": "2026-06-01T09:00",
        "actual_end": "2026-06-01T10:00",
    }
    visit = {"visit_status": "COMPLETED", **times, "documented_at": "2026-06-02T08:00"}
    for as_of, status, completed_at in [
        ("2026-06-02T07:59:59+00:00", "Draft", ""),
        ("2026-06-02T08:00:00+00:00", "Completed", "2026-06-02T08:00:00"),
    ]:
        import_visits(export, {"V": visit}, as_of)
        document = by_key(export.parent / "out", "documents", "document_id")["V"]
        assert (document["status"], document["completed_at"], document["started_at"]) == (
            status,
            completed_at,
            "2026-06-01T10:00:00",
        )


def test_a_name_of_many_words_keeps_its_letters(export) -> None:
    import_visits(
        export,
        {"V": {"visit_status": "SCHEDULED", "scheduled_start": "2026-06-01T09:00"}},
        "2026-06-01T12:00:00+00:00",
    )
    patient = by_key(export.parent / "out", "patients", "patient_id")["0P"]
    assert (patient["first_name"], patient["last_name"]) == ("Ana María de la", "Cruz")
