"""Review Documents: in review, of the reviewer or of nobody yet."""

import pytest

RULE = "review_documents"


@pytest.fixture
def in_review(practice):
    practice.patient("A")
    return practice.document(
        "D1",
        "A",
        status="Review",
        last_editor_id="S1",
        reviewer_id="S2",
        submitted_for_review_at="2026-11-01T17:00:00",
    )


def test_belongs_to_the_reviewer(answers, in_review):
    row = answers(RULE, in_review)["D1"]
    assert (row["staff_id"], str(row["since"]), row["reason"]) == (
        "S2",
        "2026-11-01",
        "Daily Note sent for review on 2026-11-01",
    )


@pytest.mark.parametrize("status", ["Draft", "Completed"])
def test_only_in_review(opens, in_review, status):
    assert opens(RULE, in_review.add("documents", "D1", status=status)) == []


def test_without_a_reviewer_it_belongs_to_nobody(answers, in_review):
    row = answers(RULE, in_review.add("documents", "D1", reviewer_id=None))["D1"]
    assert row["staff_id"] is None
    assert row["reason"] == "Daily Note sent for review on 2026-11-01; no reviewer chosen"


def test_without_a_time_nobody_knows_since_when(answers, in_review):
    row = answers(RULE, in_review.add("documents", "D1", submitted_for_review_at=None))["D1"]
    assert (row["since"], row["reason"]) == (None, "Daily Note sent for review")


def test_sent_again_is_another_episode(answers, in_review):
    first = answers(RULE, in_review)["D1"]["episode"]
    assert (
        first
        != answers(
            RULE, in_review.add("documents", "D1", submitted_for_review_at="2026-11-03T08:00:00")
        )["D1"]["episode"]
    )
