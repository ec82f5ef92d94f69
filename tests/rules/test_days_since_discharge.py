"""Days Since Discharge: an active engagement action, N days after the case's discharge."""

import pytest

from tests.rules.conftest import after

RULE = "days_since_discharge"


def discharged(practice, on, **action):
    practice.patient("A").add("cases", "C-A", discharged_on=on)
    return practice.add(
        "engagement_actions", "E1", case_id="C-A", **{"days_after_discharge": 30, **action}
    )


@pytest.mark.parametrize(("days", "subjects"), [(-29, []), (-30, ["E1"]), (-400, ["E1"])])
def test_opens_on_the_day_set(opens, practice, days, subjects):
    assert opens(RULE, discharged(practice, after(days))) == subjects


@pytest.mark.parametrize(("on", "subjects"), [(after(0), ["E1"]), (after(1), [])])
def test_zero_days_is_the_day_of_discharge(opens, practice, on, subjects):
    assert opens(RULE, discharged(practice, on, days_after_discharge=0)) == subjects


def test_an_action_switched_off_does_not(opens, practice):
    assert opens(RULE, discharged(practice, after(-40), is_active="false")) == []


def test_an_open_case_does_not(opens, practice):
    assert opens(RULE, discharged(practice, None)) == []


def test_each_action_of_a_case_asks_for_itself(answers, practice):
    rows = answers(
        RULE,
        discharged(practice, after(-60)).add(
            "engagement_actions", "E2", case_id="C-A", days_after_discharge=60
        ),
    )
    assert {subject: str(row["since"]) for subject, row in rows.items()} == {
        "E1": after(-30),
        "E2": after(0),
    }
    assert (
        rows["E2"]["reason"]
        == f"Days Since Discharge set for 60 days after the discharge on {after(-60)}"
    )
