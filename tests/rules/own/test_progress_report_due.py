"""Progress Report Due: treatment days of a Medicare patient without a completed report."""

import pytest

from tests.rules.authorizations import policy
from tests.rules.conftest import after

RULE = "progress_report_due"


def treated(practice, days, last=0, kind="Medicare", **of_policy):
    """So many treatment days, one each day, the last of them so many days after today."""
    practice.add("payers", "PAY1", kind=kind)
    policy(practice.patient("A"), "PO1", **{"case_id": None, **of_policy})
    practice.add("cases", "C-A", therapist_id="S2")
    for number in range(days):
        day = after(last - days + 1 + number)
        practice.visit(f"V{number + 1}", "A", f"{day}T09:00:00")
    return practice


def report(practice, day, **values):
    return practice.document(
        "R",
        "A",
        **{
            "kind": "Progress Note",
            "status": "Completed",
            "started_at": f"{after(day)}T09:00:00",
            "completed_at": f"{after(day)}T18:00:00",
            "date_of_service": after(day),
            **values,
        },
    )


@pytest.mark.parametrize(
    ("days", "subjects"), [(8, []), (9, ["C-A"]), (10, ["C-A"]), (30, ["C-A"])]
)
def test_opens_before_the_tenth_treatment_day(opens, practice, days, subjects):
    assert opens(RULE, treated(practice, days)) == subjects


@pytest.mark.parametrize(("days", "subjects"), [(9, []), (10, ["C-A"])])
def test_the_practice_may_be_told_on_the_tenth_day(opens, practice, days, subjects):
    assert opens(RULE, treated(practice, days), visits_ahead=0) == subjects


@pytest.mark.parametrize(("last_report", "subjects"), [(-9, ["C-A"]), (-8, [])])
def test_days_are_counted_after_the_last_report(opens, practice, last_report, subjects):
    assert opens(RULE, report(treated(practice, 30), last_report)) == subjects


@pytest.mark.parametrize(
    ("values", "subjects"),
    [
        ({}, []),
        ({"kind": "re-evaluation"}, []),
        ({"kind": "Initial Evaluation", "has_plan_of_care": "true"}, []),
        ({"kind": "Daily Note"}, ["C-A"]),
        ({"status": "Draft"}, ["C-A"]),
        ({"status": "Review"}, ["C-A"]),
    ],
)
def test_only_a_completed_report_or_plan_counts(opens, practice, values, subjects):
    assert opens(RULE, report(treated(practice, 12), -1, **values)) == subjects


def test_the_day_of_the_evaluation_is_the_first_one(opens, practice):
    evaluation = {"kind": "Initial Evaluation", "has_plan_of_care": "true"}
    assert opens(RULE, report(treated(practice, 9), -8, **evaluation)) == ["C-A"]
    assert opens(RULE, report(practice, -7, **evaluation)) == []


@pytest.mark.parametrize("status", ["Scheduled", "Cancelled", "No Show"])
def test_a_visit_that_was_not_treated_does_not_count(opens, practice, status):
    treated(practice, 9).add("appointments", "V5", status=status)
    assert opens(RULE, practice) == []


def test_two_visits_of_a_day_count_once(opens, practice):
    treated(practice, 8).visit("V0", "A", f"{after(0)}T15:00:00")
    assert opens(RULE, practice) == []


@pytest.mark.parametrize(
    ("kind", "values", "subjects"),
    [
        ("Medicare", {}, ["C-A"]),
        ("Medicare", {"rank": "2"}, []),
        ("Medicare", {"ends_on": after(-1)}, []),
        ("Medicare", {"ends_on": after(0)}, ["C-A"]),
        ("Medicare", {"starts_on": after(1)}, []),
        ("Commercial", {}, []),
    ],
)
def test_asks_only_where_the_primary_payer_wants_it(opens, practice, kind, values, subjects):
    assert opens(RULE, treated(practice, 9, kind=kind, **values)) == subjects


def test_the_practice_names_other_payers(opens, practice):
    treated(practice, 9, kind="Tricare")
    assert opens(RULE, practice, payer_kinds="Medicare, Tricare") == ["C-A"]


@pytest.mark.parametrize(("day", "subjects"), [(0, []), (1, ["C-A"])])
def test_a_discharged_case_does_not_ask(opens, practice, day, subjects):
    treated(practice, 9).add("cases", "C-A", discharged_on=after(day))
    assert opens(RULE, practice) == subjects


def test_tells_the_day_and_asks_the_treating_therapist(answers, practice):
    row = answers(RULE, treated(practice, 9))["C-A"]
    says = f"Progress report due by treatment day 10 of the case; day 9 was {after(0)}"
    assert (row["reason"], str(row["since"]), row["staff_id"]) == (says, after(0), "S2")
    row = answers(RULE, report(treated(practice, 14), -12))["C-A"]
    assert row["reason"] == (
        f"Progress report due by treatment day 10 after the report of {after(-12)}; "
        f"that day was {after(-2)}"
    )
    assert str(row["since"]) == after(-3)


def test_the_completed_report_is_the_evidence(explains, practice):
    earlier = report(treated(practice, 9, last=-1), -1, status="Draft", completed_at=None)
    later = report(treated(type(practice)(), 9, last=-1), -1, completed_at=f"{after(0)}T08:00:00")
    row = explains(RULE, earlier, later)["C-A"]
    assert (row["is_work"], row["record_table"], row["record_id"]) == (True, "documents", "R")
    assert row["says"] == f"Progress Note completed on {after(0)}, document R"


def test_another_payer_is_no_work(explains, practice):
    earlier = report(treated(practice, 30, last=-1), -20)
    later = report(treated(type(practice)(), 30, last=-1, kind="Commercial"), -20)
    assert explains(RULE, earlier, later) == {}
