"""Authorization Expiring: the dates or the visits run out, and no newer one covers the policy."""

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import after

RULE = "authorization_expiring"
NO_DAY = "None"  # the data do not say


@pytest.mark.parametrize(
    ("days", "subjects"), [(15, []), (14, ["AU1"]), (0, ["AU1"]), (-1, ["AU1"]), (-90, ["AU1"])]
)
def test_opens_when_the_end_is_near_and_stays_when_it_has_passed(opens, authorized, days, subjects):
    assert (
        opens(RULE, authorize(authorized, "AU1", starts_on=None, ends_on=after(days))) == subjects
    )


def test_is_dated_by_the_day_the_end_came_near(answers, authorized):
    row = answers(RULE, authorize(authorized, "AU1", ends_on=after(4), number="A-77"))["AU1"]
    assert (str(row["since"]), row["staff_id"], row["reason"]) == (
        after(-10),
        None,
        f"Authorization A-77 ends on {after(4)}",
    )


def test_the_days_are_a_parameter(opens, authorized):
    assert opens(RULE, authorize(authorized, "AU1", ends_on=after(15)), days_ahead=15) == ["AU1"]


@pytest.mark.parametrize(
    ("used", "subjects"), [(7, []), (8, ["AU1"]), (9, ["AU1"]), (10, []), (11, [])]
)
def test_opens_with_two_visits_left_or_one_but_not_with_none(opens, authorized, used, subjects):
    assert opens(RULE, authorize(authorized, "AU1", visit_limit=10, visits_used=used)) == subjects


@pytest.mark.parametrize(
    ("used", "says"),
    [
        (17, None),
        (18, "Authorization has 2 of 20 units left"),
        (19, "Authorization has 1 of 20 units left"),
        (20, None),
        (None, None),
    ],
)
def test_units_are_counted_by_the_emr_only_and_called_units(answers, authorized, used, says):
    authorize(authorized, "AU1", visit_limit=20, visits_used=used, limit_unit="units")
    rows = answers(RULE, visits(authorized, *(f"2026-10-{day}" for day in range(10, 29))))
    found = [(row["reason"], str(row["since"])) for row in rows.values()]
    assert found == ([(says, NO_DAY)] if says else [])


@pytest.mark.parametrize("unit", [None, "visits"])
def test_without_a_unit_visits_are_counted(answers, authorized, unit):
    authorize(authorized, "AU1", visit_limit=20, visits_used=18, limit_unit=unit)
    assert answers(RULE, authorized)["AU1"]["reason"] == "Authorization has 2 of 20 visits left"


@pytest.mark.parametrize(("booked", "ours", "limits"), [(2, ["AU1"], []), (3, [], ["AU1"])])
def test_more_visits_booked_than_units_left_are_too_many(opens, authorized, booked, ours, limits):
    authorize(authorized, "AU1", visit_limit=20, visits_used=18, limit_unit="units")
    visits(authorized, *(after(day) for day in range(booked)), status="Scheduled")
    assert (opens(RULE, authorized), opens("authorization_limit", authorized)) == (ours, limits)


@pytest.mark.parametrize("limit", [None, 0])
def test_a_limit_of_nothing_or_zero_is_not_tracked(opens, authorized, limit):
    authorize(authorized, "AU1", visit_limit=limit, visits_used=12)
    assert (opens(RULE, authorized), opens("authorization_limit", authorized)) == ([], [])


def test_without_a_count_from_the_vendor_completed_visits_within_its_dates_count(
    answers, authorized
):
    authorize(authorized, "AU1", visit_limit=4, ends_on=after(60))
    visits(authorized, "2026-09-30", "2026-10-01", "2026-10-08", "2026-10-15")
    visits(authorized, "2026-10-20", status="Cancelled")
    row = answers(RULE, authorized)["AU1"]
    assert (row["reason"], str(row["since"])) == (
        "Authorization has 1 of 4 visits left",
        "2026-10-08",
    )


def test_is_dated_by_the_visit_that_left_two(answers, authorized):
    authorize(authorized, "AU1", visit_limit=4)
    visits(authorized, "2026-10-06", "2026-10-13", "2026-10-20")
    assert str(answers(RULE, authorized)["AU1"]["since"]) == "2026-10-13"


def test_says_when_the_next_one_starts_and_which_visit_neither_covers(answers, authorized):
    authorize(authorized, "AU1", ends_on=after(5))
    authorize(authorized, "AU2", starts_on=after(10), ends_on=after(90), **LATER)
    assert answers(RULE, visits(authorized, after(7), status="Scheduled"))["AU1"]["reason"] == (
        f"Authorization ends on {after(5)}, the next one starts on {after(10)}; "
        f"no authorization covers the visit on {after(7)}"
    )


