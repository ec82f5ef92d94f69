"""Money through whole runs: payments, claims and refunds, and deliveries without claims."""

from __future__ import annotations

import pytest

from pipelines.records import patients
from tests.conftest import Workbench
from tests.practice import Practice

RULE = "uncollected_payments"
VISITED = "2026-10-30"


@pytest.fixture
def owing(practice: Practice) -> Practice:
    """Patient A owes $40.00 for the visit V1 on 30 October."""
    return practice.patient("A").visit("V1", "A", f"{VISITED}T09:00:00", amount_due="40.00")


def claim(practice: Practice, left: str | None) -> Practice:
    """A processed claim of V1."""
    return practice.add(
        "claims",
        "CL1",
        case_id="C-A",
        appointment_id="V1",
        date_of_service=VISITED,
        patient_responsibility=left,
        processed_at="2026-10-31T08:00:00",
    )


@pytest.mark.parametrize(("payment", "void"), [("9", "10"), ("10", "9"), ("P2", "P1")])
def test_a_payment_and_its_void_at_the_same_time_leave_the_visit_unpaid(
    workbench: Workbench, owing: Practice, payment: str, void: str
) -> None:
    owing.payment(payment, "A", VISITED, "40.00", paid_at=VISITED)
    owing.payment(void, "A", VISITED, "40.00", paid_at=VISITED, kind="void")
    workbench.run(owing, 1)
    task = workbench.one(1, RULE, "V1")
    assert (task["status"], task["amount"], task["since"]) == ("pending", 40.0, VISITED)


def test_an_arrived_visit_that_nobody_closed_stays_asked_for_until_it_is_paid(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").visit(
        "V1", "A", "2026-11-02T05:30:00", status="Arrived", amount_due="40.00"
    )
    for day in (1, 2, 5):
        workbench.run(practice, day)
        assert workbench.states(day, RULE) == {("V1", 1): "pending"}
    workbench.run(practice.payment("P1", "A", "2026-11-02", "40.00"), 6)
    assert workbench.states(6, RULE) == {("V1", 1): "cleared"}


def ending(workbench: Workbench, day: float) -> dict:
    """The event that closed patient A's one task."""
    (found,) = [
        event for event in workbench.history("A", day) if event["event"] in ("cleared", "withdrawn")
    ]
    return found


def test_a_clearing_names_the_payment(workbench: Workbench, owing: Practice) -> None:
    workbench.run(owing, 1)
    workbench.run(owing.payment("8812", "A", VISITED, "40.00", paid_at="2026-11-02T10:00:00"), 2)
    event = ending(workbench, 2)
    assert (event["event"], event["reason"]) == (
        "cleared",
        "$40.00 paid on 2026-11-02, payment 8812",
    )
    assert (event["record_table"], event["record_id"], event["amount"]) == (
        "payments",
        "8812",
        40.0,
    )


def test_a_visit_for_which_the_payer_left_less_is_withdrawn(
    workbench: Workbench, owing: Practice
) -> None:
    """Of $40.00 collected $15.00 are refunded, because the claim left $25.00 to the patient."""
    workbench.run(owing.payment("P1", "A", VISITED, "25.00"), 1)
    assert workbench.one(1, RULE, "V1")["amount"] == 15.0
    workbench.run(claim(owing, "25.00"), 2)
    assert workbench.states(2, RULE) == {("V1", 1): "withdrawn"}
    assert ending(workbench, 2)["reason"] == (
        "the payer left $25.00 of $40.00 to the patient, claim CL1"
    )
    owing.add("payments", "P1", amount="40.00").payment("P2", "A", VISITED, "15.00", kind="refund")
    workbench.run(owing, 3)
    assert workbench.states(3, RULE) == {("V1", 1): "withdrawn"}


def test_a_voided_payment_asks_again_from_the_date_of_service(
    workbench: Workbench, owing: Practice
) -> None:
    workbench.run(owing, 1)
    workbench.run(owing.payment("9", "A", VISITED, "40.00", paid_at="2026-11-02"), 2)
    owing.payment("10", "A", VISITED, "40.00", kind="void", paid_at="2026-11-02")
    workbench.run(owing, 3)
    assert workbench.states(3, RULE) == {("V1", 1): "cleared", ("V1", 2): "pending"}
    assert workbench.one(3, RULE, "V1", 2)["since"] == VISITED


class TestWithoutClaims:
    """A practice that bills elsewhere has no claims, and still asks for what was due."""

    def test_a_practice_that_never_delivered_claims_gets_its_list(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        for day in (1, 2):
            workbench.run(owing, day, without=("claims",))
            assert workbench.states(day, RULE) == {("V1", 1): "pending"}
        owing.payment("P1", "A", VISITED, "40.00")
        workbench.run(owing, 3, without=("claims",))
        assert workbench.states(3, RULE) == {("V1", 1): "cleared"}

    def test_claims_that_stop_coming_neither_open_nor_clear(
        self, workbench: Workbench, owing: Practice
    ) -> None:
        claim(owing, "25.00").payment("P1", "A", VISITED, "25.00")
        owing.patient("B").visit("V2", "B", f"{VISITED}T10:00:00", amount_due="30.00")
        workbench.run(owing, 1)
        assert workbench.states(1, RULE) == {("V2", 1): "pending"}
        owing.payment("P2", "B", VISITED, "30.00")
        said = workbench.run(owing, 2, without=("claims",))
        assert "claims: no file of this table in the folder" in said
        assert workbench.states(2, RULE) == {("V2", 1): "pending"}
        workbench.run(owing, 3)
        assert workbench.states(3, RULE) == {("V2", 1): "cleared"}

    def test_the_patient_page_keeps_what_the_payer_left_while_claims_are_missing(
        self, workbench: Workbench, owing: Practice, published
    ) -> None:
        claim(owing, "25.00").payment("P1", "A", VISITED, "25.00")
        workbench.run(owing, 1)
        workbench.run(owing, 2, without=("claims",))
        workbench.run(owing, 3, without=("claims",))
        con = published(workbench.data)
        assert patients.balances(con, "A").total_open == 0
        con.close()
