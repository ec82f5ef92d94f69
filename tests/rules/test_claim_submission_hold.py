"""Claim Submission Hold: any hold but those for authorization paperwork, until released."""

from copy import deepcopy

import pytest

from pipelines.rules import loading, overrides
from tests.rules.conftest import TODAY, noon

RULE = "claim_submission_hold"


@pytest.fixture
def held(practice):
    practice.patient("A").add("claims", "CL1", case_id="C-A", date_of_service="2026-10-01")
    return practice.add("claim_holds", "H1", claim_id="CL1", held_at="2026-10-05T08:00:00")


def test_a_hold_opens_with_its_reason(answers, held):
    row = answers(RULE, held)["H1"]
    assert (str(row["since"]), row["staff_id"]) == ("2026-10-05", None)
    assert row["reason"] == "Claim for the visit on 2026-10-01 held on 2026-10-05: Modifier missing"


def test_a_released_one_is_resolved(opens, held):
    assert opens(RULE, held.add("claim_holds", "H1", released_at="2026-10-06T08:00:00")) == []


@pytest.mark.parametrize("code", ["AUTH", "no_auth", "Authorization"])
def test_every_hold_is_of_one_rule_only(opens, held, code):
    held.add("claim_holds", "H1", reason_code=code)
    assert (opens(RULE, held), opens("authorization_required_documents", held)) == ([], ["H1"])


@pytest.mark.parametrize("rule_id", [RULE, "authorization_required_documents"])
@pytest.mark.parametrize("code", ["PA-12", "ELIG"])
def test_codes_set_in_one_rule_hold_for_both(desk, held, rule_id, code):
    """A hold asks for one task, even where settings name the codes in one rule only."""
    settings = {rule_id: {"code_contains": "pa-"}}
    applied = overrides.apply_settings(loading.load_rules(), settings, "settings.toml")
    desk.fill(
        held.add("claim_holds", "H1", reason_code=code), noon(TODAY), applied.authorization_codes
    )
    asks = [
        other
        for other in (RULE, "authorization_required_documents")
        if desk.ask(applied.rules[other], {})
    ]
    assert asks == ["authorization_required_documents" if code == "PA-12" else RULE]


def test_two_holds_of_one_claim_are_two_tasks(opens, held):
    assert opens(
        RULE,
        held.add(
            "claim_holds", "H2", claim_id="CL1", reason_code="ELIG", held_at="2026-10-06T08:00:00"
        ),
    ) == ["H1", "H2"]


def test_the_visit_s_facility_comes_before_the_case_s(answers, held):
    held.add("facilities", "F2").visit("V1", "A", "2026-10-01T09:00:00", facility_id="F2").add(
        "claims", "CL1", appointment_id="V1"
    )
    assert answers(RULE, held)["H1"]["facility_id"] == "F2"


@pytest.mark.parametrize(
    ("changed", "is_work", "happened_on", "says"),
    [
        ({"released_at": "2026-11-02T08:00:00"}, True, "2026-11-02", "hold released on 2026-11-02"),
        (
            {"reason_code": "NO_AUTH"},
            False,
            "None",
            "the hold has the code NO_AUTH, which is about authorization",
        ),
        (
            {"reason_code": "NO_AUTH", "released_at": "2026-11-02T08:00:00"},
            True,
            "2026-11-02",
            "hold released on 2026-11-02",
        ),
    ],
)
def test_says_why_it_left(explains, held, changed, is_work, happened_on, says):
    held.add("claim_holds", "H2", claim_id="CL1", held_at="2026-10-05T08:00:00")
    earlier = deepcopy(held)
    found = explains(RULE, earlier, held.add("claim_holds", "H1", **changed))
    assert list(found) == ["H1"]
    row = found["H1"]
    assert (row["is_work"], row["record_table"], row["record_id"], row["says"]) == (
        is_work,
        "claim_holds",
        "H1",
        says,
    )
    assert (str(row["happened_on"]), row["amount"]) == (happened_on, None)
