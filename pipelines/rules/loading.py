"""Load the rule files, strictly: anything unknown stops the load and names file, line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract, contract_sql
from pipelines.rules import calls, model, places
from pipelines.rules.model import (
    ANSWER_TYPES,
    CHOICES,
    EVIDENCE_TYPES,
    HEADER,
    LEAVING_TYPES,
    MAY_ALSO_ANSWER,
    OPTIONAL,
    REQUIRED,
    RULES_FOLDER,
    STAGED_PARAMS,
    UNSEEN,
    UNSEEN_TYPES,
    Header,
    Param,
    Parts,
    Rule,
)
from pipelines.staging import KEPT, extracts_of, parameters, staging_sql
from pipelines.vocabulary import ALWAYS_NEEDED
from pipelines.warehouse import snapshots

V = TypeVar("V")
PART = re.compile(r"/\* (unseen|evidence)\b")
ONLY_STAGING = "unseen reads tables of staging only"
BEFORE_SELECT = re.compile(r"\A(?:\s|--[^\n]*|/\*.*?\*/)+", re.DOTALL)


def load_rules(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """The rules of a folder by id, sorted; UserError names file, line and key of a fault."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise UserError(f"{folder}: no rule files (*.sql) here")
    return dict(_loaded(tuple((path, places.read_text(path)) for path in paths)))


@lru_cache(maxsize=8)  # the app loads the rules again and again; check them once per content
def _loaded(files: tuple[tuple[Path, str], ...]) -> dict[str, Rule]:
    with snapshots.connect() as con:
        rules = {path.stem: _load(con, path, text) for path, text in files}
    for rule in rules.values():
        check_conversions(rule, rules)
    return rules


def check_conversions(rule: Rule, rules: Mapping[str, Rule]) -> None:
    """UserError when a rule converts to anything but another rule about the same records."""
    for target in rule.converts_to:
        if (
            target not in rules
            or target == rule.rule_id
            or rules[target].subject_table != rule.subject_table
        ):
            raise UserError(
                f"{places.line(rule.path, '^ *converts_to')}: converts_to: {target!r} is not "
                f"another rule about {rule.subject_table}"
            )


def load_checked(con: duckdb.DuckDBPyConnection, path: Path, text: str) -> Rule:
    """The rule of one file, bound against the empty tables that `stage_nothing` has made."""
    rule = _load(con, path, text)
    _bind(con, rule)
    return rule