def test_visits_from_its_first_to_its_last_day_tell_the_day(answers, authorized):
    authorize(authorized, "AU1", visit_limit=3, starts_on="2026-10-06", ends_on=after(0))
    row = answers(RULE, visits(authorized, "2026-10-06", after(0)))["AU1"]
    assert str(row["since"]) == "2026-10-06"


def test_without_a_first_day_every_visit_tells_the_day(answers, authorized):
    authorize(authorized, "AU1", visit_limit=3, starts_on=None)
    assert str(answers(RULE, visits(authorized, "2026-10-06"))["AU1"]["since"]) == "2026-10-06"


@pytest.mark.parametrize(("days", "since"), [(0, after(0)), (1, None)])
def test_a_completed_visit_counts_from_its_day_on(answers, authorized, days, since):
    authorize(authorized, "AU1", visit_limit=3)
    rows = answers(RULE, visits(authorized, after(days)))
    assert [str(row["since"]) for row in rows.values()] == ([since] if since else [])


@pytest.mark.parametrize(
    ("used", "days", "since"),
    [
        (2, ["2026-10-06", "2026-10-13"], "2026-10-13"),
        (3, ["2026-10-06", "2026-10-13"], NO_DAY),
        (2, ["2026-10-06", "2026-10-13", "2026-10-20"], NO_DAY),
        (2, [], NO_DAY),
    ],
)
def test_no_visit_dates_a_count_that_the_visits_do_not_explain(
    answers, authorized, used, days, since
):
    """The EMR's count may have grown without visits; the run that saw it is the date."""
    authorize(authorized, "AU1", visit_limit=4, visits_used=used)
    row = answers(RULE, visits(authorized, *days))["AU1"]
    assert str(row["since"]) == since


def test_a_near_end_dates_the_task_though_the_count_has_no_day(answers, authorized):
    authorize(authorized, "AU1", visit_limit=10, visits_used=8, ends_on=after(4))
    assert str(answers(RULE, authorized)["AU1"]["since"]) == after(-10)


@pytest.mark.parametrize(
    ("authorization", "of_policy"),
    [
        ({"entered_at": "2026-11-01T10:00:00"}, {}),
        ({"starts_on": "2026-11-01"}, {}),
        ({}, {"starts_on": "2026-11-01"}),
        ({}, {"created_at": "2026-11-01T10:00:00"}),
    ],
)
@pytest.mark.parametrize("values", [{"ends_on": after(4)}, {"visit_limit": 3}])
def test_is_never_dated_before_the_newest_fact_it_depends_on(
    answers, authorized, authorization, of_policy, values
):
    authorize(authorized, "AU1", **{"starts_on": "2026-09-01", **authorization, **values})
    policy(authorized, "PO1", **of_policy)
    visits(authorized, "2026-10-06" if "starts_on" not in authorization else "2026-11-01")
    assert str(answers(RULE, authorized)["AU1"]["since"]) == "2026-11-01"


def test_both_causes_give_one_task_from_the_earlier_day(answers, authorized):
    authorize(authorized, "AU1", visit_limit=3, ends_on=after(4))
    row = answers(RULE, visits(authorized, after(-1)))["AU1"]
    assert (str(row["since"]), row["reason"]) == (
        after(-10),
        f"Authorization ends on {after(4)} and has 2 of 3 visits left",
    )
    row = answers(RULE, visits(authorized.remove("appointments", "V0"), after(-20)))["AU1"]
    assert str(row["since"]) == after(-20)


@pytest.mark.parametrize(("booked", "ours", "limits"), [(2, ["AU1"], []), (3, [], ["AU1"])])
def test_overbooked_visits_are_the_limit_s_task_and_never_both(
    opens, authorized, booked, ours, limits
):
    authorize(authorized, "AU1", visit_limit=10, visits_used=8)
    visits(authorized, *(after(day) for day in range(booked)), status="Scheduled")
    assert (opens(RULE, authorized), opens("authorization_limit", authorized)) == (ours, limits)


def test_a_stub_never_counts(opens, authorized):
    assert opens(RULE, authorize(authorized, "AU1", ends_on=after(3), is_stub="true")) == []


@pytest.mark.parametrize(("starts_on", "subjects"), [(after(0), ["AU1"]), (after(1), [])])
def test_one_that_has_not_started_is_not_active(opens, authorized, starts_on, subjects):
    assert (
        opens(RULE, authorize(authorized, "AU1", starts_on=starts_on, ends_on=after(5))) == subjects
    )


