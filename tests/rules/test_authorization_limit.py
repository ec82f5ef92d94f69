"""Authorization Limit: no visits left, or more booked than left."""

import pytest

from tests.rules.conftest import after
from tests.rules.test_authorization_expiring import LATER, authorize, visits

RULE = "authorization_limit"


@pytest.fixture
def authorized(practice):
    """One authorization for 3 visits since 1 October."""
    practice.patient("A").add("policies", "PO1", patient_id="A", case_id="C-A")
    return authorize(practice, "AU1", visit_limit=3)


@pytest.mark.parametrize(("used", "subjects"), [(2, []), (3, ["AU1"]), (4, ["AU1"])])
def test_opens_when_the_last_visit_is_used(opens, authorized, used, subjects):
    assert opens(RULE, authorize(authorized, "AU1", visits_used=used)) == subjects


def test_is_dated_by_the_visit_that_reached_the_limit(answers, authorized):
    row = answers(RULE, visits(authorized, "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"))[
        "AU1"
    ]
    assert (str(row["since"]), row["reason"], row["staff_id"]) == (
        "2026-10-19",
        "Authorization: 4 of 3 visits used",
        None,
    )


def test_is_dated_by_the_booking_that_was_one_too_many(answers, authorized):
    visits(authorized, "2026-10-05")
    visits(authorized, after(9), created_at="2026-10-06T09:00:00", status="Scheduled")
    visits(authorized, after(2), created_at="2026-10-20T09:00:00", status="Scheduled")
    visits(authorized, after(0), created_at="2026-10-08T09:00:00", status="Confirmed")
    row = answers(RULE, authorized)["AU1"]
    assert (str(row["since"]), row["reason"]) == (
        "2026-10-20",
        "Authorization: 1 of 3 visits used, 3 more scheduled",
    )


def test_without_visits_it_is_dated_by_its_entry(answers, authorized):
    assert (
        str(answers(RULE, authorize(authorized, "AU1", visits_used=3))["AU1"]["since"])
        == "2026-09-25"
    )


@pytest.mark.parametrize(
    ("ends_on", "subjects"), [(after(1), []), (after(2), ["AU1"]), (None, ["AU1"])]
)
def test_only_bookings_within_its_dates_count(opens, authorized, ends_on, subjects):
    authorize(authorized, "AU1", visits_used=2, ends_on=ends_on)
    assert opens(RULE, visits(authorized, after(0), after(2), status="Scheduled")) == subjects


@pytest.mark.parametrize("status", ["Cancelled", "No Show"])
def test_a_visit_called_off_uses_none(opens, authorized, status):
    assert (
        opens(
            RULE,
            visits(authorized, "2026-10-05", "2026-10-06", "2026-10-07", after(3), status=status),
        )
        == []
    )


def test_a_visit_left_open_on_a_past_day_is_neither_used_nor_ahead(opens, authorized):
    authorize(authorized, "AU1", visits_used=3 - 1)
    assert opens(RULE, visits(authorized, after(-1), after(-2), status="Scheduled")) == []


@pytest.mark.parametrize(
    ("values", "subjects"),
    [({"ends_on": after(0)}, ["AU1"]), ({"ends_on": after(-1)}, []), ({"starts_on": after(1)}, [])],
)
def test_it_must_be_in_force_today(opens, authorized, values, subjects):
    assert opens(RULE, authorize(authorized, "AU1", visits_used=3, **values)) == subjects


def test_a_stub_never_counts(opens, authorized):
    assert opens(RULE, authorize(authorized, "AU1", visits_used=3, is_stub="true")) == []


def test_a_newer_one_takes_over(opens, authorized):
    authorize(
        authorize(authorized, "AU1", visits_used=3), "AU2", visit_limit=3, visits_used=0, **LATER
    )
    assert opens(RULE, authorized) == []
