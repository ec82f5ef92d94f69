"""What a source keeps from delivery to delivery: rows of changes and windows, counts, date orders.

WORKBENCH_DATA/sources/NAME/kept.duckdb, readable by its owner only and part of a backup. Each
delivery is one transaction, and the same content taken twice changes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.sources import accumulating, dates
from pipelines.sources.accumulating import FEWEST_GONE, Rows, Window
from pipelines.sources.dates import Reading
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.mapping import FileRule, SourceMapping
from pipelines.sql_files import literal

FILE = "kept.duckdb"
LATE = 1.5  # times every_hours: longer since the last delivery, and one is missing
TABLES = (
    "CREATE TABLE IF NOT EXISTS kept.deliveries (relation VARCHAR, digest VARCHAR, "
    "delivered_at TIMESTAMP, rows BIGINT, number INTEGER)",
    "CREATE TABLE IF NOT EXISTS kept.orders (relation VARCHAR, column_name VARCHAR, shown VARCHAR)",
    "CREATE TABLE IF NOT EXISTS kept.reaches (relation VARCHAR, since_on DATE, until_on DATE, "
    "missing_from TIMESTAMP)",
)


@dataclass(frozen=True)
class Taken:
    """A delivery beside what was kept: files that are held, and how far each reaches.

    `delivered_at` is earlier than the files' own time where the same content came before.
    `catalogue` has the files with the columns of all their kept rows.
    """

    delivered_at: dt.datetime
    catalogue: Catalogue
    held: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, dt.date] = field(default_factory=dict)
    horizon: Mapping[str, dt.date] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """A loaded delivery of a source: when it was made, and what a person says of it.

    `is_full`: files of changes hold everything, too; a window stays one. `accepted` are files
    whose loss of rows is true.
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
            os.chmod(folder, 0o700)  # DuckDB's own files beside it hold rows, too
            con.execute(f"ATTACH {literal(file)} AS kept")
            os.chmod(file, 0o600)
        except (OSError, duckdb.Error) as error:
            raise _unusable(file, error) from None
    try:
        try:
            for sql in TABLES:
                con.execute(sql)
        except duckdb.Error as error:
            raise _unusable(folder / FILE if folder else Path(FILE), error) from None
        yield
    finally:
        con.execute("DETACH kept")


def _unusable(file: Path, error: Exception) -> UserError:
    """What a person can do about a store that cannot be opened or written."""
    if "conflicting lock" in str(error).lower():
        return UserError(f"{file}: another import of this source is under way; try again")
    if isinstance(error, OSError):
        return UserError(f"{file}: cannot be opened ({error.strerror})")
    return UserError(
        f"{file}: is damaged; restore it from a backup, or remove it and import everything "
        "once with --full"
    )


