"""The ledger's tables and the numbered migrations that make them.

A migration that has been released is never edited: the next change of a table is the next number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa


class Moment(sa.types.TypeDecorator[dt.datetime]):
    """An aware datetime, kept as UTC text of fixed width: exact to the microsecond, sorts as time does, readable in any database tool."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the ledger takes times with a zone only")
        return (
            value.astimezone(dt.UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        )

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> dt.datetime | None:
        return None if value is None else dt.datetime.fromisoformat(value)


metadata = sa.MetaData()
# On SQLite only a plain INTEGER may autoincrement; elsewhere the ledger should outlive two billion rows.
_Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

ledger_version = sa.Table(
    "ledger_version",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
)

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column(
        "after_seq", _Seq, nullable=False
    ),  # the task's last action when this one was written, 0 for none
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("until", Moment),
    sa.Column("to_staff_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("is_override", sa.Boolean, nullable=False),
    # Two people can never both act on the same state of a task, whatever program they use.
    sa.UniqueConstraint("task_id", "after_seq", name="actions_one_per_state"),
    sqlite_autoincrement=True,  # a number is never given twice, also after a restore
)

accesses = sa.Table(
    "accesses",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("detail", sa.Text),
    sqlite_autoincrement=True,
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("query", sa.Text),  # NULL: removed
    sa.Index("saved_views_of_staff", "staff_id", "name", "seq"),
    sqlite_autoincrement=True,
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text),  # a refused stranger has none
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("login", sa.Text),
    sa.Column("detail", sa.Text),
    # Every page view asks when a person's last session ended; this answers without reading the rows, however many there are.
    sa.Index("sessions_of_staff", "staff_id", "event", "at"),
    sqlite_autoincrement=True,
)


def _create_append_only(connection: sa.Connection, table: sa.Table) -> None:
    table.create(connection)
    if connection.dialect.name != "sqlite":
        return  # see _refuse_changes
    # SQLite has no roles to take UPDATE and DELETE away from, so triggers refuse them, to every program.
    for verb in ("UPDATE", "DELETE"):
        refusal = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} {refusal}"
        )


def _people_act(connection: sa.Connection) -> None:
    _create_append_only(connection, actions)


def _patients_are_looked_at(connection: sa.Connection) -> None:
    _create_append_only(connection, accesses)


def _views_are_saved(connection: sa.Connection) -> None:
    _create_append_only(connection, saved_views)


def _people_sign_in(connection: sa.Connection) -> None:
    _create_append_only(connection, sessions)


def _accesses_are_looked_up(connection: sa.Connection) -> None:
    # Not part of the table above, because migration 2 makes that one.
    for column in ("patient_id", "staff_id"):
        connection.exec_driver_sql(f"CREATE INDEX accesses_by_{column} ON accesses ({column}, seq)")


def _refuse_changes(connection: sa.Connection) -> None:
    """Append-only in PostgreSQL, too: for whoever owns the tables as well, unless they take the trigger away first."""
    if connection.dialect.name != "postgresql":
        return
    body = "BEGIN RAISE EXCEPTION 'the ledger is append-only'; END"
    connection.exec_driver_sql(
        f"CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    )
    for table in (actions, accesses, saved_views, sessions):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table.name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
        )


MIGRATIONS: list[tuple[int, Callable[[sa.Connection], None]]] = [
    (1, _people_act),
    (2, _patients_are_looked_at),
    (3, _views_are_saved),
    (4, _people_sign_in),
    (5, _accesses_are_looked_up),
    (6, _refuse_changes),
]
NEWEST = MIGRATIONS[-1][0]


def version_of(connection: sa.Connection) -> int:
    """The number of the last migration this database has had, 0 for an empty one."""
    if not sa.inspect(connection).has_table(ledger_version.name):
        return 0
    return connection.scalar(sa.select(sa.func.max(ledger_version.c.number))) or 0


def apply(
    connection: sa.Connection, number: int, migration: Callable[[sa.Connection], None]
) -> None:
    """Apply one migration inside the caller's write transaction, unless another process was first."""
    if version_of(connection) >= number:
        return
    ledger_version.create(connection, checkfirst=True)
    migration(connection)
    connection.execute(ledger_version.insert().values(number=number))
