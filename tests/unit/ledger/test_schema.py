"""Migrations of the ledger: once, whole or not at all, and never read by older software."""

import datetime as dt
import sqlite3

import pytest
import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import schema as ledger_schema
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger

AT = dt.datetime(2026, 11, 3, 14, 15, tzinfo=dt.UTC)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/ledger.sqlite"


def versions(url):
    connection = sqlite3.connect(sa.make_url(url).database)
    numbers = [
        number
        for (number,) in connection.execute("SELECT number FROM ledger_version ORDER BY number")
    ]
    connection.close()
    return numbers


def schema(url):
    connection = sqlite3.connect(sa.make_url(url).database)
    statements = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return statements


def make_version(number, url, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ledger_schema, "MIGRATIONS", ledger_schema.MIGRATIONS[:number])
        patch.setattr(ledger_schema, "NEWEST", number)
        with open_ledger(url) as ledger:
            ledger.record(NewAction("t1", "complete", "ann", AT), seen=0)
            if number > 1:
                ledger.record_access(at=AT, staff_id="ann", patient_id="p1", kind="history")


def test_a_new_ledger_gets_its_folder_and_every_migration_once(tmp_path):
    url = f"sqlite:///{tmp_path}/a/new/ledger.sqlite"
    for _ in range(2):
        open_ledger(url).close()
    assert (
        versions(url)
        == [number for number, _ in ledger_schema.MIGRATIONS]
        == list(range(1, ledger_schema.NEWEST + 1))
    )


def test_a_ledger_of_version_1_is_brought_up_to_date_with_its_actions(url, monkeypatch):
    make_version(1, url, monkeypatch)
    assert versions(url) == [1]
    with open_ledger(url) as ledger:
        assert [action.task_id for action in ledger.actions()] == ["t1"]
        ledger.record_access(at=AT, staff_id="ann", patient_id="p1", kind="history")
    assert versions(url) == list(range(1, ledger_schema.NEWEST + 1))


def test_a_ledger_of_version_2_keeps_its_rows_and_learns_to_save_views_and_sessions(
    url, monkeypatch
):
    make_version(2, url, monkeypatch)
    assert versions(url) == [1, 2]
    with open_ledger(url) as ledger:
        assert [action.task_id for action in ledger.actions()] == ["t1"]
        ledger.record_access(at=AT, staff_id="bob", patient_id="p1", kind="list")
        assert [
            (access.seq, access.staff_id, access.kind)
            for access in ledger.accesses(patient_id="p1")
        ] == [
            (2, "bob", "list"),
            (1, "ann", "history"),
        ]
        ledger.save_view(at=AT, staff_id="ann", name="mine", page="tasks", query="staff=ann")
        ledger.record_session(at=AT, staff_id="ann", event="signed out")
        assert ([view.name for view in ledger.views("ann")], ledger.last_session_end("ann")) == (
            ["mine"],
            AT,
        )


@pytest.mark.parametrize("number", range(1, ledger_schema.NEWEST))
def test_an_old_ledger_ends_with_the_tables_of_a_new_one(url, tmp_path, monkeypatch, number):
    new = f"sqlite:///{tmp_path}/new.sqlite"
    open_ledger(new).close()
    make_version(number, url, monkeypatch)
    open_ledger(url).close()
    assert schema(url) == schema(new)


def test_a_reader_does_not_migrate(url, monkeypatch):
    make_version(1, url, monkeypatch)
    with pytest.raises(
        UserError, match=f"has version 1 and is read as version {ledger_schema.NEWEST}"
    ):
        open_ledger(url, read_only=True)
    assert versions(url) == [1]


def test_a_migration_that_breaks_off_leaves_nothing_behind(url, monkeypatch):
    def break_off(connection):
        connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")
        raise KeyboardInterrupt

    monkeypatch.setattr(
        ledger_schema,
        "MIGRATIONS",
        [*ledger_schema.MIGRATIONS, (ledger_schema.NEWEST + 1, break_off)],
    )
    monkeypatch.setattr(ledger_schema, "NEWEST", ledger_schema.NEWEST + 1)
    with pytest.raises(KeyboardInterrupt):
        open_ledger(url)
    monkeypatch.undo()
    with open_ledger(url) as ledger:
        assert ledger.last_seq() == 0
    connection = sqlite3.connect(sa.make_url(url).database)
    assert connection.execute(
        "SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'"
    ).fetchone() == (0,)
    connection.close()


def test_a_ledger_of_a_newer_version_is_refused_with_both_versions_named(url):
    open_ledger(url).close()
    with sqlite3.connect(sa.make_url(url).database) as connection:
        connection.execute("INSERT INTO ledger_version VALUES (99)")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(
            UserError,
            match="has version 99, and this software supports versions up to "
            f"{ledger_schema.NEWEST}: upgrade the software",
        ):
            open_ledger(url, read_only=read_only)


def test_the_tables_can_be_made_on_postgresql():
    dialect = sa.create_mock_engine("postgresql://", lambda *_: None).dialect
    tables = [
        table
        for table in ledger_schema.metadata.sorted_tables
        if table is not ledger_schema.ledger_version
    ]
    statements = {
        table.name: str(sa.schema.CreateTable(table).compile(dialect=dialect)) for table in tables
    }
    assert [
        name for name, statement in statements.items() if "seq BIGSERIAL NOT NULL" not in statement
    ] == []
    assert "UNIQUE (task_id, after_seq)" in statements["actions"]


def test_a_file_another_program_holds_is_said_to_be_locked_and_left_alone(url):
    holder = sqlite3.connect(sa.make_url(url).database, isolation_level=None)
    holder.execute("CREATE TABLE theirs (x INTEGER)")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UserError, match="is locked by another program"):
        open_ledger(f"{url}?timeout=0.05")
    holder.execute("COMMIT")
    assert holder.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    holder.close()
