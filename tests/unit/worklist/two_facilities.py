"""A practice of two facilities, North and South, and its list after two runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from pipelines import settings
from pipelines.runs import run
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from tests.practice import Practice

NORTH, SOUTH, BOTH = ("F1",), ("F2",), ("F1", "F2")
AT = dt.datetime(2026, 11, 3, 18, tzinfo=dt.UTC)


def practice_of(*patients: str) -> Practice:
    """North (F1) and South (F2) with some of: nora of North, soren of South, sam of both."""
    practice = (
        Practice()
        .add("facilities", "F1", name="North")
        .add("facilities", "F2", name="South")
        .remove("staff", "S2")
    )
    practice.add("staff", "S1", facility_id="F1").add("staff", "S2", facility_id="F2").add(
        "staff", "S3", name="Lee Park"
    )
    for patient, home in (("nora", "F1"), ("soren", "F2"), ("sam", "F2")):
        if patient in patients:
            practice.add(
                "patients",
                patient,
                first_name=patient,
                last_name="Test",
                facility_id=home,
                phone="555-0100",
            )
            _record(practice, patient, f"of-{patient}", home)
    if "sam" in patients:
        _record(practice, "sam", "of-sam-north", "F1")
    return practice


def _record(practice: Practice, patient: str, case: str, facility: str) -> None:
    """A case with one record of each kind, which give several rules a task."""
    practice.add(
        "cases", case, patient_id=patient, facility_id=facility, visits_per_week_target="2"
    )
    practice.add(
        "policies",
        f"policy-{case}",
        patient_id=patient,
        case_id=case,
        authorization_required="true",
    )
    practice.add(
        "authorizations",
        f"authorization-{case}",
        policy_id=f"policy-{case}",
        case_id=case,
        starts_on="2026-10-01",
        ends_on="2026-11-09",
    )
    for day, status in (("2026-10-30", "Completed"), ("2026-11-12", "Scheduled")):
        seen = {
            "patient_id": patient,
            "case_id": case,
            "facility_id": facility,
            "status": status,
            "amount_due": "40.00",
        }
        practice.add("appointments", f"visit-{day}-{case}", starts_at=f"{day}T09:00:00", **seen)
    paid = {"date_of_service": "2026-10-30", "amount": "1.00", "paid_at": "2026-10-30T12:00:00"}
    practice.add("payments", f"payment-{case}", patient_id=patient, case_id=case, **paid)
    undated = {"amount": "2.00", "paid_at": "2026-10-31T12:00:00"}
    practice.add("payments", f"undated-{case}", patient_id=patient, case_id=case, **undated)
    practice.add(
        "documents",
        f"draft-{case}",
        case_id=case,
        date_of_service="2026-10-30",
        started_at="2026-10-30T10:00:00",
        last_editor_id="S2",
    )
    signed = {
        "status": "Completed",
        "has_plan_of_care": "true",
        "completed_at": "2026-10-31T10:00:00",
        "last_editor_id": "S1",
    }
    practice.add("documents", f"plan-{case}", case_id=case, **signed)
    failed = {
        "status": "Failed",
        "failed_at": "2026-11-01T09:00:00",
        "recipient": f"Dr {case}",
        "number": "555-0101",
    }
    practice.add("faxes", f"fax-{case}", document_id=f"plan-{case}", **failed)
    old = {"patient_id": patient, "case_id": case, "submitted_at": "2026-06-01T09:00:00"}
    practice.add("intake_submissions", f"intake-{case}", **old)  # set aside: before the go-live


def listed(folder: Path, practice: Practice) -> LiveWorklist:
    """The list after two runs, between which people did at each facility whatever can be done."""
    chosen = replace(
        settings.load({"WORKBENCH_DATA": str(folder / "data")}), go_live=dt.date(2026, 7, 1)
    )
    begun = dt.datetime(2026, 11, 2, 11, tzinfo=dt.UTC)
    run.run(chosen, practice.write(folder / "first", begun), begun)
    shared = LiveWorklist(chosen)
    for hours, rule_id, action in (
        (1, "failed_fax", "defer"),
        (2, "failed_fax", "return"),
        (3, "failed_fax", "assign"),
        (4, "failed_fax", "defer"),
        (1, "uncollected_payments", "complete"),
        (2, "uncollected_payments", "reopen"),
        (3, "uncollected_payments", "note"),
        (4, "authorization_expiring", "complete"),
        (21, "authorization_expiring", "reopen"),
    ):
        with shared.at(begun + dt.timedelta(hours=hours)) as now:
            tasks = now.tasks(Filters("all", rule_ids=(rule_id,)))["task_id"]
            more = (
                {"span": dt.timedelta(days=3)}
                if action == "defer"
                else {"to_staff_id": "S3"}
                if action == "assign"
                else {}
            )
            done, refused = actions.act_all(
                now,
                shared.ledger,
                "S1",
                [ActionRequest(task_id, action, reason="why", **more) for task_id in tasks],
            )
            assert (len(done), refused) == (len(tasks), [])
    for draft in [key for key in practice.tables["documents"] if key.startswith("draft")]:
        practice.add("documents", draft, status="Completed", completed_at="2026-11-02T12:00:00")
    run.run(
        chosen,
        practice.write(folder / "second", begun + dt.timedelta(days=1)),
        begun + dt.timedelta(days=1),
    )
    return shared
