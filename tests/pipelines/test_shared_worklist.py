"""The list that all sessions of a process share always says what a list made from nothing would say."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest

from pipelines import acting, ledger, shared_worklist
from pipelines.acting import Wish
from pipelines.errors import UserError
from pipelines.ledger import Ledger, NewAction
from pipelines.settings import Settings
from pipelines.shared_worklist import LATE, SharedWorklist
from pipelines.worklist import Filters, State, Worklist, open_worklist
from tests.published import START, publish, published_in

ALL = Filters("all")
FILTERS = (
    Filters(),
    Filters("deferred"),
    Filters("overdue"),
    Filters("closed"),
    Filters("open", facility_ids=("001", "002"), categories=("Billing", "Clinical")),
    Filters("open", payer_ids=("self-pay", "0004"), age_bands=("0-1", "2-3", "31-")),
    Filters("all", staff_ids=("unassigned",), rule_ids=("uncollected_payments", "draft_documents")),
)
SEED = 4
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def practice(tmp_path: Path) -> Settings:
    return published_in(tmp_path / "data")


@pytest.fixture
def shared(practice: Settings) -> Iterator[SharedWorklist]:
    shared = SharedWorklist(practice)
    yield shared
    shared.book.close()


def assert_same(shown: object, true: object) -> None:
    """Both answers of a worklist say the same, to every column and type."""
    if isinstance(true, pd.DataFrame):
        pd.testing.assert_frame_equal(shown, true)
    elif isinstance(true, pd.Series):
        pd.testing.assert_series_equal(shown, true)
    else:
        assert shown == true


def assert_true(
    shared: SharedWorklist, at: dt.datetime, filters: tuple[Filters, ...] = FILTERS, task_id: str | None = None, dice: random.Random | None = None
) -> None:
    """Every question gets the answer of a list made for this one look; with dice only some are asked."""
    with shared.at(at) as shown, open_worklist(shared.settings, at) as true:
        assert shown.at == at
        questions: list[Callable[[Worklist], object]] = [lambda asked: asked.tasks(ALL), lambda asked: asked.tasks(Filters("open"))]
        for wanted in filters:
            questions += [
                lambda asked, wanted=wanted: asked.tasks(wanted),
                lambda asked, wanted=wanted: pd.Series(asked.summary(wanted), dtype="object"),
                lambda asked, wanted=wanted: asked.counts(wanted),
                lambda asked, wanted=wanted: asked.options(wanted),
                lambda asked, wanted=wanted: asked.first_tasks(wanted, 2),
            ]
        if dice is not None:
            questions = [*questions[:2], *dice.sample(questions[2:], 2)]
        for question in questions:
            assert_same(question(shown), question(true))
        if task_id is not None and (task := true.task(task_id)) is not None:
            assert_same(shown.task(task_id), task)
            assert_same(shown.history(task["patient_id"]), true.history(task["patient_id"]))
            assert_same(shown.movements(START), true.movements(START))


def open_ids(shared: SharedWorklist, at: dt.datetime) -> list[str]:
    with shared.at(at) as listed:
        return listed.tasks()["task_id"].tolist()


def do(shared: SharedWorklist, at: dt.datetime, wish: Wish, staff_id: str = "") -> acting.Done:
    with shared.at(at) as listed:
        return acting.act(listed, shared.book, staff_id or first_staff(listed)[0], wish)


def first_staff(listed: Worklist) -> list[str]:
    staff = listed.staff()
    return staff.loc[staff["is_active"], "staff_id"].tolist()[:4]


class Walk:
    """What happens in a practice over some days, by dice: two app servers, a third program, nights between."""

    def __init__(self, practice: Settings, seed: int) -> None:
        self.settings = practice
        self.dice = random.Random(seed)
        self.clock = START + HOUR
        self.servers = [SharedWorklist(practice), SharedWorklist(practice)]
        self.elsewhere = ledger.open_ledger(practice.ledger_url)
        self.answers: dict[tuple[int, State], pd.DataFrame] = {}
        self.happened: set[str] = set()
        self.acted_on = "no task"
        with open_worklist(practice, self.clock) as listed:
            self.staff = first_staff(listed)

    def step(self) -> None:
        """One thing happens, and then both servers tell the truth."""
        kinds = [self.act, self.act_elsewhere, self.wait, self.wait_for_a_turn, self.publish]
        self.dice.choices(kinds, weights=[10, 5, 3, 8, 1])[0]()
        for server in self.servers:
            assert_true(server, self.clock, task_id=self.acted_on, dice=self.dice)
        self.keep_the_promise()

    def act(self) -> None:
        """Somebody does through the app what the task allows."""
        server = self.dice.choice(self.servers)
        with server.at(self.clock) as listed:
            tasks = listed.tasks(ALL)
            actions = self.dice.choice([["complete"], ["defer", "return"], ["reopen"], ["assign", "note"]])
            fitting = {"complete": tasks["is_open"], "reopen": tasks["status"] == "completed", "defer": tasks["is_open"]}.get(actions[0])
            some = tasks[fitting] if fitting is not None and fitting.any() else tasks
            task = some.iloc[self.dice.randrange(len(some))]
            action = "return" if actions[0] == "defer" and task["status"] == "deferred" else actions[0]
            action = self.dice.choice(actions) if actions[0] == "assign" else action
            until = self.clock + self.span() if action == "defer" else None
            to_staff_id = self.dice.choice([*self.staff, None]) if action == "assign" else None
            wish = Wish(task["task_id"], action, until, to_staff_id, "by dice" if action != "defer" else None)
            done, _ = acting.act_all(listed, server.book, self.dice.choice(self.staff), [wish])
        self.happened |= {action for _ in done}
        self.acted_on = task["task_id"]

    def act_elsewhere(self) -> None:
        """Another program writes to the ledger whatever it likes, by a clock that may be a little behind or hours ahead."""
        with self.servers[0].at(self.clock) as listed:
            task_ids = [*listed.tasks(ALL)["task_id"], "not a task of this list"]
        at = self.clock + self.dice.choice([-30 * SECOND, dt.timedelta(0), 2 * HOUR])
        action = self.dice.choice(ledger.ACTIONS)
        until = at + self.span() if action == "defer" else None
        self.acted_on = self.dice.choice(task_ids)
        new = NewAction(self.acted_on, action, self.staff[0], at, until, self.staff[1] if action == "assign" else None, "elsewhere")
        self.elsewhere.record(new, seen=self.elsewhere.last_seq())
        self.happened.add("elsewhere")

    def span(self) -> dt.timedelta:
        return self.dice.choice([DAY, 2 * DAY, DAY + dt.timedelta(hours=5, seconds=7), 14 * DAY])

    def wait(self) -> None:
        self.clock += dt.timedelta(microseconds=self.dice.randrange(1, 90 * 60 * 10**6))

    def wait_for_a_turn(self) -> None:
        """The clock goes on to a moment at which something changes by itself, or to the second before."""
        turns = [following_midnight(self.clock, zone) for zone in ("America/New_York", "America/Chicago", "UTC")]
        for action in self.elsewhere.actions():
            turns.append(action.at)  # dated ahead
            if action.until is not None:
                turns += [action.until, *(action.at.replace(microsecond=0) + days * DAY for days in (1, 2))]
        moments = sorted(moment for turn in turns for moment in (turn - SECOND, turn) if self.clock < moment < self.clock + 2 * DAY)
        self.clock = self.dice.choice(moments[:6])
        self.happened.add("turn")

    def publish(self) -> None:
        self.clock += 10 * SECOND
        publish(self.settings, self.clock - SECOND)
        self.happened.add("run")

    def keep_the_promise(self) -> None:
        """What was once answered under a state is still the answer under it."""
        for number, server in enumerate(self.servers):
            with server.at(self.clock) as listed:
                tasks = listed.tasks(ALL)
                assert_same(tasks, self.answers.setdefault((number, listed.state), tasks))


def following_midnight(at: dt.datetime, zone: str) -> dt.datetime:
    local = at.astimezone(ZoneInfo(zone))
    return dt.datetime.combine(local.date() + DAY, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def test_whatever_happens_every_server_tells_the_truth_after_it(practice: Settings) -> None:
    walk = Walk(practice, seed=SEED)
    for _ in range(30):
        walk.step()
    assert walk.happened >= {"complete", "defer", "assign", "elsewhere", "turn"}, "the dice were no test; take another seed"


class TestTime:
    def test_a_deferral_runs_out_at_its_second_though_nobody_acts(self, shared: SharedWorklist) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, Wish(task_id, "defer", at + 2 * DAY))
        states = []
        for moment, status in ((at + 2 * DAY - SECOND, "deferred"), (at + 2 * DAY, "pending")):
            with shared.at(moment) as listed:
                states.append(listed.state)
                assert listed.task(task_id)["status"] == status
            assert_true(shared, moment, FILTERS[:2])
        assert states[0] != states[1]

    def test_the_active_age_stops_growing_at_each_full_day_of_a_deferral(self, shared: SharedWorklist) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, Wish(task_id, "defer", at + 3 * DAY))
        states, ages = [], []
        for moment in (at + DAY - SECOND, at + DAY):
            with shared.at(moment) as listed:
                states.append(listed.state)
                ages.append(listed.task(task_id)["active_age_days"])
                assert listed.tasks(Filters("deferred"))["active_age_days"].tolist() == ages[-1:]
        assert ages[1] == ages[0] - 1
        assert states[0] != states[1]

    def test_each_clinic_has_its_own_midnight(self, shared: SharedWorklist) -> None:
        def ages(at: dt.datetime) -> tuple[dict[str, int], State]:
            with shared.at(at) as listed:
                return listed.tasks().groupby("facility_id")["age_days"].sum().to_dict(), listed.state

        east, west = (following_midnight(START + HOUR, zone) for zone in ("America/New_York", "America/Chicago"))
        seen = [ages(moment) for moment in (east - SECOND, east, west - SECOND, west)]
        grown = [{facility for facility in seen[0][0] if later[0][facility] > sooner[0][facility]} for sooner, later in itertools.pairwise(seen)]
        assert grown == [{"001", "003"}, set(), {"002"}]
        assert [seen[0][1] == seen[1][1], seen[1][1] == seen[2][1], seen[2][1] == seen[3][1]] == [False, True, False]
        assert_true(shared, west + SECOND)

    def test_an_action_dated_ahead_waits_for_its_time(self, shared: SharedWorklist) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)
        shared.book.record(NewAction(task_id, "complete", "S", at + HOUR), seen=0)
        assert task_id in open_ids(shared, at + SECOND)
        assert task_id in open_ids(shared, at + HOUR - SECOND)
        assert task_id not in open_ids(shared, at + HOUR)
        assert_true(shared, at + HOUR)

    def test_one_who_waited_for_their_turn_gets_the_list_as_it_is_by_then(self, shared: SharedWorklist, monkeypatch: pytest.MonkeyPatch) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, Wish(task_id, "complete"))
        monkeypatch.setattr(SharedWorklist, "_hold", None)  # to make it anew would hold up everybody
        with shared.at(at - LATE) as listed:
            assert listed.at == at
            assert task_id not in listed.tasks()["task_id"].tolist()

    def test_a_clock_set_back_shows_the_list_as_it_was(self, shared: SharedWorklist) -> None:
        at = START + 3 * HOUR
        (task_id, *_) = open_ids(shared, at)
        do(shared, at, Wish(task_id, "complete"))
        for moment, is_open in ((at - LATE - SECOND, True), (at - HOUR, True), (at, False)):
            assert_true(shared, moment, FILTERS[:1], task_id)
            assert (task_id in open_ids(shared, moment)) == is_open

    def test_a_clock_before_the_list_was_published_is_a_clear_error(self, shared: SharedWorklist) -> None:
        for moment in (START - SECOND, START - 400 * DAY):
            with pytest.raises(UserError, match="set the clock right"):
                shared.at(moment)
        assert_true(shared, START, FILTERS[:1])

    def test_no_list_yet_is_a_clear_error(self, tmp_path: Path, practice: Settings) -> None:
        (practice.warehouse / "CURRENT").unlink()
        with pytest.raises(UserError, match="no list has been published yet"):
            SharedWorklist(practice).at(START)


class TestSharing:
    def test_two_servers_see_each_other_and_who_was_first(self, practice: Settings) -> None:
        one, other = SharedWorklist(practice), SharedWorklist(practice)
        at = START + HOUR
        (task_id, *_) = open_ids(one, at)
        with other.at(at) as before:
            first, second = first_staff(before)[:2]
            name = before.staff_name(first)
            do(one, at, Wish(task_id, "complete"), first)
            with pytest.raises(UserError, match=f"already completed by {name}"):
                acting.act(before, other.book, second, Wish(task_id, "complete"))
        assert task_id not in open_ids(other, at)
        do(other, at + SECOND, Wish(task_id, "reopen"), second)
        assert task_id in open_ids(one, at + SECOND)
        assert_true(one, at + SECOND, FILTERS[:1], task_id)

    def test_a_reader_keeps_the_list_of_its_state(self, shared: SharedWorklist) -> None:
        at = START + HOUR
        with shared.at(at) as before:
            (task_id, *_) = open_ids(shared, at)
            do(shared, at, Wish(task_id, "complete"))
            assert task_id not in open_ids(shared, at)
            assert task_id in before.tasks()["task_id"].tolist()
            assert before.task(task_id)["status"] == "pending"

    def test_no_two_lists_of_a_process_have_equal_states(self, shared: SharedWorklist) -> None:
        # The app keeps answers by state; after a cleared cache it has another list, perhaps of another day, and the old answers still.
        with shared.at(START + HOUR) as one, SharedWorklist(shared.settings).at(START + DAY) as other:
            assert one.state != other.state

    def test_a_failure_half_way_leaves_nothing_out(self, shared: SharedWorklist, monkeypatch: pytest.MonkeyPatch) -> None:
        at = START + HOUR
        one, two, *_ = open_ids(shared, at)
        shared.book.record(NewAction(one, "complete", "S", at + HOUR), seen=0)
        shared.book.record(NewAction(two, "complete", "S", at), seen=1)
        open_ids(shared, at)

        def fail(*_arguments: object) -> None:
            raise duckdb.OutOfMemoryException("no memory just now")

        with monkeypatch.context() as patched:
            patched.setattr(shared_worklist, "_refresh", fail)
            with pytest.raises(duckdb.OutOfMemoryException):
                shared.at(at + HOUR)
        assert_true(shared, at + HOUR, FILTERS[:1], one)
        assert one not in open_ids(shared, at + HOUR)

    def test_looks_and_actions_leave_no_connection_behind(self, shared: SharedWorklist) -> None:
        at = START + HOUR
        (task_id, *_) = open_ids(shared, at)

        def connections(number: int) -> int:
            shared.book.record(NewAction(task_id, "note", "S", at, reason="called"), seen=number)
            with shared.at(at) as listed:
                return listed.con.execute("SELECT c.count FROM duckdb_connection_count() AS c").fetchone()[0]

        counts = [connections(number) for number in range(100)]
        assert len(set(counts)) == 1, counts


def test_many_threads_read_and_act_and_nothing_is_lost_or_wrong(practice: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedWorklist(practice)
    ticks = itertools.count()
    makings, kept, keeping = [], {}, threading.Lock()
    hold = SharedWorklist._hold
    monkeypatch.setattr(SharedWorklist, "_hold", lambda self, at: makings.append(at) or hold(self, at))
    acknowledged: list[ledger.Action] = []
    is_over = threading.Event()

    def clock() -> dt.datetime:
        return START + HOUR + next(ticks) * dt.timedelta(milliseconds=5)

    def read(seed: int) -> int:
        dice, looks = random.Random(seed), 0
        while not is_over.is_set() or looks < 3:
            wanted = dice.choice(FILTERS)
            with shared.at(clock()) as listed:
                tasks, summary, counts = listed.tasks(wanted), listed.summary(wanted), listed.counts(wanted)
                options = listed.options(Filters(wanted.status))
            assert len(tasks) == summary["tasks"] == counts["tasks"].sum()
            ids = tasks["task_id"].tolist()
            with keeping:
                assert kept.setdefault((wanted, listed.state), ids) == ids
                assert kept.setdefault((wanted.status, listed.state), options) == options
            looks += 1
        return looks

    def act(seed: int, book: Ledger) -> None:
        dice = random.Random(seed)
        for _ in range(15):
            with shared.at(clock()) as listed:
                tasks, staff = listed.tasks(Filters("open")), first_staff(listed)
                wishes = [
                    Wish(task_id, action, reason="by dice", span=DAY if action == "defer" else None)
                    for task_id in dice.sample(tasks["task_id"].tolist()[:12], 2)
                    for action in [dice.choice(["complete", "defer", "note", "assign"])]
                ]
                done, _ = acting.act_all(listed, book, staff[seed], wishes)
            acknowledged.extend(what.action for what in done)

    with ThreadPoolExecutor(10) as pool:
        readers = [pool.submit(read, seed) for seed in range(8)]
        actors = [pool.submit(act, seed, shared.book) for seed in range(2)]
        try:
            for actor in actors:
                actor.result()
        finally:
            is_over.set()
        assert sum(reader.result() for reader in readers) >= 24
    assert len(makings) == 1, "made anew for nothing"
    assert shared.book.actions() == sorted(acknowledged, key=lambda action: action.seq)
    assert len(acknowledged) >= 30
    assert_true(shared, START + 2 * HOUR)


def test_one_task_that_all_want_is_done_once(practice: Settings) -> None:
    shared = SharedWorklist(practice)
    at = START + HOUR
    (task_id, *_) = open_ids(shared, at)
    start = threading.Barrier(8)

    def complete(_: int) -> str:
        with shared.at(at) as listed:
            staff_id = first_staff(listed)[0]
            start.wait()
            try:
                acting.act(listed, shared.book, staff_id, Wish(task_id, "complete"))
            except UserError as error:
                return str(error)
            return "done"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(complete, range(8)))
    assert said.count("done") == 1
    assert len([words for words in said if "was already completed by" in words]) == 7
    assert [action.action for action in shared.book.actions()] == ["complete"]
