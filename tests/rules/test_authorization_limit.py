"""Authorization Limit: no visits left, or more booked than left."""

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import after
from tests.rules.test_authorization_expiring import NO_DAY

RULE = "authorization_limit"


@pytest.fixture
def authorized(practice):
    """One authorization for 3 visits since 1 October."""
    policy(practice.patient("A"), "PO1", case_id="C-A")
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


def test_a_visit_that_was_booked_late_and_took_place_counts_in_the_order_of_bookings(
    answers, authorized
):
    visits(authorized, after(9), created_at="2026-10-06T09:00:00", status="Scheduled")
    visits(authorized, after(2), created_at="2026-10-20T09:00:00", status="Scheduled")
    visits(authorized, "2026-10-22", created_at="2026-10-21T09:00:00")
    visits(authorized, "2026-10-05", created_at="2026-10-01T09:00:00")
    assert str(answers(RULE, authorized)["AU1"]["since"]) == "2026-10-21"


@pytest.mark.parametrize(
    ("used", "past", "ahead", "since"),
    [
        (3, 3, 0, "2026-10-03"),
        (3, 2, 0, NO_DAY),
        (3, 0, 0, NO_DAY),
        (2, 2, 2, "2026-10-20"),
        (2, 1, 2, NO_DAY),
    ],
)
def test_no_visit_dates_a_count_that_the_visits_do_not_explain(
    answers, authorized, used, past, ahead, since
):
    """The EMR's count may have grown without visits; the run that saw it is the date."""
    authorize(authorized, "AU1", visits_used=used)
    visits(authorized, *(f"2026-10-0{day + 1}" for day in range(past)))
    for day in range(ahead):
        visits(authorized, after(day), status="Scheduled", created_at=f"2026-10-{19 + day}")
    row = answers(RULE, authorized)["AU1"]
    assert str(row["since"]) == since


@pytest.mark.parametrize("days", [("2026-10-01", "2026-10-02", "2026-10-03"), ()])
def test_is_never_dated_before_the_newest_fact_it_depends_on(answers, authorized, days):
    authorize(authorized, "AU1", **LATER)
    visits(authorized, *days)
    if not days:
        visits(authorized, *(after(day) for day in range(4)), status="Scheduled")
    assert str(answers(RULE, authorized)["AU1"]["since"]) == LATER["entered_at"][:10]


@pytest.mark.parametrize(
    ("used", "booked", "says"),
    [
        (19, 1, None),
        (20, 0, "Authorization: 20 of 20 units used"),
        (19, 2, "Authorization: 19 of 20 units used, 2 more visits scheduled"),
        (None, 3, None),
    ],
)
def test_units_are_counted_by_the_emr_only_and_called_units(
    answers, authorized, used, booked, says
):
    authorize(authorized, "AU1", visit_limit=20, visits_used=used, limit_unit="units")
    visits(authorized, *(f"2026-10-{day}" for day in range(10, 31)))
    rows = answers(
        RULE, visits(authorized, *(after(day) for day in range(booked)), status="Scheduled")
    )
    found = [(row["reason"], str(row["since"])) for row in rows.values()]
    assert found == ([(says, NO_DAY)] if says else [])


@pytest.mark.parametrize(
    ("ends_on", "subjects"), [(after(1), []), (after(2), ["AU1"]), (None, ["AU1"])]
)
def test_only_bookings_within_its_dates_count(opens, authorized, ends_on, subjects):
    authorize(authorized, "AU1", visits_used=2, ends_on=ends_on)
    assert opens(RULE, visits(authorized, after(0), after(2), status="Scheduled")) == subjects


@pytest.mark.parametrize(("days", "subjects"), [(0, ["AU1"]), (1, [])])
def test_a_completed_visit_is_used_from_its_day_on(opens, authorized, days, subjects):
    assert opens(RULE, visits(authorized, "2026-10-05", "2026-10-12", after(days))) == subjects


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


@pytest.mark.parametrize(
    ("used", "booked", "subjects"), [(3, [], []), (4, [], []), (3, [9], ["AU1"]), (3, [10], [])]
)
def test_before_a_newer_one_only_a_visit_that_is_one_too_many_asks(
    opens, authorized, used, booked, subjects
):
    authorize(authorized, "AU1", visits_used=used)
    authorize(authorized, "AU2", starts_on=after(10), **LATER)
    visits(authorized, *(after(day) for day in booked), status="Scheduled")
    assert opens(RULE, authorized) == subjects


