"""Draft Documents: dated by the day the document was started, not by the visit."""

from copy import deepcopy

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


SEEN, BOOKED, NONE = "seen", "not checked in", "no visit"
DAY = f"Tuesday, {TODAY} (by the day it was started)"
SAYS = {
    SEEN: f" for the visit of {DAY}",
    BOOKED: f" for the visit of {DAY}; visit not checked in",
    NONE: f"; no visit on {DAY}",
}


@pytest.mark.parametrize(
    ("visit", "manual", "found"),
    [
        ({}, "override", SEEN),
        ({"status": "Arrived"}, "override", SEEN),
        ({"status": "In Progress"}, "override", SEEN),
        ({"status": "Scheduled"}, "allowed", BOOKED),
        ({"status": "Confirmed"}, "allowed", BOOKED),
        ({"status": "No Show"}, "allowed", NONE),
        ({"status": "Cancelled"}, "allowed", NONE),
        ({"starts_at": f"{after(-1)}T09:00:00"}, "allowed", NONE),
        ({"starts_at": f"{after(1)}T09:00:00", "status": "Scheduled"}, "allowed", NONE),
    ],
)
def test_only_a_draft_of_a_day_without_treatment_may_be_dismissed(
    answers, practice, visit, manual, found
):
    visit = {"starts_at": f"{TODAY}T09:00:00", **visit}
    row = answers(RULE, draft(practice).visit("V1", "A", **visit))["D1"]
    assert row["manual"] == manual
    assert row["reason"] == f"Daily Note started on {TODAY} is a draft{SAYS[found]}"


def test_a_visit_checked_in_days_ago_and_never_closed_was_a_treatment(answers, practice):
    draft(practice, after(-4)).visit("V1", "A", f"{after(-4)}T09:00:00", status="Arrived")
    row = answers(RULE, practice)["D1"]
    assert (row["manual"], "visit not checked in" in row["reason"]) == ("override", False)


@pytest.mark.parametrize(
    ("other", "manual"),
    [
        ({"status": "Completed"}, "override"),
        ({"status": "Completed", "starts_at": f"{after(1)}T11:00:00"}, "allowed"),
        ({"status": "Cancelled"}, "allowed"),
    ],
)
def test_a_treatment_at_another_hour_or_in_another_case_of_that_day_counts(
    answers, practice, other, manual
):
    draft(practice, appointment_id="V1")
    practice.visit("V1", "A", f"{TODAY}T09:00:00", status="No Show")
    practice.add("cases", "C-A2", patient_id="A")
    practice.visit("V2", "A", **{"starts_at": f"{TODAY}T11:00:00", **other})
    assert answers(RULE, practice)["D1"]["manual"] == manual
    practice.add("appointments", "V2", case_id="C-A2")
    assert answers(RULE, practice)["D1"]["manual"] == manual


def test_a_cancelled_visit_beside_one_not_checked_in_hides_nothing(answers, practice):
    draft(practice).visit("V1", "A", f"{TODAY}T09:00:00", status="Scheduled")
    practice.visit("V2", "A", f"{TODAY}T11:00:00", status="Cancelled")
    assert answers(RULE, practice)["D1"]["reason"].endswith("; visit not checked in")


def test_a_treatment_of_another_patient_that_day_does_not(answers, practice):
    draft(practice).patient("B").visit("V1", "B", f"{TODAY}T09:00:00")
    assert answers(RULE, practice)["D1"]["manual"] == "allowed"


