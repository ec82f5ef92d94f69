"""Put the rows of files of changes and of windows into the rows that are kept of them.

A delivery's rows replace kept ones by key, a window's also by day. Nothing is written before
everything that a delivery may lack has been looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from pipelines.errors import UserError
from pipelines.sources import dates
from pipelines.sources.dates import Reading
from pipelines.sources.delivery import DAY, FILE, Relation, like
from pipelines.sources.mapping import FileRule
from pipelines.sql_files import identifier, literal

LONGEST_PAUSE = 31  # days without a row inside a window; a row farther away is an odd one
FEWEST_GONE = 20  # rows: a smaller loss is no cut delivery


@dataclass(frozen=True)
class Window:
    """The days that a delivery says everything of, and how many rows kept of them it has not."""

    first: dt.date | None
    until: dt.date | None
    kept: int = 0
    delivered: int = 0


@dataclass(frozen=True)
class Rows:
    """The rows of one file of a delivery, and those kept of it."""

    con: duckdb.DuckDBPyConnection
    relation: Relation
    rule: FileRule

    @property
    def source(self) -> str:
        """The SQL name of the delivered rows."""
        return f"source.{identifier(self.relation.name)}"

    @property
    def kept(self) -> str:
        """The SQL name of the kept rows."""
        return f"kept.{identifier(_table(self.relation.name))}"

    def missing(self) -> str | None:
        """What the file lacks without which its rows cannot be kept."""
        rule = self.rule
        for name in (*rule.key, *filter(None, (rule.date, rule.flag))):
            if self.relation.column(name) is None:
                return (
                    f"{self.relation.files[0]} has no column {name}, "
                    "by which the source keeps its rows"
                )
        return None

    def take_changes(self, *, is_all: bool) -> None:
        """New rows in, changed ones in the place of the old ones, deleted ones out."""
        self._make_kept(is_all=is_all)
        key = [self._column(name) for name in self.rule.key]
        self._delete_by_key(key)
        gone = ""
        if self.rule.flag is not None:
            words = ", ".join(literal(word.strip().lower()) for word in self.rule.delete)
            flag = self._column(self.rule.flag)
            gone = f"WHERE COALESCE(LOWER(TRIM(w.{flag})), '') NOT IN ({words})"
        # A row without its key replaces none: the contract refuses and counts each.
        is_whole = " OR ".join(f"s.{name} IS NOT NULL" for name in key)
        keys = ", ".join(f"TRIM(s.{name})" for name in key)
        self.con.execute(
            f"INSERT INTO {self.kept} BY NAME SELECT w.* FROM (SELECT s.* FROM {self.source} AS s "
            f"QUALIFY NOT ({is_whole}) OR ROW_NUMBER() OVER "
            f"(PARTITION BY {keys} ORDER BY s.{FILE} DESC, s._line DESC) = 1) AS w {gone}"
        )

    def window(self, reading: Reading, today: dt.date) -> Window:
        """The days of this delivery's window, for the facility's day on which it was made."""
        day = self._day(reading)
        found = self.con.execute(
            f"SELECT DISTINCT x.day FROM (SELECT {day} AS day FROM {self.source} AS s) AS x "
            "WHERE x.day IS NOT NULL ORDER BY x.day"
        ).fetchall()
        first, until = _run_of_days([row[0] for row in found], today)
        if self.rule.back is not None:
            first = today - dt.timedelta(days=self.rule.back)
        if self.rule.ahead is not None:
            until = today + dt.timedelta(days=self.rule.ahead)
        if first is None or until is None or not is_kept(self.con, self.relation.name):
            return Window(first, until)
        counts = [
            self.con.execute(
                f"SELECT COUNT(*) FROM {table} AS s WHERE {of} BETWEEN $first AND $until",
                {"first": first, "until": until},
            ).fetchall()[0][0]
            for table, of in ((self.kept, f"s.{DAY}"), (self.source, day))
        ]
        return Window(first, until, *counts)

    def take_window(self, reading: Reading, window: Window) -> None:
        """The rows of the window's days in the place of those kept for these days."""
        self._make_kept(is_all=False)
        day = self._day(reading)
        # Rows without a day replace each other; so do those outside the window, of the same day.
        same_day = "" if self.rule.key else f"OR k.{DAY} IN (SELECT {day} FROM {self.source} AS s)"
        self.con.execute(f"DELETE FROM {self.kept} AS k WHERE k.{DAY} IS NULL {same_day}")
        if window.first is not None and window.until is not None:
            self.con.execute(
                f"DELETE FROM {self.kept} AS k WHERE k.{DAY} BETWEEN $first AND $until",
                {"first": window.first, "until": window.until},
            )
        self._delete_by_key([self._column(name) for name in self.rule.key])
        self.con.execute(
            f"INSERT INTO {self.kept} BY NAME SELECT s.*, {day} AS {DAY} FROM {self.source} AS s"
        )

    def _delete_by_key(self, key: Sequence[str]) -> None:
        if key:
            matches = " AND ".join(
                f"TRIM(n.{name}) IS NOT DISTINCT FROM TRIM(k.{name})" for name in key
            )
            self.con.execute(
                f"DELETE FROM {self.kept} AS k USING {self.source} AS n WHERE {matches}"
            )

    def _day(self, reading: Reading) -> str:
        column = self._column(self.rule.date or "")
        x = f"NULLIF(TRIM(s.{column}), '')"
        return f"TRY_CAST({dates.day_sql(x, reading)} AS DATE)"

    def _column(self, name: str) -> str:
        found = self.relation.column(name)
        if found is None:
            raise UserError(f"{self.relation.files[0]} has no column {name}")
        return identifier(found)

    def _make_kept(self, *, is_all: bool) -> None:
        """Make the table of kept rows, empty where the delivery is all; add its new columns."""
        if is_all:
            self.con.execute(f"DROP TABLE IF EXISTS {self.kept}")
        self.con.execute(f"CREATE TABLE IF NOT EXISTS {self.kept} AS FROM {self.source} LIMIT 0")
        known = _columns(self.con, self.kept)
        for name, sql_type, *_ in self.con.execute(f"DESCRIBE {self.source}").fetchall():
            if name not in known:
                self.con.execute(
                    f"ALTER TABLE {self.kept} ADD COLUMN {identifier(name)} {sql_type}"
                )
        if DAY not in known and self.rule.mode == "window":
            self.con.execute(f"ALTER TABLE {self.kept} ADD COLUMN {DAY} DATE")


