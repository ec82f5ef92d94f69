"""Import one delivery of a source: load, keep, compile, write canonical extracts with a manifest.

A file or column that is missing, or a delivery that is not to be believed, holds the tables that
read it: the manifest says so, and the run leaves their tasks as they are. The others are imported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.extracts.unpack import unpacked
from pipelines.sources import (
    compiling,
    dates,
    delivery,
    differences,
    kept,
    sql_tables,
    writing,
    x12,
)
from pipelines.sources.compiling import Problem
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.differences import Difference, News
from pipelines.sources.kept import Delivery, Taken
from pipelines.sources.mapping import SourceMapping
from pipelines.sources.supplements import Supplements
from pipelines.sources.writing import Reach
from pipelines.sql_files import identifier
from pipelines.warehouse import snapshots

MOST_REASONS = 3  # of an error; the manifest has all


@dataclass(frozen=True)
class Request:
    """What to import. `home` is WORKBENCH_DATA/sources, None for a source that keeps nothing.

    `as_of` (aware) overrides the delivery's own time. `is_full` and `accepted`: see kept.Delivery.
    `is_trial`: nothing comes of it, so that an unconfirmed mapping may be tried.
    """

    source: SourceMapping
    from_dir: Path
    out: Path
    as_of: dt.datetime | None = None
    home: Path | None = None
    is_full: bool = False
    accepted: frozenset[str] = frozenset()
    max_loss: float = 0.2
    is_trial: bool = False


@dataclass(frozen=True)
class Imported:
    """What an import wrote: rows by table, tables that are held and why, and what to know.

    `extracted_at` is the delivery's own time, in UTC; `new` is what nobody has confirmed.
    """

    rows: Mapping[str, int]
    held: Mapping[str, str]
    extracted_at: dt.datetime
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    statements: Mapping[str, str] = field(default_factory=dict)
    new: tuple[Difference, ...] = ()


def import_delivery(request: Request) -> Imported:
    """Write the delivery's tables as CSV into `out`, the manifest last.

    UserError when nothing can be read or written at all; a table that cannot be made is held.
    """
    if request.source.is_unconfirmed and not request.is_trial:
        raise UserError(
            f"{request.source.path}: nobody has confirmed this mapping; read it, try it with "
            f"sources check {request.source.name}, and delete its line `unconfirmed = true`"
        )
    if request.source.is_supplement:
        raise UserError(
            f"{request.source.name} has no patients: it adds to another source, whose mapping "
            f'names it: with = ["{request.source.name}"]'
        )
    with unpacked(request.from_dir) as folder, snapshots.connect() as con:
        catalogue = delivery.load(con, folder, request.source)
        store = request.home / request.source.name if request.home else None
        with kept.opened(con, store):
            catalogue = kept.with_events(con, catalogue, request.source)
            made = _Import(con, request, catalogue)
            return made.run()


class _Import:
    """One import: its connection, what it was asked, and what the delivery holds."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, request: Request, catalogue: Catalogue
    ) -> None:
        self.con, self.request, self.catalogue = con, request, catalogue
        self.source = request.source
        self.problems: list[Problem] = []
        self.statements: dict[str, str] = {}
        self.new: list[Difference] = []

    def run(self) -> Imported:
        """Do it."""
        self.catalogue = kept.conformed(self.con, self.catalogue)
        at = self.request.as_of or self._own_time()
        columns = compiling.day_columns(self.source, self.catalogue)
        readings = self._readings(columns)
        tonight = readings
        taken = kept.take(
            self.con,
            Delivery(
                self.source,
                self.catalogue,
                at,
                readings,
                self.request.is_full,
                self.request.accepted,
                self.request.max_loss,
            ),
        )
        # Kept rows may be written otherwise than tonight's, and have other columns.
        self.catalogue = taken.catalogue
        columns = compiling.day_columns(self.source, self.catalogue)
        accumulated = {
            name: columns[name]
            for name, rule in self.catalogue.rules.items()
            if rule.mode != "full" and name in columns
        }
        readings = tonight | self._readings(accumulated)
        moment = (self.request.as_of or taken.delivered_at).astimezone(dt.UTC)
        self.con.execute("CREATE SCHEMA IF NOT EXISTS canonical")
        self._make_tables(moment, readings)
        self.new = differences.find(self.con, self.source, self.catalogue, tonight)
        added = self._supplement(moment)
        held = self._held(taken)
        rows = self._write(taken, moment, held)
        self._note_news()
        if not set(rows) - set(held):
            reasons = list(dict.fromkeys(held.values())) or ["the mapping names no table"]
            why = "; ".join(reasons[:MOST_REASONS])
            if len(reasons) > MOST_REASONS:
                why += (
                    f"; and {len(reasons) - MOST_REASONS} more, in {self.request.out}/manifest.csv"
                )
            raise UserError(f"{self.request.from_dir}: no table can be imported: {why}")
        return Imported(
            rows,
            held,
            moment,
            (*self.catalogue.notes, *self._said_of_files(), *taken.notes, *added),
            tuple(self.problems),
            self.statements,
            tuple(self.new),
        )

    def _supplement(self, at: dt.datetime) -> list[str]:
        """Let the supplements change the tables; what they could not place."""
        moment = at.astimezone(dt.UTC).replace(tzinfo=None)
        supplements = Supplements(self.con, self.source, self.catalogue, moment)
        supplements.apply()
        self.problems += supplements.problems
        return supplements.notes

    def _readings(self, columns: Mapping[str, list[str]]) -> dict[tuple[str, str], dates.Reading]:
        """How the columns write days; what a person confirmed counts as an earlier delivery."""
        confirmed = {
            (name, column): order
            for name, of_file in self.source.days.items()
            for column, formats in of_file.items()
            if (order := dates.order_of(formats)) is not None
        }
        earlier = kept.orders(self.con) | confirmed
        return dates.readings(self.con, columns, self.source.dates, earlier)

    def _note_news(self) -> None:
        """What is new, for the Connect page; a source that nobody confirmed there has none."""
        if self.request.home is not None and self.source.confirmed and not self.request.is_trial:
            folder = self.request.home / self.source.name
            differences.write(folder, News(self.request.from_dir.name, tuple(self.new)))

    def _own_time(self) -> dt.datetime:
        """When the delivery was made: the day in its names, at the time of its files if that fits.

        Files that no table reads say nothing of it.
        """
        read = {name for table in self.source.provided() for name in self._read_by(table)}
        found = [
            self.catalogue.relations[name]
            for name in sorted(read)
            if name in self.catalogue.relations
        ]
        own = [one for one in found if one.name not in x12.TABLES]  # X12 says nothing of others
        every = list(self.catalogue.relations.values())
        return _own_time(self.request.from_dir, own or found or every)

    def _said_of_files(self) -> Iterator[str]:
        read = {name for table in self.source.provided() for name in self._read_by(table)}
        for table, rules in self.source.tables.items():
            for found in (self.catalogue.all_of(rule.source) for rule in rules if rule.source):
                for other in (one for one in found[1:] if one.name not in read):
                    yield f"{other.files[0]} is not read: {table} come from {found[0].files[0]}"
        for relation in self.catalogue.relations.values():
            if relation.broken:
                plural = "s are" if relation.broken > 1 else " is"
                yield (
                    f"{relation.files[0]}: {relation.broken:,} line{plural} no row of its "
                    f"{len(relation.columns)} columns and left out"
                )

    def _make_tables(
        self, at: dt.datetime, readings: Mapping[tuple[str, str], dates.Reading]
    ) -> None:
        moment = at.astimezone(dt.UTC).replace(tzinfo=None)
        by_sql = sql_tables.SqlTables(self.con, self.source, self.catalogue, moment)
        by_sql.make_steps()
        for table in sorted(self.source.provided(), key=self._is_made_up):
            if self._is_made_up(table):  # last: from what happened to the patients
                self._make_cases(moment)
            elif table in self.source.tables:
                self._make_mapped(table, by_sql, readings)
            elif table in self.source.sql_files():
                self.problems += by_sql.make(table)

    def _is_made_up(self, table: str) -> bool:
        """Whether it is the table of one case for each patient, which no file gives."""
        given = {*self.source.tables, *self.source.sql_files()}
        return table == "cases" and self.source.one_case_a_patient and table not in given

    def _make_mapped(
        self,
        table: str,
        by_sql: sql_tables.SqlTables,
        readings: Mapping[tuple[str, str], dates.Reading],
    ) -> None:
        parts: list[str] = []
        for rule in self.source.tables[table]:
            wanted = rule.source
            if rule.is_optional and wanted and self.catalogue.find(wanted) is None:
                if kept.was_delivered(self.con, partial(delivery.is_like, pattern=wanted)):
                    says = f"the delivery has no file {wanted}, as earlier ones had"
                    self.problems.append(Problem(table, None, says))
                continue
            compiled = compiling.table(self.source, rule, self.catalogue, readings, by_sql.lacks)
            self.problems += compiled.problems
            parts.append(compiled.sql)
        if not parts or any(not sql for sql in parts):
            return
        sql = "\nUNION ALL\n".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]
        self.statements[table] = sql
        try:
            (statement,) = self.con.extract_statements(sql)
            parameters = {"as_of": by_sql.moment} if "as_of" in statement.named_parameters else None
            self.con.execute(f"CREATE TABLE canonical.{table} AS {sql}", parameters)
        except (duckdb.Error, ValueError) as error:  # its message may quote a value
            what = type(error).__name__.removesuffix("Exception").lower()
            says = f"its SQL fails ({what} error); see sources show {self.source.name} --sql"
            self.problems.append(Problem(table, None, says))

    def _make_cases(self, moment: dt.datetime) -> None:
        """One case for each patient, from the first day that anything is known of."""
        sql = sql_tables.one_case_a_patient(self.con)
        if sql is None:
            self.problems.append(Problem("cases", None, "there are no patients to make cases of"))
            return
        self.statements["cases"] = sql
        self.con.execute(
            f"CREATE TABLE canonical.cases AS {sql}", {"today": moment.date().isoformat()}
        )

    def _held(self, taken: Taken) -> dict[str, str]:
        """The tables that are not to be believed, and why; those made of them, too."""
        held: dict[str, str] = {}
        for table in sorted(self.source.provided(), key=self._is_made_up):
            reasons = [one.says for one in self.problems if one.stops and one.table == table]
            reasons += [taken.held[name] for name in self._read_by(table) if name in taken.held]
            reasons += [held[other] for other in self._made_of(table) if other in held]
            if new := differences.of_table(self.new, table, self._read_by(table)):
                reasons.append(differences.reason(new))
            if reasons:
                held[table] = "; ".join(dict.fromkeys(reasons))
        return held

    def _made_of(self, table: str) -> list[str]:
        """The tables that a table is made of."""
        if self._is_made_up(table):
            return list(sql_tables.MAKE_CASES)
        if table not in self.source.tables:
            return sql_tables.reads_of(self.source, table)[1]
        sql = [text for rule in self.source.tables[table] for text in compiling.expressions(rule)]
        return sql_tables.reads_in(self.source, sql)[1]

    def _read_by(self, table: str, *, with_lookups: bool = True) -> list[str]:
        """The relations that a table is made of."""
        names: list[str] = []
        for rule in self.source.tables.get(table, ()):
            found = self.catalogue.find(rule.source) if rule.source else None
            names += [found.name] if found else []
            names += compiling.looked_up(rule, self.catalogue) if with_lookups else []
            names += sql_tables.reads_in(self.source, compiling.expressions(rule))[0]
        if not names:
            names = sql_tables.reads_of(self.source, table)[0]
        return list(dict.fromkeys(names))

    def _is_delivered(self, table: str) -> bool:
        """False where all its files are optional and absent: the run then finds no such table."""
        rules = self.source.tables.get(table, ())
        return not rules or any(
            not rule.is_optional or rule.source is None or self.catalogue.find(rule.source)
            for rule in rules
        )

    def _write(self, taken: Taken, at: dt.datetime, held: Mapping[str, str]) -> dict[str, int]:
        made = sql_tables.made(self.con)
        provided = self.source.provided()
        tables = [
            table
            for table in provided
            if table in made or table in held or self._is_delivered(table)
        ]
        for table in tables:
            if table not in made:  # its empty file and its line in the manifest hold it
                names = ", ".join(
                    f"CAST(NULL AS VARCHAR) AS {identifier(column.name)}"
                    for column in contract.columns(table)
                )
                self.con.execute(f"CREATE TABLE canonical.{table} AS SELECT {names} LIMIT 0")
        rows = {
            table: self.con.execute(f"SELECT COUNT(*) FROM canonical.{table}").fetchall()[0][0]
            for table in tables
        }
        reaches = dict(self._reaches(tables, taken, at))
        writing.make_manifest(self.con, at, reaches, held, self.source.absent)
        gone = sorted(set(provided) - set(tables))
        places = writing.Places(self.request.from_dir, self.request.out)
        writing.write_files(self.con, tables, gone, places)
        return {table: count for table, count in rows.items() if table in made}

    def _reaches(
        self, tables: Sequence[str], taken: Taken, at: dt.datetime
    ) -> Iterator[tuple[str, Reach]]:
        horizons = sql_tables.horizons(self.con, self.source, at)
        for table in tables:
            read = self._read_by(table, with_lookups=False)
            since = [taken.since[name] for name in read if name in taken.since]
            until = [taken.horizon[name] for name in read if name in taken.horizon]
            horizon = horizons.get(table) or min(until, default=None)
            yield table, Reach(max(since, default=None), horizon)


def _own_time(from_dir: Path, relations: Sequence[Relation]) -> dt.datetime:
    newest = max((one.newest for one in relations), default=dt.datetime.fromtimestamp(0, dt.UTC))
    named = [one.named_on for one in relations if one.named_on]
    day = max(named, default=None) or delivery.day_in(from_dir.name)
    # A file can be copied after its day, but not be older than it.
    if day is None or (newest.date() - day).days <= 1:
        return newest.replace(microsecond=0)
    return dt.datetime.combine(day, dt.time(12), dt.UTC)
