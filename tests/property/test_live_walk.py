"""Random days of a practice: after each step the shared list equals one made from nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from pathlib import Path

import pandas as pd

from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings
from pipelines.vocabulary import ACTIONS
from pipelines.worklist import actions as worklist_actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.at import State
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import open_worklist
from tests.published import START, publish, published_in
from tests.truth import (
    ALL,
    DAY,
    FILTERS,
    QUESTIONS,
    assert_all_true,
    assert_same,
    first_staff,
    following_midnight,
)

SEED = 4
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)


class Walk:
    """Random events of some days: two app servers, a third program, nights between."""

    def __init__(self, practice: Settings, seed: int) -> None:
        self.settings = practice
        self.dice = random.Random(seed)
        self.clock = START + HOUR
        self.servers = [LiveWorklist(practice), LiveWorklist(practice)]
        self.elsewhere = open_ledger(practice.ledger_url)
        self.answers: dict[tuple[int, State], pd.DataFrame] = {}
        self.happened: set[str] = set()
        self.acted_on = "no task"
        with open_worklist(practice, self.clock) as listed:
            self.staff = first_staff(listed)

    def step(self) -> None:
        """One thing happens, and then both servers tell the truth."""
        kinds = [self.act, self.act_elsewhere, self.wait, self.wait_for_a_turn, self.publish]
        self.dice.choices(kinds, weights=[10, 5, 3, 8, 1])[0]()
        asked = self.dice.sample(list(itertools.product(QUESTIONS, FILTERS)), 3)
        tasks, states = assert_all_true(self.servers, self.clock, asked, self.acted_on)
        for number, state in enumerate(states):
            # What was once answered under a state is still the answer under it.
            assert_same(tasks, self.answers.setdefault((number, state), tasks))

    def act(self) -> None:
        """Somebody does through the app what the task allows."""
        server = self.dice.choice(self.servers)
        with server.at(self.clock) as listed:
            tasks = listed.tasks(ALL)
            actions = self.dice.choice(
                [["complete"], ["defer", "return"], ["reopen"], ["assign", "note"]]
            )
            fitting = {
                "complete": tasks["is_open"],
                "reopen": tasks["status"] == "completed",
                "defer": tasks["is_open"],
            }.get(actions[0])
            some = tasks[fitting] if fitting is not None and fitting.any() else tasks
            task = some.iloc[self.dice.randrange(len(some))]
            action = (
                "return" if actions[0] == "defer" and task["status"] == "deferred" else actions[0]
            )
            action = self.dice.choice(actions) if actions[0] == "assign" else action
            until = self.clock + self.span() if action == "defer" else None
            to_staff_id = self.dice.choice([*self.staff, None]) if action == "assign" else None
            wish = ActionRequest(
                task["task_id"],
                action,
                until,
                to_staff_id,
                "by dice" if action != "defer" else None,
            )
            done, _ = worklist_actions.act_all(
                listed, server.ledger, self.dice.choice(self.staff), [wish]
            )
        self.happened |= {action for _ in done}
        self.acted_on = task["task_id"]

    def act_elsewhere(self) -> None:
        """Another program writes any action to the ledger, by a clock a little behind or ahead."""
        with self.servers[0].at(self.clock) as listed:
            task_ids = [*listed.tasks(ALL)["task_id"], "not a task of this list"]
        at = self.clock + self.dice.choice([-30 * SECOND, dt.timedelta(0), 2 * HOUR])
        action = self.dice.choice(list(ACTIONS))
        until = at + self.span() if action == "defer" else None
        self.acted_on = self.dice.choice(task_ids)
        new = NewAction(
            self.acted_on,
            action,
            self.staff[0],
            at,
            until,
            self.staff[1] if action == "assign" else None,
            "elsewhere",
        )
        self.elsewhere.record(new, seen=self.elsewhere.last_seq())
        self.happened.add("elsewhere")

    def span(self) -> dt.timedelta:
        return self.dice.choice([DAY, 2 * DAY, DAY + dt.timedelta(hours=5, seconds=7), 14 * DAY])

    def wait(self) -> None:
        self.clock += dt.timedelta(microseconds=self.dice.randrange(1, 90 * 60 * 10**6))

    def wait_for_a_turn(self) -> None:
        """Advance the clock to a moment when something changes by itself, or the second before."""
        turns = [
            following_midnight(self.clock, zone)
            for zone in ("America/New_York", "America/Chicago", "UTC")
        ]
        for action in self.elsewhere.actions():
            turns.append(action.at)  # dated ahead
            if action.until is not None:
                turns += [
                    action.until,
                    *(action.at.replace(microsecond=0) + days * DAY for days in (1, 2)),
                ]
        moments = sorted(
            moment
            for turn in turns
            for moment in (turn - SECOND, turn)
            if self.clock < moment < self.clock + 2 * DAY
        )
        self.clock = self.dice.choice(moments[:6])
        self.happened.add("turn")

    def publish(self) -> None:
        self.clock += 10 * SECOND
        publish(self.settings, self.clock - SECOND)
        self.happened.add("run")


def test_whatever_happens_every_server_tells_the_truth_after_it(tmp_path: Path) -> None:
    walk = Walk(published_in(tmp_path / "data"), seed=SEED)
    for _ in range(24):
        walk.step()
    assert walk.happened >= {"complete", "defer", "assign", "elsewhere", "turn", "run"}, (
        "the dice were no test; take another seed"
    )