def is_kept(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether rows of the file of this name are kept."""
    found = con.execute(
        "SELECT COUNT(*) FROM duckdb_tables() AS t "
        "WHERE t.database_name = 'kept' AND t.table_name = $table",
        {"table": _table(name)},
    ).fetchall()
    return bool(found[0][0])


def conform(con: duckdb.DuckDBPyConnection, relation: Relation) -> Relation:
    """The relation with its columns named as those of the kept rows, however it writes them."""
    if not is_kept(con, relation.name):
        return relation
    known = _known(con, relation.name)
    columns: list[str] = []
    for column in relation.columns:
        before = like(column, known) or column
        if before != column and before not in (*relation.columns, *columns):
            con.execute(
                f"ALTER TABLE source.{identifier(relation.name)} "
                f"RENAME COLUMN {identifier(column)} TO {identifier(before)}"
            )
        columns.append(before if before not in (*relation.columns, *columns) else column)
    return replace(relation, columns=tuple(columns))


def make_as_kept(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    """Make source.NAME all kept rows of a file that tonight's delivery has not; its columns."""
    source = f"source.{identifier(name)}"
    con.execute(f"CREATE TABLE {source} AS FROM kept.{identifier(_table(name))}")
    return tuple(column for column in _columns(con, source) if not column.startswith("_"))


def use_kept(con: duckdb.DuckDBPyConnection, relation: Relation) -> Relation:
    """Make source.NAME all kept rows of the file, if there are any; it with their columns."""
    if not is_kept(con, relation.name):
        return relation
    source, kept = (
        f"source.{identifier(relation.name)}",
        f"kept.{identifier(_table(relation.name))}",
    )
    ours = ", ".join(identifier(column) for column in _columns(con, kept) if column != DAY)
    con.execute(f"DROP TABLE {source}")
    con.execute(f"CREATE TABLE {source} AS SELECT {ours} FROM {kept}")
    known = _known(con, relation.name)
    return replace(relation, earlier=tuple(name for name in known if name not in relation.columns))


def _known(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The columns that rows kept of a file have, without our own."""
    columns = _columns(con, f"kept.{identifier(_table(name))}")
    return [column for column in columns if column not in (DAY, FILE, "_line")]


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()]


def _table(name: str) -> str:
    return f"rows_{name}"


def _run_of_days(days: Sequence[dt.date], today: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """The first and last of the days around today that follow each other without a long pause.

    A row that is years away by a typing error must not claim the years between.
    """
    runs: list[list[dt.date]] = []
    for day in days:
        if not runs or (day - runs[-1][-1]).days > LONGEST_PAUSE:
            runs.append([])
        runs[-1].append(day)
    if not runs:
        return None, None
    nearest = min(
        runs, key=lambda run: (max((run[0] - today).days, (today - run[-1]).days, 0), -len(run))
    )
    return nearest[0], nearest[-1]
