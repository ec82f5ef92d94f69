"""Unscheduled Patient: an open case and no live visit in the days ahead."""

from copy import deepcopy

import pytest

from tests.rules.conftest import RULES, after, noon

RULE = "unscheduled_patient"
UNKNOWN = "None"  # the run dates it by its own day


@pytest.mark.parametrize(("days", "subjects"), [(-1, ["A"]), (0, []), (30, []), (31, ["A"])])
def test_looks_from_today_to_the_last_day_of_the_horizon(opens, practice, days, subjects):
    practice.patient("A").visit("V1", "A", f"{after(days)}T09:00:00", status="Scheduled")
    assert opens(RULE, practice) == subjects


@pytest.mark.parametrize("status", ["Scheduled", "Confirmed", "Arrived", "In Progress"])
def test_live_visits_count(opens, practice, status):
    assert (
        opens(RULE, practice.patient("A").visit("V1", "A", f"{after(0)}T09:00:00", status=status))
        == []
    )


@pytest.mark.parametrize("status", ["Completed", "Cancelled", "No Show"])
def test_others_do_not(opens, practice, status):
    assert opens(
        RULE, practice.patient("A").visit("V1", "A", f"{after(0)}T09:00:00", status=status)
    ) == ["A"]


def test_a_visit_in_another_case_counts(opens, practice):
    practice.patient("A").add("cases", "C-A2", patient_id="A", opened_on="2026-10-01")
    assert opens(RULE, practice.visit("V1", "A", f"{after(3)}T09:00:00", status="Scheduled")) == []


def test_one_task_for_two_cases_on_the_one_opened_last(answers, practice):
    rows = answers(
        RULE, practice.patient("A").add("cases", "C-A2", patient_id="A", opened_on="2026-10-01")
    )
    assert [(row["subject_id"], row["case_id"], str(row["since"])) for row in rows.values()] == [
        ("A", "C-A2", "2026-11-01")
    ]


def test_the_first_of_two_open_cases_says_since_when(answers, practice):
    practice.patient("A").add("cases", "C-A2", patient_id="A", opened_on="2026-11-02")
    row = answers(RULE, practice)["A"]
    assert (row["case_id"], str(row["since"])) == ("C-A2", "2026-11-01")


def test_of_two_cases_of_a_day_the_one_entered_last_is_named(answers, practice):
    practice.add("patients", "A").add("cases", "9", patient_id="A").add(
        "cases", "10", patient_id="A"
    )
    assert answers(RULE, practice)["A"]["case_id"] == "10"


@pytest.mark.parametrize(
    ("case", "subjects"),
    [
        ({"opened_on": after(0)}, ["A"]),
        ({"opened_on": after(1)}, []),
        ({"discharged_on": after(0)}, []),
        ({"discharged_on": after(1)}, ["A"]),
    ],
)
def test_the_case_must_be_open_today(opens, practice, case, subjects):
    assert opens(RULE, practice.patient("A").add("cases", "C-A", **case)) == subjects


def test_is_dated_from_the_job_or_from_the_case_if_that_is_younger(answers, practice):
    practice.patient("old").patient("new").add("cases", "C-new", opened_on="2026-11-02")
    rows = answers(RULE, practice)
    assert {subject: str(row["since"]) for subject, row in rows.items()} == {
        "old": "2026-11-01",
        "new": "2026-11-02",
    }
    assert rows["old"]["reason"] == (
        "No visit scheduled in the next 30 days; no visit yet; case open since 2026-01-05"
    )