@pytest.mark.parametrize(
    ("newer", "subjects"),
    [
        ({**LATER, "ends_on": after(60)}, []),
        ({**LATER, "ends_on": None}, []),
        ({"starts_on": after(6), "ends_on": after(60)}, []),
        ({**LATER, "starts_on": after(30), "ends_on": after(60)}, []),
        ({**LATER, "ends_on": after(4)}, ["AU1", "AU2"]),
        ({**LATER, "ends_on": after(60), "is_stub": "true"}, ["AU1"]),
        ({**LATER, "ends_on": after(60), "policy_id": "PO2"}, ["AU1"]),
        ({**LATER, "ends_on": after(60), "case_id": "C-B"}, ["AU1"]),
        ({"entered_at": "2026-09-01T10:00:00", "ends_on": after(60)}, ["AU1"]),
    ],
)
def test_a_newer_real_one_of_policy_and_case_that_lasts_as_long_clears_it(
    opens, authorized, newer, subjects
):
    authorize(authorize(authorized.patient("B"), "AU1", ends_on=after(5)), "AU2", **newer)
    assert opens(RULE, authorized) == subjects


@pytest.mark.parametrize(
    ("starts_on", "subjects"), [("2026-10-01", ["AU1"]), ("2026-10-02", []), (None, [])]
)
def test_one_entered_before_is_newer_if_it_starts_later(opens, authorized, starts_on, subjects):
    """None: AU1 has no first day, so that any day is later."""
    authorize(authorized, "AU1", ends_on=after(5), starts_on=starts_on and "2026-10-01")
    earlier = {"starts_on": starts_on or "2026-09-01", "ends_on": after(60)}
    authorize(authorized, "AU2", entered_at="2026-09-01T10:00:00", **earlier)
    assert opens(RULE, authorized) == subjects


def test_of_two_with_the_same_end_the_one_entered_later_warns(opens, authorized):
    authorize(
        authorize(authorized, "AU1", ends_on=after(5), **LATER),
        "AU2",
        starts_on="2026-10-15",
        ends_on=after(5),
    )
    assert opens(RULE, authorized) == ["AU1"]


def test_of_two_entered_at_once_the_higher_id_warns(opens, authorized):
    authorize(authorize(authorized, "AU1", ends_on=after(5)), "AU2", ends_on=after(5))
    assert opens(RULE, authorized) == ["AU2"]


def test_one_without_end_and_one_with_never_silence_each_other(opens, authorized):
    authorize(
        authorize(authorized, "AU1", starts_on="2026-10-15", visit_limit=5, visits_used=4),
        "AU2",
        ends_on=after(5),
        visit_limit=5,
        visits_used=4,
        **LATER,
    )
    assert opens(RULE, authorized) == ["AU1"]


class TestAppointmentsFromADayOn:
    """AU1 began on 1 October, the appointments begin on the 20th."""

    @pytest.fixture
    def cut(self, authorized):
        authorized.since = {"appointments": "2026-10-20"}
        return visits(authorize(authorized, "AU1", visit_limit=3), "2026-10-20")

    def test_visits_that_cannot_be_counted_are_not_answered(self, opens, unseen, cut):
        assert (opens(RULE, cut), unseen(RULE, cut)) == ([], ["AU1"])
        assert unseen(RULE, authorize(cut, "AU1", visit_limit=None)) == []

    def test_its_end_is_answered_all_the_same(self, answers, cut):
        row = answers(RULE, authorize(cut, "AU1", ends_on=after(5)))["AU1"]
        assert row["reason"] == f"Authorization ends on {after(5)}"

    def test_what_the_emr_counts_is_answered(self, answers, unseen, cut):
        row = answers(RULE, authorize(cut, "AU1", visits_used=1))["AU1"]
        assert row["reason"] == "Authorization has 2 of 3 visits left"
        assert unseen(RULE, cut) == []

    @pytest.mark.parametrize(
        ("ends_on", "unanswered"), [("2026-10-18", ["AU1"]), ("2026-10-19", [])]
    )
    def test_a_gap_before_the_first_day_may_hide_a_visit(self, unseen, cut, ends_on, unanswered):
        authorize(cut.remove("appointments", "V0"), "AU1", ends_on=ends_on, visits_used=1)
        authorize(cut, "AU2", starts_on=after(3), ends_on=after(90), **LATER)
        assert unseen(RULE, cut) == unanswered

    def test_one_that_does_not_count_today_is_not_unanswered(self, unseen, cut):
        policy(cut, "PO1", authorization_required="false")
        assert unseen(RULE, cut) == []
