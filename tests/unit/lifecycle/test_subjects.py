"""What subjects.sql and records.sql tell of the record that a task is about."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.extracts import contract
from tests.unit.lifecycle.conftest import Lifecycle

DAY = dt.date(2026, 10, 30)
NOON = dt.datetime(2026, 10, 30, 12, tzinfo=dt.UTC)

# Which column of each table gives the record's day.
DAYS: dict[str, dict[str, object]] = {
    "patients": {},
    "cases": {"opened_on": DAY},
    "policies": {"created_at": NOON},
    "authorizations": {"entered_on": DAY},
    "appointments": {"visit_on": DAY},
    "payments": {"paid_on": DAY},
    "claims": {"date_of_service": DAY},
    "claim_holds": {"held_on": DAY},
    "documents": {"started_on": DAY},
    "intake_submissions": {"submitted_on": DAY},
    "engagement_actions": {},
    "surveys": {"completed_on": DAY},
}


def subject_of(run: Lifecycle, table: str) -> list[tuple]:
    return run.con.execute(
        "SELECT s.patient_id, s.case_id, s.record_on, s.is_case FROM subjects AS s "
        "WHERE s.subject_table = ? AND s.subject_id = 'X'",
        [table],
    ).fetchall()


@pytest.mark.parametrize("table", DAYS)
def test_a_record_has_its_patient_case_and_day(run: Lifecycle, table: str) -> None:
    case = {"patients": None, "cases": "X"}.get(table, "C-A")
    patient = "X" if table == "patients" else "A"
    row = {"patient_id": patient, "case_id": case, contract.key_of(table): "X"} | DAYS[table]
    if table == "patients":
        del row["case_id"]
    run.record(table, **row)
    day = DAY if DAYS[table] else None
    assert subject_of(run, table) == [(patient, case, day, table == "cases")]


@pytest.mark.parametrize(
    ("sent", "failed", "day"), [(DAY, None, DAY), (None, DAY, DAY), (DAY, dt.date.max, DAY)]
)
def test_a_fax_has_those_of_its_document(
    run: Lifecycle, sent: dt.date | None, failed: dt.date | None, day: dt.date
) -> None:
    run.record("documents", document_id="D", patient_id="A", case_id="C-A")
    run.record("faxes", fax_id="X", document_id="D", sent_on=sent, failed_on=failed)
    assert subject_of(run, "faxes") == [("A", "C-A", day, False)]


def test_a_record_of_another_table_is_not_the_task_s(run: Lifecycle) -> None:
    assert run.task(subject="A").decide() == {("r", "A"): "source_gone"}


class TestReusedIds:
    """The id of patient A's record is now that of a record of patient B."""

    @pytest.fixture
    def other(self, run: Lifecycle) -> Lifecycle:
        run.record("patients", patient_id="B", status="Active")
        return run.record("cases", case_id="C-B", patient_id="B", is_discharged=False)

    def test_a_record_without_a_day_may_be_the_same(self, other: Lifecycle) -> None:
        other.visit(visit_on=None, patient_id="B", case_id="C-B")
        (task,) = other.task("completed").tasks()
        assert (task["patient_id"], task["case_id"]) == ("B", "C-B")

    def test_a_case_has_no_other_case_to_tell_it_by(self, other: Lifecycle) -> None:
        moved = {"patient_id": "B", "is_discharged": False, "opened_on": dt.date(2026, 11, 1)}
        other.record("cases", case_id="C-A", **moved).rule("c", subject_table="cases")
        (task,) = other.task("completed", "C-A", rule_id="c").tasks()
        assert task["patient_id"] == "A"

    def test_nor_has_a_record_without_a_case(self, other: Lifecycle) -> None:
        other.visit(visit_on=dt.date(2026, 11, 1), patient_id="B", case_id=None)
        (task,) = other.task("completed", case_id=None).tasks()
        assert task["patient_id"] == "A"
