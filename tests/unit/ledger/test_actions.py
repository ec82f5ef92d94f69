"""Actions the ledger takes: of two writers one wins, and what makes no sense is refused."""

import contextlib
import datetime as dt
import multiprocessing
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UserError
from pipelines.ledger.actions import Conflict, NewAction
from pipelines.ledger.deferral import OFFERED, check_deferral, parse_span
from pipelines.ledger.ledger import open_ledger
from pipelines.vocabulary import ACTIONS
from tests.ledgers import AT, completed, only_sqlite

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture
def url(ledger_url):
    return ledger_url


@pytest.fixture
def ledger(url):
    with open_ledger(url) as opened:
        yield opened


# Two people


def test_the_second_of_two_people_learns_who_was_first_and_changes_nothing(ledger, url):
    first = ledger.record(completed("t1", "ann"), seen=0)
    with (
        open_ledger(url) as other,
        pytest.raises(Conflict, match="completed by ann at 2026-11-03 14:15:00 UTC") as caught,
    ):
        other.record(completed("t1", "bob"), seen=0)
    assert (caught.value.latest, caught.value.refused.staff_id) == (first, "bob")
    assert ledger.actions() == [first]


def test_a_writer_who_saw_the_last_action_may_act(ledger):
    ledger.record(completed("t1"), seen=0)
    ledger.record(completed("t2"), seen=1)
    assert ledger.record(NewAction("t1", "reopen", "bob", AT), seen=1).seq == 3
    assert ledger.record(completed("t1"), seen=3).seq == 4
    with pytest.raises(Conflict) as caught:
        ledger.record(completed("t1"), seen=3)
    assert caught.value.latest.seq == 4


def test_a_list_of_actions_is_written_except_for_conflicts(ledger):
    ledger.record(completed("t2", "bob"), seen=0)
    recorded, conflicts = ledger.record_many(
        [(completed("t1"), 0), (completed("t2"), 0), (completed("t3"), 0), (completed("t3"), 0)]
    )
    assert [(action.seq, action.task_id) for action in recorded] == [(2, "t1"), (3, "t3")]
    assert [(conflict.latest.task_id, conflict.latest.staff_id) for conflict in conflicts] == [
        ("t2", "bob"),
        ("t3", "ann"),
    ]


def test_one_bad_action_keeps_the_whole_list_out(ledger):
    with pytest.raises(UserError):
        ledger.record_many([(completed("t1"), 0), (NewAction("t2", "defer", "ann", AT), 0)])
    with pytest.raises(UserError):
        ledger.record_many([(completed("t1"), 0), (completed("t2"), 7)])
    assert ledger.last_seq() == 0


def test_a_list_that_knows_later_actions_belongs_to_another_ledger(ledger):
    ledger.record(completed("t1"), seen=0)
    with pytest.raises(UserError, match="knows action 2, but the ledger .* ends at 1"):
        ledger.record(completed("t9"), seen=2)


def _write_fifty(url, writer, barrier, answers):
    barrier.wait()
    with open_ledger(url) as ledger:
        outcomes = []
        for number in range(50):
            ledger.record(completed(f"{writer}-{number}", f"staff{writer}"), seen=0)
            try:
                outcomes.append(
                    (
                        number,
                        ledger.record(
                            completed(f"all-{number}", f"staff{writer}"), seen=0
                        ).staff_id,
                    )
                )
            except Conflict as conflict:
                outcomes.append((number, conflict.latest.staff_id))
    answers.put((f"staff{writer}", outcomes))


def test_four_processes_opening_a_new_ledger_lose_nothing_and_agree_on_who_won(url):
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(4), spawn.Queue()
    processes = [
        spawn.Process(target=_write_fifty, args=(url, writer, barrier, answers))
        for writer in range(4)
    ]
    for process in processes:
        process.start()
    told = dict(answers.get(timeout=30) for _ in processes)
    for process in processes:
        process.join()
    with open_ledger(url, read_only=True) as ledger:
        written = ledger.actions()
    assert [action.seq for action in written] == list(range(1, 251))
    own = {
        (action.task_id, action.staff_id)
        for action in written
        if not action.task_id.startswith("all-")
    }
    assert own == {
        (f"{writer}-{number}", f"staff{writer}") for writer in range(4) for number in range(50)
    }
    winners = [
        (int(action.task_id.removeprefix("all-")), action.staff_id)
        for action in written
        if action.task_id.startswith("all-")
    ]
    assert len(winners) == 50
    assert {staff: sorted(outcomes) for staff, outcomes in told.items()} == {
        f"staff{writer}": sorted(winners) for writer in range(4)
    }


def test_a_thousand_tasks_completed_by_two_at_once_have_one_winner_each(ledger):
    wanted = {
        staff_id: [(completed(f"t{number}", staff_id), 0) for number in range(1000)]
        for staff_id in ("ann", "bob")
    }
    with ThreadPoolExecutor() as threads:
        outcomes = dict(zip(wanted, threads.map(ledger.record_many, wanted.values()), strict=True))
    written = ledger.actions()
    assert [action.task_id for action in written] == [f"t{number}" for number in range(1000)]
    for staff_id, (recorded, conflicts) in outcomes.items():
        assert recorded == [action for action in written if action.staff_id == staff_id]
        assert [conflict.latest for conflict in conflicts] == [
            action for action in written if action.staff_id != staff_id
        ]


