"""Compile what a mapping says of a table to one SELECT over the files of a delivery.

A value that does not fit stays as its text, so that the contract refuses and counts its row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.extracts import contract
from pipelines.extracts.contract import Column
from pipelines.sources import dates
from pipelines.sources.dates import Reading
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.mapping import SourceMapping, TableRule
from pipelines.sources.specs import (
    ColumnSpec,
    Constant,
    Expression,
    Filled,
    Joined,
    Lookup,
    Moment,
    Named,
)
from pipelines.sql_files import identifier, literal

_Read = Callable[[str, Reading], str]  # the SQL of a text and how its days are written: its value
DAY_FORMS = ("day", "birth_day", "moment")
# What a lookup gives that finds no or two rows; with CHR(0) behind it, no form takes it, so that
# the contract refuses the row.
NO_ROW, TWO_ROWS = "no row matches", "two rows match"
REFERENCE = r"([^/|:=]+)$"  # Patient/12, urn:uuid:12, Patient?identifier=system|12


@dataclass(frozen=True)
class Problem:
    """Why a table cannot be made, or is made without a column; `column` is the contract's."""

    table: str
    column: str | None
    says: str
    stops: bool = True


@dataclass
class Compiled:
    """The SELECT of a table, what it found wrong, and where its words and days come from.

    `words` are (column, SQL of the text in the file) of columns with a value set.
    """

    sql: str = ""
    problems: list[Problem] = field(default_factory=list)


def day_columns(mapping: SourceMapping, catalogue: Catalogue) -> dict[str, list[str]]:
    """The columns of each file in which days or times are read."""
    found: dict[str, list[str]] = {}
    for rules in mapping.tables.values():
        for rule in rules:
            relation = catalogue.find(rule.source) if rule.source else None
            if relation is None:
                continue
            for column in contract.columns(rule.table):
                spec = rule.columns.get(column.name)
                if column.form not in DAY_FORMS or spec is None:
                    continue
                found.setdefault(relation.name, []).extend(_day_names(spec, relation))
            if rule.one_per and (name := relation.column(rule.one_per.latest)):
                found.setdefault(relation.name, []).append(name)
    for name, file_rule in catalogue.rules.items():
        column_name = catalogue.relations[name].column(file_rule.date) if file_rule.date else None
        if column_name:
            found.setdefault(name, []).append(column_name)
    return {name: list(dict.fromkeys(columns)) for name, columns in found.items()}


def table(
    mapping: SourceMapping,
    rule: TableRule,
    catalogue: Catalogue,
    readings: Mapping[tuple[str, str], Reading],
    lacks: Callable[[str], str | None] = lambda _: None,
) -> Compiled:
    """The SELECT of one file for one table, with every column of the contract in its order.

    `lacks` says what an expression reads and the delivery does not have.
    """
    compiled = Compiled()
    if rule.source is None:
        compiled.problems.append(Problem(rule.table, None, "the mapping names no file for it"))
        return compiled
    relation = catalogue.find(rule.source)
    if relation is None:
        says = f"the delivery has no file {rule.source.replace('|', ' or ')}"
        compiled.problems.append(Problem(rule.table, None, says))
        return compiled
    compiler = _Compiler(mapping, rule, catalogue, readings, relation, compiled, lacks)
    compiled.sql = compiler.select()
    return compiled


def _day_names(spec: ColumnSpec, relation: Relation) -> Iterator[str]:
    names: tuple[str, ...] = ()
    if isinstance(spec, Filled):
        yield from (found for name in spec.names if (found := relation.column(name)) is not None)
        return
    if isinstance(spec, Named):
        names = spec.names
    if isinstance(spec, Moment):
        names = spec.date
    yield from relation.columns_of([name for name in names if not name.startswith("$")])


