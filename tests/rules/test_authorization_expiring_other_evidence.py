"""Why an Authorization Expiring left: which of several records is named, and by which words."""

from copy import deepcopy

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import after
from tests.rules.test_authorization_expiring import RULE


@pytest.fixture
def ending(authorized):
    return authorize(authorized, "AU1", number="A-1", ends_on=after(5))


@pytest.fixture
def why(explains, ending):
    """why(change): the row about AU1 after `change(practice)` tonight."""

    def ask(change):
        before = deepcopy(ending)
        change(ending)
        return explains(RULE, before, ending).get("AU1")

    return ask


def test_the_end_that_the_task_named_is_told_though_more_follows(why, ending):
    authorize(ending, "AU1", visit_limit=10, visits_used=8)
    row = why(lambda now: authorize(now, "AU1", ends_on=after(60), visit_limit=20))
    assert row["says"] == f"authorization A-1 ends on {after(60)} instead of {after(5)}"


def test_one_that_starts_today_has_started(why):
    row = why(lambda now: authorize(now, "AU1", starts_on=after(0), ends_on=after(60)))
    assert row["says"] == f"authorization A-1 ends on {after(60)} instead of {after(5)}"


def test_one_without_a_number_is_named_by_its_id(why, ending):
    authorize(ending, "AU1", number=None)
    row = why(lambda now: authorize(now, "AU1", ends_on=after(60)))
    assert row["says"] == f"authorization AU1 ends on {after(60)} instead of {after(5)}"


@pytest.mark.parametrize(("entered_at", "is_work"), [("12:00:00", True), ("11:59:59", False)])
def test_one_entered_from_the_moment_the_task_opened_is_work(why, ending, entered_at, is_work):
    """The run before, at noon, had it already: too short for AU1 as it was then."""
    authorize(ending, "AU2", ends_on=after(4), entered_at=f"{after(-1)}T{entered_at}")
    row = why(lambda now: authorize(now, "AU1", ends_on=after(4)))
    assert (row["is_work"], row["record_id"]) == (is_work, "AU2")


def test_a_new_one_is_named_before_one_that_changed(why, ending):
    authorize(ending, "AU2", starts_on=after(6), ends_on=after(4), **LATER)

    def change(now):
        authorize(now, "AU2", ends_on=after(90))
        authorize(now, "AU3", starts_on=after(7), ends_on=after(90), **LATER)

    row = why(change)
    assert (row["is_work"], row["record_id"]) == (True, "AU3")


def test_one_that_changed_is_named_before_one_that_was_there(why, ending):
    earlier = {"entered_at": "2026-10-01"}
    authorize(ending, "AU2", starts_on=after(6), ends_on=after(6), **earlier)
    authorize(ending, "AU3", number="A-3", starts_on=after(8), ends_on=after(90), **earlier)
    visits(ending, after(7), status="Scheduled")
    row = why(lambda now: authorize(now, "AU3", starts_on=after(7)))
    assert row["says"] == f"authorization A-3 starts on {after(7)} instead of {after(8)}"


def test_of_two_new_ones_the_first_to_start_is_named(why):
    def enter(now):
        authorize(now, "AU2", starts_on=after(8), ends_on=after(90), **LATER)
        authorize(now, "AU3", starts_on=after(6), ends_on=after(90), **LATER)

    assert why(enter)["record_id"] == "AU3"


@pytest.mark.parametrize("other", [{"case_id": "C-2"}, {"policy_id": "PO2"}, {"is_stub": "true"}])
def test_another_cases_or_policys_or_a_placeholder_is_not_named(why, ending, other):
    ending.add("cases", "C-2", patient_id="A")

    def enter(now):
        authorize(now, "AU2", **{"starts_on": after(6), "ends_on": after(90), **LATER, **other})
        authorize(now, "AU3", starts_on=after(7), ends_on=after(90), **LATER)

    assert why(enter)["record_id"] == "AU3"


def test_one_that_ends_before_is_not_named(why):
    def enter(now):
        authorize(now, "AU2", starts_on=after(1), ends_on=after(4), **LATER)
        authorize(now, "AU3", starts_on=after(6), ends_on=after(90), **LATER)

    assert why(enter)["record_id"] == "AU3"


def test_one_of_visits_and_without_an_end_is_renewed_by_one_that_ends_today(why, ending):
    authorize(ending, "AU1", ends_on=None, visit_limit=10, visits_used=8)
    row = why(lambda now: authorize(now, "AU2", ends_on=after(0), **LATER))
    assert (row["is_work"], row["record_id"]) == (True, "AU2")


