"""Uncollected Payments: what is said of a visit that is no longer asked for."""

import copy
from decimal import Decimal

import pytest

from tests.rules.conftest import RULES, TODAY, after, noon
from tests.rules.test_uncollected_payments import RULE, claim, undated


@pytest.fixture
def visited(practice):
    """One visit today with $40.00 due."""
    return practice.patient("A").visit("V1", "A", f"{TODAY}T09:00:00", amount_due="40.00")


class TestTheNightAfter:
    """The run before has everything as it was."""

    @pytest.fixture
    def why(self, explains, visited):
        """why(change): the evidence of V1, unpaid yesterday, after `change(practice)` tonight."""

        def ask(change, **params):
            now = copy.deepcopy(visited)
            change(now)
            rows = explains(RULE, visited, now, days=(TODAY, after(1)), **params)
            return rows.get("V1")

        return ask

    def test_a_new_payment_is_work(self, why):
        row = why(lambda now: now.payment("P1", "A", TODAY, "40.00", paid_at=f"{after(1)}T09:00"))
        assert row["says"] == f"$40.00 paid on {after(1)}, payment P1"
        assert (row["is_work"], row["record_table"], row["record_id"], row["amount"]) == (
            True, "payments", "P1", Decimal("40.00"),
        )  # fmt: skip
        assert str(row["happened_on"]) == after(1)

    def test_only_what_is_new_tonight_is_said(self, why, visited):
        visited.payment("P1", "A", TODAY, "15.00")
        row = why(lambda now: now.payment("P2", "A", TODAY, "25.00"))
        assert (row["says"], row["amount"]) == (
            f"$25.00 paid on {TODAY}, payment P2",
            Decimal("25.00"),
        )

    @pytest.mark.parametrize(("first", "second"), [("9", "10"), ("10", "9")])
    def test_several_payments_are_told_by_the_newest(self, why, first, second):
        def pay(now):
            now.payment(first, "A", TODAY, "15.00").payment(second, "A", TODAY, "25.00")

        row = why(pay)
        assert row["says"] == f"$40.00 paid in 2 payments, the last on {TODAY}, payment 10"
        assert (row["record_id"], row["amount"]) == ("10", Decimal("40.00"))

    def test_the_later_payment_is_the_newest_whatever_its_number(self, why):
        def pay(now):
            now.payment("9", "A", TODAY, "15.00", paid_at=f"{TODAY}T13:00:00")
            now.payment("10", "A", TODAY, "25.00")

        assert why(pay)["record_id"] == "9"

    def test_one_that_was_there_before_is_not_named_though_it_was_paid_later(self, why, visited):
        visited.payment("P9", "A", TODAY, "15.00", paid_at=f"{TODAY}T13:00:00")
        row = why(lambda now: now.payment("P1", "A", TODAY, "25.00"))
        assert row["says"] == f"$25.00 paid on {TODAY}, payment P1"

    def test_another_time_of_the_only_visit_of_a_day_is_not_another_visit(self, why, visited):
        visited.payment("P1", "A", TODAY, "40.00").payment(
            "R1", "A", TODAY, "40.00", kind="refund", paid_at=f"{TODAY}T13:00:00"
        )

        def change(now):
            now.remove("payments", "R1").add("appointments", "V1", starts_at=f"{TODAY}T10:00:00")

        assert why(change)["says"] == "the refund of $40.00 was taken back, refund R1"

    def test_a_payment_that_was_given_its_date_is_work(self, why, visited):
        undated(visited, "P1", "40.00")
        row = why(lambda now: now.add("payments", "P1", date_of_service=TODAY))
        assert row["says"] == f"$40.00 of {TODAY} given this date of service, payment P1"
        assert row["is_work"]

    def test_a_payment_that_was_corrected_is_work(self, why, visited):
        visited.payment("P1", "A", TODAY, "4.00")
        row = why(lambda now: now.add("payments", "P1", amount="40.00"))
        assert row["says"] == f"payment P1 of {TODAY} corrected from $4.00 to $40.00"
        assert (row["is_work"], row["amount"]) == (True, Decimal("36.00"))

    def test_a_void_that_became_a_payment_is_work(self, why, visited):
        visited.payment("P1", "A", TODAY, "40.00", kind="void")
        row = why(lambda now: now.add("payments", "P1", kind="payment"))
        assert (row["says"], row["is_work"]) == (f"$40.00 paid on {TODAY}, payment P1", True)

    @pytest.mark.parametrize(
        ("status", "day", "says"),
        [
            ("Cancelled", TODAY, f"the visit on {TODAY} is now Cancelled, was Completed"),
            ("No Show", TODAY, f"the visit on {TODAY} is now No Show, was Completed"),
            ("Scheduled", TODAY, f"the visit on {TODAY} is now Scheduled, was Completed"),
            ("Cancelled", after(9), f"the visit on {after(9)} is now Cancelled, was Completed"),
            ("No Show", after(9), f"the visit on {after(9)} is now No Show, was Completed"),
            ("Scheduled", after(9), f"the visit moved from {TODAY} to {after(9)}"),
        ],
    )
    def test_a_visit_that_did_not_happen_is_no_work(self, why, status, day, says):
        row = why(
            lambda now: now.add("appointments", "V1", status=status, starts_at=f"{day}T09:00:00")
        )
        assert (row["says"], row["is_work"]) == (says, False)
        assert (row["record_table"], row["record_id"]) == ("appointments", "V1")
        assert (row["happened_on"], row["amount"]) == (None, None)

    def test_a_visit_moved_to_a_day_that_is_paid_is_no_work(self, why, visited):
        visited.payment("P1", "A", after(-1), "40.00")
        row = why(lambda now: now.add("appointments", "V1", starts_at=f"{after(-1)}T09:00:00"))
        assert row["says"] == (
            f"the visit moved from {TODAY} to {after(-1)}, where nothing is unpaid"
        )
        assert row["is_work"] is False

    def test_a_visit_moved_to_a_case_that_is_paid_is_no_work(self, why, visited):
        visited.add("cases", "C-2", patient_id="A").payment("P1", "A", TODAY, "40.00")
        visited.add("payments", "P1", case_id="C-2")
        row = why(lambda now: now.add("appointments", "V1", case_id="C-2"))
        assert (row["says"], row["is_work"]) == ("the visit moved from case C-A to case C-2", False)

    @pytest.mark.parametrize(
        ("due", "says", "amount"),
        [
            ("15.00", "the amount due changed from $40.00 to $15.00", "15.00"),
            ("0.00", "the amount due changed from $40.00 to $0.00", "0.00"),
            (None, "the amount due changed from $40.00 to none", "0.00"),
        ],
    )
    def test_an_amount_due_that_was_lowered_is_no_work(self, why, visited, due, says, amount):
        visited.payment("P1", "A", TODAY, "15.00")
        row = why(lambda now: now.add("appointments", "V1", amount_due=due))
        assert (row["says"], row["is_work"], row["amount"]) == (says, False, Decimal(amount))

    def test_what_the_payer_left_is_no_work(self, why, visited):
        visited.payment("P1", "A", TODAY, "15.00")

        def answer(now):
            claim(now, "9", "10.00", "2026-11-04T08:00:00")
            claim(now, "10", "5.00", "2026-11-04T08:00:00")
            claim(now, "11", "0.00", "2026-11-03T08:00:00")

        row = why(answer)
        assert row["says"] == "the payer left $15.00 of $40.00 to the patient, claim 10"
        assert (row["is_work"], row["record_table"], row["record_id"]) == (False, "claims", "10")
        assert (str(row["happened_on"]), row["amount"]) == ("2026-11-04", Decimal("15.00"))

    def test_a_claim_that_left_less_before_is_not_what_changed(self, why, visited):
        visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="30.00")
        claim(visited, "CL1", "60.00").payment("P1", "A", TODAY, "50.00")
        row = why(lambda now: now.add("appointments", "V0", status="Cancelled"))
        assert row["says"].startswith(f"another visit on {TODAY} changed")

    def test_a_claim_that_was_answered_before_is_not_what_changed(self, why, visited):
        claim(visited, "CL1", "20.00").payment("P1", "A", TODAY, "20.00")
        visited.payment("P2", "A", TODAY, "5.00", kind="refund", paid_at=f"{TODAY}T13:00:00")
        row = why(lambda now: now.remove("payments", "P2"))
        assert row["says"] == "the refund of $5.00 was taken back, refund P2"

    def test_another_visit_of_the_day_that_fell_away_leaves_its_money(self, why, visited):
        visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="40.00")
        visited.payment("P1", "A", TODAY, "40.00")
        row = why(lambda now: now.add("appointments", "V0", status="Cancelled"))
        assert row["says"] == (
            f"another visit on {TODAY} changed, and what was paid covers this one first"
        )
        assert (row["is_work"], row["record_table"], row["record_id"]) == (
            False, "appointments", "V1",
        )  # fmt: skip

    @pytest.mark.parametrize("kind", ["refund", "void"])
    def test_a_refund_or_void_that_was_taken_back_is_no_work(self, why, visited, kind):
        visited.payment("P1", "A", TODAY, "40.00").payment(
            "P2", "A", TODAY, "15.00", kind=kind, paid_at=f"{TODAY}T13:00:00"
        )
        row = why(lambda now: now.remove("payments", "P2"))
        assert row["says"] == f"the {kind} of $15.00 was taken back, {kind} P2"
        assert (row["is_work"], row["record_table"], row["record_id"], row["amount"]) == (
            False, "payments", "P2", Decimal("15.00"),
        )  # fmt: skip

    @pytest.mark.parametrize("taken", [["9", "10"], ["9"], ["10"]])
    def test_the_newest_refund_that_was_taken_back_is_told(self, why, visited, taken):
        visited.payment("P1", "A", TODAY, "45.00")
        for key in ("9", "10"):
            visited.payment(key, "A", TODAY, "5.00", kind="refund", paid_at=f"{TODAY}T13:00:00")

        def take_back(now):
            for key in taken:
                now.add("payments", key, amount="0.00")

        assert why(take_back)["record_id"] == taken[-1]

    def test_visits_of_a_day_that_changed_their_order_share_its_money_anew(self, why, visited):
        visited.visit("V0", "A", f"{TODAY}T08:00:00", amount_due="40.00")
        visited.payment("P1", "A", TODAY, "40.00")
        row = why(lambda now: now.add("appointments", "V0", starts_at=f"{TODAY}T10:00:00"))
        assert row["says"] == (
            f"another visit on {TODAY} changed, and what was paid covers this one first"
        )
        assert row["is_work"] is False

    def test_work_goes_before_a_change(self, why):
        def both(now):
            now.payment("P1", "A", TODAY, "15.00").add("appointments", "V1", amount_due="15.00")

        assert why(both)["is_work"]

    def test_a_payment_that_was_voided_at_once_is_no_work(self, why):
        def undone(now):
            now.payment("P1", "A", TODAY, "40.00").payment(
                "P2", "A", TODAY, "40.00", kind="void", paid_at=f"{TODAY}T13:00:00"
            )
            now.add("appointments", "V1", amount_due="0.00")

        row = why(undone)
        assert (row["is_work"], row["says"]) == (
            False, "the amount due changed from $40.00 to $0.00",
        )  # fmt: skip

    def test_money_of_another_day_or_case_explains_nothing(self, why, visited):
        visited.add("cases", "C-2", patient_id="A")

        def change(now):
            now.payment("P1", "A", after(-1), "40.00").payment("P2", "A", TODAY, "40.00")
            now.add("payments", "P2", case_id="C-2").add("appointments", "V1", amount_due=None)

        assert why(change)["says"] == "the amount due changed from $40.00 to none"

    def test_a_higher_tolerance_is_left_to_the_engine(self, why, visited):
        visited.visit("V0", "A", f"{TODAY}T10:00:00", amount_due="5.00")
        assert why(lambda now: now.add("appointments", "V0", starts_at=f"{TODAY}T11:00:00"),
                   tolerance=99.0) is None  # fmt: skip


