"""What the Patient page asks: one patient's record, on the days where it changes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from pipelines.records import patients

TODAY = dt.date(2026, 11, 2)  # the day of Workbench.day(1) in New York


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
        "left_by_payer",
        "is_waiting_for_payer",
        "paid",
        "refunded",
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