class TestSince:
    """The last visit, not before the job of the month; nobody knows the day of a cancellation."""

    ON = "2026-11-20"

    def since(self, answers, practice):
        return str(answers(RULE, practice, self.ON)["A"]["since"])

    @pytest.mark.parametrize(
        ("last", "since"),
        [
            ("2026-10-31", "2026-11-01"),
            ("2026-11-01", "2026-11-01"),
            ("2026-11-02", "2026-11-02"),
            ("2026-11-20", "2026-11-20"),
        ],
    )
    def test_is_the_last_visit_in_the_month(self, answers, practice, last, since):
        practice.patient("A").visit("V1", "A", f"{last}T09:00:00")
        practice.visit("V0", "A", "2026-09-01T09:00:00")
        assert self.since(answers, practice) == since

    @pytest.mark.parametrize("status", ["No Show", "Scheduled", "Arrived"])
    def test_until_its_day_a_visit_left_no_gap(self, answers, practice, status):
        practice.patient("A").visit("V1", "A", "2026-11-10T09:00:00", status=status)
        assert self.since(answers, practice) == "2026-11-10"

    @pytest.mark.parametrize(
        ("cancelled", "since"),
        [
            ("2026-11-05", "2026-11-06"),
            ("2026-11-06", "2026-11-06"),
            ("2026-11-07", UNKNOWN),
            ("2026-12-20", UNKNOWN),  # in 30 days
            ("2026-12-21", "2026-11-06"),  # it was too far away to fill the gap
        ],
    )
    def test_is_not_known_after_a_cancelled_visit(self, answers, practice, cancelled, since):
        practice.patient("A").visit("V1", "A", "2026-11-06T09:00:00")
        practice.visit("V2", "A", f"{cancelled}T09:00:00", status="Cancelled")
        assert self.since(answers, practice) == since

    def test_the_last_cancelled_visit_counts(self, answers, practice):
        practice.patient("A").visit("V1", "A", "2026-11-06T09:00:00")
        for day in ("2026-11-05", "2026-11-07"):
            practice.visit(f"V-{day}", "A", f"{day}T09:00:00", status="Cancelled")
        assert self.since(answers, practice) == UNKNOWN

    @pytest.mark.parametrize(
        ("cancelled", "since"),
        [("2026-10-31", "2026-11-01"), ("2026-11-01", "2026-11-01"), ("2026-11-02", UNKNOWN)],
    )
    def test_a_visit_cancelled_before_the_job_left_the_gap_before_it(
        self, answers, practice, cancelled, since
    ):
        practice.patient("A").visit("V1", "A", f"{cancelled}T09:00:00", status="Cancelled")
        assert self.since(answers, practice) == since

    @pytest.mark.parametrize(
        ("opened", "since"), [("2026-11-09", UNKNOWN), ("2026-11-10", "2026-11-10")]
    )
    def test_nor_does_one_cancelled_before_the_case_count(self, answers, practice, opened, since):
        practice.patient("A").add("cases", "C-A", opened_on=opened)
        practice.visit("V1", "A", "2026-11-10T09:00:00", status="Cancelled")
        assert self.since(answers, practice) == since


class TestReason:
    """What staff want to know before they call."""

    @pytest.mark.parametrize(
        ("visits", "says"),
        [
            ({"2026-10-20": "Completed"}, "last visit on 2026-10-20"),
            ({"2026-11-02": "Arrived"}, "last visit on 2026-11-02"),
            (
                {"2026-10-20": "Completed", "2026-10-21": "No Show", "2026-11-12": "Cancelled"},
                "last visit on 2026-10-20; no-show on 2026-10-21; visit of 2026-11-12 cancelled",
            ),
            (
                {"2026-10-20": "Completed", "2026-10-19": "No Show", "2026-10-18": "Cancelled"},
                "last visit on 2026-10-20",
            ),
            (
                {
                    "2026-10-20": "Completed",
                    "2026-10-20T11": "No Show",
                    "2026-10-20T12": "Cancelled",
                },
                "last visit on 2026-10-20",
            ),
            (
                {"2026-10-19": "Completed", "2026-10-20": "Completed"},
                "last visit on 2026-10-20",
            ),
            (
                {"2026-10-20": "No Show", "2026-10-21": "No Show"},
                "no visit yet; no-show on 2026-10-21",
            ),
            (
                {"2026-11-11": "Cancelled", "2026-11-12": "Cancelled"},
                "no visit yet; visit of 2026-11-12 cancelled",
            ),
            (
                {"2026-12-20": "Scheduled", "2026-12-21": "Scheduled"},
                "next on 2026-12-20; no visit yet",
            ),
            ({"2026-10-21": "No Show"}, "no visit yet; no-show on 2026-10-21"),
            ({"2026-11-12": "Cancelled"}, "no visit yet; visit of 2026-11-12 cancelled"),
            ({"2026-12-20": "Scheduled"}, "next on 2026-12-20; no visit yet"),
        ],
    )
    def test_names_the_visits_around_the_gap(self, answers, practice, visits, says):
        practice.patient("A")
        for day, status in visits.items():
            at = f"{day}:00:00" if "T" in day else f"{day}T09:00:00"
            practice.visit(f"V-{day}", "A", at, status=status)
        assert answers(RULE, practice)["A"]["reason"] == (
            f"No visit scheduled in the next 30 days; {says}; case open since 2026-01-05"
        )

    def test_stays_the_same_from_day_to_day(self, answers, practice):
        practice.patient("A").visit("V1", "A", "2026-10-20T09:00:00")
        practice.visit("V2", "A", "2026-12-25T09:00:00", status="Scheduled")
        reasons = {
            answers(RULE, practice, day)["A"]["reason"]
            for day in ("2026-11-03", "2026-11-04", "2026-11-24")
        }
        assert len(reasons) == 1

    def test_names_the_days_set(self, answers, practice):
        practice.patient("A").visit("V1", "A", "2026-11-12T09:00:00", status="Scheduled")
        reason = answers(RULE, practice, horizon_days=7)["A"]["reason"]
        assert reason.startswith("No visit scheduled in the next 7 days; next on 2026-11-12;")


