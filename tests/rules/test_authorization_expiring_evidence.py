"""Why an Authorization Expiring left: AU1, numbered A-1, ends on the 5th day."""

from copy import deepcopy

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import TODAY, after
from tests.rules.test_authorization_expiring import RULE


def told(row):
    return (row["is_work"], row["record_table"], row["record_id"], row["says"])


@pytest.fixture
def ending(authorized):
    return authorize(authorized, "AU1", number="A-1", ends_on=after(5))


@pytest.fixture
def left(explains, ending):
    """left(table, key, earlier={}, **changed): what explains that AU1 left, without its day."""

    def change(table, key, earlier=None, **changed):
        before = deepcopy(ending.add(table, key, **earlier) if earlier else ending)
        return explains(RULE, before, ending.add(table, key, **changed)).get("AU1")

    return change


def test_a_newer_one_is_work_with_its_number_and_days(explains, ending):
    before = deepcopy(ending)
    for key in ("10", "9"):
        authorize(ending, key, number="A-2", starts_on=after(6), ends_on=after(90), **LATER)
    row = explains(RULE, before, ending)["AU1"]
    says = f"authorization A-2 entered on 2026-11-01, from {after(6)} to {after(90)}"
    assert told(row) == (True, "authorizations", "9", says)
    assert (str(row["happened_on"]), row["amount"]) == ("2026-11-01", None)


def test_a_newer_one_without_days_is_named_by_its_id(explains, ending):
    before = deepcopy(ending)
    row = explains(RULE, before, authorize(ending, "AU2", starts_on=None, **LATER))["AU1"]
    assert row["says"] == "authorization AU2 entered on 2026-11-01"


@pytest.mark.parametrize("earlier", [{"is_stub": "true"}, {"policy_id": "PO2"}])
def test_a_placeholder_or_another_policy_s_that_becomes_the_renewal_is_work(
    explains, ending, earlier
):
    authorize(ending, "AU2", ends_on=after(90), **{**LATER, **earlier})
    before = deepcopy(ending)
    now = authorize(ending, "AU2", is_stub="false", policy_id="PO1")
    assert told(explains(RULE, before, now)["AU1"])[:3] == (True, "authorizations", "AU2")


def test_one_entered_while_nobody_could_ask_is_work(explains, ending):
    """It was entered after the task opened, but the run before had it already."""
    before = authorize(deepcopy(ending), "AU2", ends_on=after(4), entered_at=f"{TODAY}T09:00")
    now = deepcopy(before).add("authorizations", "AU1", ends_on=after(4))
    row = explains(RULE, before, now)["AU1"]
    assert (row["is_work"], row["record_id"]) == (True, "AU2")


@pytest.mark.parametrize(
    ("earlier", "changed", "happened_on", "says"),
    [
        ({}, {"authorization_required": "false"}, None, "requires no authorization any more"),
        ({}, {"ends_on": after(-1)}, after(-1), f"ended on {after(-1)}"),
        ({}, {"starts_on": after(1)}, None, f"starts only on {after(1)}"),
    ],
)
def test_names_what_became_of_the_policy(left, earlier, changed, happened_on, says):
    row = left("policies", "PO1", earlier, **changed)
    assert told(row) == (False, "policies", "PO1", f"policy PO1 {says}")
    assert (row["happened_on"] and str(row["happened_on"])) == happened_on


def test_names_the_policy_that_replaced_it(explains, ending):
    policy(ending, "PO1", starts_on="2026-01-05")
    policy(ending, "PO2", starts_on=after(0))
    row = explains(RULE, ending, ending)["AU1"]
    assert told(row) == (False, "policies", "PO2", "policy PO2 has replaced policy PO1")
    assert str(row["happened_on"]) == after(0)


@pytest.mark.parametrize(
    ("earlier", "changed", "says"),
    [
        ({}, {"is_stub": "true"}, "authorization A-1 is a placeholder now"),
        ({}, {"starts_on": after(1)}, f"authorization A-1 starts only on {after(1)}"),
        (
            {},
            {"ends_on": after(30)},
            f"authorization A-1 ends on {after(30)} instead of {after(5)}",
        ),
        ({}, {"ends_on": None}, f"authorization A-1 ends on no set day instead of {after(5)}"),
        (
            {"ends_on": None, "visit_limit": 10, "visits_used": 8},
            {"visit_limit": 20},
            "2 of 10 visits left → 12 of 20 visits left",
        ),
        (
            {"ends_on": None, "visit_limit": 10, "visits_used": 8},
            {"visit_limit": 0},
            "2 of 10 visits left → no limit",
        ),
        (
            {"ends_on": None, "visit_limit": 10, "visits_used": 8},
            {"visits_used": 7},
            "2 of 10 visits left → 3 of 10 visits left",
        ),
        (
            {"ends_on": None, "visit_limit": 10, "visits_used": 9, "limit_unit": "units"},
            {"visits_used": 10},
            "1 of 10 units left → 0 of 10 units left",
        ),
    ],
)
def test_names_what_became_of_the_authorization(left, earlier, changed, says):
    row = left("authorizations", "AU1", earlier, **changed)
    assert told(row) == (False, "authorizations", "AU1", says)


