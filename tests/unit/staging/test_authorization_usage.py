"""Which authorization counts today: its policy, its renewal, and the visits between the two."""

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import after
from tests.rules.test_authorization_expiring import RULE


@pytest.mark.parametrize(
    ("values", "subjects"),
    [
        ({"authorization_required": "false"}, []),
        ({"ends_on": after(-1)}, []),
        ({"ends_on": after(0)}, ["AU1"]),
        ({"ends_on": None}, ["AU1"]),
        ({"starts_on": after(0)}, ["AU1"]),
        ({"starts_on": after(1)}, []),
    ],
)
@pytest.mark.parametrize("rule_id", [RULE, "authorization_limit"])
def test_only_a_policy_in_force_that_requires_one_asks(
    opens, authorized, rule_id, values, subjects
):
    cause = {"ends_on": after(5)} if rule_id == RULE else {"visit_limit": 4, "visits_used": 4}
    authorize(authorized, "AU1", **cause)
    assert opens(rule_id, policy(authorized, "PO1", **values)) == subjects


NEXT = {"rank": "1", "case_id": "C-A", "starts_on": after(-1), "authorization_required": "false"}


@pytest.mark.parametrize(
    ("old", "new", "subjects"),
    [
        ({}, {}, []),
        ({}, {"starts_on": after(0)}, []),
        ({}, {"starts_on": after(1)}, ["AU1"]),
        ({}, {"ends_on": after(-1)}, ["AU1"]),
        ({}, {"ends_on": after(0)}, []),
        ({}, {"rank": "2"}, ["AU1"]),
        ({}, {"case_id": "C-B"}, ["AU1"]),
        ({}, {"case_id": None}, ["AU1"]),
        ({"case_id": None}, {"case_id": None}, []),
        ({"case_id": None}, {}, []),
        ({"case_id": None}, {"case_id": "C-B"}, ["AU1"]),
        ({"starts_on": after(0)}, {}, ["AU1"]),
        ({"starts_on": after(-1)}, {"created_at": LATER["entered_at"]}, []),
        ({"starts_on": after(-1)}, {}, ["AU1"]),
        ({"starts_on": None}, {"starts_on": None, "created_at": LATER["entered_at"]}, []),
        ({"starts_on": None}, {"starts_on": None}, ["AU1"]),
    ],
)
def test_a_later_policy_of_the_rank_takes_the_place_of_one_left_without_an_end(
    opens, authorized, old, new, subjects
):
    authorize(authorized, "AU1", ends_on=after(5))
    authorized.add("cases", "C-B", patient_id="A")
    policy(authorized, "PO1", **{"starts_on": "2026-01-05", **old})
    policy(authorized.remove("policies", "PO2"), "NEXT", **{**NEXT, **new})
    assert opens(RULE, authorized) == subjects


def test_another_patients_later_policy_replaces_nothing(opens, authorized):
    authorize(authorized.patient("B"), "AU1", ends_on=after(5))
    policy(authorized.remove("policies", "PO2"), "PO1", case_id=None, starts_on="2026-01-05")
    policy(authorized, "NEXT", patient_id="B", starts_on=after(-1))
    assert opens(RULE, authorized) == ["AU1"]


# The gap before the renewal: AU1 ends on the 5th day, AU2 starts on the 10th.


@pytest.fixture
def renewed(authorized):
    authorize(authorized, "AU1", ends_on=after(5), number="A-1")
    return authorize(
        authorized, "AU2", starts_on=after(10), ends_on=after(90), number="A-2", **LATER
    )


@pytest.mark.parametrize(
    ("day", "status", "subjects"),
    [
        (5, "Scheduled", []),
        (6, "Scheduled", ["AU1"]),
        (9, "Confirmed", ["AU1"]),
        (10, "Scheduled", []),
        (91, "Scheduled", []),
        (7, "Cancelled", []),
        (7, "No Show", []),
    ],
)
def test_a_booked_visit_between_the_two_keeps_the_task(opens, renewed, day, status, subjects):
    assert opens(RULE, visits(renewed, after(day), status=status)) == subjects