def test_today_is_the_facility_s_own(opens, practice):
    # 02:00 UTC of 4 December is still 3 December in New York: the visit of the 3rd counts.
    practice.patient("A").visit("V1", "A", "2026-12-03T09:00:00", status="Scheduled")
    assert opens(RULE, practice, "2026-12-04T02:00:00+00:00") == []
    assert opens(RULE, practice, "2026-12-04T06:00:00+00:00") == ["A"]


class TestEvidence:
    """A booked visit is work; a case that is no longer open is a change."""

    @pytest.fixture
    def unscheduled(self, practice):
        return practice.patient("A").visit("V1", "A", "2026-10-20T09:00:00")

    @pytest.mark.parametrize("days", [0, 30])
    def test_names_the_first_visit_booked(self, explains, unscheduled, days):
        earlier = deepcopy(unscheduled)
        booked = {"status": "Scheduled", "created_at": f"{after(0)}T08:00:00"}
        unscheduled.visit("V10", "A", f"{after(days)}T09:00:00", **booked)
        unscheduled.visit("V9", "A", f"{after(days)}T09:00:00", **booked)
        unscheduled.visit("V8", "A", f"{after(days)}T09:05:00", **booked)
        row = explains(RULE, earlier, unscheduled)["A"]
        assert (row["is_work"], row["record_table"], row["record_id"], str(row["happened_on"])) == (
            True,
            "appointments",
            "V9",
            after(0),
        )
        assert row["says"] == f"visit booked for {after(days)}, appointment V9"

    @pytest.mark.parametrize(
        "before",
        [
            {"starts_at": f"{after(40)}T09:00:00"},  # moved to an earlier day
            {"status": "Cancelled"},  # booked again
            {"starts_at": f"{after(-1)}T09:00:00", "status": "No Show"},
        ],
    )
    def test_a_visit_moved_or_booked_again_is_work(self, explains, unscheduled, before):
        values = {"starts_at": f"{after(3)}T09:00:00", "status": "Scheduled"}
        unscheduled.visit("V2", "A", **{**values, **before})
        earlier = deepcopy(unscheduled)
        row = explains(RULE, earlier, unscheduled.add("appointments", "V2", **values))["A"]
        assert (row["is_work"], row["record_id"]) == (True, "V2")

    def test_a_visit_that_the_days_reach_is_named(self, explains, unscheduled):
        unscheduled.visit("V2", "A", f"{after(30)}T09:00:00", status="Scheduled")
        row = explains(RULE, unscheduled, unscheduled)["A"]
        assert row["says"] == f"visit booked for {after(30)}, appointment V2"

    def test_more_days_to_look_ahead_are_no_work(self, explains, unscheduled):
        unscheduled.visit("V2", "A", f"{after(60)}T09:00:00", status="Scheduled")
        found = explains(RULE, unscheduled, unscheduled, horizon_days=90)
        assert found == {}

    def test_a_case_that_opens_today_is_open(self, explains, unscheduled):
        """More days to look ahead take the task away; the end of the other case does not."""
        unscheduled.visit("V2", "A", f"{after(60)}T09:00:00", status="Scheduled")
        earlier = deepcopy(unscheduled)
        unscheduled.add("cases", "C-A", discharged_on=after(0))
        unscheduled.add("cases", "C-2", patient_id="A", opened_on=after(0))
        assert explains(RULE, earlier, unscheduled, horizon_days=90) == {}

    @pytest.mark.parametrize(
        ("case", "says"),
        [
            ({"opened_on": after(1)}, f"case C-A opens only on {after(1)}"),
            ({"discharged_on": after(0)}, f"case C-A was discharged on {after(0)}"),
            ({"patient_id": "B"}, "case C-A now belongs to another patient"),
        ],
    )
    def test_names_what_became_of_the_case(self, explains, unscheduled, case, says):
        unscheduled.patient("B").visit("V2", "B", f"{after(1)}T09:00:00", status="Scheduled")
        earlier = deepcopy(unscheduled)
        row = explains(RULE, earlier, unscheduled.add("cases", "C-A", **case))["A"]
        assert (row["is_work"], row["record_table"], row["record_id"], row["says"]) == (
            False,
            "cases",
            "C-A",
            says,
        )

    def test_a_case_that_is_gone_is_named(self, explains, unscheduled):
        earlier = deepcopy(unscheduled.remove("appointments", "V1"))
        row = explains(RULE, earlier, unscheduled.remove("cases", "C-A"))["A"]
        assert (row["is_work"], row["says"]) == (False, "case C-A is no longer in the extract")

    def test_a_booking_is_told_although_the_case_ended_too(self, explains, unscheduled):
        earlier = deepcopy(unscheduled.patient("B"))
        booked = {"status": "Scheduled", "created_at": f"{after(0)}T08:00:00"}
        unscheduled.visit("V2", "A", f"{after(3)}T09:00:00", **booked)
        for case in ("C-A", "C-B"):
            unscheduled.add("cases", case, discharged_on=after(0))
        found = explains(RULE, earlier, unscheduled)
        assert {subject: row["record_id"] for subject, row in found.items()} == {
            "A": "V2",
            "B": "C-B",
        }

    @pytest.mark.parametrize(
        ("created", "day", "is_told"),
        [
            ("2026-11-02T12:00:00", 3, True),
            ("2026-11-02T11:59:00", 3, False),
            ("2026-11-02T11:59:00", 29, False),
            ("2026-11-02T11:59:00", 30, True),
        ],
    )
    def test_a_booking_of_before_the_task_is_not_its_work(
        self, desk, unscheduled, created, day, is_told
    ):
        """The task opened at noon of the 2nd, when the days reached to the 29th from now."""
        unscheduled.visit(
            "V2", "A", f"{after(day)}T09:00:00", status="Scheduled", created_at=created
        )
        desk.fill(unscheduled, noon(after(-1)))
        desk.remember(RULES[RULE])
        desk.fill(unscheduled, noon(after(0)))
        left = [{"subject_id": "A", "case_id": "C-A", "patient_id": "A"}]
        assert bool(desk.explain(RULES[RULE], {}, left, noon(after(-1)))) is is_told

    @pytest.mark.parametrize(("day", "is_told"), [(-1, False), (-2, True)])
    def test_a_visit_of_the_run_before_s_own_day_was_booked_already(
        self, desk, unscheduled, day, is_told
    ):
        values = {"status": "Scheduled", "created_at": "2026-10-20T09:00:00"}
        unscheduled.visit("V2", "A", f"{after(day)}T09:00:00", **values)
        desk.fill(unscheduled, noon(after(-1)))
        desk.remember(RULES[RULE])
        unscheduled.add("appointments", "V2", starts_at=f"{after(3)}T09:00:00")
        desk.fill(unscheduled, noon(after(0)))
        left = [{"subject_id": "A", "case_id": "C-A", "patient_id": "A"}]
        assert bool(desk.explain(RULES[RULE], {}, left, noon(after(-1)))) is is_told
