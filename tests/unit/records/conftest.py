"""A practice whose patients have records of all kinds."""

from __future__ import annotations

import duckdb
import pytest

from tests.practice import Practice


@pytest.fixture(scope="module")
def chart(read) -> duckdb.DuckDBPyConnection:
    """Patient A has all kinds of records, most at the edge of today; B none; C case policies."""
    practice = (
        Practice()
        .add("facilities", "F2", name="South Clinic", time_zone="America/Chicago")
        .add("payers", "PAY2", name="Blue Harbor")
    )
    practice.patient(
        "A",
        first_name="Ana",
        last_name="Núñez, Jr.",
        birth_date="1980-11-02",
        phone="555-0100",
        reminder_channel="Text",
    )
    practice.add(
        "cases",
        "C-A",
        therapist_id="S2",
        visits_per_week_target="2",
        referring_provider="Dr. Moreau",
    )
    practice.add(
        "cases", "C-OLD", patient_id="A", opened_on="2026-06-01", discharged_on="2026-11-02"
    )
    practice.add(
        "cases",
        "C-SOON",
        patient_id="A",
        opened_on="2026-05-01",
        discharged_on="2026-11-03",
        facility_id="F2",
    )
    practice.add(
        "policies",
        "ENDS",
        patient_id="A",
        ends_on="2026-11-02",
        starts_on="2026-01-01",
        authorization_required="true",
        verified_by="S1",
    )
    practice.add(
        "policies",
        "ENDED",
        patient_id="A",
        ends_on="2026-11-01",
        starts_on="2026-10-15",
        payer_id="PAY2",
    )
    practice.add(
        "policies",
        "BEGINS",
        patient_id="A",
        starts_on="2026-11-02",
        payer_id="PAY2",
        rank="Secondary",
    )
    practice.add("policies", "LATER", patient_id="A", starts_on="2026-11-03", payer_id="PAY2")
    practice.add(
        "policies",
        "ENDS",
        verification_requested_at="2026-10-01T23:30:00",
        verified_at="2026-10-03T03:30:00Z",
    )
    auth = {"policy_id": "ENDS", "case_id": "C-A"}
    practice.add(
        "authorizations",
        "ends",
        **auth,
        starts_on="2026-10-01",
        ends_on="2026-11-02",
        visit_limit="10",
        number="PA1",
    )
    practice.add(
        "authorizations",
        "ended",
        **auth,
        starts_on="2026-09-01",
        ends_on="2026-11-01",
        document_uploaded_at="2026-09-02T10:00:00",
    )
    practice.add(
        "authorizations", "begins", **auth, starts_on="2026-11-02", visit_limit="4", visits_used="5"
    )
    practice.add("authorizations", "later", **auth, starts_on="2026-11-03", visit_limit="0")
    practice.add(
        "authorizations",
        "stub",
        **auth,
        starts_on="2026-01-01",
        ends_on="2026-02-01",
        is_stub="true",
        visit_limit="12",
    )
    practice.add(
        "authorizations",
        "units",
        **auth,
        starts_on="2026-01-01",
        ends_on="2026-02-01",
        limit_unit="units",
        visit_limit="12",
    )
    practice.visit("v-refunded", "A", "2026-10-05T09:00:00", amount_due="40.00", staff_id="S2")
    practice.visit("v-voided", "A", "2026-10-12T09:00:00", amount_due="25.00")
    practice.visit("v-morning", "A", "2026-10-19T09:00:00", amount_due="30.00").visit(
        "v-noon", "A", "2026-10-19T12:00:00", amount_due="10.00"
    )
    practice.visit("v-overpaid", "A", "2026-10-26T09:00:00", amount_due="20.00")
    practice.visit("v-missed", "A", "2026-10-27T09:00:00", amount_due="20.00", status="No Show")
    practice.visit("v-today-over", "A", "2026-11-02T05:00:00").visit(
        "v-today", "A", "2026-11-02T05:30:00", status="Arrived", amount_due="15.00"
    )
    practice.visit(
        "v-tomorrow",
        "A",
        "2026-11-03T14:00:00Z",
        status="Confirmed",
        facility_id="F2",
        reminder_status="Delivered",
    )
    practice.visit("v-next", "A", "2026-11-10T09:00:00", status="Scheduled", amount_due="15.00")
    practice.payment("p1", "A", "2026-10-05", "40.00").payment(
        "p2", "A", "2026-10-05", "15.50", kind="refund", paid_at="2026-10-06T09:00:00"
    )
    practice.payment("p3", "A", "2026-10-12", "25.00").payment(
        "p4", "A", "2026-10-12", "25.00", kind="void", paid_at="2026-10-13T09:00:00"
    )
    practice.payment("p5", "A", "2026-10-19", "35.00").payment("p6", "A", "2026-10-26", "50.00")
    practice.payment("p7", "A", "2026-10-30", "5.00").add("payments", "p7", date_of_service="")
    practice.document(
        "note",
        "A",
        appointment_id="v-morning",
        date_of_service="2026-10-19",
        status="Review",
        reviewer_id="S1",
        last_editor_id="S2",
    )
    practice.document(
        "plan",
        "A",
        kind="Plan",
        has_plan_of_care="true",
        status="Completed",
        completed_at="2026-10-05T18:00:00",
    )
    practice.add(
        "documents", "plan", date_of_service="2026-10-05", started_at="2026-10-05T10:00:00"
    )
    practice.add(
        "faxes",
        "x1",
        document_id="plan",
        status="Failed",
        attempts="3",
        failed_at="2026-10-06T09:00:00",
        recipient="Dr. Moreau",
        number="555-0100",
    )
    practice.add(
        "faxes", "x2", document_id="plan", status="Sent", sent_at="2026-10-07T13:00:00Z"
    ).add("faxes", "x3", document_id="plan")
    practice.patient("B", birth_date="2027-01-01", status="Inactive", facility_id="F2")
    practice.patient("C", birth_date="1980-11-03").add(
        "cases", "C-C2", patient_id="C", discharged_on="2026-10-01"
    )
    practice.add(
        "policies", "of-patient", patient_id="C", starts_on="2026-10-01", payer_id="PAY2"
    ).add("policies", "of-case", patient_id="C", case_id="C-C")
    practice.add(
        "policies",
        "of-discharged",
        patient_id="C",
        case_id="C-C2",
        starts_on="2026-10-02",
        payer_id="PAY2",
    )
    practice.patient("D", birth_date="2000-02-29").add(
        "policies", "second", patient_id="D", rank="2"
    )
    return read(practice)