def test_names_visits_that_were_booked_beyond_the_limit(explains, ending):
    authorize(ending, "AU1", ends_on=None, visit_limit=10, visits_used=8)
    before = deepcopy(ending)
    visits(ending, after(1), after(2), after(3), status="Scheduled")
    says = "3 visits are scheduled with 2 of 10 visits left, which is an Authorization Limit"
    assert told(explains(RULE, before, ending)["AU1"]) == (
        False,
        "authorizations",
        "AU1",
        says,
    )


def test_a_parameter_is_not_for_the_rule_to_explain(explains, ending):
    assert explains(RULE, ending, ending, days_ahead=4) == {}
    authorize(ending, "AU1", ends_on=None, visit_limit=10, visits_used=8)
    assert explains(RULE, ending, ending, visits_left=1) == {}


# AU2, numbered A-2, starts on the 10th day, and a visit is booked for the 7th.


@pytest.fixture
def gap(ending):
    authorize(
        ending, "AU2", number="A-2", starts_on=after(10), ends_on=after(90), entered_at=after(-9)
    )
    return ending.visit("V7", "A", f"{after(7)}T09:00:00", status="Scheduled")


VISIT = f"the visit on {after(7)}"
COVERS = "authorization A-2 covers the visits that follow"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"status": "Cancelled"}, f"{VISIT} was cancelled; {COVERS}"),
        ({"status": "No Show"}, f"{VISIT} was a no-show; {COVERS}"),
        (
            {"starts_at": f"{after(12)}T09:00:00"},
            f"{VISIT} was moved to {after(12)}; {COVERS}",
        ),
        (
            {"case_id": "C-B"},
            f"{VISIT} is gone from the schedule of the case; {COVERS}",
        ),
    ],
)
def test_names_what_became_of_the_visit_between_the_two(explains, gap, changed, says):
    before = deepcopy(gap.patient("B"))
    row = explains(RULE, before, gap.add("appointments", "V7", **changed))["AU1"]
    assert (told(row), row["happened_on"]) == ((False, "appointments", "V7", says), None)


def test_a_visit_that_was_deleted_is_gone_from_the_schedule(explains, gap):
    before = deepcopy(gap)
    row = explains(RULE, before, gap.remove("appointments", "V7"))["AU1"]
    assert row["says"] == f"{VISIT} is gone from the schedule of the case; {COVERS}"


def test_the_first_of_two_visits_of_the_day_is_named(explains, gap):
    gap.visit("V6", "A", f"{after(7)}T08:00:00", status="Scheduled")
    before = deepcopy(gap)
    for key in ("V6", "V7"):
        gap.add("appointments", key, status="Cancelled")
    assert explains(RULE, before, gap)["AU1"]["record_id"] == "V6"


def test_a_visit_cancelled_after_the_renewal_was_entered_is_no_work(explains, gap):
    """The renewal was entered while the task was open, and left it open."""
    before = authorize(deepcopy(gap), "AU2", entered_at=f"{TODAY}T09:00:00")
    now = deepcopy(before).add("appointments", "V7", status="Cancelled")
    assert explains(RULE, before, now)["AU1"]["is_work"] is False


@pytest.mark.parametrize(
    ("earlier", "changed", "says"),
    [
        (
            {},
            {"starts_on": after(7)},
            f"authorization A-2 starts on {after(7)} instead of {after(10)}",
        ),
        (
            {},
            {"starts_on": None},
            f"authorization A-2 starts on no set day instead of {after(10)}",
        ),
        (
            {"starts_on": after(1), "ends_on": after(4)},
            {"ends_on": after(90)},
            f"authorization A-2 ends on {after(90)} instead of {after(4)}",
        ),
    ],
)
def test_names_what_became_of_the_other_authorization(explains, gap, earlier, changed, says):
    before = deepcopy(authorize(gap, "AU2", **earlier))
    row = explains(RULE, before, authorize(gap, "AU2", **changed))["AU1"]
    assert told(row) == (False, "authorizations", "AU2", says)


def test_a_third_one_for_the_visit_between_is_work(explains, gap):
    before = deepcopy(gap)
    now = authorize(gap, "AU3", starts_on=after(6), ends_on=after(9), **LATER)
    row = explains(RULE, before, now)["AU1"]
    assert (row["is_work"], row["record_id"]) == (True, "AU3")


def test_a_renewal_that_began_after_an_uncovered_visit_is_no_work(explains, gap):
    row = explains(RULE, gap, gap, (after(9), after(10)))["AU1"]
    says = (
        f"authorization A-2 began on {after(10)}; no authorization covers the visit on {after(7)}"
    )
    assert (told(row), str(row["happened_on"])) == (
        (False, "authorizations", "AU2", says),
        after(10),
    )


def test_a_shorter_end_that_makes_the_other_the_longer_one_is_no_work(explains, ending):
    authorize(ending, "AU2", number="A-2", starts_on=after(-3), ends_on=after(4))
    before = deepcopy(ending)
    row = explains(RULE, before, authorize(ending, "AU1", ends_on=after(3)))["AU1"]
    assert told(row) == (False, "authorizations", "AU2", COVERS)
