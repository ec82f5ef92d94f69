"""Show a source: what it maps, and the SQL that its mapping compiles to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from pipelines.sources import compiling
from pipelines.sources.delivery import Catalogue, Relation, relation_name
from pipelines.sources.mapping import SourceMapping, TableRule
from pipelines.sources.specs import Constant, Expression, Filled, Joined, Lookup, Moment, Named


def as_sql(source: SourceMapping) -> str:
    """The SELECT of each table, as for a delivery with every column it names and ISO days."""
    catalogue = assumed_catalogue(source)
    parts: list[str] = []
    for table in source.provided():
        rules = source.tables.get(table, ())
        selects = [compiling.table(source, rule, catalogue, {}).sql for rule in rules]
        if not rules and (path := source.sql_files().get(table)):
            selects = [path.read_text(encoding="utf-8").rstrip()]
        if selects:
            parts.append(f"-- {table}\n" + "\nUNION ALL\n".join(selects) + ";")
    return "\n\n".join(parts)


def as_text(source: SourceMapping) -> str:
    """What a source gives: its tables with the columns they come from, and what it lacks."""
    lines = [f"{source.title} ({source.path})"]
    if source.preset:
        lines.append(f"built on the preset {source.preset}")
    for table in source.provided():
        rules = source.tables.get(table, ())
        files = ", ".join((rule.source or "-").replace("|", " or ") for rule in rules)
        files = files or "SQL of the source"
        lines.append(f"{table}: from {files}")
        for rule in rules:
            for column, spec in rule.columns.items():
                mark = "  (assumed)" if column in rule.assumed else ""
                lines.append(f"  {column:28}{said(spec)}{mark}")
    if source.absent:
        lines.append(f"never delivered: {', '.join(source.absent)}")
    lines += [f"{file.pattern}: {file.mode}" for file in source.files]
    return "\n".join(lines)


def said(spec: object) -> str:
    """Where a column's values come from, in words."""
    if isinstance(spec, Named):
        words = ", ".join(f"{word} is {value}" for word, value in (spec.values or {}).items())
        return " or ".join(spec.names) + (f": {words}" if words else "")
    if isinstance(spec, Moment):
        return f"{' or '.join(spec.date)} at {' or '.join(spec.time)}"
    if isinstance(spec, Filled):
        return " or, where it is empty, ".join(spec.names)
    if isinstance(spec, Joined):
        return " and ".join(spec.names)
    if isinstance(spec, Lookup):
        keys = " and ".join(there for _, there in spec.pairs)
        return f"{spec.give} of the row of {spec.file} with the same {keys}"
    if isinstance(spec, Constant):
        return f"always {spec.text}"
    return f"SQL: {spec.sql}" if isinstance(spec, Expression) else "-"


def assumed_catalogue(source: SourceMapping) -> Catalogue:
    """A delivery that has just the files and columns that the mapping names."""
    columns: dict[str, list[str]] = {}
    for rules in source.tables.values():
        for rule in rules:
            if rule.source is not None:
                columns.setdefault(relation_name(rule.source.split("|")[0]), []).extend(
                    _names(rule)
                )
            for spec in rule.columns.values():
                if isinstance(spec, Lookup):
                    there = [name for _, name in spec.pairs]
                    columns.setdefault(relation_name(spec.file), []).extend((*there, spec.give))
    made = dt.datetime.fromtimestamp(0, dt.UTC)
    return Catalogue(
        {
            name: Relation(name, tuple(dict.fromkeys(found)), 0, (name,), "", made)
            for name, found in columns.items()
        }
    )


def _names(rule: TableRule) -> Iterator[str]:
    yield from rule.only
    yield from rule.without
    if rule.one_per is not None:
        yield from rule.one_per.key
        yield rule.one_per.latest
    for spec in rule.columns.values():
        if isinstance(spec, Named):
            yield "json" if spec.names[0].startswith("$") else spec.names[0]
        elif isinstance(spec, Moment):
            yield from (spec.date[0], spec.time[0])
        elif isinstance(spec, Filled | Joined):
            yield from ("json" if name.startswith("$") else name for name in spec.names)
        elif isinstance(spec, Lookup):
            yield from (name for name, _ in spec.pairs)
        elif isinstance(spec, Expression):
            yield from re.findall(r"\bs\.(\w+)", spec.sql)
