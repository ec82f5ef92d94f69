"""Failed Fax: the newest fax of any document failed for good."""

import pytest

from tests.rules.conftest import after

RULE = "failed_fax"


@pytest.fixture
def failed(practice):
    practice.add("staff", "PT").patient("A").document(
        "D1", "A", last_editor_id="PT", status="Completed"
    )
    return practice.add(
        "faxes",
        "X1",
        document_id="D1",
        status="Failed",
        attempts=3,
        failed_at="2026-11-02T09:00:00",
    )


def test_opens_for_any_document(answers, failed):
    row = answers(RULE, failed)["D1"]
    assert (str(row["since"]), row["staff_id"], row["episode"]) == ("2026-11-02", "PT", "X1")
    assert row["reason"] == "Fax of the Daily Note failed on 2026-11-02, attempts: 3"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"recipient": "Dr. Lee", "number": "555-0100"}, " to Dr. Lee (555-0100)"),
        ({"recipient": "Dr. Lee"}, " to Dr. Lee"),
        ({"number": "555-0100"}, " to 555-0100"),
        ({"failed_at": None, "recipient": "Dr. Lee"}, " to Dr. Lee"),
    ],
)
def test_names_the_recipient_and_the_number(answers, failed, values, names):
    on = "" if "failed_at" in values else " on 2026-11-02"
    reason = answers(RULE, failed.add("faxes", "X1", **values))["D1"]["reason"]
    assert reason == f"Fax of the Daily Note{names} failed{on}, attempts: 3"


@pytest.mark.parametrize(
    ("resend", "subjects"),
    [
        ({"status": "Queued"}, []),
        ({"status": "Sent", "sent_at": "2026-11-03T09:00:00"}, []),
        ({"status": "Sent", "sent_at": "2026-11-01T09:00:00"}, ["D1"]),
        ({"status": "Failed", "failed_at": "2026-11-03T09:00:00"}, ["D1"]),
    ],
)
def test_only_the_newest_fax_counts(opens, failed, resend, subjects):
    assert opens(RULE, failed.add("faxes", "X2", document_id="D1", **resend)) == subjects


def test_a_second_failure_is_another_episode(answers, failed):
    assert (
        answers(
            RULE,
            failed.add(
                "faxes", "X2", document_id="D1", status="Failed", failed_at="2026-11-03T09:00:00"
            ),
        )["D1"]["episode"]
        == "X2"
    )


def test_without_a_time_nobody_knows_since_when(answers, failed):
    row = answers(RULE, failed.add("faxes", "X1", failed_at=None, sent_at=f"{after(-3)}T09:00:00"))
    assert (row["D1"]["since"], row["D1"]["reason"]) == (
        None,
        "Fax of the Daily Note failed, attempts: 3",
    )


def test_a_document_whose_faxes_may_be_from_before_the_data_is_not_answered(unseen, practice):
    practice.patient("A")
    for key, day in (("before", after(-3)), ("same", after(-2)), ("faxed", after(-3))):
        practice.document(key, "A", started_at=f"{day}T09:00:00")
    practice.add("faxes", "X1", document_id="faxed", status="Sent")
    assert unseen(RULE, practice) == []
    practice.since = {"faxes": after(-2)}
    assert unseen(RULE, practice) == ["before"]
