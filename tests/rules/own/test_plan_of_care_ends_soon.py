"""Plan of Care Ends Soon: the newest completed plan of an open case, days before its end."""

import pytest

from tests.rules.conftest import after

RULE = "plan_of_care_ends_soon"


def plan(practice, key, day, **values):
    return practice.document(
        key,
        "A",
        **{
            "kind": "Initial Evaluation",
            "has_plan_of_care": "true",
            "status": "Completed",
            "started_at": f"{after(day)}T09:00:00",
            "completed_at": f"{after(day)}T18:00:00",
            "date_of_service": after(day),
            **values,
        },
    )


def treated(practice, day=-76, **values):
    practice.patient("A").add("cases", "C-A", therapist_id="S2")
    practice.visit("V", "A", f"{after(day)}T09:00:00")
    return plan(practice, "D", day, **values)


@pytest.mark.parametrize(("day", "subjects"), [(-75, []), (-76, ["D"]), (-90, ["D"]), (-91, ["D"])])
def test_opens_days_before_the_end_and_stays_after_it(opens, practice, day, subjects):
    assert opens(RULE, treated(practice, day)) == subjects


@pytest.mark.parametrize(
    ("params", "subjects"),
    [({"days_ahead": 13}, []), ({"plan_days": 91}, []), ({"plan_days": 60}, ["D"])],
)
def test_the_practice_says_how_long_plans_last(opens, practice, params, subjects):
    assert opens(RULE, treated(practice), **params) == subjects


def test_the_time_begins_with_the_first_treated_visit(opens, practice):
    plan(practice.patient("A"), "D", -90).visit("V", "A", f"{after(-75)}T09:00:00")
    assert opens(RULE, practice) == []
    assert opens(RULE, practice, on=after(1)) == ["D"]


@pytest.mark.parametrize("values", [{"status": "Review"}, {"has_plan_of_care": "false"}])
def test_only_completed_plans_count(opens, practice, values):
    assert opens(RULE, treated(practice, **values)) == []


def test_a_draft_of_the_next_plan_changes_nothing_and_the_completed_one_ends_it(opens, practice):
    assert opens(RULE, plan(treated(practice), "D2", -1, status="Draft")) == ["D"]
    assert opens(RULE, plan(practice, "D2", -1, status="Completed")) == []
    assert opens(RULE, practice, on=after(80)) == ["D2"]


@pytest.mark.parametrize(("day", "subjects"), [(0, []), (1, ["D"])])
def test_a_discharged_case_does_not_ask(opens, practice, day, subjects):
    treated(practice).add("cases", "C-A", discharged_on=after(day))
    assert opens(RULE, practice) == subjects


def test_tells_the_end_and_asks_the_treating_therapist(answers, practice):
    row = answers(RULE, treated(practice, -80))["D"]
    says = f"Plan of care (Initial Evaluation) treated since {after(-80)} ends on {after(10)}"
    assert (row["reason"], str(row["since"]), row["staff_id"]) == (says, after(-4), "S2")


def test_a_plan_completed_late_waits_since_then(answers, practice):
    row = answers(RULE, treated(practice, -80, completed_at=f"{after(-1)}T09:00:00"))["D"]
    assert str(row["since"]) == after(-1)


def test_a_newer_completed_plan_is_the_evidence(explains, practice):
    later = plan(treated(type(practice)()), "D2", 0, kind="Progress Note")
    row = explains(RULE, treated(practice), later, days=(after(0), after(0)))["D"]
    assert (row["is_work"], row["record_id"], str(row["happened_on"])) == (True, "D2", after(0))
    assert row["says"] == f"new plan of care (Progress Note) completed on {after(0)}, document D2"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"status": "Draft"}, "the plan of care is open again"),
        ({"has_plan_of_care": "false"}, "the document is no longer a plan of care"),
    ],
)
def test_a_plan_that_is_none_any_more_is_no_work(explains, practice, values, says):
    later = treated(type(practice)(), **values)
    row = explains(RULE, treated(practice), later, days=(after(0), after(0)))["D"]
    assert (row["is_work"], row["says"]) == (False, says)


def test_longer_plans_are_no_work(explains, practice):
    later = plan(treated(type(practice)()), "D0", -100)
    earlier = plan(treated(practice), "D0", -100)
    assert explains(RULE, earlier, later, days=(after(0), after(0)), plan_days=120) == {}