class TestAfterRunsWithoutAnAnswer:
    """The record that resolved it was there the night before, when nobody could ask."""

    @pytest.fixture
    def why(self, desk, visited):
        """why(amount): the evidence of V1, of which so much was open before; none is new."""

        def ask(amount="40.00", **params):
            desk.fill(visited, noon(after(3)))
            desk.remember(RULES[RULE])
            left = {
                "subject_id": "V1",
                "case_id": "C-A",
                "patient_id": "A",
                "facility_id": "F1",
                "amount": Decimal(amount),
            }
            return desk.explain(RULES[RULE], params, [left], noon(after(1))).get("V1")

        return ask

    @pytest.mark.parametrize("paid_on", [TODAY, after(2)])
    def test_a_payment_of_an_unpaid_visit_is_work(self, why, visited, paid_on):
        visited.payment("9", "A", TODAY, "15.00", paid_at=f"{paid_on}T10:00:00")
        visited.payment("10", "A", TODAY, "25.00", paid_at=f"{paid_on}T10:00:00")
        row = why()
        assert row["says"] == f"$25.00 paid on {paid_on}, payment 10"
        assert (row["is_work"], row["record_table"], row["record_id"], row["amount"]) == (
            True, "payments", "10", Decimal("25.00"),
        )  # fmt: skip
        assert str(row["happened_on"]) == paid_on

    @pytest.mark.parametrize(("paid_on", "is_work"), [(after(1), True), (TODAY, False)])
    def test_the_rest_was_paid_if_a_payment_is_newer_than_the_task(
        self, why, visited, paid_on, is_work
    ):
        visited.payment("P1", "A", TODAY, "40.00", paid_at=f"{paid_on}T10:00:00")
        row = why("25.00")
        assert row["is_work"] is is_work
        if not is_work:
            assert row["says"] == (
                f"what was due or paid for the visit on {TODAY} changed while a run could "
                "not answer"
            )

    def test_a_refund_is_no_payment(self, why, visited):
        visited.add("appointments", "V1", amount_due="10.00")
        visited.payment("P1", "A", TODAY, "25.00", paid_at=f"{TODAY}T10:00:00")
        visited.payment("P2", "A", TODAY, "15.00", kind="refund", paid_at=f"{after(2)}T10:00")
        assert why("5.00")["is_work"] is False

    def test_what_the_payer_left_is_told(self, why, visited):
        claim(visited, "CL1", "0.00")
        row = why()
        assert row["says"] == "the payer left $0.00 of $40.00 to the patient, claim CL1"
        assert (row["is_work"], row["record_id"]) == (False, "CL1")

    def test_a_cancelled_visit_is_told(self, why, visited):
        visited.add("appointments", "V1", status="Cancelled")
        assert why()["says"] == f"the visit on {TODAY} is now Cancelled"

    @pytest.mark.parametrize(("due", "to"), [("0.00", "$0.00"), (None, "none")])
    def test_an_amount_due_that_is_gone_is_told(self, why, visited, due, to):
        visited.add("appointments", "V1", amount_due=due)
        assert why()["says"] == f"the amount due changed to {to}"

    def test_a_higher_tolerance_is_left_to_the_engine(self, why, visited):
        visited.payment("P1", "A", TODAY, "15.00", paid_at=f"{after(2)}T10:00:00")
        assert why("25.00", tolerance=25.0) is None

    def test_a_higher_tolerance_is_not_the_payer_s_answer(self, why, visited):
        claim(visited, "CL1", "25.00")
        assert why("25.00", tolerance=25.0) is None