def check(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """Load the rules and bind every SELECT against empty staged tables; finds unknown columns."""
    rules = load_rules(folder)
    with snapshots.connect() as con:
        stage_nothing(con)
        for rule in rules.values():
            _bind(con, rule)
    return rules


def stage_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Make all extract.*, staging.* and before.* tables and `leaving`, empty."""
    for schema in ("extract", "staging", "before"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table in contract.TABLES:
        con.execute(contract_sql.table_sql(table))
    for table, sql in staging_sql().items():
        con.execute(f"CREATE TABLE staging.{table} AS {sql}", dict.fromkeys(parameters(table)))
    for table in KEPT:
        con.execute(f"CREATE TABLE before.{table} AS FROM staging.{table}")
    leaving = ", ".join(f"{name} {sql_type}" for name, sql_type in LEAVING_TYPES.items())
    con.execute(f"CREATE TABLE leaving ({leaving})")


def arguments(
    con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, V]
) -> dict[str, V] | None:
    """The values a SELECT takes, since DuckDB refuses surplus ones; None when it takes none."""
    wanted = con.extract_statements(sql)[0].named_parameters
    return {name: value for name, value in values.items() if name in wanted} or None


def tables_read(con: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """The tables a SELECT reads, with their schema."""
    # Listing tables takes no parameters, so replace each by NULL.
    # DuckDB lists an aliased table as "staging.cases AS c".
    listed = con.get_table_names(re.sub(r"\$(\w+)", "NULL", sql), qualified=True)
    return {name.split(" AS ")[0].replace('"', "") for name in listed}


def _load(con: duckdb.DuckDBPyConnection, path: Path, text: str) -> Rule:
    match = HEADER.match(text)
    if match is None:
        raise UserError(
            f"{path}: line 1: a rule begins with its header, /* rule … */, "
            "the /* rule and the */ on lines of their own"
        )
    try:
        written = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        # The header's first line is the file's second.
        says = re.sub(
            r"at line (\d+)", lambda found: f"at line {int(found[1]) + 1} of the file", str(error)
        )
        raise UserError(f"{path}: the header is not TOML: {says}") from error
    except RecursionError as error:
        raise UserError(f"{path}: the header is not TOML: brackets within brackets") from error
    header = _checked(path, match[1], written)
    parts = _parts(path, text[match.end() :])
    if parts.evidence is None and header["clears"] == "auto":
        raise UserError(
            f"{places.where(path, match[1], 'clears')}: a rule that clears by itself says why: it "
            "needs /* evidence */ and a second SELECT"
        )
    minds = _check_sql(con, path, match[1], header, parts)
    staged: dict[str, Param] = {
        name: param.default
        for table in header["reads"]
        for name, param in STAGED_PARAMS.get(table, {}).items()
    }
    return Rule(
        rule_id=path.stem,
        title=header["title"],
        category=header["category"],
        clears=header["clears"],
        clears_when=header["clears_when"],
        manual=header["manual"],
        purpose=header["purpose"],
        resolve=tuple(header["resolve"]),
        links=tuple(header["links"]),
        reads=tuple(header["reads"]),
        due_days=header["due_days"],
        ends_at_discharge=header["ends_at_discharge"],
        subject_table=header["subject_table"],
        source=header["source"],
        params={**header["params"], **staged},
        sql=parts.sql,
        path=path,
        converts_to=tuple(header.get("converts_to", ())),
        period=header.get("period"),
        looks_at=header.get("looks_at", "case"),
        patients=tuple(header.get("patients", Rule.patients)),
        evidence=parts.evidence,
        compares=_compares(con, parts.evidence),
        looks_back=tuple(header.get("looks_back", ())),
        unseen=parts.unseen,
        minds=minds,
        may_lack=tuple(header.get("may_lack", ())),
    )


def _checked(path: Path, text: str, written: dict[str, object]) -> Header:
    known = {**REQUIRED, **OPTIONAL}
    for key, value in written.items():
        where = places.where(path, text, key)
        if key not in known:
            raise UserError(f"{where}: unknown key; known are {', '.join(known)}")
        model.matched(value, known[key], where)
        if key != "params":
            _check_value(key, value, where)
    missing = [key for key in REQUIRED if key not in written]
    if missing:
        raise UserError(f"{path}: line 1: the header lacks {', '.join(missing)}")
    header = cast(Header, written)
    model.not_negative(header["due_days"], places.where(path, text, "due_days"))
    for key, tables in (
        ("may_lack", header.get("may_lack", [])),
        ("looks_back", header.get("looks_back", [])),
    ):
        for table in tables:
            if table not in header["reads"]:
                raise UserError(f"{places.where(path, text, key)}: {table!r} is none of reads")
    for name, param in header["params"].items():
        if not isinstance(param, (int, float, str)):
            raise UserError(
                f"{places.where(path, text, name)}: a parameter is a number, a text, true or false"
            )
    return header


def _check_value(key: str, value: object, where: str) -> None:
    if isinstance(value, str) and not value.strip():
        raise UserError(f"{where}: must not be empty")
    if isinstance(value, list) and not value:
        raise UserError(f"{where}: must not be empty")
    for item in value if isinstance(value, list) else [value]:
        if key in CHOICES and item not in CHOICES[key]:
            raise UserError(f"{where}: {item!r} is none of {', '.join(CHOICES[key])}")
    if isinstance(value, list) and len(set(value)) < len(value):
        raise UserError(f"{where}: names something twice")


def _parts(path: Path, body: str) -> Parts:
    """The SELECTs below the header; UserError for two of a kind, or another order."""
    found = [match[1] for match in PART.finditer(body)]
    if found not in ([], ["unseen"], ["evidence"], ["unseen", "evidence"]):
        raise UserError(
            f"{places.line(path, PART.pattern)}: below its first SELECT, a rule has at most "
            f"/* unseen */ and then /* evidence */, each once; this file has {', '.join(found)}"
        )
    return model.parts(body)


def _check_sql(
    con: duckdb.DuckDBPyConnection, path: Path, text: str, header: Header, parts: Parts
) -> frozenset[str]:
    """Check the parameters and tables of every SELECT; the tables of `looks_back` it allows for."""
    nothing = _Select(set(), set())
    asked = _read(con, path, parts.sql, "a rule")
    unseen = _read(con, path, parts.unseen, "unseen") if parts.unseen else nothing
    explained = _read(con, path, parts.evidence, "the evidence") if parts.evidence else nothing
    minds = _check_looks_back(path, header, asked, unseen if parts.unseen else None)
    known = header["params"].keys() | {model.since(table) for table in minds}
    lacking = (asked.params | unseen.params) - known | explained.params - header["params"].keys()
    for name in sorted(lacking):
        where = places.line(path, rf"\${name}\b")
        raise UserError(f"{where}: the SQL uses ${name}, which [params] lacks")
    for name in sorted(header["params"].keys() - asked.params):
        raise UserError(f"{places.where(path, text, name)}: the SQL does not use ${name}")
    used = _extracts_read(path, parts.sql, asked.tables, "a rule reads tables of staging only")
    if used != set(header["reads"]):
        where = places.where(path, text, "reads")
        raise UserError(f"{where}: the SQL reads {', '.join(sorted(used))}")
    explaining = {name.replace("before.", "staging.") for name in explained.tables - {"leaving"}}
    may_read = "evidence reads leaving and tables of staging, before"
    for what, also in (
        ("unseen", _extracts_read(path, parts.unseen or "", unseen.tables, ONLY_STAGING)),
        ("the evidence", _extracts_read(path, parts.evidence or "", explaining, may_read)),
    ):
        for table in sorted(also - used - set(ALWAYS_NEEDED)):
            where = places.where(path, text, "reads")
            raise UserError(f"{where}: {what} reads {table}, which `reads` does not name")
    return minds


def _check_looks_back(
    path: Path, header: Header, asked: _Select, unseen: _Select | None
) -> frozenset[str]:
    """The tables of `looks_back` for which a SELECT allows; UserError for any other's first day."""
    looks_back = header.get("looks_back", [])
    if unseen is not None and not looks_back:
        where = places.line(path, UNSEEN.pattern)
        raise UserError(f"{where}: unseen is for a rule with looks_back in its header")
    params = asked.params | (unseen.params if unseen is not None else set())
    for table in contract.TABLES:
        if model.since(table) in params and table not in looks_back:
            where = places.line(path, rf"\${model.since(table)}\b")
            raise UserError(
                f"{where}: the SQL uses ${model.since(table)}, so looks_back must name {table}"
            )
    return frozenset(
        table for table in looks_back if unseen is not None or model.since(table) in params
    )


class _Select(NamedTuple):
    """The parameters of a SELECT, and the tables it reads with their schema."""

    params: set[str]
    tables: set[str]


def _read(con: duckdb.DuckDBPyConnection, path: Path, sql: str, what: str) -> _Select:
    try:
        statements = con.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UserError(
                f"{places.line(path, sql=sql)}: {what} is exactly one SELECT, "
                f"this file has {len(statements)} statements"
            )
        call = calls.not_allowed(con, sql)
        if call is not None:  # listing the tables would already open the files
            raise UserError(
                f"{places.line_of(path, sql, call.line)}: {call.what}: {what} reads tables only; "
                f"of the functions that give rows it may call {', '.join(sorted(calls.HARMLESS))}"
            )
        return _Select(statements[0].named_parameters - {"as_of"}, tables_read(con, sql))
    except duckdb.Error as error:
        raise UserError(places.of_sql(path, sql, "cannot be read", error)) from error


def _extracts_read(path: Path, sql: str, tables: set[str], may_read: str) -> set[str]:
    """The extracts from which these staged tables come; UserError for a table of no such name."""
    used: set[str] = set()
    for table in sorted(tables):
        schema, _, name = table.rpartition(".")
        if schema != "staging" or name not in staging_sql():
            where = places.line(path, rf"\b{re.escape(name)}\b", sql)
            raise UserError(f"{where}: {table}: {may_read}")
        used.update(extracts_of(name))
    return used


def _compares(con: duckdb.DuckDBPyConnection, evidence: str | None) -> frozenset[str]:
    """The staged tables of the run before that the evidence reads."""
    tables = tables_read(con, evidence) if evidence else set()
    return frozenset(name.removeprefix("before.") for name in tables if name.startswith("before."))


def _bind(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    types = _types(con, rule, rule.sql)
    wanted = {**ANSWER_TYPES, **dict.fromkeys(MAY_ALSO_ANSWER, "VARCHAR")}
    _check_types(rule, rule.sql, types, wanted, MAY_ALSO_ANSWER)
    if rule.unseen:
        _check_types(rule, rule.unseen, _types(con, rule, rule.unseen), UNSEEN_TYPES)
    if rule.evidence:
        found = _types(con, rule, rule.evidence)
        _check_types(rule, rule.evidence, found, EVIDENCE_TYPES)


def _types(con: duckdb.DuckDBPyConnection, rule: Rule, sql: str) -> list[tuple[str, str]]:
    sql = BEFORE_SELECT.sub("", sql)  # DuckDB miscounts lines after a comment at the beginning
    since = dict.fromkeys(map(model.since, rule.looks_back))
    given = arguments(con, sql, {"as_of": None, **since, **rule.params})
    try:
        answer = con.execute(sql, given).description or []
    except duckdb.Error as error:
        raise UserError(places.of_sql(rule.path, sql, "does not fit", error)) from error
    return [(column[0], str(column[1])) for column in answer]


def _check_types(
    rule: Rule,
    sql: str,
    answer: list[tuple[str, str]],
    wanted: Mapping[str, str],
    optional: tuple[str, ...] = (),
) -> None:
    types = dict(answer)
    needed = [name for name in wanted if name not in optional]
    missing = [name for name in needed if name not in types]
    surplus = [name for name in types if name not in wanted]
    twice = sorted({name for name, _ in answer if [one for one, _ in answer].count(name) > 1})
    faults = {"missing": missing, "not known": surplus, "given twice": twice}
    if any(faults.values()):
        names = {rule.sql: "the SELECT", rule.unseen: "unseen", rule.evidence: "the evidence"}
        found = "; ".join(f"{says}: {', '.join(of)}" for says, of in faults.items() if of)
        raise UserError(
            f"{places.line(rule.path, sql=sql)}: {names[sql]} must give {', '.join(needed)}; "
            f"{found}"
        )
    for name, found in types.items():
        if found != wanted[name]:
            where = places.line(rule.path, rf"\bAS {name}\b|\.{name}\b", sql)
            raise UserError(f"{where}: {name} must be {wanted[name]}, not {found}")
