"""Whole runs over deliveries that write things their own way: dates for "none", capitals."""

from __future__ import annotations

import json

from tests.conftest import Workbench
from tests.practice import Practice


def test_a_released_at_and_a_discharge_of_1900_change_nothing(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("P1").visit("S1", "P1", "2026-11-10T09:00:00", status="Scheduled")
    practice.add("claims", "K1", case_id="C-P1")
    practice.add("claim_holds", "H1", claim_id="K1", held_at="2026-10-05T09:00:00")
    practice.add("engagement_actions", "E1", case_id="C-P1")
    workbench.run(practice, 1)
    assert workbench.states(1, "claim_submission_hold") == {("H1", 1): "pending"}
    practice.add("claim_holds", "H1", released_at="1900-01-01T00:00:00")
    practice.add("cases", "C-P1", discharged_on="1900-01-01")
    out = workbench.run(practice, 2)
    assert "rows refused" not in out
    assert workbench.states(2, "claim_submission_hold") == {("H1", 1): "pending"}
    assert workbench.states(2, "days_since_discharge") == {}
    practice.add("claim_holds", "H1", released_at="2026-11-03T09:00:00")
    workbench.run(practice, 3)
    assert workbench.states(3, "claim_submission_hold") == {("H1", 1): "cleared"}


def test_the_authorization_of_a_policy_without_an_end_is_watched(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("P1").visit("S1", "P1", "2026-11-10T09:00:00", status="Scheduled")
    for number, ends_on in enumerate(("9999-12-31", "2099-12-31T00:00:00", "")):
        policy = f"Y{number}"
        practice.add(
            "policies",
            policy,
            patient_id="P1",
            case_id="C-P1",
            starts_on="2026-01-01",
            ends_on=ends_on,
            authorization_required="true",
        )
        practice.add(
            "authorizations",
            f"A{number}",
            policy_id=policy,
            case_id="C-P1",
            starts_on="2026-08-01",
            ends_on="2026-11-05",
        )
    out = workbench.run(practice, 1)
    assert "rows refused" not in out
    assert workbench.states(1, "authorization_expiring") == {
        ("A0", 1): "pending",
        ("A1", 1): "pending",
        ("A2", 1): "pending",
    }


def test_visits_in_capitals_are_visits(workbench: Workbench, practice: Practice) -> None:
    for number in range(40):
        practice.patient(f"Q{number}").visit(
            f"S{number}", f"Q{number}", "2026-11-10T09:00:00", status="Scheduled"
        )
    workbench.run(practice, 1)
    for visit in practice.tables["appointments"].values():
        visit["status"] = "SCHEDULED"
    out = workbench.run(practice, 2)
    assert "rows refused" not in out
    assert workbench.tasks(2) == []


def test_visits_of_an_unknown_status_withhold_what_reads_them(
    workbench: Workbench, practice: Practice
) -> None:
    for number in range(40):
        practice.patient(f"Q{number}").visit(
            f"S{number}", f"Q{number}", "2026-11-10T09:00:00", status="Scheduled"
        )
    workbench.run(practice, 1)
    for visit in practice.tables["appointments"].values():
        visit["status"] = "Booked"
    out = workbench.run(practice, 2)
    assert "appointments.csv has 40 of 40 rows refused: more than 20%" in out
    assert workbench.tasks(2) == []
    assert workbench.command("health")[0] == 1


def test_health_asks_for_attention_when_refused_rows_hold_tasks(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    practice.add("appointments", "V1", amount_due="forty")
    workbench.run(practice, 2)
    says = {
        check["check"]: (check["status"], check["says"])
        for check in json.loads(workbench.command("health", "--format", "json")[1])["checks"]
    }
    assert says["rules"] == (
        "attention",
        "the last run held tasks that refused rows may concern (uncollected_payments: 1, "
        "unscheduled_patient: 1); "
        "correct the rows at the source",
    )
