"""What the Patient page asks: one patient's record, on the days where it changes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from pipelines.records import patients
from pipelines.warehouse import snapshots
from tests.practice import Practice

TODAY = dt.date(2026, 11, 2)  # the day of Workbench.day(1) in New York


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


def column(frame: pd.DataFrame, name: str, key: str) -> dict[str, object]:
    return {row[key]: None if pd.isna(row[name]) else row[name] for _, row in frame.iterrows()}


def test_a_patient_is_known_with_age_facility_and_payer(chart):
    assert patients.patient(chart, "A") == patients.Patient(
        patient_id="A",
        name="Núñez, Jr., Ana",
        born_on=dt.date(1980, 11, 2),
        age_years=46,
        status="Active",
        facility_id="F1",
        facility="North Clinic",
        today=TODAY,
        phone="555-0100",
        email=None,
        reminder_channel="Text",
        payer_id="PAY1",
        payer="Aetna",
    )


def test_a_year_of_age_begins_on_the_birthday(chart):
    ages = {patient_id: patients.patient(chart, patient_id).age_years for patient_id in "ABCD"}
    assert ages == {"A": 46, "B": None, "C": 45, "D": 26}, (
        "A's birthday is today, C's tomorrow, B's in the future"
    )


def test_the_payer_is_of_the_open_case_then_the_patients_then_nobody(chart):
    assert {patient_id: patients.patient(chart, patient_id).payer for patient_id in "ABCD"} == {
        "A": "Aetna",
        "B": "Self-pay",
        "C": "Aetna",
        "D": "Self-pay",
    }


def test_cases_are_open_until_the_day_of_discharge(chart):
    listed = patients.cases(chart, "A")
    assert listed["case_id"].tolist() == ["C-SOON", "C-A", "C-OLD"]
    assert listed["status"].tolist() == ["Open", "Open", "Discharged"]
    row = listed.iloc[1]
    assert (
        row["facility"],
        row["therapist"],
        row["visits_per_week_target"],
        row["referring_provider"],
    ) == (
        "North Clinic",
        "Omar Reyes",
        2,
        "Dr. Moreau",
    )
    assert (row["opened_on"], row["discharged_on"]) == (dt.date(2026, 1, 5), None)


def test_a_policy_is_in_force_on_its_first_and_last_day(chart):
    listed = patients.policies(chart, "A")
    assert column(listed, "is_in_force", "policy_id") == {
        "ENDS": True,
        "BEGINS": True,
        "LATER": False,
        "ENDED": False,
    }
    assert list(column(listed, "rank", "policy_id").items()) == [
        ("ENDS", "Primary"),
        ("BEGINS", "Secondary"),
        ("LATER", "Primary"),
        ("ENDED", "Primary"),
    ]
    row = listed.iloc[0]
    assert (row["payer"], row["is_authorization_required"], row["verified_by"]) == (
        "Aetna",
        True,
        "Dana Whitfield",
    )
    assert (row["verification_requested_on"], row["verified_on"]) == (
        dt.date(2026, 10, 1),
        dt.date(2026, 10, 2),
    ), "days of the facility, not of UTC"


def test_an_authorization_is_active_on_its_first_and_last_day(chart):
    listed = patients.authorizations(chart, "A")
    assert column(listed, "state", "authorization_id") == {
        "later": "Not yet begun",
        "begins": "Active",
        "ends": "Active",
        "ended": "Expired",
        "stub": "Placeholder",
    }
    assert column(listed, "visits_used", "authorization_id") == {
        "later": 0,
        "begins": 5,
        "ends": 6,
        "ended": 5,
        "stub": 0,
    }
    assert column(listed, "visits_left", "authorization_id") == {
        "later": None,
        "begins": 0,
        "ends": 4,
        "ended": None,
        "stub": 12,
    }
    assert column(listed, "has_document", "authorization_id") == {
        "later": False,
        "begins": False,
        "ends": False,
        "ended": True,
        "stub": False,
    }
    assert set(listed["payer"]) == {"Aetna"}


def test_payments_are_listed_newest_first_with_what_they_are_worth(chart):
    listed = patients.payments(chart, "A")
    assert [
        (row.payment_id, row.kind, str(row.amount), str(row.net_amount))
        for row in listed.itertuples()
    ] == [
        ("p7", "payment", "5.00", "5.00"),
        ("p6", "payment", "50.00", "50.00"),
        ("p5", "payment", "35.00", "35.00"),
        ("p4", "void", "25.00", "-25.00"),
        ("p3", "payment", "25.00", "25.00"),
        ("p2", "refund", "15.50", "-15.50"),
        ("p1", "payment", "40.00", "40.00"),
    ]
    assert (listed["date_of_service"][0], listed["paid_on"][0]) == (None, dt.date(2026, 10, 30))


def test_balances_count_refunds_and_voids_and_no_other_days_money(chart):
    balances = patients.balances(chart, "A")
    assert [
        (f"{row.visit_on:%m-%d}", row.visits, str(row.due), str(row.paid), str(row.open_amount))
        for row in balances.days.itertuples()
    ] == [
        ("11-02", 1, "15.00", "0.00", "15.00"),
        ("10-26", 1, "20.00", "50.00", "0.00"),
        ("10-19", 2, "40.00", "35.00", "5.00"),
        ("10-12", 1, "25.00", "0.00", "25.00"),
        ("10-05", 1, "40.00", "24.50", "15.50"),
    ]
    assert balances.total_open == Decimal("60.50")


def test_balances_agree_with_the_uncollected_payments_on_the_list(chart):
    asked = snapshots.one(
        chart,
        "SELECT SUM(t.amount) FROM tasks AS t "
        "WHERE t.rule_id = 'uncollected_payments' AND t.patient_id = 'A'",
    )
    assert asked == (patients.balances(chart, "A").total_open,)


def test_documents_name_owner_and_reviewer(chart):
    listed = patients.documents(chart, "A")
    assert [
        (row.document_id, row.status, row.owner, row.has_plan_of_care)
        for row in listed.itertuples()
    ] == [
        ("note", "Review", "Omar Reyes", False),
        ("plan", "Completed", "Omar Reyes", True),
    ]
    assert (listed["reviewer"][0], listed["completed_on"].tolist()) == (
        "Dana Whitfield",
        [None, dt.date(2026, 10, 5)],
    )


def test_faxes_stand_newest_first_in_local_time(chart):
    listed = patients.faxes(chart, "A")
    assert [
        (row.fax_id, row.status, row.attempts, row.is_newest) for row in listed.itertuples()
    ] == [
        ("x3", "Queued", 1, True),
        ("x2", "Sent", 1, False),
        ("x1", "Failed", 3, False),
    ]
    assert (listed["sent_at"][1], listed["failed_at"][2]) == (
        pd.Timestamp("2026-10-07 09:00"),
        pd.Timestamp("2026-10-06 09:00"),
    )
    assert (
        listed["document"][0],
        listed["date_of_service"][0],
        listed["recipient"][2],
        listed["number"][2],
    ) == (
        "Plan",
        dt.date(2026, 10, 5),
        "Dr. Moreau",
        "555-0100",
    )


def test_the_schedule_shows_what_comes_before_what_was(chart):
    listed = patients.schedule(chart, "A")
    assert listed.loc[listed["is_coming"], "appointment_id"].tolist() == [
        "v-today",
        "v-tomorrow",
        "v-next",
    ]
    assert listed.loc[~listed["is_coming"], "appointment_id"].tolist() == [
        "v-today-over",
        "v-missed",
        "v-overpaid",
        "v-noon",
        "v-morning",
        "v-voided",
        "v-refunded",
    ]
    row = listed.iloc[1]
    assert (row["starts_at"], row["facility"], row["status"], row["reminder_status"]) == (
        pd.Timestamp("2026-11-03 08:00"),
        "South Clinic",
        "Confirmed",
        "Delivered",
    ), "its time is Chicago's"
    assert listed["staff"].iloc[-1] == "Omar Reyes"


LISTS = ("cases", "policies", "authorizations", "payments", "documents", "faxes", "schedule")


@pytest.mark.parametrize("patient_id", ["nobody", "", "' OR 1=1 --", "%"])
def test_an_unknown_patient_has_nothing_in_all_columns(chart, patient_id):
    assert patients.patient(chart, patient_id) is None
    for name in LISTS:
        nothing, something = (
            getattr(patients, name)(chart, wanted) for wanted in (patient_id, "A")
        )
        assert nothing.empty, name
        assert list(nothing.columns) == list(something.columns), name
    balances = patients.balances(chart, patient_id)
    assert (len(balances.days), balances.total_open) == (0, Decimal("0.00"))
    assert list(balances.days.columns) == [
        "visit_on",
        "case_id",
        "visits",
        "due",
        "paid",
        "open_amount",
    ]


def test_every_docstring_names_its_columns_in_full(chart):
    for name in LISTS:
        words = set(
            getattr(patients, name)
            .__doc__.replace(",", " ")
            .replace(";", " ")
            .replace(".", " ")
            .split()
        )
        assert set(getattr(patients, name)(chart, "A").columns) <= words, name
