"""The `act` command: deferral to the second, who was first, acting during a run."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from pipelines import settings
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist
from tests.conftest import Workbench
from tests.practice import Practice

SECOND = 1 / 86_400


@pytest.fixture
def task(workbench: Workbench, practice: Practice) -> dict:
    """An open Uncollected Payments task after the run of day 1."""
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.once(lambda: workbench.run(practice, 1))
    return workbench.one(1, "uncollected_payments", "V1")


def status(workbench: Workbench, day: float) -> str:
    return workbench.one(day, "uncollected_payments", "V1")["status"]


class TestDeferral:
    def test_it_hides_until_the_very_second_it_returns(
        self, workbench: Workbench, task: dict
    ) -> None:
        assert workbench.act("defer", task, 2, "--for", "3d")[0] == 0
        assert status(workbench, 2 - SECOND) == "pending"
        assert status(workbench, 2) == "deferred"
        assert status(workbench, 5 - SECOND) == "deferred"
        assert status(workbench, 5) == "pending"
        assert workbench.one(4, "uncollected_payments", "V1")["deferred_until"].startswith(
            "2026-11-06T11:00:00"
        )

    def test_the_run_that_folds_it_changes_none_of_that(
        self, workbench: Workbench, practice: Practice, task: dict
    ) -> None:
        workbench.act("defer", task, 2, "--for", "3d")
        workbench.run(practice, 3)
        assert [status(workbench, day) for day in (2 - SECOND, 2, 3, 5 - SECOND, 5)] == [
            "pending",
            "deferred",
            "deferred",
            "deferred",
            "pending",
        ]

    @pytest.mark.parametrize("span", ["1d", "2d", "3d", "1w", "2w", "14d", "36h"])
    def test_spans_from_one_day_to_two_weeks_are_taken(
        self, workbench: Workbench, task: dict, span: str
    ) -> None:
        assert workbench.act("defer", task, 2, "--for", span)[0] == 0

    @pytest.mark.parametrize("span", ["23h", "15d", "3w", "0d", "soon", "-1d"])
    def test_everything_else_is_a_clear_error(
        self, workbench: Workbench, task: dict, span: str
    ) -> None:
        code, message = workbench.act("defer", task, 2, f"--for={span}")
        assert code != 0
        assert "1 day" in message or "14 days" in message
        assert status(workbench, 2.5) == "pending"

    def test_until_is_held_to_the_same_bounds(self, workbench: Workbench, task: dict) -> None:
        late = workbench.day(16) + dt.timedelta(seconds=1)
        assert workbench.act("defer", task, 2, "--until", late.isoformat())[0] != 0
        assert workbench.act("defer", task, 2, "--until", workbench.day(16).isoformat())[0] == 0

    def test_return_brings_it_back_at_once(self, workbench: Workbench, task: dict) -> None:
        workbench.act("defer", task, 2, "--for", "1w")
        assert workbench.act("return", task, 3)[0] == 0
        assert [status(workbench, day) for day in (2.5, 3)] == ["deferred", "pending"]
        assert workbench.act("return", task, 3.1)[0] == 1

    def test_active_age_leaves_out_the_time_deferred_and_the_clock_of_age_runs_on(
        self, workbench: Workbench, practice: Practice, task: dict
    ) -> None:
        workbench.act("defer", task, 2, "--for", "1w")
        workbench.act("return", task, 4)  # two days hidden
        workbench.act("defer", task, 5, "--for", "1d")  # one more
        workbench.run(practice, 7)
        for day, age, active in ((4, 6, 4), (8, 10, 7)):
            with open_worklist(settings.load(), workbench.day(day)) as worklist:
                (row,) = worklist.tasks(
                    Filters(status="all", task_ids=(task["task_id"],))
                ).itertuples()
                assert (row.age_days, row.active_age_days) == (age, active)


class TestWhoWasFirst:
    def test_the_second_to_complete_is_told_who_was_first(
        self, workbench: Workbench, task: dict
    ) -> None:
        assert workbench.act("complete", task, 2, staff="S2")[0] == 0
        code, message = workbench.act("complete", task, 2.1, staff="S1")
        assert code == 1
        assert "Omar Reyes" in message

    def test_seen_refuses_what_was_decided_on_an_old_list(
        self, workbench: Workbench, task: dict
    ) -> None:
        workbench.act("note", task, 2, "--reason", "called, no answer", staff="S2")
        code, message = workbench.act("complete", task, 2.1, "--seen", "0")
        assert (code, "Omar Reyes" in message) == (1, True)
        assert workbench.act("complete", task, 2.2, "--seen", "1")[0] == 0

    def test_of_two_processes_completing_one_task_exactly_one_wins(
        self, workbench: Workbench, task: dict
    ) -> None:
        at = workbench.day(2).isoformat()
        command = [
            sys.executable,
            "-m",
            "pipelines",
            "act",
            "complete",
            task["task_id"],
            "--at",
            at,
            "--staff",
        ]
        racers = [
            subprocess.Popen(
                [*command, staff], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for staff in ("S1", "S2")
        ]
        outcomes = [(racer.communicate(), racer.returncode) for racer in racers]
        assert sorted(code for _, code in outcomes) == [0, 1]
        loser = next(err for (_, err), code in outcomes if code == 1)
        assert "already completed by" in loser
        assert "Traceback" not in loser
        assert (
            len([event for event in workbench.history("A", 3) if event["event"] == "completed"])
            == 1
        )


class TestActingDuringARun:
    def test_an_action_the_run_did_not_fold_shows_on_top_of_it(
        self, workbench: Workbench, practice: Practice, task: dict
    ) -> None:
        # The run speaks for day 2, the person acted at 2.5: a run may read last night's files.
        workbench.act("complete", task, 2.5)
        workbench.run(practice, 2)
        assert status(workbench, 3) == "completed"
        assert status(workbench, 2.4) == "pending"
        workbench.run(practice, 3)
        assert status(workbench, 3) == "completed"

    def test_a_person_who_completes_what_the_run_just_cleared_is_in_the_history(
        self, workbench: Workbench, practice: Practice, task: dict
    ) -> None:
        workbench.act("complete", task, 2.5)
        workbench.run(practice.payment("P", "A", "2026-10-30", "40.00"), 2)
        found = workbench.one(3, "uncollected_payments", "V1")
        assert (found["status"], found["closed_by"]) == ("completed", "S1")
        assert [event["event"] for event in workbench.history("A", 3)][-2:] == [
            "cleared",
            "completed",
        ]

    def test_an_action_dated_far_ahead_holds_up_no_other(
        self, workbench: Workbench, practice: Practice, task: dict
    ) -> None:
        workbench.act(
            "note",
            workbench.one(1, "unscheduled_patient", "A"),
            400,
            "--reason",
            "dated by mistake",
            "--force",
        )
        workbench.act("complete", task, 1.5)
        workbench.run(practice.payment("P", "A", "2026-10-30", "40.00"), 2)
        workbench.run(practice.remove("payments", "P"), 3)
        assert workbench.states(3, "uncollected_payments") == {
            ("V1", 1): "completed",
            ("V1", 2): "pending",
        }
        assert "noted" not in [event["event"] for event in workbench.history("A", 3)]
        assert [event["event"] for event in workbench.history("A", 401)][-1] == "noted"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("complete", "nothing", "--staff", "S1"), "no task"),
        (("complete", "TASK", "--staff", "S99"), "no such staff"),
        (("assign", "TASK", "--staff", "S1"), "--to"),
        (("assign", "TASK", "--staff", "S1", "--to", "S99"), "no such staff"),
        (("note", "TASK", "--staff", "S1"), "--reason"),
        (("defer", "TASK", "--staff", "S1"), "--for"),
    ],
)
def test_a_wrong_action_says_what_is_wrong(
    workbench: Workbench, task: dict, arguments: tuple[str, ...], says: str
) -> None:
    given = [task["task_id"] if part == "TASK" else part for part in arguments]
    code, _, err = workbench.command("act", *given, "--at", workbench.day(2).isoformat())
    assert code == 1
    assert says in err
