"""Pending Signature: the newest fax of a plan of care went out."""

import pytest

from tests.rules.conftest import after

RULE = "pending_signature"


@pytest.fixture
def sent(practice):
    """A plan of care faxed yesterday."""
    practice.add("staff", "PT").patient("A")
    practice.document(
        "D1",
        "A",
        kind="Plan of Care",
        has_plan_of_care="true",
        status="Completed",
        completed_at=f"{after(-3)}T17:00:00",
        last_editor_id="PT",
    )
    return practice.add(
        "faxes", "X1", document_id="D1", status="Sent", sent_at=f"{after(-1)}T09:00:00"
    )


def test_opens_when_sent(answers, sent):
    row = answers(RULE, sent)["D1"]
    assert (str(row["since"]), row["staff_id"], row["episode"]) == (after(-1), "PT", "X1")
    assert row["reason"] == f"Plan of Care faxed on {after(-1)}, signature due by {after(29)}"


@pytest.mark.parametrize(
    ("days", "says"), [(-30, "signature due by"), (-31, "at risk: signature was due by")]
)
def test_is_marked_at_risk_after_thirty_days(answers, sent, days, says):
    assert (
        says
        in answers(RULE, sent.add("faxes", "X1", sent_at=f"{after(days)}T09:00:00"))["D1"]["reason"]
    )


def test_the_days_at_risk_are_a_parameter(answers, sent):
    assert after(13) in answers(RULE, sent, at_risk_days=14)["D1"]["reason"]


def test_a_fax_of_another_document_waits_for_no_signature(opens, sent):
    assert opens(RULE, sent.add("documents", "D1", has_plan_of_care="false")) == []


@pytest.mark.parametrize(
    ("newer", "subjects"),
    [
        ({"status": "Sent", "sent_at": f"{after(0)}T08:00:00"}, ["D1"]),
        ({"status": "Failed", "failed_at": f"{after(0)}T08:00:00"}, []),
        ({"status": "Queued"}, []),
        ({"status": "Failed", "failed_at": f"{after(-2)}T08:00:00"}, ["D1"]),
    ],
)
def test_two_faxes_count_as_one_the_newest(opens, sent, newer, subjects):
    assert opens(RULE, sent.add("faxes", "X0", document_id="D1", **newer)) == subjects


def test_a_resend_is_another_episode(answers, sent):
    assert (
        answers(
            RULE,
            sent.add(
                "faxes", "X2", document_id="D1", status="Sent", sent_at=f"{after(0)}T08:00:00"
            ),
        )["D1"]["episode"]
        == "X2"
    )
