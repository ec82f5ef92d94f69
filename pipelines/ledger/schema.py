"""The ledger's tables and the numbered migrations that make them.

A migration that has been released is never edited: the next change of a table is the next number.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa


class Moment(sa.types.TypeDecorator[dt.datetime]):
    """An aware datetime as UTC text of fixed width: exact to the microsecond and sortable."""

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
# On SQLite only a plain INTEGER may autoincrement; elsewhere allow over two billion rows.
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
    # The task's last action when this one was written, 0 for none.
    sa.Column("after_seq", _Seq, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("until", Moment),
    sa.Column("to_staff_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("is_override", sa.Boolean, nullable=False),
    # Two people can never both act on the same state of a task, in any program.
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
    # Every page view asks when a person's last session ended; this index answers alone.
    sa.Index("sessions_of_staff", "staff_id", "event", "at"),
    sqlite_autoincrement=True,
)

# Groups of tasks set aside at the go-live that somebody brought in after all.
brought_in = sa.Table(
    "brought_in",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("facility_id", sa.Text),  # NULL: tasks without a facility
    sqlite_autoincrement=True,
)

# What a guard held in a run, and that somebody accepted; the next run publishes it.
accepted_guards = sa.Table(
    "accepted_guards",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("guard", sa.Text, nullable=False),
    sa.Column("run_no", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# Which ledger this is: the newest row counts. A list names the ledger it was made with.
ledger_identity = sa.Table(
    "ledger_identity",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("ledger_id", sa.Text, nullable=False),
    # Actions are numbered after this, since a list holds actions up to it.
    sa.Column("continues_after", sa.BigInteger, nullable=False),
    # All NULL in the row made with the ledger. Else who adopted it, when, why, and for the list of
    # which run, NULL to begin a new list.
    sa.Column("at", Moment),
    sa.Column("run_id", sa.Text),
    sa.Column("staff_id", sa.Text),
    sa.Column("reason", sa.Text),
    sqlite_autoincrement=True,
)

# Which account of a sign-in service is whose: bound at the first sign-in, until somebody releases.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("staff_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("released_by", sa.Text),
    sa.Column("reason", sa.Text),
    # Every page view asks for the last row of a person and of an account.
    sa.Index("sign_ins_of_staff", "staff_id", "seq"),
    sa.Index("sign_ins_of_account", "issuer", "subject", "seq"),
    sqlite_autoincrement=True,
)


def _create_append_only(connection: sa.Connection, table: sa.Table) -> None:
    table.create(connection)
    if connection.dialect.name != "sqlite":
        return  # see _refuse_changes
    # SQLite has no roles to revoke UPDATE and DELETE from, so triggers refuse them.
    for verb in ("UPDATE", "DELETE"):
        refusal = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} {refusal}"
        )


def _create_actions(connection: sa.Connection) -> None:
    _create_append_only(connection, actions)


def _create_accesses(connection: sa.Connection) -> None:
    _create_append_only(connection, accesses)


def _create_saved_views(connection: sa.Connection) -> None:
    _create_append_only(connection, saved_views)


def _create_sessions(connection: sa.Connection) -> None:
    _create_append_only(connection, sessions)


def _index_accesses(connection: sa.Connection) -> None:
    # Not part of the table above: migration 2 creates it without these indexes.
    for column in ("patient_id", "staff_id"):
        connection.exec_driver_sql(f"CREATE INDEX accesses_by_{column} ON accesses ({column}, seq)")


def _refuse_changes(connection: sa.Connection) -> None:
    """Make the tables append-only in PostgreSQL, also for their owner."""
    if connection.dialect.name != "postgresql":
        return
    body = "BEGIN RAISE EXCEPTION 'the ledger is append-only'; END"
    connection.exec_driver_sql(
        f"CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    )
    for table in (actions, accesses, saved_views, sessions):
        _refuse_changes_of(connection, table)


def _refuse_changes_of(connection: sa.Connection, table: sa.Table) -> None:
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table.name}_append_only "
        f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
    )


def _add_append_only(connection: sa.Connection, table: sa.Table) -> None:
    """Create a table that came after migration 6, append-only in every database."""
    _create_append_only(connection, table)
    if connection.dialect.name == "postgresql":
        _refuse_changes_of(connection, table)


def _add_identity(connection: sa.Connection) -> None:
    _add_append_only(connection, ledger_identity)
    connection.execute(
        ledger_identity.insert().values(ledger_id=secrets.token_hex(8), continues_after=0)
    )


MIGRATIONS: list[tuple[int, Callable[[sa.Connection], None]]] = [
    (1, _create_actions),
    (2, _create_accesses),
    (3, _create_saved_views),
    (4, _create_sessions),
    (5, _index_accesses),
    (6, _refuse_changes),
    (7, partial(_add_append_only, table=brought_in)),
    (8, partial(_add_append_only, table=accepted_guards)),
    (9, _add_identity),
    (10, partial(_add_append_only, table=sign_ins)),
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
    """Apply one migration in the caller's write transaction, unless another process already did."""
    if version_of(connection) >= number:
        return
    ledger_version.create(connection, checkfirst=True)
    migration(connection)
    connection.execute(ledger_version.insert().values(number=number))
