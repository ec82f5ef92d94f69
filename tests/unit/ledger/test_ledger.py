"""The ledger: nothing is lost or changed, and what cannot be opened is named."""

import datetime as dt
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import open_ledger
from tests.ledgers import AT, completed, only_sqlite, past_our_code

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.timedelta(days=1)


@pytest.fixture
def url(ledger_url):
    return ledger_url


@pytest.fixture
def ledger(url):
    with open_ledger(url) as opened:
        yield opened


def file_of(url):
    return sa.make_url(url).database


# What comes back


def test_an_action_comes_back_as_it_was_written(ledger):
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    at = dt.datetime(
        2026, 10, 25, 2, 30, 0, 123456, tzinfo=berlin, fold=1
    )  # the hour that is there twice
    written = ledger.record(
        NewAction("t1", "defer", "ann", at, until=at + 2 * DAY, reason="called Zoë, “later”"),
        seen=0,
    )
    until = dt.datetime(2026, 10, 27, 1, 30, 0, 123456, tzinfo=dt.UTC)
    assert written == Action(
        1,
        "t1",
        "defer",
        "ann",
        dt.datetime(2026, 10, 25, 1, 30, 0, 123456, dt.UTC),
        until,
        None,
        "called Zoë, “later”",
        False,
    )
    assert ledger.actions() == [written]
    assert written.at.tzinfo is dt.UTC


def test_an_empty_ledger_ends_at_zero(ledger):
    assert (ledger.last_seq(), ledger.last_seq_of("t1"), ledger.actions()) == (0, 0, [])


def test_actions_come_in_the_order_of_their_numbers_after_the_one_given(ledger):
    for number, task_id in enumerate(("a", "b", "a", "c", "a")):
        ledger.record(completed(task_id), seen=number)
    assert [(action.seq, action.task_id) for action in ledger.actions()] == [
        (1, "a"),
        (2, "b"),
        (3, "a"),
        (4, "c"),
        (5, "a"),
    ]
    assert [action.seq for action in ledger.actions(after=1)] == [2, 3, 4, 5]
    assert [action.seq for action in ledger.actions(after=1, task_id="a")] == [3, 5]
    assert [action.seq for action in ledger.actions(after=3, also=[1, 2])] == [1, 2, 4, 5]
    assert (ledger.last_seq(), ledger.last_seq_of("a"), ledger.last_seq_of("b")) == (5, 5, 2)


# Append-only and durable


@pytest.mark.parametrize("table", ["actions", "accesses", "saved_views", "sessions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET staff_id = 'eve'", "DELETE FROM {}"])
def test_no_program_changes_or_removes_what_was_recorded(ledger, url, table, change):
    ledger.record(completed("t1"), seen=0)
    ledger.record_access(at=AT, staff_id="ann", patient_id="p1", kind="patient page")
    ledger.save_view(at=AT, staff_id="ann", name="mine", page="tasks", query="staff=ann")
    ledger.record_session(at=AT, staff_id="ann", event="signed in")
    with past_our_code(url) as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.exec_driver_sql(change.format(table))
    assert ledger.last_seq() == 1


def test_no_program_writes_two_actions_on_one_state(ledger, url):
    ledger.record(completed("t1"), seen=0)
    row = (
        "INSERT INTO actions (task_id, after_seq, action, staff_id, at, is_override) "
        "VALUES ('t1', 0, 'complete', 'eve', '2026', FALSE)"
    )
    with (
        past_our_code(url) as connection,
        pytest.raises(sa.exc.IntegrityError, match=r"(?i)unique"),
    ):
        connection.exec_driver_sql(row)


@only_sqlite
def test_every_connection_waits_its_turn_and_syncs_what_it_commits(ledger):
    with ledger.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 30_000,
        "foreign_keys": 1,
    }


WRITE_FOR_EVER = """
import datetime, itertools, sys
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
ledger = open_ledger(sys.argv[1])
for number in itertools.count():
    now = datetime.datetime.now(datetime.UTC)
    print(ledger.record(NewAction(f"t{number}", "complete", "ann", now), seen=0).seq, flush=True)
"""


def test_what_was_reported_as_written_is_there_after_kill_9(url):
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        told = [int(writer.stdout.readline()) for _ in range(20)]
        writer.kill()
        told += [
            int(line)
            for line in writer.stdout.read().splitlines(keepends=True)
            if line.endswith("\n")
        ]
    with open_ledger(url) as ledger:
        written = [action.seq for action in ledger.actions()]
    assert written[: len(told)] == told
    assert len(written) - len(told) in (0, 1)  # one may be written and not yet told


def test_a_reader_sees_the_ledger_while_somebody_writes(ledger, url):
    ledger.record(completed("t1"), seen=0)
    with ledger.writing(), open_ledger(url, read_only=True) as reader:
        assert reader.last_seq() == 1


def test_a_read_only_ledger_takes_no_action(ledger, url):
    with (
        open_ledger(url, read_only=True) as reader,
        pytest.raises(UserError, match="cannot be used"),
    ):
        reader.record(completed("t1"), seen=0)
    assert ledger.last_seq() == 0


# What cannot be opened


@only_sqlite
def test_a_missing_ledger_is_not_taken_for_an_empty_one_by_a_reader(url):
    with pytest.raises(UserError, match=r"There is no ledger at .*ledger\.sqlite"):
        open_ledger(url, read_only=True)
    assert not Path(file_of(url)).exists()


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_text("patient,task\n" * 100)
    with pytest.raises(UserError, match=r"ledger\.sqlite cannot be used: file is not a database"):
        open_ledger(f"sqlite:///{path}")
    assert path.read_text() == "patient,task\n" * 100


def test_a_folder_in_the_place_of_the_ledger_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be used: unable to open database file"):
        open_ledger(f"sqlite:///{tmp_path}")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(UserError, match="folder of the ledger .* cannot be made or read"):
        open_ledger(f"sqlite:///{tmp_path}/data/ledger.sqlite")


@only_sqlite
def test_a_ledger_locked_for_too_long_is_reported(ledger, url):
    with (
        ledger.writing(),
        open_ledger(f"{url}?timeout=0.05") as other,
        pytest.raises(UserError, match="is locked by another program"),
    ):
        other.record(completed("t1"), seen=0)


@pytest.mark.parametrize(
    "url",
    ["", "data/ledger.sqlite", "nosuchdb://host/ledger", "postgresql://eve:s3cret@host:port/x"],
)
def test_a_url_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(UserError) as caught:
        open_ledger(url)
    assert "s3cret" not in str(caught.value)


@only_sqlite
def test_a_full_disk_is_reported_and_loses_nothing(ledger):
    ledger.record(completed("t1"), seen=0)
    with ledger.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match="database or disk is full"):
        ledger.record(NewAction("t2", "note", "ann", AT, reason="long " * 10_000), seen=0)
    assert [action.task_id for action in ledger.actions()] == ["t1"]