class TestTheVisitBetween:
    """AU2 starts on the 10th day; a visit of the 7th is covered by neither."""

    @pytest.fixture
    def gap(self, ending):
        authorize(ending, "AU2", starts_on=after(10), ends_on=after(90), entered_at="2026-10-01")
        return ending.visit("V7", "A", f"{after(7)}T09:00:00", status="Scheduled")

    def test_one_that_was_cancelled_before_is_not_named(self, why, gap):
        gap.visit("V6", "A", f"{after(7)}T08:00:00", status="Cancelled")
        row = why(lambda now: now.add("appointments", "V7", status="Cancelled"))
        assert row["record_id"] == "V7"

    def test_one_that_had_happened_and_is_cancelled_is_named(self, explains, gap):
        before = deepcopy(gap.add("appointments", "V7", status="Completed"))
        now = gap.add("appointments", "V7", status="Cancelled")
        row = explains(RULE, before, now, (after(8), after(9)))["AU1"]
        assert (row["record_table"], row["record_id"]) == ("appointments", "V7")

    def test_another_days_or_cases_cancelled_visit_is_not_named(self, why, gap):
        gap.add("cases", "C-2", patient_id="A")
        gap.visit("V6", "A", f"{after(7)}T08:00:00", status="Scheduled")
        gap.add("appointments", "V6", case_id="C-2")
        gap.visit("V5", "A", f"{after(4)}T08:00:00", status="Scheduled")

        def cancel(now):
            for key in ("V5", "V6", "V7"):
                now.add("appointments", key, status="Cancelled")

        assert why(cancel)["record_id"] == "V7"

    def test_of_two_at_one_time_the_lower_number_is_named(self, why, gap):
        gap.remove("appointments", "V7")
        for key in ("10", "9"):
            gap.visit(key, "A", f"{after(7)}T09:00:00", status="Scheduled")

        def cancel(now):
            for key in ("9", "10"):
                now.add("appointments", key, status="Cancelled")

        assert why(cancel)["record_id"] == "9"

    def test_a_visit_that_stays_is_not_named(self, why, gap):
        """The renewal's new start resolves it, not the visit."""
        row = why(lambda now: authorize(now, "AU2", starts_on=after(7)))
        assert (row["record_table"], row["record_id"]) == ("authorizations", "AU2")


def test_as_many_visits_as_are_left_are_not_too_many(explains, ending):
    """A threshold of 1 takes the task away; that is left to the engine."""
    authorize(ending, "AU1", ends_on=None, visit_limit=10, visits_used=8)
    visits(ending, after(1), after(2), status="Scheduled")
    assert explains(RULE, ending, ending, visits_left=1) == {}


def test_each_authorization_is_explained_by_its_own_policy(explains, ending):
    policy(ending.patient("B"), "POB", patient_id="B", case_id="C-B")
    authorize(ending, "AUB", policy_id="POB", case_id="C-B", ends_on=after(5))
    before = deepcopy(ending)
    policy(ending, "PO1", ends_on=after(-1))
    policy(ending, "POB", ends_on=after(-2))
    rows = explains(RULE, before, ending)
    assert {key: (row["record_id"], row["says"]) for key, row in rows.items()} == {
        "AU1": ("PO1", f"policy PO1 ended on {after(-1)}"),
        "AUB": ("POB", f"policy POB ended on {after(-2)}"),
    }


@pytest.mark.parametrize(
    ("earlier", "changed", "says"),
    [
        (
            {"starts_on": None},
            {"starts_on": after(1), "ends_on": after(90)},
            f"starts on {after(1)} instead of no set day",
        ),
        ({"starts_on": after(1)}, {"ends_on": None}, f"ends on no set day instead of {after(4)}"),
    ],
)
def test_a_day_that_was_or_is_not_set_is_told(why, ending, earlier, changed, says):
    authorize(ending, "AU2", number="A-2", **{"ends_on": after(4), **earlier})
    assert why(lambda now: authorize(now, "AU2", **changed))["says"] == f"authorization A-2 {says}"


def test_an_end_that_was_not_set_is_told(explains, ending):
    """AU2 begins on the 10th day and gets its end then."""
    authorize(ending, "AU2", number="A-2", starts_on=after(10), entered_at="2026-10-01")
    before = deepcopy(visits(ending, after(7), status="Scheduled"))
    now = authorize(ending, "AU2", ends_on=after(90))
    row = explains(RULE, before, now, (after(9), after(10)))["AU1"]
    assert row["says"] == f"authorization A-2 ends on {after(90)} instead of no set day"
