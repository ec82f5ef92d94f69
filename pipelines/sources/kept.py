"""What a source keeps from delivery to delivery: rows of changes and windows, counts, date orders.

WORKBENCH_DATA/sources/NAME/kept.duckdb, readable by its owner only and part of a backup. Each
delivery is one transaction, and the same content taken twice changes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipelines.errors import UserError
from pipelines.sources import dates
from pipelines.sources.dates import Reading
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.mapping import FileRule, SourceMapping
from pipelines.sql_files import identifier, literal

FILE = "kept.duckdb"
LATE = 1.5  # times every_hours: longer since the last delivery, and one is missing
FEWEST_GONE = 20  # rows: a smaller loss is no cut delivery
TABLES = (
    "CREATE TABLE IF NOT EXISTS kept.deliveries (relation VARCHAR, digest VARCHAR, "
    "delivered_at TIMESTAMP, rows BIGINT, number INTEGER)",
    "CREATE TABLE IF NOT EXISTS kept.orders (relation VARCHAR, column_name VARCHAR, shown VARCHAR)",
    "CREATE TABLE IF NOT EXISTS kept.reaches (relation VARCHAR, since_on DATE, until_on DATE, "
    "missing_from TIMESTAMP)",
)


@dataclass(frozen=True)
class Held:
    """Why the rows of a file are not to be believed; `accept` is what accepts them."""

    says: str
    accept: str | None = None


@dataclass(frozen=True)
class Taken:
    """A delivery beside what was kept: files that are held, and how far each reaches.

    `delivered_at` is earlier than the files' own time where the same content came before.
    """

    delivered_at: dt.datetime
    held: Mapping[str, Held] = field(default_factory=dict)
    since: Mapping[str, dt.date] = field(default_factory=dict)
    horizon: Mapping[str, dt.date] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """A loaded delivery of a source: when it was made, and what a person says of it.

    `is_full`: every file holds everything, also those of changes. `accepted` are files whose loss
    of rows is true.
    """

    mapping: SourceMapping
    catalogue: Catalogue
    at: dt.datetime
    readings: Mapping[tuple[str, str], Reading]
    is_full: bool = False
    accepted: frozenset[str] = frozenset()
    max_loss: float = 0.2


@contextmanager
def opened(con: duckdb.DuckDBPyConnection, folder: Path | None) -> Iterator[None]:
    """Attach the store of a source as `kept`, an empty one in memory where there is no folder."""
    if folder is None:
        con.execute("ATTACH ':memory:' AS kept")
    else:
        file = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            con.execute(f"ATTACH {literal(file)} AS kept")
            os.chmod(file, 0o600)
        except (OSError, duckdb.Error) as error:
            busy = "lock" in str(error).lower()
            why = "another import of this source is under way" if busy else "is it damaged?"
            raise UserError(f"{file}: cannot be opened ({why})") from None
    try:
        for sql in TABLES:
            con.execute(sql)
        yield
    finally:
        con.execute("DETACH kept")


def orders(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The order of month and day that earlier deliveries showed, by file and column."""
    rows = con.execute("SELECT o.relation, o.column_name, o.shown FROM kept.orders AS o")
    return {(relation, column): order for relation, column, order in rows.fetchall()}


def with_events(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, source: SourceMapping
) -> Catalogue:
    """The catalogue with the kept events that tonight's delivery has none of."""
    known = {row[0] for row in con.execute("SHOW TABLES FROM kept").fetchall()}
    found = dict(catalogue.relations)
    rules = dict(catalogue.rules)
    for rule in source.files:
        name, kept = rule.pattern, f"rows_{rule.pattern}"
        if rule.mode != "events" or name in found or kept not in known:
            continue
        con.execute(f"CREATE TABLE source.{identifier(name)} AS FROM kept.{identifier(kept)}")
        described = con.execute(f"DESCRIBE source.{identifier(name)}").fetchall()
        columns = tuple(row[0] for row in described if not row[0].startswith("_"))
        began = dt.datetime.fromtimestamp(0, dt.UTC)
        found[name] = Relation(name, columns, 0, (f"{name} of earlier deliveries",), "", began)
        rules[name] = rule
    return replace(catalogue, relations=found, rules=rules)