def test_the_last_visit_may_be_today_s_and_the_authorization_s_last_day(answers, authorized):
    authorize(authorized, "AU1", number="A-7", ends_on=after(0))
    visits(authorized, "2026-10-05", "2026-10-12", after(0))
    row = answers(RULE, authorized)["AU1"]
    assert (str(row["since"]), row["reason"]) == (
        after(0),
        "Authorization A-7: 3 of 3 visits used",
    )


def test_one_more_booked_than_used_up_is_named_and_does_not_date_it(answers, authorized):
    visits(authorized, "2026-10-05", "2026-10-12", "2026-10-19")
    visits(authorized, after(1), status="Scheduled", created_at="2026-10-20T09:00:00")
    row = answers(RULE, authorized)["AU1"]
    assert (str(row["since"]), row["reason"]) == (
        "2026-10-19",
        "Authorization: 3 of 3 visits used, 1 more scheduled",
    )


@pytest.mark.parametrize("starts_on", ["2026-10-01", None])
def test_the_visits_before_its_start_used_nothing_of_it(answers, authorized, starts_on):
    authorize(authorized, "AU1", starts_on=starts_on)
    visits(authorized, "2026-09-30", "2026-10-05", "2026-10-12", "2026-10-19")
    since = "2026-10-19" if starts_on else "2026-10-12"
    assert str(answers(RULE, authorized)["AU1"]["since"]) == since


@pytest.mark.parametrize(
    ("day", "status"),
    [(-1, "Scheduled"), (3, "Cancelled"), (-1, "Cancelled"), (20, "Scheduled")],
)
def test_a_visit_that_does_not_count_does_not_move_the_booking_that_was_too_many(
    answers, authorized, day, status
):
    authorize(authorized, "AU2", starts_on=after(20), **LATER)
    visits(authorized, "2026-10-05", created_at="2026-10-01T09:00:00")
    for number, booked in enumerate(("2026-11-01", "2026-11-02", "2026-11-03")):
        visits(authorized, after(number), status="Scheduled", created_at=f"{booked}T12:00:00")
    visits(authorized, after(day), status=status, created_at="2026-10-02T09:00:00")
    assert str(answers(RULE, authorized)["AU1"]["since"]) == "2026-11-03"


class TestAppointmentsFromADayOn:
    """Of the visits since 1 October, the appointments have those since the 20th."""

    @pytest.fixture
    def cut(self, authorized):
        authorized.since = {"appointments": "2026-10-20"}
        return visits(authorized, "2026-10-20")

    def test_what_cannot_be_counted_is_not_answered(self, opens, unseen, cut):
        assert (opens(RULE, cut), unseen(RULE, cut)) == ([], ["AU1"])

    def test_not_even_where_the_visits_seen_exceed_the_limit(self, opens, unseen, cut):
        visits(cut, "2026-10-21", "2026-10-22", "2026-10-23")
        assert (opens(RULE, cut), unseen(RULE, cut)) == ([], ["AU1"])

    def test_what_the_emr_counts_is_answered(self, answers, unseen, cut):
        row = answers(RULE, authorize(cut, "AU1", visits_used=3))["AU1"]
        assert (row["reason"], row["since"]) == ("Authorization: 3 of 3 visits used", None)
        assert unseen(RULE, cut) == []

    def test_one_that_began_that_day_is_answered(self, opens, unseen, cut):
        authorize(cut, "AU1", starts_on="2026-10-20", visit_limit=1)
        assert (opens(RULE, cut), unseen(RULE, cut)) == (["AU1"], [])

    def test_only_those_that_count_today_and_have_a_limit_are_unanswered(self, unseen, cut):
        authorize(cut, "AU2", starts_on=after(1), visit_limit=3)
        authorize(cut, "AU3", policy_id="PO1", is_stub="true", visit_limit=3)
        assert unseen(RULE, authorize(cut, "AU1", visit_limit=None)) == []

    def test_with_all_appointments_nothing_is_unanswered(self, unseen, authorized):
        assert unseen(RULE, authorized) == []
