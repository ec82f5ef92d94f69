"""The shared list of a process always gives the answers of a list made from nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import UserError
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import Ledger
from pipelines.settings import Settings
from pipelines.worklist import actions, live
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.at import State
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LATE, LiveWorklist
from tests.published import START, published_in
from tests.truth import DAY, FILTERS, assert_true, do, first_staff, following_midnight, open_ids

SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def practice(tmp_path: Path) -> Settings:
    return published_in(tmp_path / "data")


@pytest.fixture
def shared(practice: Settings) -> Iterator[LiveWorklist]:
    shared = LiveWorklist(practice)
    yield shared
    shared.ledger.close()


class TestTime:
    def test_a_deferral_runs_out_at_its_second_though_nobody_acts(
        self, shared: LiveWorklist
    ) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, ActionRequest(task_id, "defer", at + 2 * DAY))
        states = []
        for moment, status in ((at + 2 * DAY - SECOND, "deferred"), (at + 2 * DAY, "pending")):
            with shared.at(moment) as listed:
                states.append(listed.state)
                assert listed.task(task_id)["status"] == status
            assert_true(shared, moment, FILTERS[1:2])
        assert states[0] != states[1]

    def test_the_active_age_stops_growing_at_each_full_day_of_a_deferral(
        self, shared: LiveWorklist
    ) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, ActionRequest(task_id, "defer", at + 3 * DAY))
        states, ages = [], []
        for moment in (at + DAY - SECOND, at + DAY):
            with shared.at(moment) as listed:
                states.append(listed.state)
                ages.append(listed.task(task_id)["active_age_days"])
                assert listed.tasks(Filters("deferred"))["active_age_days"].tolist() == ages[-1:]
        assert ages[1] == ages[0] - 1
        assert states[0] != states[1]

    def test_each_facility_has_its_own_midnight(self, shared: LiveWorklist) -> None:
        def ages(at: dt.datetime) -> tuple[dict[str, int], State]:
            with shared.at(at) as listed:
                return listed.tasks().groupby("facility_id")[
                    "age_days"
                ].sum().to_dict(), listed.state

        midnights = [
            following_midnight(START + HOUR, zone)
            for zone in ("UTC", "America/New_York", "America/Chicago")
        ]
        seen = [ages(moment) for midnight in midnights for moment in (midnight - SECOND, midnight)]
        grown = [
            {facility for facility in seen[0][0] if later[0][facility] > sooner[0][facility]}
            for sooner, later in itertools.pairwise(seen)
        ]
        # At the first it is a new day for a task whose facility is not known.
        assert grown == [set(), set(), {"001", "003"}, set(), {"002"}]
        assert [later[1] == sooner[1] for sooner, later in itertools.pairwise(seen)] == [
            False,
            True,
            False,
            True,
            False,
        ]
        assert_true(shared, midnights[-1] + SECOND, FILTERS[:1])

    def test_an_action_dated_ahead_waits_for_its_time(self, shared: LiveWorklist) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)
        shared.ledger.record(NewAction(task_id, "complete", "S", at + HOUR), seen=0)
        assert task_id in open_ids(shared, at + SECOND)
        assert task_id in open_ids(shared, at + HOUR - SECOND)
        assert task_id not in open_ids(shared, at + HOUR)
        assert_true(shared, at + HOUR, FILTERS[3:4], task_id)

    def test_a_deferral_dated_ahead_of_what_ended_it_hid_nothing(
        self, shared: LiveWorklist
    ) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)
        shared.ledger.record(NewAction(task_id, "defer", "S", at + 2 * HOUR, at + 2 * DAY), seen=0)
        shared.ledger.record(NewAction(task_id, "complete", "S", at + HOUR), seen=1)
        assert_true(shared, at + HOUR, FILTERS[3:4], task_id)
        assert_true(shared, at + 3 * HOUR, FILTERS[3:4], task_id)
        with shared.at(at + 3 * HOUR) as listed:
            task = listed.task(task_id)
        assert (task["status"], task["active_age_days"]) == ("completed", task["age_days"])

    def test_one_who_waited_for_their_turn_gets_the_list_as_it_is_by_then(
        self, shared: LiveWorklist, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, ActionRequest(task_id, "complete"))
        monkeypatch.setattr(LiveWorklist, "load", None)  # to make it anew would hold up everybody
        with shared.at(at - LATE) as listed:
            assert listed.at == at
            assert task_id not in listed.tasks()["task_id"].tolist()

    def test_a_clock_set_back_shows_the_list_as_it_was(self, shared: LiveWorklist) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, ActionRequest(task_id, "complete"))
        for moment, is_open in (
            (at, False),
            (at - LATE - SECOND, True),
            (at - HOUR, True),
            (at, False),
        ):
            assert_true(shared, moment, FILTERS[:1], task_id)
            assert (task_id in open_ids(shared, moment)) == is_open

    def test_a_clock_before_the_list_was_published_is_a_clear_error(
        self, shared: LiveWorklist
    ) -> None:
        for moment in (START - LATE - SECOND, START - 400 * DAY):
            with pytest.raises(UserError, match="set the clock right"):
                shared.at(moment)
        assert_true(shared, START, FILTERS[:1])

    def test_no_list_yet_is_a_clear_error(self, tmp_path: Path, practice: Settings) -> None:
        shutil.rmtree(practice.warehouse)
        with pytest.raises(UserError, match="no list has been published yet"):
            LiveWorklist(practice).at(START)


class TestSharing:
    def test_two_servers_see_each_other_and_who_was_first(self, practice: Settings) -> None:
        one, other = LiveWorklist(practice), LiveWorklist(practice)
        at = START + HOUR
        (task_id, *_) = open_ids(one, at)
        with other.at(at) as before:
            first, second = first_staff(before)[:2]
            name = before.staff_name(first)
            do(one, at, ActionRequest(task_id, "complete"), first)
            with pytest.raises(UserError, match=f"already completed by {name}"):
                actions.act(before, other.ledger, second, ActionRequest(task_id, "complete"))
        assert task_id not in open_ids(other, at)
        do(other, at + SECOND, ActionRequest(task_id, "reopen"), second)
        assert task_id in open_ids(one, at + SECOND)
        assert_true(one, at + SECOND, FILTERS[:1], task_id)

    def test_a_reader_keeps_the_list_of_its_state(self, shared: LiveWorklist) -> None:
        at = START + HOUR
        with shared.at(at) as before:
            (task_id, *_) = open_ids(shared, at)
            do(shared, at, ActionRequest(task_id, "complete"))
            assert task_id not in open_ids(shared, at)
            assert task_id in before.tasks()["task_id"].tolist()
            assert before.task(task_id)["status"] == "pending"

    def test_no_two_lists_of_a_process_have_equal_states(self, shared: LiveWorklist) -> None:
        # The app caches answers by state, also across a cleared cache and another day's list.
        with shared.at(START + HOUR) as one, LiveWorklist(shared.settings).at(START + DAY) as other:
            assert one.state != other.state

    def test_a_failure_half_way_leaves_nothing_out(
        self, shared: LiveWorklist, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = START + HOUR
        one, two, *_ = open_ids(shared, at)
        shared.ledger.record(NewAction(one, "complete", "S", at + HOUR), seen=0)
        shared.ledger.record(NewAction(two, "complete", "S", at), seen=1)
        open_ids(shared, at)

        def fail(*_arguments: object) -> None:
            raise duckdb.OutOfMemoryException("no memory just now")

        with monkeypatch.context() as patched:
            patched.setattr(live, "_refresh", fail)
            with pytest.raises(duckdb.OutOfMemoryException):
                shared.at(at + HOUR)
        assert_true(shared, at + HOUR, FILTERS[:1], one)
        assert one not in open_ids(shared, at + HOUR)

    def test_looks_and_actions_leave_no_connection_behind(self, shared: LiveWorklist) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)

        def connections(number: int) -> int:
            shared.ledger.record(NewAction(task_id, "note", "S", at, reason="called"), seen=number)
            with shared.at(at) as listed:
                return listed.con.execute(
                    "SELECT c.count FROM duckdb_connection_count() AS c"
                ).fetchone()[0]

        counts = [connections(number) for number in range(40)]
        assert len(set(counts)) == 1, counts


def test_many_threads_read_and_act_and_nothing_is_lost_or_wrong(
    practice: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = LiveWorklist(practice)
    ticks = itertools.count()
    makings, kept, keeping = [], {}, threading.Lock()
    hold = LiveWorklist.load
    monkeypatch.setattr(LiveWorklist, "load", lambda self, at: makings.append(at) or hold(self, at))
    acknowledged: list[Action] = []
    is_over = threading.Event()

    def clock() -> dt.datetime:
        return START + HOUR + next(ticks) * dt.timedelta(milliseconds=5)

    def read(seed: int) -> int:
        dice, looks = random.Random(seed), 0
        while not is_over.is_set() or looks < 3:
            wanted = dice.choice(FILTERS)
            with shared.at(clock()) as listed:
                tasks, summary, counts = (
                    listed.tasks(wanted),
                    listed.summary(wanted),
                    listed.counts(wanted),
                )
                options = listed.options(Filters(wanted.status))
            assert len(tasks) == summary["tasks"] == counts["tasks"].sum()
            ids = tasks["task_id"].tolist()
            with keeping:
                assert kept.setdefault((wanted, listed.state), ids) == ids
                assert kept.setdefault((wanted.status, listed.state), options) == options
            looks += 1
        return looks

    def act(seed: int, ledger: Ledger) -> None:
        dice = random.Random(seed)
        for _ in range(8):
            with shared.at(clock()) as listed:
                tasks, staff = listed.tasks(Filters("open")), first_staff(listed)
                wishes = [
                    ActionRequest(
                        task_id, action, reason="by dice", span=DAY if action == "defer" else None
                    )
                    for task_id in dice.sample(tasks["task_id"].tolist()[:12], 2)
                    for action in [dice.choice(["complete", "defer", "note", "assign"])]
                ]
                done, _ = actions.act_all(listed, ledger, staff[seed], wishes)
            acknowledged.extend(what.action for what in done)

    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(read, seed) for seed in range(8)]
        actors = [pool.submit(act, seed, shared.ledger) for seed in range(2)]
        try:
            for actor in actors:
                actor.result()
        finally:
            is_over.set()
        assert sum(reader.result() for reader in readers) >= 24
    assert len(makings) == 1, "made anew for nothing"
    assert shared.ledger.actions() == sorted(acknowledged, key=lambda action: action.seq)
    assert len(acknowledged) >= 16
    assert_true(shared, START + 2 * HOUR)


def test_one_task_that_all_want_is_done_once(practice: Settings) -> None:
    shared = LiveWorklist(practice)
    at = START + HOUR
    (task_id, *_) = open_ids(shared, at)
    start = threading.Barrier(8)

    def complete(_: int) -> str:
        with shared.at(at) as listed:
            staff_id = first_staff(listed)[0]
            start.wait()
            try:
                actions.act(listed, shared.ledger, staff_id, ActionRequest(task_id, "complete"))
            except UserError as error:
                return str(error)
            return "done"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(complete, range(8)))
    assert said.count("done") == 1
    assert len([words for words in said if "was already completed by" in words]) == 7
    assert [action.action for action in shared.ledger.actions()] == ["complete"]
