"""One account per case and date of service: due, left by the payer, paid, refunded, no date."""

from decimal import Decimal

import pytest

from tests.rules.conftest import TODAY, after

YESTERDAY = after(-1)


def claim(practice, key, owed, visit=None, policy=None, processed=f"{TODAY}T08:00:00", **values):
    """A claim of case C-A for today; processed unless it says otherwise."""
    return practice.add(
        "claims",
        key,
        case_id="C-A",
        date_of_service=TODAY,
        status="Processed" if processed else "Submitted",
        appointment_id=visit,
        policy_id=policy,
        patient_responsibility=owed,
        processed_at=processed,
        **values,
    )


@pytest.fixture
def visited(practice):
    """One visit today with $40.00 due."""
    return practice.patient("A").visit("V1", "A", f"{TODAY}T09:00:00", amount_due="40.00")


@pytest.fixture
def accounts(staged):
    """accounts(practice): (case, day) → the row; the money without a date is under None."""

    def ask(practice, on=TODAY):
        rows = staged("accounts", practice, on)
        found = {
            (row["case_id"], row["date_of_service"] and str(row["date_of_service"])): row
            for row in rows
        }
        assert len(found) == len(rows)
        return found

    return ask


def money(row, *columns):
    """The named amounts as text, None where there is none; to_collect is the lower of two."""
    row = {**row, "to_collect": min(row["owed"], row["due"])}
    return [None if row[column] is None else str(row[column]) for column in columns]


def test_a_visit_without_a_claim_is_owed_as_it_was_due(accounts, visited):
    row = accounts(visited.payment("P1", "A", TODAY, "15.00"))["C-A", TODAY]
    assert money(row, "due", "adjudicated", "owed", "to_collect", "paid", "refunded") == [
        "40.00", None, "40.00", "40.00", "15.00", "0.00",
    ]  # fmt: skip
    assert (row["visits"], row["claims"]) == (1, 0)


@pytest.mark.parametrize(
    ("left", "owed", "to_collect"),
    [("0.00", "0.00", "0.00"), ("25.00", "25.00", "25.00"), ("60.00", "60.00", "40.00")],
)
def test_the_payer_s_answer_replaces_what_was_due_and_the_desk_asks_the_lower(
    accounts, visited, left, owed, to_collect
):
    row = accounts(claim(visited, "CL1", left))["C-A", TODAY]
    assert money(row, "adjudicated", "owed", "to_collect") == [left, owed, to_collect]
    assert (row["claims"], row["claims_unknown"], str(row["last_processed_on"])) == (1, 0, TODAY)


@pytest.mark.parametrize("unknown", [{"owed": "25.00", "processed": None}, {"owed": None}])
def test_a_claim_without_an_answer_leaves_what_was_due(accounts, visited, unknown):
    row = accounts(claim(visited, "CL1", **unknown))["C-A", TODAY]
    assert money(row, "adjudicated", "owed", "to_collect") == [None, "40.00", "40.00"]
    assert row["claims_unknown"] == 1


def test_one_open_claim_of_a_day_keeps_its_answer_unknown(accounts, visited):
    claim(visited, "CL1", "5.00")
    row = accounts(claim(visited, "CL2", None, processed=None))["C-A", TODAY]
    assert money(row, "adjudicated", "to_collect") == [None, "40.00"]
    assert (row["claims"], row["claims_unknown"]) == (2, 1)


def test_two_claims_of_one_payer_add_up(accounts, visited):
    claim(visited, "CL1", "5.00", policy="PO1")
    assert accounts(claim(visited, "CL2", "8.00", policy="PO1"))["C-A", TODAY][
        "adjudicated"
    ] == Decimal("13.00")


def test_a_second_payer_s_answer_replaces_the_first_one_s(accounts, visited):
    claim(visited, "CL1", "20.00", visit="V1", policy="PO1")
    assert accounts(claim(visited, "CL2", "3.00", visit="V1", policy="PO2"))["C-A", TODAY][
        "adjudicated"
    ] == Decimal("3.00")


def test_claims_of_two_visits_on_one_date_add_up_whoever_pays(accounts, visited):
    visited.visit("V2", "A", f"{TODAY}T14:00:00", amount_due="30.00")
    claim(visited, "CL1", "20.00", visit="V1", policy="PO1")
    row = accounts(claim(visited, "CL2", "3.00", visit="V2", policy="PO2"))["C-A", TODAY]
    assert money(row, "due", "adjudicated", "owed") == ["70.00", "23.00", "23.00"]


def test_a_visit_that_no_claim_of_the_date_names_is_owed_as_it_was_due(accounts, visited):
    visited.visit("CASH", "A", f"{TODAY}T14:00:00", amount_due="60.00")
    row = accounts(claim(visited, "CL1", "10.00", visit="V1"))["C-A", TODAY]
    assert money(row, "due", "adjudicated", "owed", "to_collect") == [
        "100.00", "10.00", "70.00", "70.00",
    ]  # fmt: skip


def test_a_claim_that_names_no_visit_is_about_all_of_its_date(accounts, visited):
    visited.visit("V2", "A", f"{TODAY}T14:00:00", amount_due="60.00")
    row = accounts(claim(visited, "CL1", "10.00"))["C-A", TODAY]
    assert money(row, "owed", "to_collect") == ["10.00", "10.00"]


def test_a_claim_belongs_to_the_day_of_the_visit_it_names(accounts, visited):
    claim(visited, "CL1", "25.00", visit="V1").add("claims", "CL1", date_of_service=YESTERDAY)
    assert list(accounts(visited)) == [("C-A", TODAY)]