@dataclass
class _Compiler:
    """Builds the SELECT of one table from one file, whose row is `s`."""

    mapping: SourceMapping
    rule: TableRule
    catalogue: Catalogue
    readings: Mapping[tuple[str, str], Reading]
    relation: Relation
    compiled: Compiled
    lacks: Callable[[str], str | None]
    joins: list[str] = field(default_factory=list)

    def select(self) -> str:
        lines = [
            f"    {self._column(column)} AS {identifier(column.name)},"
            for column in contract.columns(self.rule.table)
        ]
        source = f"FROM source.{identifier(self.relation.name)} AS s"
        return "\n".join(["SELECT", *lines, source, *self.joins, *self._where(), *self._one_per()])

    def _column(self, column: Column) -> str:
        spec = self.rule.columns.get(column.name)
        if spec is None:
            return self._default(column)
        x = self._specified(column, spec)
        if column.name == "time_zone" and self.mapping.time_zone:
            return f"COALESCE({x}, {literal(self.mapping.time_zone)})"
        return x

    def _specified(self, column: Column, spec: ColumnSpec) -> str:
        if isinstance(spec, Named):
            return self._named(column, spec)
        if isinstance(spec, Moment):
            return self._moment(column, spec)
        if isinstance(spec, Filled):
            return self._filled(column, spec)
        if isinstance(spec, Joined):
            parts = [self._text(column, (name,)) for name in spec.names]
            return f"NULLIF(CONCAT_WS({literal(spec.separator)}, {', '.join(parts)}), '')"
        if isinstance(spec, Lookup):
            return self._lookup(column, spec)
        if isinstance(spec, Constant):
            return literal(spec.text)
        return self._expression(column, spec)

    def _expression(self, column: Column, spec: Expression) -> str:
        for name in re.findall(r"\bs\.(\w+)", spec.sql):
            if self._raw(name) is None and name not in ("_line", "_file"):
                lacking: str | None = f"{self.relation.files[0]} has no column {name}"
                break
        else:
            lacking = self.lacks(spec.sql)
        if lacking is None:
            return f"CAST(({spec.sql}) AS VARCHAR)"
        if not spec.is_optional:
            self._note(column, lacking)
        return "CAST(NULL AS VARCHAR)"

    def _default(self, column: Column) -> str:
        """What stands in a column that the mapping does not name."""
        if column.name == "time_zone" and self.mapping.time_zone:
            return literal(self.mapping.time_zone)
        if column.name == "case_id" and self.mapping.one_case_a_patient:
            patient = self.rule.columns.get("patient_id")
            if patient is not None:
                of_patient = next(c for c in contract.columns("cases") if c.name == "patient_id")
                known = {c.name: c for c in contract.columns(self.rule.table)}
                return self._of_spec(known.get("patient_id", of_patient), patient)
        if not column.is_nullable:
            self._note(column, f"nothing is mapped to {column.name}, which must be there")
        return "NULL"

    def _of_spec(self, column: Column, spec: ColumnSpec) -> str:
        return self._named(column, spec) if isinstance(spec, Named) else self._column(column)

    def _note(self, column: Column, says: str, *, stops: bool = True) -> None:
        self.compiled.problems.append(Problem(self.rule.table, column.name, says, stops))

    def _raw(self, name: str) -> str | None:
        """The text of a column of the file, by its name or its path in a record of JSON."""
        if name.startswith("$"):
            if "json" not in self.relation.columns:
                return None
            return f"JSON_EXTRACT_STRING(s.json, {literal(name)})"
        found = self.relation.column(name)
        return f"s.{identifier(found)}" if found is not None else None

    def _texts(self, column: Column, names: tuple[str, ...], read: _Read) -> str:
        """The text of the first column that the file has, or of the one a kept row has instead."""
        paths = [name for name in names if name.startswith("$")]
        if paths and "json" in self.relation.columns:
            found = [f"JSON_EXTRACT_STRING(s.json, {literal(path)})" for path in paths]
            texts = [read(f"NULLIF(TRIM({x}), '')", Reading()) for x in found]
        else:
            texts = []
            for name in self.relation.columns_of(names):
                reading = self._reading(name)
                if reading.is_open and column.form in DAY_FORMS:
                    file = self.relation.files[0]
                    self._note(column, f"the days of {name} in {file} {reading.says}")
                texts.append(read(f"NULLIF(TRIM(s.{identifier(name)}), '')", reading))
        return f"COALESCE({', '.join(texts)})" if len(texts) > 1 else "".join(texts)

    def _text(
        self,
        column: Column,
        names: tuple[str, ...],
        read: _Read = lambda x, _: x,
        *,
        is_optional: bool = False,
    ) -> str:
        x = self._texts(column, names, read)
        # Read as empty, a column that was renamed would withdraw tasks.
        if not x and not is_optional:
            listed = " or ".join(names)
            self._note(column, f"{self.relation.files[0]} has no column {listed}")
        return x or "CAST(NULL AS VARCHAR)"

    def _named(self, column: Column, spec: Named) -> str:
        def read(x: str, reading: Reading) -> str:
            if spec.is_reference:
                x = f"NULLIF(REGEXP_EXTRACT({x}, {literal(REFERENCE)}, 1), '')"
            of_day = self._day(column, x, reading) if column.form in DAY_FORMS else x
            return _mapped(x, spec.values or {}, of_day)

        x = self._text(column, spec.names, read, is_optional=spec.is_optional)
        empty = _empty(spec.values or {}) if spec.empty is None else spec.empty
        return x if empty is None else f"COALESCE({x}, {literal(empty)})"

    def _filled(self, column: Column, spec: Filled) -> str:
        there = [name for name in spec.names if self._raw(name) is not None]
        if not there:
            return self._text(column, spec.names, is_optional=spec.is_optional)

        def read(x: str, reading: Reading) -> str:
            return self._day(column, x, reading) if column.form in DAY_FORMS else x

        return f"COALESCE({', '.join(self._text(column, (name,), read) for name in there)})"

    def _reading(self, name: str) -> Reading:
        return self.readings.get((self.relation.name, name), Reading())

    def _day(self, column: Column, x: str, reading: Reading) -> str:
        if column.form == "moment":
            return dates.moment_sql(x, reading)
        return dates.day_sql(x, reading, may_be_future=column.form != "birth_day")

    def _moment(self, column: Column, spec: Moment) -> str:
        time = self._text(column, spec.time)
        return self._text(column, spec.date, lambda x, read: dates.joined_sql(x, read, time))

    def _lookup(self, column: Column, spec: Lookup) -> str:
        other = self.catalogue.find(spec.file)
        here = [self._text(column, (name,)) for name, _ in spec.pairs]
        there = [other.column(name) if other else None for _, name in spec.pairs]
        give = other.column(spec.give) if other else None
        if other is None or None in there or give is None:
            names = " or ".join([*(name for _, name in spec.pairs), spec.give])
            missing = spec.file if other is None else f"column {names}"
            self._note(column, f"the delivery has no {missing} to look {column.name} up in")
            return "CAST(NULL AS VARCHAR)"
        number = len(self.joins) + 1
        value = f"NULLIF(TRIM(o.{identifier(give)}), '')"
        keys = [
            f"TRIM(o.{identifier(name)}) AS key_{place}"
            for place, name in enumerate(filter(None, there), 1)
        ]
        matches = [f"l{number}.key_{place} = {text}" for place, text in enumerate(here, 1)]
        self.joins.append(
            f"LEFT JOIN (SELECT {', '.join(keys)}, MIN({value}) AS given, "
            f"COUNT(DISTINCT {value}) AS values_found "
            f"FROM source.{identifier(other.name)} AS o "
            f"GROUP BY {', '.join(str(place) for place in range(1, len(keys) + 1))}"
            f") AS l{number} ON {' AND '.join(matches)}"
        )
        found = f"l{number}.given"
        given = _mapped(found, spec.values or {}, found)
        empty = _empty(spec.values or {})
        if empty is not None:
            given = f"COALESCE({given}, {literal(empty)})"
        # An id that is nowhere must not pass for what it was to find.
        is_nowhere = f"l{number}.values_found IS NULL AND {here[0]} IS NOT NULL"
        nowhere = f"WHEN {is_nowhere} THEN {literal(NO_ROW)} || CHR(0) "
        return (
            f"CASE WHEN l{number}.values_found > 1 THEN {literal(TWO_ROWS)} || CHR(0) "
            f"{nowhere if column.form != 'text' else ''}ELSE {given} END"
        )

    def _where(self) -> list[str]:
        conditions = [self._is_one_of(name, words) for name, words in self.rule.only.items()]
        for name, words in self.rule.without.items():
            conditions.append(f"NOT {self._is_one_of(name, words)}")
        return [f"WHERE {' AND '.join(conditions)}"] if conditions else []

    def _is_one_of(self, name: str, words: tuple[str, ...]) -> str:
        raw = self._raw(name)
        if raw is None:
            says = f"{self.relation.files[0]} has no column {name}, which chooses its rows"
            self.compiled.problems.append(Problem(self.rule.table, None, says))
            return "TRUE"
        listed = ", ".join(literal(word.lower()) for word in words)
        return f"COALESCE(LOWER(TRIM({raw})), '') IN ({listed})"

    def _one_per(self) -> list[str]:
        if self.rule.one_per is None:
            return []
        names = (*self.rule.one_per.key, self.rule.one_per.latest)
        found = {name: self._raw(name) for name in names}
        for name, raw in found.items():
            if raw is None:
                says = f"{self.relation.files[0]} has no column {name}, which tells rows apart"
                self.compiled.problems.append(Problem(self.rule.table, None, says))
                return []
        latest = found[self.rule.one_per.latest]
        column = self.relation.column(self.rule.one_per.latest) or ""
        reading = self._reading(column)
        if reading.is_open:
            says = f"the days of {column} in {self.relation.files[0]} {reading.says}"
            self.compiled.problems.append(Problem(self.rule.table, None, says))
        key = ", ".join(str(found[name]) for name in self.rule.one_per.key)
        # Numbers compare as numbers, days as days, anything else as text.
        return [
            f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY "
            f"TRY_CAST({latest} AS DOUBLE) DESC NULLS LAST, "
            f"{dates.moment_sql(str(latest), reading)} DESC NULLS LAST, "
            "s._file DESC, s._line DESC) = 1"
        ]


def _mapped(x: str, values: Mapping[str, str], other: str) -> str:
    """CASE of a text's words; what is none of them stays, so that the contract refuses it."""
    cases = [
        f"WHEN LOWER({x}) = {literal(word.strip().lower())} THEN {literal(value)}"
        for word, value in values.items()
        if word.strip()
    ]
    return f"CASE {' '.join(cases)} ELSE {other} END" if cases else other


def _empty(values: Mapping[str, str]) -> str | None:
    """What an empty value means."""
    return next((value for word, value in values.items() if not word.strip()), None)


def expressions(rule: TableRule) -> list[str]:
    """The SQL of a table's columns that an expression gives."""
    return [spec.sql for spec in rule.columns.values() if isinstance(spec, Expression)]


def looked_up(rule: TableRule, catalogue: Catalogue) -> list[str]:
    """The other files that a table's lookups read."""
    files = [spec.file for spec in rule.columns.values() if isinstance(spec, Lookup)]
    return [found.name for file in files if (found := catalogue.find(file)) is not None]