def take(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Taken:
    """Put a delivery into the store, and make source.NAME of files of changes all kept rows."""
    taking = _Taking(con, delivery)
    con.execute("BEGIN")
    try:
        for name in delivery.catalogue.relations:
            taking.take(name)
        taking.note_orders()
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    for name in taking.kept_rows:
        con.execute(f"DROP TABLE source.{identifier(name)}")
        con.execute(
            f"CREATE TABLE source.{identifier(name)} AS FROM kept.{identifier('rows_' + name)}"
        )
    return taking.result()


class _Taking:
    """One delivery on its way into the store."""

    def __init__(self, con: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
        self.con, self.delivery = con, delivery
        self.held: dict[str, Held] = {}
        self.notes: list[str] = []
        self.kept_rows: list[str] = []
        self.same_since: list[dt.datetime | None] = []
        self.at = delivery.at.astimezone(dt.UTC).replace(tzinfo=None)
        # A window of days is one of the practice's own: at 11 p.m. UTC has tomorrow.
        zone = ZoneInfo(delivery.mapping.time_zone or "UTC")
        self.today = delivery.at.astimezone(zone).date()

    def take(self, name: str) -> None:
        """Take one file's rows, unless the same content came before or something is wrong."""
        relation = self.delivery.catalogue.relations[name]
        rule = self.delivery.catalogue.rules.get(name, FileRule(name))
        if rule.mode == "events":  # at any time, and as many as there are
            self.kept_rows.append(name)
            self._put(relation, rule)
            return
        earlier = self.con.execute(
            "SELECT d.delivered_at FROM kept.deliveries AS d "
            "WHERE d.relation = $name AND d.digest = $digest ORDER BY d.number DESC LIMIT 1",
            {"name": name, "digest": relation.digest},
        ).fetchone()
        last = self.con.execute(
            "SELECT d.delivered_at, d.rows, d.digest FROM kept.deliveries AS d "
            "WHERE d.relation = $name ORDER BY d.number DESC LIMIT 1",
            {"name": name},
        ).fetchone()
        if rule.mode != "full":
            self.kept_rows.append(name)
        # Two nights without a change have the same file, and the second is a delivery all the same;
        # all of it may be what came once before.
        is_quiet = rule.mode == "changes" and relation.rows == 0
        is_anew = rule.mode == "changes" and self.delivery.is_full
        if last is not None and (is_anew or (is_quiet and self.at > last[0])):
            earlier = None
        elif last is not None and last[2] == relation.digest:
            self.same_since.append(last[0])
            self._still_missing(name, relation)
            return
        if not is_quiet:
            self.same_since.append(None)
        if rule.mode != "full" and (earlier is not None or (last and self.at < last[0])):
            when = last[0] if last else self.at
            self.held[name] = Held(
                f"{relation.files[0]} is older than the delivery of {when:%b %-d, %H:%M} UTC"
            )
            return
        if rule.mode == "full" and last is not None and self._is_cut(relation, last[1]):
            self.held[name] = Held(
                f"{relation.files[0]} has {relation.rows:,} rows where the delivery before had "
                f"{last[1]:,}",
                relation.files[0],
            )
            return
        how = {"changes": self._take_changes, "window": self._take_window}.get(rule.mode)
        try:
            if how is not None:
                how(relation, rule, last)
        except UserError as error:
            self.held[name] = Held(str(error))
            return
        self.con.execute(
            "INSERT INTO kept.deliveries SELECT $name, $digest, $at, $rows, COUNT(*) + 1 "
            "FROM kept.deliveries AS d WHERE d.relation = $name",
            {"name": name, "digest": relation.digest, "at": self.at, "rows": relation.rows},
        )

    def note_orders(self) -> None:
        """Remember the order of month and day that this delivery's values show."""
        known = orders(self.con)
        for (name, column), reading in self.delivery.readings.items():
            if reading.order is None or known.get((name, column)) == reading.order:
                continue
            confirmed = dates.order_of(self.delivery.mapping.days.get(name, {}).get(column, ()))
            if (name, column) in known and confirmed != reading.order:
                files = self.delivery.catalogue.relations[name].files
                self.held[name] = Held(
                    f"the days of {column} in {files[0]} are written as {reading.order} now, "
                    f"before as {known[name, column]}"
                )
                continue
            self.con.execute(
                "DELETE FROM kept.orders AS o WHERE o.relation = $name AND o.column_name = $column",
                {"name": name, "column": column},
            )
            self.con.execute(
                "INSERT INTO kept.orders VALUES ($name, $column, $shown)",
                {"name": name, "column": column, "shown": reading.order},
            )

    def result(self) -> Taken:
        """What came of it."""
        since, horizon = {}, {}
        rows = self.con.execute("SELECT r.* FROM kept.reaches AS r").fetchall()
        for name, since_on, until_on, _ in rows:
            if since_on is not None:
                since[name] = since_on
            if until_on is not None and until_on >= self.today:
                horizon[name] = until_on
        delivered_at = self.delivery.at
        unchanged = [moment for moment in self.same_since if moment is not None]
        if unchanged and len(unchanged) == len(self.same_since):
            delivered_at = min(delivered_at, max(unchanged).replace(tzinfo=dt.UTC))
        return Taken(delivered_at, dict(self.held), since, horizon, tuple(self.notes))

    def _is_cut(self, relation: Relation, before: int) -> bool:
        gone = before - relation.rows
        return (
            gone > FEWEST_GONE
            and gone > self.delivery.max_loss * before
            and not {relation.name, *relation.files} & self.delivery.accepted
        )

    def _take_changes(self, relation: Relation, rule: FileRule, last: tuple | None) -> None:
        """New rows in, changed ones in the place of the old ones, deleted ones out."""
        self._note_missing(relation, last)
        source, kept = self._tables(relation)
        if last is None or self.delivery.is_full:
            self.con.execute(f"DROP TABLE IF EXISTS {kept}")
        self._put(relation, rule)

    def _put(self, relation: Relation, rule: FileRule) -> None:
        """Rows in the place of those with the same key."""
        key = [self._column(relation, name) for name in rule.key]
        source, kept = self._tables(relation)
        self._create_like(source, kept)
        names = ", ".join(key)
        matches = " AND ".join(f"n.{column} IS NOT DISTINCT FROM k.{column}" for column in key)
        self.con.execute(f"DELETE FROM {kept} AS k USING {source} AS n WHERE {matches}")
        gone = ""
        if rule.flag is not None and rule.delete:
            words = ", ".join(literal(word.lower()) for word in rule.delete)
            flag = self._column(relation, rule.flag)
            gone = f"WHERE COALESCE(LOWER(TRIM(w.{flag})), '') NOT IN ({words})"
        self.con.execute(
            f"INSERT INTO {kept} BY NAME SELECT w.* FROM (SELECT s.* FROM {source} AS s QUALIFY "
            f"ROW_NUMBER() OVER (PARTITION BY {names} ORDER BY s._file DESC, s._line DESC) = 1"
            f") AS w {gone}"
        )

    def _take_window(self, relation: Relation, rule: FileRule, last: tuple | None) -> None:
        """The rows of the window's days in the place of those kept for these days."""
        column = self._column(relation, rule.date or "")
        name = relation.column(rule.date or "") or ""
        reading = self.delivery.readings.get((relation.name, name), Reading())
        source, kept = self._tables(relation)
        day = f"TRY_CAST({dates.day_sql(f'TRIM(s.{column})', reading)} AS DATE)"
        first, until = self.con.execute(
            f"SELECT MIN({day}), MAX({day}) FROM {source} AS s"
        ).fetchall()[0]
        if rule.back is not None:
            first = self.today - dt.timedelta(days=rule.back)
        if rule.ahead is not None:
            until = self.today + dt.timedelta(days=rule.ahead)
        self._create_like(source, kept)
        if first is not None and until is not None:
            self.con.execute(
                f"DELETE FROM {kept} AS s WHERE {day} BETWEEN $first AND $until",
                {"first": first, "until": until},
            )
        if rule.key:
            keys = [self._column(relation, key) for key in rule.key]
            matches = " AND ".join(f"n.{key} IS NOT DISTINCT FROM s.{key}" for key in keys)
            self.con.execute(f"DELETE FROM {kept} AS s USING {source} AS n WHERE {matches}")
        self.con.execute(f"INSERT INTO {kept} BY NAME FROM {source}")
        self._note_reach(relation, first, until, last)

    def _note_reach(
        self,
        relation: Relation,
        first: dt.date | None,
        until: dt.date | None,
        last: tuple | None,
    ) -> None:
        """From which day on all rows are kept; a night too many missed, and it begins anew."""
        found = self.con.execute(
            "SELECT r.since_on FROM kept.reaches AS r WHERE r.relation = $name",
            {"name": relation.name},
        ).fetchone()
        since = first
        if found and found[0] and first and last and first <= last[0].date():
            since = min(found[0], first)
        elif found and first and last:
            self.notes.append(
                f"{relation.files[0]} begins on {first:%b %-d} only, after the last delivery: "
                "the days between are unknown, so its history begins there"
            )
        self._set_reach(relation.name, since, until, None)

    def _note_missing(self, relation: Relation, last: tuple | None) -> None:
        """Hold a file of changes after a lost delivery, until one holds everything."""
        hours = self.delivery.mapping.every_hours
        if self.delivery.is_full or last is None:
            self._set_reach(relation.name, None, None, None)
            return
        is_late = hours is not None and self.at - last[0] > dt.timedelta(hours=LATE * hours)
        if is_late and self._missing_from(relation.name) is None:
            self._set_reach(relation.name, None, None, last[0])
        self._still_missing(relation.name, relation)

    def _still_missing(self, name: str, relation: Relation) -> None:
        missing = self._missing_from(name)
        if missing is not None:
            self.held[name] = Held(
                f"a delivery of {relation.files[0]} after {missing:%b %-d, %H:%M} UTC is missing; "
                "ask for all of it once and import that with --full"
            )

    def _missing_from(self, name: str) -> dt.datetime | None:
        found = self.con.execute(
            "SELECT r.missing_from FROM kept.reaches AS r WHERE r.relation = $name", {"name": name}
        ).fetchone()
        return found[0] if found else None

    def _set_reach(
        self,
        name: str,
        since: dt.date | None,
        until: dt.date | None,
        missing: dt.datetime | None,
    ) -> None:
        self.con.execute("DELETE FROM kept.reaches AS r WHERE r.relation = $name", {"name": name})
        self.con.execute(
            "INSERT INTO kept.reaches VALUES ($name, $since, $until, $missing)",
            {"name": name, "since": since, "until": until, "missing": missing},
        )

    def _tables(self, relation: Relation) -> tuple[str, str]:
        return (
            f"source.{identifier(relation.name)}",
            f"kept.{identifier('rows_' + relation.name)}",
        )

    def _create_like(self, source: str, kept: str) -> None:
        """Make the table of kept rows; columns that are new in this delivery are added to it."""
        self.con.execute(f"CREATE TABLE IF NOT EXISTS {kept} AS FROM {source} LIMIT 0")
        known = {row[0] for row in self.con.execute(f"DESCRIBE {kept}").fetchall()}
        for name, sql_type, *_ in self.con.execute(f"DESCRIBE {source}").fetchall():
            if name not in known:
                self.con.execute(f"ALTER TABLE {kept} ADD COLUMN {identifier(name)} {sql_type}")

    def _column(self, relation: Relation, name: str) -> str:
        found = relation.column(name)
        if found is None:
            raise UserError(
                f"{relation.files[0]} has no column {name}, by which the source keeps its rows"
            )
        return identifier(found)