def test_a_claim_that_names_another_case_s_visit_keeps_its_own_date(accounts, visited):
    visited.patient("B").visit("VB", "B", f"{YESTERDAY}T09:00:00")
    assert accounts(claim(visited, "CL1", "25.00", visit="VB"))["C-A", TODAY]["claims"] == 1


def test_money_without_a_date_of_service_has_a_row_of_its_own(accounts, visited):
    for key, kind, amount in (("P1", "payment", "30.00"), ("P2", "refund", "12.00")):
        visited.add("payments", key, patient_id="A", case_id="C-A", kind=kind, amount=amount,
                    paid_at=f"{TODAY}T12:00:00")  # fmt: skip
    row = accounts(visited)["C-A", None]
    assert money(row, "due", "owed", "paid", "refunded") == ["0.00", "0.00", "30.00", "12.00"]


def test_a_refund_is_counted_apart_and_a_void_takes_its_payment_away(accounts, visited):
    visited.payment("P1", "A", TODAY, "40.00").payment(
        "P2", "A", TODAY, "40.00", kind="void", paid_at=f"{TODAY}T13:00:00"
    )
    visited.payment("P3", "A", TODAY, "25.00", paid_at=f"{TODAY}T14:00:00").payment(
        "P4", "A", TODAY, "10.00", kind="refund", paid_at=f"{TODAY}T15:00:00"
    )
    assert money(accounts(visited)["C-A", TODAY], "paid", "refunded") == ["25.00", "10.00"]


@pytest.mark.parametrize(
    ("status", "day", "due"),
    [
        ("Completed", YESTERDAY, "40.00"),
        ("Arrived", TODAY, "40.00"),
        ("Arrived", YESTERDAY, "40.00"),
        ("In Progress", YESTERDAY, "40.00"),
        ("Arrived", after(1), None),
        ("Scheduled", YESTERDAY, None),
        ("Confirmed", YESTERDAY, None),
        ("Cancelled", YESTERDAY, None),
        ("No Show", YESTERDAY, None),
    ],
)
def test_only_a_visit_that_happened_is_charged(accounts, visited, status, day, due):
    visited.add("appointments", "V1", status=status, starts_at=f"{day}T09:00:00")
    row = accounts(visited).get(("C-A", day))
    assert (row and str(row["due"])) == due


def test_every_case_and_date_has_an_account_of_its_own(accounts, practice):
    """Each has two visits, one that two payers answered for and one that the patient pays."""
    columns = ("visits", "due", "claims", "claims_unknown", "last_processed_on", "adjudicated")
    columns += ("owed", "paid", "refunded")
    for patient, number in (("A", 1), ("B", 2)):
        practice.patient(patient)
        for day, more in ((TODAY, 0), (YESTERDAY, 4)):
            key, dollars = f"{patient}{more}", number + more
            practice.visit(f"V{key}", patient, f"{day}T09:00:00", amount_due=f"{dollars}00")
            practice.visit(f"CASH{key}", patient, f"{day}T14:00:00", amount_due="1.00")
            for payer, left in ((1, "50"), (2, str(dollars))):
                claim(practice, f"CL{key}{payer}", left, visit=f"V{key}", policy=f"PO{payer}",
                      processed=f"{after(payer)}T08:00:00")  # fmt: skip
                practice.add("claims", f"CL{key}{payer}", case_id=f"C-{patient}",
                             date_of_service=day)  # fmt: skip
            practice.payment(f"P{key}", patient, day, f"{dollars}0")
    rows = accounts(practice, after(5))
    assert {key: tuple(str(row[column]) for column in columns) for key, row in rows.items()} == {
        (f"C-{patient}", day): (
            "2", f"{dollars}01.00", "2", "0", after(2), f"{dollars}.00", f"{dollars + 1}.00",
            f"{dollars}0.00", "0.00",
        )
        for patient, day, dollars in [
            ("A", TODAY, 1), ("A", YESTERDAY, 5), ("B", TODAY, 2), ("B", YESTERDAY, 6),
        ]
    }  # fmt: skip


def test_a_visit_without_a_price_is_no_visit_of_the_account(accounts, visited):
    visited.visit("FREE", "A", f"{TODAY}T14:00:00", amount_due="0.00")
    visited.visit("V0", "A", f"{YESTERDAY}T14:00:00", amount_due="0.00")
    assert {key: row["visits"] for key, row in accounts(visited).items()} == {("C-A", TODAY): 1}


def test_a_claim_that_names_a_cancelled_visit_is_about_the_one_that_happened(accounts, visited):
    visited.visit("GONE", "A", f"{TODAY}T08:00:00", amount_due="40.00", status="Cancelled")
    row = accounts(claim(visited, "CL1", "10.00", visit="GONE"))["C-A", TODAY]
    assert money(row, "due", "adjudicated", "owed") == ["40.00", "10.00", "10.00"]


def test_a_claim_or_money_of_a_date_without_a_visit_has_an_account(accounts, practice):
    claim(practice.patient("A"), "CL1", "10.00").payment("P1", "A", YESTERDAY, "5.00")
    rows = accounts(practice)
    assert {
        key: (row["visits"], row["claims"], row["claims_unknown"]) for key, row in rows.items()
    } == {("C-A", TODAY): (0, 1, 0), ("C-A", YESTERDAY): (0, 0, 0)}
    columns = ("due", "adjudicated", "owed", "paid", "refunded")
    assert money(rows["C-A", TODAY], *columns) == ["0.00", "10.00", "10.00", "0.00", "0.00"]
    assert money(rows["C-A", YESTERDAY], *columns) == ["0.00", None, "0.00", "5.00", "0.00"]
