"""Benefit Verification Required: asked for with a policy, not yet verified."""

import pytest

RULE = "benefit_verification_required"


@pytest.mark.parametrize(
    ("values", "subjects"),
    [
        ({}, []),
        ({"verification_requested_at": "2026-11-01T09:00:00"}, ["PO1"]),
        (
            {
                "verification_requested_at": "2026-11-01T09:00:00",
                "verified_at": "2026-11-02T09:00:00",
            },
            [],
        ),
        ({"verified_at": "2026-11-02T09:00:00"}, []),
    ],
)
def test_opens_when_requested_and_not_verified(opens, practice, values, subjects):
    assert (
        opens(
            RULE,
            practice.patient("A").add("policies", "PO1", patient_id="A", case_id="C-A", **values),
        )
        == subjects
    )


def test_a_policy_for_all_cases_has_no_case(answers, practice):
    practice.patient("A").add(
        "policies", "PO1", patient_id="A", verification_requested_at="2026-11-01T09:00:00"
    )
    row = answers(RULE, practice)["PO1"]
    assert (row["case_id"], row["facility_id"], row["staff_id"], str(row["since"])) == (
        None,
        "F1",
        None,
        "2026-11-01",
    )
    assert row["reason"] == "Verification of benefits requested on 2026-11-01"


def test_each_policy_asks_for_itself(opens, practice):
    practice.patient("A")
    for policy in ("PO1", "PO2"):
        practice.add(
            "policies", policy, patient_id="A", verification_requested_at="2026-11-01T09:00:00"
        )
    assert opens(RULE, practice) == ["PO1", "PO2"]
