"""Acting on many tasks at once, and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import Ledger
from pipelines.worklist import actions as worklist_actions
from pipelines.worklist.actions import ActionRequest, Recorded, Rejected
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import Worklist
from tests.published import START, published_in

AT = START + dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


class Desk:
    """The list at AT, open tasks with and without a required reason, and two staff members."""

    def __init__(self, shared: LiveWorklist) -> None:
        self.shared, self.ledger = shared, shared.ledger
        with shared.at(AT) as listed:
            tasks, staff = listed.tasks(), listed.staff()
        self.free, self.override = (
            tasks.loc[tasks["manual"] == kind, "task_id"].tolist()
            for kind in ("allowed", "override")
        )
        # Those of a record's owner, which assigning for a while must give back.
        self.owned = tasks.loc[
            tasks["staff_id"].notna() & tasks["assigned_to_id"].isna(), "task_id"
        ].tolist()
        active = staff[staff["is_active"]]
        self.me, self.other = active["staff_id"].iloc[0], active["staff_id"].iloc[1]
        self.my_name, self.others_name = active["name"].iloc[0], active["name"].iloc[1]
        self.gone = staff.loc[~staff["is_active"], "staff_id"].tolist()

    def act(
        self, *wishes: ActionRequest, staff_id: str = "", at: dt.datetime = AT
    ) -> tuple[list[Recorded], list[Rejected]]:
        with self.shared.at(at) as listed:
            return worklist_actions.act_all(listed, self.ledger, staff_id or self.me, wishes)

    def undo(
        self, done: list[Recorded], at: dt.datetime = AT + 5 * SECOND
    ) -> tuple[list[Recorded], list[Rejected]]:
        with self.shared.at(at) as listed:
            return worklist_actions.undo(listed, self.ledger, self.me, done)

    def task(self, task_id: str, at: dt.datetime = AT + 10 * SECOND) -> dict:
        with self.shared.at(at) as listed:
            return listed.task(task_id).to_dict()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    shared = LiveWorklist(published_in(tmp_path / "data"))
    yield Desk(shared)
    shared.ledger.close()


def recorded(ledger: Ledger) -> list[tuple[str, str]]:
    return [(action.task_id, action.action) for action in ledger.actions()]


def test_what_can_be_done_is_done_and_the_rest_says_why_not(desk: Desk) -> None:
    closed, noted, one, two, three, *_ = desk.free
    for_a_reason, for_none, *_ = desk.override
    desk.act(
        ActionRequest(closed, "complete"),
        ActionRequest(noted, "note", reason="called"),
        staff_id=desk.other,
    )
    before = recorded(desk.ledger)
    done, refused = desk.act(
        ActionRequest(for_none, "complete", reason="  "),
        ActionRequest(one, "complete"),
        ActionRequest(closed, "complete"),
        ActionRequest("0000000000000000", "complete"),
        ActionRequest(two, "assign", to_staff_id=desk.other),
        ActionRequest(noted, "complete", seen=0),
        ActionRequest(for_a_reason, "complete", reason="told by phone"),
        ActionRequest(three, "assign", to_staff_id="nobody"),
        ActionRequest(three, "return"),
        ActionRequest(three, "defer", span=DAY),
    )
    assert [
        (each.action.task_id, each.action.action, each.action.is_override) for each in done
    ] == [
        (one, "complete", False),
        (two, "assign", False),
        (for_a_reason, "complete", True),
        (three, "defer", False),
    ]
    whys = [
        (for_none, "override and needs a reason"),
        (
            closed,
            f"was already completed by {desk.others_name} ({desk.other}) "
            "on 2026-11-20 12:00:00 UTC",
        ),
        ("0000000000000000", "There is no task 0000000000000000"),
        (noted, f"was already noted by {desk.others_name} ({desk.other})"),
        (three, "nobody: there is no such staff member"),
        (three, "is not deferred"),
    ]
    assert [each.request.task_id for each in refused] == [task_id for task_id, _ in whys]
    for each, (_, why) in zip(refused, whys, strict=True):
        assert why in str(each.refusal)
    assert recorded(desk.ledger)[len(before) :] == [
        (each.action.task_id, each.action.action) for each in done
    ]
    statuses = [
        desk.task(task_id)["status"] for task_id in (one, two, for_a_reason, three, for_none, noted)
    ]
    assert statuses == ["completed", "pending", "completed", "deferred", "pending", "pending"]


def test_all_is_recorded_in_one_transaction_or_nothing(desk: Desk) -> None:
    one, two, *_ = desk.free
    with pytest.raises(UserError, match="belongs to another list"):
        desk.act(ActionRequest(one, "complete"), ActionRequest(two, "complete", seen=1_000))
    assert recorded(desk.ledger) == []


def test_who_may_not_act_and_who_may_not_be_assigned_to(desk: Desk) -> None:
    one, two, *_ = desk.free
    with pytest.raises(UserError, match="no such staff member"):
        desk.act(ActionRequest(one, "complete"), staff_id="nobody")
    assert desk.gone, "the sample has a member of staff who left"
    with pytest.raises(UserError, match="no longer active"):
        desk.act(ActionRequest(one, "complete"), staff_id=desk.gone[0])
    done, refused = desk.act(
        ActionRequest(one, "assign", to_staff_id=desk.gone[0]),
        ActionRequest(two, "assign", to_staff_id=desk.other),
    )
    assert [each.action.task_id for each in done] == [two]
    assert [(each.request.task_id, str(each.refusal)) for each in refused] == [
        (one, f"{desk.gone[0]}: is no longer active")
    ]


def test_the_second_wish_for_a_task_has_not_seen_the_first(desk: Desk) -> None:
    one, two, *_ = desk.free
    called = ActionRequest(one, "note", reason="called")
    done, refused = desk.act(
        called,
        ActionRequest(one, "complete"),
        ActionRequest(two, "complete"),
        ActionRequest(two, "return"),
        called,
    )
    assert [(each.action.task_id, each.action.action) for each in done] == [
        (one, "note"),
        (two, "complete"),
    ]
    assert [(each.request.task_id, each.request.action) for each in refused] == [
        (one, "complete"),
        (two, "return"),
        (one, "note"),
    ]
    assert [f"was already noted by {desk.my_name}" in str(each.refusal) for each in refused] == [
        True,
        False,
        True,
    ]


def test_no_wish_is_not_every_task(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worklist, "tasks", None)
    assert desk.act() == ([], [])


def test_each_wish_is_held_against_what_it_had_seen_itself(desk: Desk) -> None:
    one, *_ = desk.free
    desk.act(ActionRequest(one, "note", reason="called"), staff_id=desk.other)
    done, refused = desk.act(
        ActionRequest(one, "complete", seen=1), ActionRequest(one, "complete", seen=0)
    )
    assert ([each.action.seq for each in done], [each.request.seen for each in refused]) == (
        [2],
        [0],
    )


def test_an_action_after_the_look_is_told_by_name(desk: Desk) -> None:
    one, two, *_ = desk.free
    with desk.shared.at(AT) as old:
        desk.act(ActionRequest(one, "defer", span=DAY), staff_id=desk.other)
        done, refused = worklist_actions.act_all(
            old,
            desk.ledger,
            desk.me,
            [ActionRequest(one, "complete"), ActionRequest(two, "complete")],
        )
    assert [each.action.task_id for each in done] == [two]
    assert f"was already deferred by {desk.others_name}" in str(refused[0].refusal)


def test_only_the_end_of_the_ledger_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three, *_ = desk.free
    desk.act(ActionRequest(one, "note", reason="called"))
    desk.ledger.record_many(
        [
            (NewAction(three, "note", desk.me, AT, reason="called"), number)
            for number in range(1, 40)
        ]
    )
    read: list[Action] = []
    actions = Ledger.actions
    with desk.shared.at(AT) as listed:
        monkeypatch.setattr(
            Ledger,
            "actions",
            lambda *given, **named: [
                read.append(each) or each for each in actions(*given, **named)
            ],
        )
        done, refused = worklist_actions.act_all(
            listed,
            desk.ledger,
            desk.me,
            [ActionRequest(one, "complete", seen=0), ActionRequest(two, "complete")],
        )
    assert ([each.action.task_id for each in done], [each.request.task_id for each in refused]) == (
        [two],
        [one],
    )
    assert [each.task_id for each in read] == [one]


class TestDeferral:
    def test_a_span_counts_from_the_moment_of_the_action(self, desk: Desk) -> None:
        # "1 day" chosen as a time a second before the list is read would be too short.
        one, two, *_ = desk.free
        done, refused = desk.act(
            ActionRequest(one, "defer", span=DAY),
            ActionRequest(two, "defer", AT + DAY),
            at=AT + SECOND,
        )
        assert [each.action.until for each in done] == [AT + SECOND + DAY]
        assert [each.request.task_id for each in refused] == [two]
        assert "1 day to 14 days" in str(refused[0].refusal)

    @pytest.mark.parametrize("span", [DAY - SECOND, 14 * DAY + SECOND, dt.timedelta(0), -DAY])
    def test_it_is_held_to_the_bounds(self, desk: Desk, span: dt.timedelta) -> None:
        for wish in (
            ActionRequest(desk.free[0], "defer", span=span),
            ActionRequest(desk.free[0], "defer", AT + span),
            ActionRequest(desk.free[0], "defer"),
        ):
            assert [len(answer) for answer in desk.act(wish)] == [0, 1]
        assert recorded(desk.ledger) == []


class TestUndo:
    def test_everything_of_a_list_is_as_it_was(self, desk: Desk) -> None:
        completed, deferred, assigned, noted, *_ = desk.free
        override = desk.override[0]
        ids = [completed, deferred, assigned, noted, override]
        same = (
            "status",
            "staff_id",
            "assigned_to_id",
            "deferred_until",
            "closed_at",
            "closed_by",
            "close_kind",
            "amount",
            "since",
            "is_open",
        )
        before = [{name: str(desk.task(task_id)[name]) for name in same} for task_id in ids]
        done, _ = desk.act(
            ActionRequest(completed, "complete"),
            ActionRequest(deferred, "defer", span=2 * DAY),
            ActionRequest(assigned, "assign", to_staff_id=desk.other),
            ActionRequest(noted, "note", reason="called"),
            ActionRequest(override, "complete", reason="told by phone"),
        )
        assert [desk.task(task_id)["status"] for task_id in ids] == [
            "completed",
            "deferred",
            "pending",
            "pending",
            "completed",
        ]
        assert desk.task(override)["close_kind"] == "override"
        undone, refused = desk.undo(done, AT + 20 * SECOND)
        assert refused == []
        assert [(each.action.task_id, each.action.action) for each in undone] == [
            (completed, "reopen"),
            (deferred, "return"),
            (assigned, "assign"),
            (override, "reopen"),
        ], "a note that was read stays said"
        assert [
            {name: str(desk.task(task_id, AT + 20 * SECOND)[name]) for name in same}
            for task_id in ids
        ] == before

    def test_an_assignment_goes_back_to_whom_it_was_assigned_before(self, desk: Desk) -> None:
        one = desk.owned[0]
        owner = desk.task(one)["staff_id"]
        first, second = [staff for staff in (desk.me, desk.other, "someone") if staff != owner][:2]
        desk.act(ActionRequest(one, "assign", to_staff_id=first))
        done, _ = desk.act(ActionRequest(one, "assign", to_staff_id=second), at=AT + SECOND)
        assert (done[0].assigned_to_id, desk.task(one)["staff_id"]) == (first, second)
        back, _ = desk.undo(done)
        assert desk.task(one)["staff_id"] == first
        assert back[0].action.to_staff_id == first

    def test_an_assignment_goes_back_to_the_records_owner(self, desk: Desk) -> None:
        one = desk.owned[0]
        owner = desk.task(one)["staff_id"]
        to = desk.other if owner != desk.other else desk.me
        done, _ = desk.act(ActionRequest(one, "assign", to_staff_id=to))
        assert desk.task(one, AT)["staff_id"] == to
        desk.undo(done)
        assert desk.task(one)["staff_id"] == owner

    def test_where_somebody_acted_since_it_is_refused_and_says_who(self, desk: Desk) -> None:
        one, two, three, *_ = desk.free
        done, _ = desk.act(
            ActionRequest(one, "complete"),
            ActionRequest(two, "complete"),
            ActionRequest(three, "assign", to_staff_id=desk.me),
        )
        desk.act(
            ActionRequest(one, "reopen"),
            ActionRequest(three, "note", reason="I called them"),
            staff_id=desk.other,
            at=AT + SECOND,
        )
        undone, refused = desk.undo(done)
        assert [each.action.task_id for each in undone] == [two]
        assert [each.request.task_id for each in refused] == [one, three]
        assert f"was already reopened by {desk.others_name}" in str(refused[0].refusal)
        assert f"was already noted by {desk.others_name}" in str(refused[1].refusal)
        assert desk.task(three)["assigned_to_id"] == desk.me

    def test_what_is_taken_back_cannot_be_taken_back_twice(self, desk: Desk) -> None:
        done, _ = desk.act(ActionRequest(desk.free[0], "complete"))
        desk.undo(done)
        undone, refused = desk.undo(done)
        assert (undone, len(refused)) == ([], 1)
        assert f"was already reopened by {desk.my_name}" in str(refused[0].refusal)

    def test_a_deferral_that_ran_out_meanwhile_needs_no_undo(self, desk: Desk) -> None:
        done, _ = desk.act(ActionRequest(desk.free[0], "defer", span=DAY))
        undone, refused = desk.undo(done, AT + DAY)
        assert (undone, len(refused)) == ([], 1)
        assert "is not deferred" in str(refused[0].refusal)

    def test_a_list_that_does_not_know_the_action_yet_undoes_nothing(self, desk: Desk) -> None:
        with desk.shared.at(AT) as old:
            done, _ = desk.act(ActionRequest(desk.free[0], "complete"))
            undone, refused = worklist_actions.undo(old, desk.ledger, desk.me, done)
        assert (undone, len(refused)) == ([], 1)
        assert recorded(desk.ledger) == [(desk.free[0], "complete")]


def test_every_open_task_at_once(desk: Desk) -> None:
    with desk.shared.at(AT) as listed:
        tasks = listed.tasks(Filters("open"))
    wishes = [
        ActionRequest(task_id, "complete", reason="cleared out") for task_id in tasks["task_id"]
    ]
    done, refused = desk.act(*[replace(wish, seen=0) for wish in wishes])
    assert (len(done), refused) == (len(tasks), [])
    assert [each.action.task_id for each in done] == tasks["task_id"].tolist()
    with desk.shared.at(AT + SECOND) as listed:
        assert listed.tasks(Filters("open")).empty
        assert len(listed.tasks(Filters("closed"))) >= len(tasks)
    desk.undo(done)
    with desk.shared.at(AT + 10 * SECOND) as listed:
        assert listed.tasks(Filters("open"))["task_id"].tolist() == tasks["task_id"].tolist()
