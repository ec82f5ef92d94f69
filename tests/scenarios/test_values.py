"""Values as people, databases and spreadsheets write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.extracts import contract, formats
from tests.practice import Practice
from tests.unit.extracts.conftest import Read


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$25.00", "25.00"),
        ("$1,025.00", "1025.00"),
        ("1,025.00", "1025.00"),
        ("12,345,678.5", "12345678.50"),
        ("(25.00)", "-25.00"),
        ("($1,025.00)", "-1025.00"),
        ("-$25.00", "-25.00"),
        ("$-25.00", "-25.00"),
        ("25.00-", "-25.00"),
        ("+25", "25.00"),
        ("$ 25.00", "25.00"),
        ("-25.10000", "-25.10"),
    ],
)
def test_an_amount_is_read_however_it_is_dressed(
    practice: Practice, read_back: Read, text: str, amount: str
) -> None:
    practice.patient("A").payment("P1", "A", "2026-10-30", text)
    con, outcomes = read_back(practice)
    assert outcomes["payments"].rows_refused == 0
    assert con.execute("SELECT amount FROM extract.payments").fetchall() == [(Decimal(amount),)]
    assert Decimal(formats.plain_money(text)) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "1,25.00",
        "1.025,00",
        "25,00",
        "(-25.00)",
        "$",
        "$25.00-5",
        "€25.00",
        "$25.123",
        "--25",
        "()",
    ],
)
def test_what_may_be_another_amount_is_refused(
    practice: Practice, read_back: Read, text: str
) -> None:
    practice.patient("A").payment("P1", "A", "2026-10-30", text)
    con, _ = read_back(practice)
    refused = con.execute("SELECT column_name, check_name FROM extract.refused_rows").fetchall()
    assert refused == [("amount", "money")]


@pytest.mark.parametrize("word", formats.NULL_WORDS)
def test_a_word_for_nothing_is_nothing_where_nothing_may_be(
    practice: Practice, read_back: Read, word: str
) -> None:
    practice.patient("A").visit(
        "V1", "A", "2026-10-30T09:00:00", amount_due=word, staff_id=word, reminder_status=word
    )
    practice.add("cases", "C-A", discharged_on=word, visits_per_week_target=word)
    con, outcomes = read_back(practice)
    assert outcomes["appointments"].rows_staged == outcomes["cases"].rows_staged == 1
    assert outcomes["appointments"].warnings == ()
    ((amount, staff, reminder),) = con.execute(
        "SELECT amount_due, staff_id, reminder_status FROM extract.appointments"
    ).fetchall()
    assert (amount, staff) == (None, None)
    assert reminder == (None if word in formats.NULL_TEXTS else word)
    assert con.execute(
        "SELECT discharged_on, visits_per_week_target FROM extract.cases"
    ).fetchall() == [(None, None)]


def test_a_word_for_nothing_is_a_name_where_one_must_be(
    practice: Practice, read_back: Read
) -> None:
    practice.patient("A", last_name="Null", first_name="NaN")
    con, outcomes = read_back(practice)
    assert outcomes["patients"].rows_refused == 0
    assert con.execute("SELECT last_name, first_name FROM extract.patients").fetchall() == [
        ("Null", "NaN")
    ]


def test_a_word_for_nothing_is_refused_where_a_value_must_be(
    practice: Practice, read_back: Read
) -> None:
    practice.patient("A").payment("P1", "A", "2026-10-30", "NULL")
    con, _ = read_back(practice)
    refused = con.execute("SELECT column_name, check_name FROM extract.refused_rows").fetchall()
    assert refused == [("amount", "money")]


REFERENCES = [
    (table, column.name, column.references)
    for table in contract.TABLES
    for column in contract.columns(table)
    if column.references is not None
]


@pytest.mark.parametrize(("key", "written"), [("7", "7.0"), ("7.0", "7")])
@pytest.mark.parametrize(("table", "column", "parent"), REFERENCES)
def test_every_reference_finds_its_key_through_a_data_frame(
    read_back: Read, table: str, column: str, parent: str, key: str, written: str
) -> None:
    practice = Practice()
    practice.patient("A").add("policies", "PO", patient_id="A")
    practice.visit("V1", "A", "2026-10-30T09:00:00").document("D1", "A")
    practice.add("claims", "CL1", case_id="C-A")
    rows: dict[str, dict[str, object]] = {
        "staff": {},
        "patients": {},
        "cases": {"patient_id": "A"},
        "policies": {"patient_id": "A"},
        "authorizations": {"policy_id": "PO", "case_id": "C-A"},
        "appointments": {"patient_id": "A", "case_id": "C-A", "starts_at": "2026-10-30T09:00:00"},
        "payments": {
            "patient_id": "A",
            "case_id": "C-A",
            "amount": "1",
            "paid_at": "2026-10-30T09:00:00",
        },
        "claims": {"case_id": "C-A"},
        "claim_holds": {"claim_id": "CL1", "held_at": "2026-10-30T09:00:00"},
        "documents": {"case_id": "C-A"},
        "faxes": {"document_id": "D1"},
        "intake_submissions": {"patient_id": "A", "submitted_at": "2026-10-30T09:00:00"},
        "engagement_actions": {"case_id": "C-A"},
        "surveys": {"case_id": "C-A", "completed_at": "2026-10-30T09:00:00"},
    }
    practice.add(parent, key, **rows.get(parent, {}))
    practice.add(table, "X", **{**rows[table], column: written})
    con, outcomes = read_back(practice)
    assert outcomes[table].rows_refused == 0
    found = con.execute(
        f"SELECT {column} FROM extract.{table} WHERE {contract.key_of(table)} = 'X'"
    ).fetchall()
    assert found == [(key,)]