def orders(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The order of month and day that earlier deliveries showed, by file and column."""
    rows = con.execute("SELECT o.relation, o.column_name, o.shown FROM kept.orders AS o")
    return {(relation, column): order for relation, column, order in rows.fetchall()}


def with_events(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, source: SourceMapping
) -> Catalogue:
    """The catalogue with the kept events that tonight's delivery has none of."""
    found, rules = dict(catalogue.relations), dict(catalogue.rules)
    for rule in source.files:
        name = rule.pattern
        if rule.mode == "events" and name not in found and accumulating.is_kept(con, name):
            columns = accumulating.make_as_kept(con, name)
            began = dt.datetime.fromtimestamp(0, dt.UTC)
            found[name] = Relation(name, columns, 0, (f"{name} of earlier deliveries",), "", began)
            rules[name] = rule
    return replace(catalogue, relations=found, rules=rules)


def was_delivered(con: duckdb.DuckDBPyConnection, is_wanted: Callable[[str], bool]) -> bool:
    """Whether an earlier delivery had a file of a wanted name."""
    rows = con.execute("SELECT DISTINCT d.relation FROM kept.deliveries AS d").fetchall()
    return any(is_wanted(name) for (name,) in rows)


def conformed(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> Catalogue:
    """The delivery with its columns named as those of the kept rows."""
    relations = {
        name: accumulating.conform(con, relation) if _is_kept(catalogue, name) else relation
        for name, relation in catalogue.relations.items()
    }
    return replace(catalogue, relations=relations)


def take(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Taken:
    """Put a delivery into the store, and make source.NAME of files that are kept all kept rows.

    The delivery must be `conformed`.
    """
    taking = _Taking(con, delivery)
    con.execute("BEGIN")
    try:
        for name in delivery.catalogue.relations:
            taking.take(name)
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    relations = {
        name: accumulating.use_kept(con, found) if _is_kept(delivery.catalogue, name) else found
        for name, found in delivery.catalogue.relations.items()
    }
    return replace(taking.result(), catalogue=replace(delivery.catalogue, relations=relations))


def _is_kept(catalogue: Catalogue, name: str) -> bool:
    return name in catalogue.rules and catalogue.rules[name].mode != "full"


@dataclass(frozen=True)
class _Last:
    """The delivery of a file before this one."""

    at: dt.datetime
    rows: int
    digest: str


class _Taking:
    """One delivery on its way into the store."""

    def __init__(self, con: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
        self.con, self.delivery = con, delivery
        self.held: dict[str, str] = {}
        self.notes: list[str] = []
        self.same_since: list[dt.datetime | None] = []
        self.at = delivery.at.astimezone(dt.UTC).replace(tzinfo=None)
        self.known_orders = orders(con)
        zone = zoneinfo.ZoneInfo(delivery.mapping.time_zone or "UTC")
        self.today = delivery.at.astimezone(zone).date()

    def take(self, name: str) -> None:
        """Take one file's rows, unless the same content came before or something is wrong."""
        relation = self.delivery.catalogue.relations[name]
        rule = self.delivery.catalogue.rules.get(name, FileRule(name))
        if rule.mode == "events":  # at any time, and as many as there are
            Rows(self.con, relation, rule).take_changes(is_all=False)
            return
        last = self._last(name)
        is_new = last is None or last.digest != relation.digest
        # Nights without a change have the same file, and each is a delivery all the same.
        is_quiet = rule.mode == "changes" and not relation.rows and last and self.at > last.at
        if last and not is_new and not is_quiet and not self._is_all(rule):
            self.same_since.append(last.at)
            self._hold_if_missing(relation)
            return
        if not is_quiet:
            self.same_since.append(None)
        held = self._wrong(relation, rule, last)
        if held is None and rule.mode == "changes":
            self._note_missing(relation, last)
            Rows(self.con, relation, rule).take_changes(is_all=last is None or self._is_all(rule))
        if held is None and rule.mode == "window":
            held = self._take_window(relation, rule, last)
        if held is not None:
            self.held[name] = held
            return
        self._note_orders(relation)
        self.con.execute(
            "INSERT INTO kept.deliveries SELECT $name, $digest, $at, $rows, COUNT(*) + 1 "
            "FROM kept.deliveries AS d WHERE d.relation = $name",
            {"name": name, "digest": relation.digest, "at": self.at, "rows": relation.rows},
        )

    def result(self) -> Taken:
        """What came of it."""
        since, horizon = {}, {}
        for name, since_on, until_on in self.con.execute(
            "SELECT r.relation, r.since_on, r.until_on FROM kept.reaches AS r"
        ).fetchall():
            if since_on is not None:
                since[name] = since_on
            if until_on is not None:
                horizon[name] = until_on
        delivered_at = self.delivery.at
        unchanged = [moment for moment in self.same_since if moment is not None]
        if unchanged and len(unchanged) == len(self.same_since):
            delivered_at = min(delivered_at, max(unchanged).replace(tzinfo=dt.UTC))
        return Taken(
            delivered_at,
            self.delivery.catalogue,
            dict(self.held),
            since,
            horizon,
            tuple(self.notes),
        )

    def _last(self, name: str) -> _Last | None:
        found = self.con.execute(
            "SELECT d.delivered_at, d.rows, d.digest FROM kept.deliveries AS d "
            "WHERE d.relation = $name ORDER BY d.number DESC LIMIT 1",
            {"name": name},
        ).fetchone()
        return _Last(*found) if found else None

    def _is_all(self, rule: FileRule) -> bool:
        return self.delivery.is_full and rule.mode == "changes"

    def _wrong(self, relation: Relation, rule: FileRule, last: _Last | None) -> str | None:
        """Why the file's rows are not to be taken; looked at before any is written."""
        file = relation.files[0]
        if rule.mode != "full":
            missing = Rows(self.con, relation, rule).missing()
            if missing is not None:
                return missing
            is_back = not self._is_all(rule) and self._came_before(relation)
            if last and (self.at < last.at or is_back):
                return f"{file} is older than the delivery of {last.at:%b %-d, %H:%M} UTC"
        for (name, column), reading in self.delivery.readings.items():
            if name != relation.name:
                continue
            if reading.is_open and column == relation.column(rule.date or ""):
                return f"the days of {column} in {file} {reading.says}"
            known = self.known_orders.get((name, column))
            mapping = self.delivery.mapping
            confirmed = dates.order_of(mapping.days.get(name, {}).get(column, ()))
            if known and reading.order not in (None, known, confirmed, mapping.dates):
                return (
                    f"the days of {column} in {file} are written as {reading.order} now, "
                    f"before as {known}; if that is right, say it in the mapping: "
                    f'dates = "{reading.order}"'
                )
        if rule.mode == "full" and last is not None:
            before = f"{relation.rows:,} rows where the delivery before had {last.rows:,}"
            return self._cut(relation, last.rows, relation.rows, before)
        return None

    def _came_before(self, relation: Relation) -> bool:
        """Whether an earlier delivery than the last had the same rows; none say nothing."""
        found = self.con.execute(
            "SELECT COUNT(*) FROM kept.deliveries AS d "
            "WHERE d.relation = $name AND d.digest = $digest AND d.rows > 0",
            {"name": relation.name, "digest": relation.digest},
        ).fetchall()
        return bool(found[0][0])

    def _cut(self, relation: Relation, before: int, now: int, says: str) -> str | None:
        gone = before - now
        if (
            gone <= FEWEST_GONE
            or gone <= self.delivery.max_loss * before
            or {relation.name, *relation.files} & self.delivery.accepted
        ):
            return None
        return f"{relation.files[0]} has {says}"

    def _take_window(self, relation: Relation, rule: FileRule, last: _Last | None) -> str | None:
        column = relation.column(rule.date or "") or ""
        reading = self.delivery.readings.get((relation.name, column), Reading())
        rows = Rows(self.con, relation, rule)
        window = rows.window(reading, self.today)
        says = (
            f"{window.delivered:,} rows for its days where earlier deliveries had {window.kept:,}"
        )
        held = self._cut(relation, window.kept, window.delivered, says)
        if held is None:
            rows.take_window(reading, window)
            self._note_reach(relation, window, last)
        return held

    def _note_orders(self, relation: Relation) -> None:
        """Remember the order of month and day that this file's values show."""
        for (name, column), reading in self.delivery.readings.items():
            if name == relation.name and reading.order is not None:
                place = {"name": name, "column": column}
                self.con.execute(
                    "DELETE FROM kept.orders AS o "
                    "WHERE o.relation = $name AND o.column_name = $column",
                    place,
                )
                self.con.execute(
                    "INSERT INTO kept.orders VALUES ($name, $column, $shown)",
                    {**place, "shown": reading.order},
                )

    def _note_reach(self, relation: Relation, window: Window, last: _Last | None) -> None:
        """From which day on all rows are kept; a night too many missed, and it begins anew."""
        found = self.con.execute(
            "SELECT r.since_on FROM kept.reaches AS r WHERE r.relation = $name",
            {"name": relation.name},
        ).fetchone()
        first = window.first
        since = first
        if found and found[0] and first and last and first <= last.at.date():
            since = min(found[0], first)
        elif found and first and last:
            self.notes.append(
                f"{relation.files[0]} begins on {first:%b %-d} only, after the last delivery: "
                "the days between are unknown, so its history begins there"
            )
        self._set_reach(relation.name, since, window.until, None)

    def _note_missing(self, relation: Relation, last: _Last | None) -> None:
        """Hold a file of changes after a lost delivery, until one holds everything."""
        hours = self.delivery.mapping.every_hours
        if self.delivery.is_full or last is None:
            self._set_reach(relation.name, None, None, None)
            return
        is_late = hours is not None and self.at - last.at > dt.timedelta(hours=LATE * hours)
        if is_late and self._missing_from(relation.name) is None:
            self._set_reach(relation.name, None, None, last.at)
        self._hold_if_missing(relation)

    def _hold_if_missing(self, relation: Relation) -> None:
        missing = self._missing_from(relation.name)
        if missing is not None:
            self.held[relation.name] = (
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
