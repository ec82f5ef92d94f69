"""Faxing Required: a completed plan of care that is neither sent nor finally failed."""

import pytest

RULE = "faxing_required"


@pytest.fixture
def evaluated(practice):
    """An evaluation with a plan of care, completed on 1 November."""
    practice.add("staff", "PT").patient("A").add("cases", "C-A", therapist_id="PT")
    return practice.document(
        "D1",
        "A",
        kind="Initial Evaluation",
        has_plan_of_care="true",
        status="Completed",
        completed_at="2026-11-01T17:00:00",
    )


def test_opens_when_completed(answers, evaluated):
    row = answers(RULE, evaluated)["D1"]
    assert (str(row["since"]), row["staff_id"], row["reason"]) == (
        "2026-11-01",
        "PT",
        "Initial Evaluation completed on 2026-11-01 and not faxed",
    )


@pytest.mark.parametrize(
    "values", [{"has_plan_of_care": "false"}, {"status": "Draft"}, {"status": "Review"}]
)
def test_only_a_completed_plan_of_care(opens, evaluated, values):
    assert opens(RULE, evaluated.add("documents", "D1", **values)) == []


@pytest.mark.parametrize(
    ("fax", "subjects"),
    [
        ({"status": "Queued"}, ["D1"]),
        ({"status": "Sent", "sent_at": "2026-11-02T09:00:00"}, []),
        ({"status": "Failed", "failed_at": "2026-11-02T09:00:00"}, []),
    ],
)
def test_a_fax_on_its_way_is_not_yet_one_sent(opens, evaluated, fax, subjects):
    assert opens(RULE, evaluated.add("faxes", "X1", document_id="D1", **fax)) == subjects


def test_each_document_is_in_one_link_of_the_chain(opens, evaluated):
    faxes = {"none": None, "queued": "Queued", "sent": "Sent", "failed": "Failed"}
    for name, status in faxes.items():
        evaluated.document(
            name,
            "A",
            has_plan_of_care="true",
            status="Completed",
            completed_at="2026-11-01T17:00:00",
        )
        if status:
            evaluated.add("faxes", f"X-{name}", document_id=name, status=status)
    evaluated.remove("documents", "D1")
    assert opens(RULE, evaluated) == ["none", "queued"]
    assert opens("pending_signature", evaluated) == ["sent"]
    assert opens("failed_fax", evaluated) == ["failed"]


def test_a_document_without_its_time_of_completion_still_has_a_date(answers, evaluated):
    evaluated.add("documents", "D1", completed_at=None, date_of_service="2026-10-30")
    assert str(answers(RULE, evaluated)["D1"]["since"]) == "2026-10-30"