@only_sqlite
def test_a_rival_that_only_the_unique_key_finds_becomes_a_conflict(ledger, url):
    """As on a database whose transactions see an older snapshot: a rival writes in between."""
    with open_ledger(url) as rival:
        refused = []

        @sa.event.listens_for(ledger.engine, "before_cursor_execute")
        def _come_in_between(connection, cursor, statement, *_):
            if statement.startswith("INSERT") and not refused:
                refused.append(True)
                connection.exec_driver_sql("ROLLBACK")
                rival.record(completed("t1", "bob"), seen=0)
                connection.exec_driver_sql("BEGIN IMMEDIATE")

        with pytest.raises(Conflict, match="by bob"):
            ledger.record(completed("t1"), seen=0)
    assert refused
    assert [action.staff_id for action in ledger.actions()] == ["bob"]


# What may be written


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_can_be_recorded(ledger, action):
    more = {
        "defer": {"until": AT + DAY},
        "assign": {"to_staff_id": "bob"},
        "note": {"reason": "left a message"},
    }.get(action, {})
    assert ledger.record(NewAction("t1", action, "ann", AT, **more), seen=0).action == action


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (
            NewAction("t1", "delete", "ann", AT),
            "'delete' is not an action: use one of complete, defer",
        ),
        (NewAction("", "complete", "ann", AT), "needs a task"),
        (NewAction("t1", "complete", "", AT), "staff member"),
        (NewAction("t1", "defer", "ann", AT), "needs the time"),
        (NewAction("t1", "complete", "ann", AT, until=AT + DAY), "no other action has one"),
        (NewAction("t1", "defer", "ann", AT, until=AT + DAY - MICROSECOND), "1 day to 14 days"),
        (NewAction("t1", "complete", "ann", AT, to_staff_id="bob"), "Only assign"),
        (NewAction("t1", "note", "ann", AT, reason=" "), "needs its text"),
        (NewAction("t1", "complete", "ann", AT, is_override=True), "needs a reason"),
        (NewAction("t1", "return", "ann", AT, is_override=True, reason="x"), "Only complete"),
        (NewAction("t1", "note", "ann", AT, reason="half \udcff"), "cannot be stored"),
        (NewAction("t1", "note", "ann", AT, reason="nul \x00"), "cannot be stored"),
    ],
)
def test_an_action_that_is_incomplete_or_contradictory_is_refused(ledger, new, says):
    with pytest.raises(UserError, match=says):
        ledger.record(new, seen=0)
    assert ledger.last_seq() == 0


def test_a_time_without_a_zone_is_a_mistake_of_the_program(ledger):
    with pytest.raises(ValueError, match="aware"):
        naive = dt.datetime(2026, 11, 3)  # noqa: DTZ001 the point of the test
        ledger.record(completed("t1", at=naive), seen=0)


# Deferral


@pytest.mark.parametrize(
    "span", [DAY, DAY + MICROSECOND, DAY + SECOND, 14 * DAY - SECOND, 14 * DAY, *OFFERED.values()]
)
def test_a_deferral_of_1_day_to_14_days_is_allowed(span):
    check_deferral(AT, AT + span)


@pytest.mark.parametrize(
    "span",
    [
        DAY - MICROSECOND,
        DAY - SECOND,
        0 * DAY,
        -DAY,
        14 * DAY + MICROSECOND,
        14 * DAY + SECOND,
        3650 * DAY,
    ],
)
def test_a_deferral_outside_1_day_to_14_days_is_refused(span):
    with pytest.raises(UserError, match="A task can be deferred for 1 day to 14 days; "):
        check_deferral(AT, AT + span)


def test_a_deferral_is_measured_in_elapsed_time_over_a_change_of_summer_time():
    eastern = zoneinfo.ZoneInfo("America/New_York")
    before_spring = dt.datetime(2027, 3, 13, 12, tzinfo=eastern)
    with pytest.raises(UserError, match="23:00:00 after"):
        check_deferral(
            before_spring, before_spring + DAY
        )  # the same wall time next day, 23 hours later
    check_deferral(before_spring, before_spring + DAY + dt.timedelta(hours=1))


def test_the_end_of_time_is_no_traceback():
    with pytest.raises(UserError, match="1 day to 14 days"):
        check_deferral(AT, dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=5))))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("3d", 72),
        ("1w", 168),
        ("36h", 36),
        ("1d12h", 36),
        ("2W", 336),
        (" 1d 12h ", 36),
        ("1440m", 24),
        ("86400s", 24),
        ("0d", 0),
        ("1w1d1h", 193),
    ],
)
def test_a_span_is_read(text, hours):
    assert parse_span(text) == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "3",
        "d",
        "-3d",
        "1.5d",
        "3 days",
        "12h1d",
        "1d1d",
        "tomorrow",
        "٣d",
        "99999999d",
        "3d\n4",
    ],
)
def test_what_is_no_span_is_refused(text):
    with pytest.raises(UserError, match="is not a span of time"):
        parse_span(text)


@given(st.text(alphabet="0123456789wdhms -.", max_size=12))
def test_a_span_is_read_or_refused_and_nothing_else(text):
    with contextlib.suppress(UserError):
        assert parse_span(text) >= dt.timedelta(0)


def test_the_steps_offered_are_spans_that_may_be_deferred():
    assert list(OFFERED) == ["1d", "2d", "3d", "1w", "2w"]
    for text, span in OFFERED.items():
        assert parse_span(text) == span
        check_deferral(AT, AT + span)
