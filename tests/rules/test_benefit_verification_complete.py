"""Benefit Verification Complete: a policy was verified, and each verification is new."""

import pytest

RULE = "benefit_verification_complete"


def verified(practice, at, **values):
    return practice.patient("A").add(
        "policies", "PO1", patient_id="A", case_id="C-A", verified_at=at, **values
    )


def test_a_verified_policy_opens(answers, practice):
    row = answers(RULE, verified(practice, "2026-11-02T09:00:00", verified_by="Verification Team"))[
        "PO1"
    ]
    assert (str(row["since"]), row["case_id"], row["reason"]) == (
        "2026-11-02",
        "C-A",
        "Benefits verified on 2026-11-02 by Verification Team",
    )


def test_one_not_yet_verified_does_not(opens, practice):
    assert (
        opens(RULE, verified(practice, None, verification_requested_at="2026-11-01T09:00:00")) == []
    )


def test_a_verification_by_nobody_named_says_its_day_only(answers, practice):
    row = answers(RULE, verified(practice, "2026-11-02T09:00:00"))["PO1"]
    assert row["reason"] == "Benefits verified on 2026-11-02"


def test_verified_again_is_another_episode(answers, practice):
    first = answers(RULE, verified(practice, "2026-11-02T09:00:00"))["PO1"]["episode"]
    assert first != answers(RULE, verified(practice, "2026-11-02T09:30:00"))["PO1"]["episode"]


@pytest.mark.parametrize(
    ("verified_by", "subjects"),
    [
        ("S2", []),
        ("s2 ", []),
        ("Omar Reyes", []),
        ("omar reyes", []),
        ("Dana Whitfield", []),
        ("Reyes", ["PO1"]),
        ("Verification Team", ["PO1"]),
        (None, ["PO1"]),
    ],
)
def test_what_the_practice_s_own_staff_verified_needs_no_review(
    opens, practice, verified_by, subjects
):
    practice.add("staff", "S1", is_active="false")
    assert (
        opens(RULE, verified(practice, "2026-11-02T09:00:00", verified_by=verified_by)) == subjects
    )
