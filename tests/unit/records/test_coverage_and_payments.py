"""A patient's payer, policies, authorizations, payments and balances, as the page asks them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from pipelines.records import patients
from pipelines.warehouse import snapshots
from tests.practice import Practice


def column(frame: pd.DataFrame, name: str, key: str) -> dict[str, object]:
    return {row[key]: None if pd.isna(row[name]) else row[name] for _, row in frame.iterrows()}


def test_the_payer_is_of_the_open_case_then_the_patients_then_nobody(chart):
    assert {patient_id: patients.patient(chart, patient_id).payer for patient_id in "ABCD"} == {
        "A": "Aetna",
        "B": "Self-pay",
        "C": "Aetna",
        "D": "Self-pay",
    }


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
        "units": "Expired",
    }
    assert column(listed, "limit_unit", "authorization_id")["units"] == "units"
    assert column(listed, "limit_unit", "authorization_id")["ends"] == "visits"
    assert column(listed, "visits_used", "authorization_id") == {
        "later": 0,
        "begins": 5,
        "ends": 6,
        "ended": 5,
        "stub": 0,
        "units": None,
    }
    assert column(listed, "visits_left", "authorization_id") == {
        "later": None,
        "begins": 0,
        "ends": 4,
        "ended": None,
        "stub": 12,
        "units": None,
    }
    assert column(listed, "has_document", "authorization_id") == {
        "later": False,
        "begins": False,
        "ends": False,
        "ended": True,
        "stub": False,
        "units": False,
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
        (
            f"{row.visit_on:%m-%d}",
            row.visits,
            *map(str, (row.due, row.paid, row.refunded, row.open_amount)),
        )
        for row in balances.days.itertuples()
    ] == [
        ("11-02", 1, "15.00", "0.00", "0.00", "15.00"),
        ("10-26", 1, "20.00", "50.00", "0.00", "0.00"),
        ("10-19", 2, "40.00", "35.00", "0.00", "5.00"),
        ("10-12", 1, "25.00", "0.00", "0.00", "25.00"),
        ("10-05", 1, "40.00", "40.00", "15.50", "15.50"),
    ]
    assert balances.total_open == Decimal("60.50")


def test_balances_agree_with_the_uncollected_payments_on_the_list(chart):
    asked = snapshots.one(
        chart,
        "SELECT SUM(t.amount) FROM tasks AS t "
        "WHERE t.rule_id = 'uncollected_payments' AND t.patient_id = 'A'",
    )
    assert asked == (patients.balances(chart, "A").total_open,)


@pytest.fixture(scope="module")
def billed(read) -> duckdb.DuckDBPyConnection:
    """Patient A has four days with a claim each, two cases, and money without a date."""
    practice = Practice().patient("A").add("cases", "C-2", patient_id="A")
    for day, left, processed_at in (
        ("2026-10-05", "25.00", "2026-10-20T09:00:00"),
        ("2026-10-06", "60.00", "2026-10-20T09:00:00"),
        ("2026-10-07", None, "2026-10-20T09:00:00"),
        ("2026-10-08", "25.00", None),
    ):
        practice.visit(f"v-{day}", "A", f"{day}T09:00:00", amount_due="40.00")
        practice.add(
            "claims",
            f"c-{day}",
            case_id="C-A",
            appointment_id=f"v-{day}",
            date_of_service=day,
            patient_responsibility=left,
            processed_at=processed_at,
        )
    practice.payment("p1", "A", "2026-10-05", "40.00").payment(
        "p2", "A", "2026-10-05", "15.00", kind="refund", paid_at="2026-10-21T09:00:00"
    )
    undated = {"patient_id": "A", "paid_at": "2026-10-22T09:00:00"}
    practice.add("payments", "p3", case_id="C-A", amount="30.00", **undated)
    practice.add("payments", "p4", case_id="C-2", amount="12.00", **undated)
    practice.add("payments", "p5", case_id="C-2", amount="2.00", kind="refund", **undated)
    return read(practice)


def test_balances_say_what_the_payer_left_and_what_waits_for_an_answer(billed):
    balances = patients.balances(billed, "A")
    assert [
        (
            f"{row.visit_on:%m-%d}",
            None if row.left_by_payer is None else str(row.left_by_payer),
            row.is_waiting_for_payer,
            str(row.open_amount),
        )
        for row in balances.days.itertuples()
    ] == [
        ("10-08", None, True, "40.00"),
        ("10-07", None, True, "40.00"),
        ("10-06", "60.00", False, "40.00"),
        ("10-05", "25.00", False, "0.00"),
    ]
    assert balances.total_open == Decimal("120.00")


def test_money_without_a_date_of_service_is_summed_over_all_cases(billed):
    assert patients.balances(billed, "A").undated == Decimal("40.00")
