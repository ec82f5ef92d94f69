"""Draft Documents: dated by the day the document was started, not by the visit."""

import pytest

from tests.rules.conftest import TODAY, after

RULE = "draft_documents"


def draft(practice, started_on=TODAY, **values):
    return practice.patient("A").document("D1", "A", started_at=f"{started_on}T16:00:00", **values)


def test_is_dated_by_its_start_not_by_its_visit(answers, practice):
    row = answers(RULE, draft(practice, after(-1), date_of_service=after(-5)))["D1"]
    assert str(row["since"]) == after(-1)


@pytest.mark.parametrize(
    ("status", "subjects"), [("Draft", ["D1"]), ("Review", []), ("Completed", [])]
)
def test_completing_it_or_sending_it_for_review_resolves_it(opens, practice, status, subjects):
    assert opens(RULE, draft(practice, status=status)) == subjects


@pytest.mark.parametrize(("started_on", "subjects"), [(after(-2), ["D1"]), (after(-1), [])])
def test_a_draft_may_rest_the_grace_days(opens, practice, started_on, subjects):
    assert opens(RULE, draft(practice, started_on), grace_days=2) == subjects


@pytest.mark.parametrize(
    ("visit", "manual"),
    [
        ({"starts_at": f"{TODAY}T09:00:00"}, "override"),
        ({"starts_at": f"{TODAY}T09:00:00", "status": "Arrived"}, "override"),
        ({"starts_at": f"{TODAY}T09:00:00", "status": "No Show"}, "allowed"),
        ({"starts_at": f"{TODAY}T09:00:00", "status": "Scheduled"}, "allowed"),
        ({"starts_at": f"{after(-1)}T09:00:00"}, "allowed"),
    ],
)
def test_only_a_draft_of_a_day_without_treatment_may_be_dismissed(answers, practice, visit, manual):
    row = answers(RULE, draft(practice).visit("V1", "A", **visit))["D1"]
    assert row["manual"] == manual
    assert row["reason"] == f"Daily Note started on {TODAY} is a draft" + (
        "; no visit on that day" if manual == "allowed" else ""
    )


def test_two_visits_that_day_are_one_task(opens, practice):
    assert opens(
        RULE,
        draft(practice).visit("V1", "A", f"{TODAY}T09:00:00").visit("V2", "A", f"{TODAY}T11:00:00"),
    ) == ["D1"]


def test_a_new_draft_beside_the_completed_document_is_a_task_of_its_own(opens, practice):
    practice.patient("A").document("D0", "A", status="Completed")
    assert opens(RULE, draft(practice)) == ["D1"]


class TestOwner:
    """Who edited last; else who treated that day; else the case's therapist."""

    @pytest.fixture
    def owned(self, practice):
        for staff in ("editor", "visit", "day", "later", "case", "off"):
            practice.add("staff", staff)
        draft(
            practice, date_of_service=after(-1), appointment_id="V1", last_editor_id="editor"
        ).add("cases", "C-A", therapist_id="case")
        practice.visit("V1", "A", f"{after(-3)}T09:00:00", staff_id="visit")
        practice.visit("V0", "A", f"{after(-1)}T07:00:00", staff_id="off", status="Cancelled")
        practice.visit("V2", "A", f"{after(-1)}T12:00:00", staff_id="later")
        return practice.visit("V3", "A", f"{after(-1)}T09:00:00", staff_id="day")

    def owner(self, answers, practice):
        return answers(RULE, practice)["D1"]["staff_id"]

    def test_the_last_editor_comes_first(self, answers, owned):
        assert self.owner(answers, owned) == "editor"

    def test_then_who_is_on_its_visit(self, answers, owned):
        assert self.owner(answers, owned.add("documents", "D1", last_editor_id=None)) == "visit"

    def test_then_who_treated_first_on_its_day(self, answers, owned):
        assert (
            self.owner(
                answers, owned.add("documents", "D1", last_editor_id=None, appointment_id=None)
            )
            == "day"
        )

    def test_then_the_case_s_therapist(self, answers, owned):
        assert (
            self.owner(
                answers,
                owned.add(
                    "documents",
                    "D1",
                    last_editor_id=None,
                    appointment_id=None,
                    date_of_service=None,
                ),
            )
            == "case"
        )