class TestVisit:
    """The appointment it names; else its date of service; else the day it was started."""

    @pytest.fixture
    def dated(self, practice):
        """Started today, of service yesterday, for the appointment of three days ago."""
        draft(practice, date_of_service=after(-1), appointment_id="V3")
        for days in (-3, -1, 0):
            practice.visit(f"V{-days}", "A", f"{after(days)}T09:00:00")
        return practice

    @pytest.mark.parametrize(
        ("less", "says"),
        [
            ((), f"Saturday, {after(-3)} (by its appointment)"),
            (("appointment_id",), f"Monday, {after(-1)} (by its date of service)"),
            (
                ("appointment_id", "date_of_service"),
                f"Tuesday, {TODAY} (by the day it was started)",
            ),
        ],
    )
    def test_the_reason_names_it_and_says_what_it_goes_by(self, answers, dated, less, says):
        row = answers(RULE, dated.add("documents", "D1", **dict.fromkeys(less)))["D1"]
        assert row["reason"] == f"Daily Note started on {TODAY} is a draft for the visit of {says}"
        assert (row["manual"], str(row["since"])) == ("override", TODAY)

    @pytest.mark.parametrize(
        ("less", "treated"),
        [((), "V3"), (("appointment_id",), "V1"), (("appointment_id", "date_of_service"), "V0")],
    )
    def test_no_other_day_decides(self, answers, dated, less, treated):
        dated.add("documents", "D1", **dict.fromkeys(less))
        dated.add("appointments", treated, status="Scheduled")
        row = answers(RULE, dated)["D1"]
        assert (row["manual"], "visit not checked in" in row["reason"]) == ("allowed", True)

    @pytest.mark.parametrize(
        ("days", "weekday"),
        [
            (-8, "Monday"),
            (-7, "Tuesday"),
            (-6, "Wednesday"),
            (-5, "Thursday"),
            (-4, "Friday"),
            (-3, "Saturday"),
            (-2, "Sunday"),
            (-1, "Monday"),
        ],
    )
    def test_the_day_has_its_name(self, answers, practice, days, weekday):
        row = answers(RULE, draft(practice, date_of_service=after(days)))["D1"]
        assert f"no visit on {weekday}, {after(days)} (" in row["reason"]

    def test_an_appointment_moved_to_another_day_takes_the_draft_along(self, answers, dated):
        dated.add("appointments", "V3", starts_at=f"{after(4)}T09:00:00", status="Scheduled")
        row = answers(RULE, dated)["D1"]
        assert f"for the visit of Saturday, {after(4)} (by its app" in row["reason"]
        assert row["manual"] == "allowed"


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


class TestEvidence:
    """Completed or sent for review is work; a later start is a change."""

    @pytest.mark.parametrize(
        ("values", "is_work", "happened_on", "says"),
        [
            (
                {"status": "Completed", "completed_at": f"{TODAY}T08:00:00"},
                True,
                TODAY,
                f"Daily Note completed on {TODAY}",
            ),
            ({"status": "Completed"}, True, "None", "Daily Note completed"),
            (
                {"status": "Review", "submitted_for_review_at": f"{TODAY}T08:00:00"},
                True,
                TODAY,
                f"Daily Note sent for review on {TODAY}",
            ),
            ({"status": "Review"}, True, "None", "Daily Note sent for review"),
            (
                {"started_at": f"{after(1)}T16:00:00"},
                False,
                "None",
                f"Daily Note: its start changed from {after(-3)} to {after(1)}",
            ),
        ],
    )
    def test_names_what_became_of_the_draft(
        self, explains, practice, values, is_work, happened_on, says
    ):
        earlier = deepcopy(draft(practice, after(-3)))
        row = explains(RULE, earlier, practice.add("documents", "D1", **values))["D1"]
        assert (row["is_work"], str(row["happened_on"]), row["says"]) == (
            is_work,
            happened_on,
            says,
        )
        assert (row["record_table"], row["record_id"]) == ("documents", "D1")

    def test_leaves_more_days_of_grace_to_the_engine(self, explains, practice):
        draft(practice, after(-3))
        assert explains(RULE, practice, practice, grace_days=9) == {}


@pytest.mark.parametrize(
    ("since", "says", "manual"),
    [
        (TODAY, SAYS[NONE], "allowed"),
        (after(1), f" of {DAY}, from before the visits in the data", "override"),
    ],
)
def test_a_visit_before_the_data_is_not_said_to_be_missing(answers, practice, since, says, manual):
    practice.since = {"appointments": since}
    row = answers(RULE, draft(practice))["D1"]
    assert row["reason"] == f"Daily Note started on {TODAY} is a draft{says}"
    assert row["manual"] == manual


@pytest.mark.parametrize(("status", "says"), [("Completed", SEEN), ("Scheduled", BOOKED)])
def test_a_visit_before_the_data_that_was_delivered_is_said(answers, practice, status, says):
    practice.since = {"appointments": after(1)}
    draft(practice).visit("V1", "A", f"{TODAY}T09:00:00", status=status)
    assert answers(RULE, practice)["D1"]["reason"].endswith(SAYS[says])


def test_a_cancelled_visit_before_the_data_is_no_visit(answers, practice):
    practice.since = {"appointments": after(1)}
    draft(practice).visit("V1", "A", f"{TODAY}T09:00:00", status="Cancelled")
    row = answers(RULE, practice)["D1"]
    assert (row["reason"].endswith(SAYS[NONE]), row["manual"]) == (True, "allowed")
