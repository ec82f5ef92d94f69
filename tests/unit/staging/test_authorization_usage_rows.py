"""The staged rows of authorizations: what is used, left, booked and renewed."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.rules.authorizations import LATER, authorize, policy, visits
from tests.rules.conftest import TODAY, after


@pytest.fixture
def usage(staged):
    """usage(practice, key="AU1"): the staged row, its days as text."""

    def ask(practice, key="AU1"):
        (row,) = [
            row for row in staged("authorization_usage", practice) if row["authorization_id"] == key
        ]
        return {
            name: str(value) if isinstance(value, dt.date) else value for name, value in row.items()
        }

    return ask


@pytest.fixture
def ending(authorized):
    """AU1 from 1 October to the 5th day."""
    return authorize(authorized, "AU1", ends_on=after(5))


def test_the_row_of_an_authorization(usage, authorized):
    authorize(authorized, "AU1", ends_on=after(30), visit_limit=10)
    visits(authorized, "2026-09-30", "2026-10-01", TODAY, after(1), after(31))
    visits(authorized, after(-1), TODAY, after(30), after(32), after(33), status="Scheduled")
    visits(authorized, TODAY, after(34), status="Cancelled")
    # Those of another patient's case change nothing, nor do they share its rows.
    policy(authorized.patient("B"), "POB", patient_id="B", case_id="C-B")
    authorize(authorized, "AUB", policy_id="POB", case_id="C-B", visit_limit=3, starts_on=None)
    for day in (after(-2), after(2), after(40)):
        authorized.visit(f"B{day}", "B", f"{day}T09:00:00", status="Confirmed")
    assert usage(authorized) == {
        "authorization_id": "AU1",
        "patient_id": "A",
        "is_current": True,
        "is_renewed": False,
        "policy_state": "in force",
        "next_policy_id": None,
        "counts_from": "2026-10-01",
        "visits_used": 2,
        "visits_ahead": 2,
        "visits_left": 8,
        "has_all_visits": True,
        "is_counted": True,
        "uncovered_on": after(32),
        "next_starts_on": None,
        "gap_booked_on": None,
    }
    assert usage(authorized, "AUB") == {
        **usage(authorized),
        "authorization_id": "AUB",
        "patient_id": "B",
        "counts_from": "2026-09-25",
        "visits_used": 0,
        "visits_left": 3,
        "uncovered_on": None,
    }


@pytest.mark.parametrize(
    ("values", "used", "has_all"),
    [
        ({}, 1, True),
        ({"visits_used": 1}, 1, True),
        ({"visits_used": 0}, 0, False),
        ({"visits_used": 2}, 2, False),
        ({"limit_unit": "units"}, None, False),
        ({"limit_unit": "units", "visits_used": 1}, 1, False),
    ],
)
def test_a_number_of_the_emr_goes_before_our_own_count(usage, authorized, values, used, has_all):
    authorize(visits(authorized, "2026-10-05"), "AU1", visit_limit=4, **values)
    row = usage(authorized)
    assert (row["visits_used"], row["has_all_visits"]) == (used, has_all)
    assert row["visits_left"] == (None if used is None else 4 - used)


@pytest.mark.parametrize("values", [{"is_stub": "true"}, {"starts_on": after(1)}])
def test_a_placeholder_or_one_to_begin_is_not_current(usage, authorized, values):
    assert usage(authorize(authorized, "AU1", **values))["is_current"] is False


def test_without_its_facility_or_policy_it_keeps_its_row(usage, authorized):
    for table in ("policies", "facilities"):
        authorized.tables[table].clear()
    row = usage(authorized)
    assert (row["is_current"], row["is_renewed"]) == (False, False)


@pytest.mark.parametrize("used", [None, 0])
def test_without_a_visit_nothing_is_used_and_that_is_all(usage, authorized, used):
    row = usage(authorize(authorized, "AU1", visit_limit=4, visits_used=used))
    assert (row["visits_used"], row["has_all_visits"], row["visits_ahead"]) == (0, True, 0)
    assert row["visits_left"] == 4


@pytest.mark.parametrize("starts_on", [after(0), after(-1), None])
def test_one_that_begins_today_is_current(usage, authorized, starts_on):
    assert usage(authorize(authorized, "AU1", starts_on=starts_on))["is_current"] is True


def test_a_policy_without_its_facility_still_says_that_none_is_required(usage, authorized):
    policy(authorized, "PO1", authorization_required="false").tables["facilities"].clear()
    assert usage(authorized)["policy_state"] == "not required"


# Policies: PO1 of AU1 is the first of its rank.


@pytest.fixture
def insured(authorized):
    policy(authorized, "PO1", starts_on="2026-01-05", case_id=None)
    return authorized.remove("policies", "PO2")


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "replaced"),
        ({"ends_on": after(-1)}, "ended"),
        ({"ends_on": after(0)}, "replaced"),
        ({"authorization_required": "false", "ends_on": after(-1)}, "not required"),
    ],
)
def test_a_policy_that_is_not_required_or_ended_is_not_called_replaced(
    usage, insured, values, state
):
    policy(policy(insured, "PO1", **values), "NEXT", starts_on=after(-1))
    row = usage(insured)
    assert (row["policy_state"], row["next_policy_id"]) == (state, "NEXT")


@pytest.mark.parametrize(
    ("taken", "other"),
    [
        ({"starts_on": after(-3)}, {"starts_on": after(-2)}),
        ({"created_at": "2026-10-01T09:00"}, {"created_at": "2026-10-02T09:00"}),
        # One of the case goes before one of the patient.
        ({"case_id": "C-A", "starts_on": after(-1)}, {"starts_on": after(-2)}),
    ],
)
@pytest.mark.parametrize(("first", "second"), [("9", "10"), ("10", "9")])
def test_the_earliest_of_several_later_policies_replaced_it(
    usage, insured, taken, other, first, second
):
    for key, values in ((first, taken), (second, other)):
        policy(insured, key, **{"starts_on": after(-2), **values})
    assert usage(insured)["next_policy_id"] == first


def test_of_two_later_policies_of_one_moment_the_lower_number_replaced_it(usage, insured):
    for key in ("10", "9"):
        policy(insured, key, starts_on=after(-2))
    assert usage(insured)["next_policy_id"] == "9"


def test_a_policy_of_each_case_replaces_that_of_the_patient_there_only(usage, insured):
    insured.add("cases", "C-2", patient_id="A").add("cases", "C-3", patient_id="A")
    for number in ("2", "3"):
        policy(insured, f"NEXT{number}", case_id=f"C-{number}", starts_on=after(-2))
        authorize(insured, f"AU{number}", case_id=f"C-{number}")
    rows = [usage(insured, key) for key in ("AU1", "AU2", "AU3")]
    assert [row["next_policy_id"] for row in rows] == [None, "NEXT2", "NEXT3"]
    assert [row["policy_state"] for row in rows] == ["in force", "replaced", "replaced"]


# Renewals of AU1.


@pytest.mark.parametrize(
    ("values", "newer", "is_renewed"),
    [
        ({}, {"ends_on": None}, True),
        ({}, {"ends_on": after(0)}, True),
        ({}, {"ends_on": after(-1)}, False),
        ({"starts_on": None}, {"ends_on": after(9)}, True),
        ({}, {"ends_on": after(9), "starts_on": None}, True),
        ({}, {"ends_on": after(9), "starts_on": "2026-09-30"}, False),
        ({}, {"ends_on": None, "starts_on": "2026-09-30"}, True),
        ({"ends_on": after(9)}, {"ends_on": after(9), "starts_on": "2026-09-30"}, True),
        ({"ends_on": after(9)}, {"ends_on": after(8)}, False),
    ],
)
def test_one_entered_later_takes_over_unless_an_older_one_has_no_end(
    usage, authorized, values, newer, is_renewed
):
    authorize(authorize(authorized, "AU1", **values), "AU2", **{**LATER, **newer})
    row = usage(authorized)
    assert (row["is_renewed"], row["is_current"]) == (is_renewed, not is_renewed)


def test_one_that_has_begun_replaces_it_though_another_is_to_begin(usage, ending):
    authorize(ending, "AU2", ends_on=after(90), **LATER)
    authorize(ending, "AU3", starts_on=after(10), ends_on=after(90), **LATER)
    visits(ending, after(7), status="Scheduled")
    row = usage(ending)
    assert (row["is_renewed"], row["is_current"]) == (True, False)


@pytest.mark.parametrize(
    ("day", "created_on", "gap_booked_on"),
    [
        (7, "2026-10-25", "2026-10-25"),
        (15, "2026-10-25", "2026-10-25"),
        (15, "2026-10-20", None),
        (15, "2026-10-21", "2026-10-21"),
    ],
)
def test_a_visit_before_any_of_several_renewals_is_a_gap(
    usage, ending, day, created_on, gap_booked_on
):
    authorize(ending, "AU2", starts_on=after(10), ends_on=after(12), entered_at="2026-10-20")
    authorize(ending, "AU3", starts_on=after(20), ends_on=after(90), **LATER)
    visits(ending, after(day), status="Scheduled", created_at=f"{created_on}T09:00:00")
    visits(ending, after(11), after(25), status="Scheduled", created_at="2026-10-02T09:00:00")
    row = usage(ending)
    assert (row["is_renewed"], row["next_starts_on"]) == (False, after(10))
    assert (row["uncovered_on"], row["gap_booked_on"]) == (after(day), gap_booked_on)


@pytest.mark.parametrize(
    ("created_on", "gap_booked_on"),
    [(("2026-11-02", "2026-11-03"), "2026-11-02"), (("2026-10-31", "2026-11-03"), None)],
)
def test_the_gap_is_as_old_as_its_first_booking(usage, ending, created_on, gap_booked_on):
    authorize(ending, "AU2", starts_on=after(10), ends_on=after(90), **LATER)
    for day, booked_on in zip((7, 8), created_on, strict=True):
        visits(ending, after(day), status="Scheduled", created_at=f"{booked_on}T09:00:00")
    # A visit after the renewals' end is no gap before them.
    visits(ending, after(95), status="Scheduled", created_at="2026-10-02T09:00:00")
    row = usage(ending)
    assert (row["is_renewed"], row["gap_booked_on"]) == (False, gap_booked_on)


def test_a_visit_after_the_renewals_end_is_uncovered_and_no_gap(usage, ending):
    authorize(ending, "AU2", starts_on=after(10), ends_on=after(90), **LATER)
    row = usage(visits(ending, after(10), after(90), after(91), status="Scheduled"))
    assert (row["is_renewed"], row["uncovered_on"]) == (True, after(91))


@pytest.mark.parametrize(
    ("booked", "happened", "uncovered_on"),
    [([8, 7], [], 7), ([8], [6], 8), ([], [7, 6], 6), ([5], [4], None)],
)
def test_the_first_booked_visit_that_nothing_covers_goes_before_one_that_happened(
    usage, ending, booked, happened, uncovered_on
):
    visits(ending, *(after(day) for day in booked), status="Scheduled")
    row = usage(visits(ending, *(after(day) for day in happened)))
    assert row["uncovered_on"] == (uncovered_on and after(uncovered_on))


@pytest.mark.parametrize(
    ("cover", "uncovered_on"),
    [
        ({"starts_on": after(7), "ends_on": after(7)}, None),
        ({"starts_on": None, "ends_on": None, "entered_at": "2026-09-01"}, None),
        ({"starts_on": after(8), "ends_on": None}, after(7)),
        ({"starts_on": after(7), "ends_on": None, "policy_id": "PO2"}, after(7)),
        ({"starts_on": after(7), "ends_on": None, "case_id": "C-2"}, after(7)),
    ],
)
def test_another_one_of_policy_and_case_covers_a_visit_on_its_days(
    usage, ending, cover, uncovered_on
):
    ending.add("cases", "C-2", patient_id="A")
    authorize(visits(ending, after(7), status="Scheduled"), "AU2", **cover)
    assert usage(ending)["uncovered_on"] == uncovered_on


class TestAppointmentsFromADayOn:
    """Visits from before the first day of the appointments count, and nobody knows how many."""

    @pytest.mark.parametrize(
        ("starts_on", "counted"),
        [("2026-10-01", (1, 2, True)), ("2026-09-30", (None, None, False)), (None,) * 2],
        ids=["from the first day", "from the day before", "without a start"],
    )
    def test_an_authorization_that_began_earlier_is_not_counted(
        self, usage, authorized, starts_on, counted
    ):
        authorized.since = {"appointments": "2026-10-01"}
        authorize(authorized, "AU1", starts_on=starts_on, visit_limit=3)
        row = usage(visits(authorized, "2026-10-05"))
        wanted = counted or (None, None, False)
        assert (row["visits_used"], row["visits_left"], row["is_counted"]) == wanted
        assert row["has_all_visits"] == row["is_counted"]

    @pytest.mark.parametrize(
        ("given", "used"), [({"visits_used": 2}, 2), ({"limit_unit": "units"}, None)]
    )
    def test_what_the_emr_counts_is_known(self, usage, authorized, given, used):
        authorized.since = {"appointments": "2026-11-01"}
        row = usage(authorize(authorized, "AU1", visit_limit=3, **given))
        assert (row["visits_used"], row["is_counted"], row["has_all_visits"]) == (used, True, False)