def test_the_reason_names_the_first_visit_that_neither_covers(answers, renewed):
    visits(renewed, after(12), after(8), after(7), after(4), status="Scheduled")
    assert answers(RULE, renewed)["AU1"]["reason"] == (
        f"Authorization A-1 ends on {after(5)}, the next one starts on {after(10)}; "
        f"no authorization covers the visit on {after(7)}"
    )


def test_without_a_newer_one_the_reason_names_the_first_visit_after_the_end(answers, authorized):
    authorize(authorized, "AU1", ends_on=after(5))
    visits(authorized, after(20), after(6), after(5), status="Scheduled")
    assert answers(RULE, authorized)["AU1"]["reason"] == (
        f"Authorization ends on {after(5)}; no authorization covers the visit on {after(6)}"
    )


def test_the_text_is_the_same_when_the_end_and_the_visit_have_passed(answers, renewed):
    visits(renewed, after(7), status="Scheduled")
    texts = {answers(RULE, renewed, on=after(day))["AU1"]["reason"] for day in (0, 5, 6, 8, 9)}
    assert len(texts) == 1


def test_a_visit_that_took_place_between_the_two_is_still_uncovered(opens, renewed):
    visits(renewed, after(7))
    assert opens(RULE, renewed, on=after(9)) == ["AU1"]
    assert opens(RULE, renewed, on=after(10)) == []


@pytest.mark.parametrize(
    ("third", "subjects"),
    [
        ({}, []),
        ({"starts_on": after(7)}, []),
        ({"starts_on": after(8)}, ["AU1"]),
        ({"ends_on": after(6)}, ["AU1"]),
        ({"is_stub": "true"}, ["AU1"]),
        ({"policy_id": "PO2"}, ["AU1"]),
    ],
)
def test_a_third_one_may_cover_the_visit_between(opens, renewed, third, subjects):
    visits(renewed, after(7), status="Scheduled")
    authorize(renewed, "AU3", **{"starts_on": after(6), "ends_on": after(7), **LATER, **third})
    assert opens(RULE, renewed) == subjects


def test_only_the_last_one_before_the_gap_asks(opens, renewed):
    authorize(renewed, "AU0", starts_on="2026-08-01", ends_on=after(-30), entered_at="2026-08-01")
    assert opens(RULE, visits(renewed, after(7), status="Scheduled")) == ["AU1"]


@pytest.mark.parametrize(
    ("created_at", "since"),
    [
        ("2026-10-30T09:00:00", after(-9)),
        ("2026-11-01T09:00:00", after(-9)),
        ("2026-11-02T09:00:00", "2026-11-02"),
    ],
)
def test_a_visit_booked_into_the_gap_later_dates_the_task(answers, renewed, created_at, since):
    """Until the booking of the 2nd the renewal of the 1st had resolved it."""
    visits(renewed, after(7), status="Scheduled", created_at=created_at)
    assert str(answers(RULE, renewed)["AU1"]["since"]) == since


@pytest.mark.parametrize(
    ("used", "booked", "expiring", "limits"),
    [
        (8, [2, 4], [], []),
        (9, [2, 4], [], ["AU1"]),
        (9, [2, 12], [], []),
        (10, [], [], []),
        (10, [10], [], []),
        (10, [12], [], []),
        (10, [9], [], ["AU1"]),
    ],
)
def test_few_visits_left_ask_only_for_visits_before_the_renewal(
    opens, authorized, used, booked, expiring, limits
):
    """AU1 lasts long enough, with a renewal that starts on the 10th day."""
    authorize(authorized, "AU1", ends_on=after(30), visit_limit=10, visits_used=used)
    authorize(authorized, "AU2", starts_on=after(10), ends_on=after(90), **LATER)
    visits(authorized, *(after(day) for day in booked), status="Scheduled")
    assert (opens(RULE, authorized), opens("authorization_limit", authorized)) == (expiring, limits)
