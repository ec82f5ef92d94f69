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
from pipelines.rules import calls, model
from pipelines.rules.model import (
    ANSWER_TYPES,
    CHOICES,
    EVIDENCE,
    EVIDENCE_TYPES,
    HEADER,
    LEAVING_TYPES,
    MAY_ALSO_ANSWER,
    OPTIONAL,
    REQUIRED,
    RULES_FOLDER,
    STAGED_PARAMS,
    Header,
    Param,
    Rule,
)
from pipelines.staging import KEPT, extracts_of, parameters, staging_sql
from pipelines.vocabulary import ALWAYS_NEEDED
from pipelines.warehouse import snapshots

V = TypeVar("V")
BEFORE_SELECT = re.compile(r"\A(?:\s|--[^\n]*|/\*.*?\*/)+", re.DOTALL)


def load_rules(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """The rules of a folder by id, sorted; UserError names file, line and key of a fault."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise UserError(f"{folder}: no rule files (*.sql) here")
    return dict(_loaded(tuple((path, read_text(path)) for path in paths)))


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
                f"{_line(rule.path, '^ *converts_to')}: converts_to: {target!r} is not another "
                f"rule about {rule.subject_table}"
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


def read_text(path: Path) -> str:
    """The text of a rule file; UserError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error


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
    sql, *explaining = EVIDENCE.split(text[match.end() :])
    evidence = explaining[0] if explaining else None
    if len(explaining) > 1:
        raise UserError(
            f"{_line(path, EVIDENCE.pattern)}: the evidence is one SELECT, "
            f"this file has {len(explaining)}"
        )
    if evidence is None and header["clears"] == "auto":
        raise UserError(
            f"{_where(path, match[1], 'clears')}: a rule that clears by itself says why: it needs "
            "/* evidence */ and a second SELECT"
        )
    _check_sql(con, path, match[1], header, sql, evidence)
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
        sql=sql,
        path=path,
        converts_to=tuple(header.get("converts_to", ())),
        period=header.get("period"),
        looks_at=header.get("looks_at", "case"),
        patients=tuple(header.get("patients", Rule.patients)),
        evidence=evidence,
        looks_back=_looks_back(con, evidence),
        may_lack=tuple(header.get("may_lack", ())),
    )


def _checked(path: Path, text: str, written: dict[str, object]) -> Header:
    known = {**REQUIRED, **OPTIONAL}
    for key, value in written.items():
        where = _where(path, text, key)
        if key not in known:
            raise UserError(f"{where}: unknown key; known are {', '.join(known)}")
        model.matched(value, known[key], where)
        if key != "params":
            _check_value(key, value, where)
    missing = [key for key in REQUIRED if key not in written]
    if missing:
        raise UserError(f"{path}: line 1: the header lacks {', '.join(missing)}")
    header = cast(Header, written)
    model.not_negative(header["due_days"], _where(path, text, "due_days"))
    for table in header.get("may_lack", ()):
        if table not in header["reads"]:
            raise UserError(f"{_where(path, text, 'may_lack')}: {table!r} is none of reads")
    for name, param in header["params"].items():
        if not isinstance(param, (int, float, str)):
            raise UserError(
                f"{_where(path, text, name)}: a parameter is a number, a text, true or false"
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


def _check_sql(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    text: str,
    header: Header,
    sql: str,
    evidence: str | None,
) -> None:
    asked = _read(con, path, sql, "a rule")
    explained = _read(con, path, evidence, "the evidence") if evidence else _Select(set(), set())
    for name in sorted((asked.params | explained.params) - header["params"].keys()):
        where = _line(path, rf"\${name}\b")
        raise UserError(f"{where}: the SQL uses ${name}, which [params] lacks")
    for name in sorted(header["params"].keys() - asked.params):
        raise UserError(f"{_where(path, text, name)}: the SQL does not use ${name}")
    used = _extracts_read(path, sql, asked.tables, "a rule reads tables of staging only")
    if used != set(header["reads"]):
        raise UserError(f"{_where(path, text, 'reads')}: the SQL reads {', '.join(sorted(used))}")
    explaining = {name.replace("before.", "staging.") for name in explained.tables - {"leaving"}}
    may_read = "evidence reads leaving and tables of staging, before"
    also = _extracts_read(path, evidence or "", explaining, may_read)
    for table in sorted(also - used - set(ALWAYS_NEEDED)):
        where = _where(path, text, "reads")
        raise UserError(f"{where}: the evidence reads {table}, which `reads` does not name")


class _Select(NamedTuple):
    """The parameters of a SELECT, and the tables it reads with their schema."""

    params: set[str]
    tables: set[str]


def _read(con: duckdb.DuckDBPyConnection, path: Path, sql: str, what: str) -> _Select:
    try:
        statements = con.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UserError(
                f"{_line(path, sql=sql)}: {what} is exactly one SELECT, "
                f"this file has {len(statements)} statements"
            )
        call = calls.not_allowed(con, sql)
        if call is not None:  # listing the tables would already open the files
            raise UserError(
                f"{_line_of(path, sql, call.line)}: {call.what}: {what} reads tables only; of the "
                f"functions that give rows it may call {', '.join(sorted(calls.HARMLESS))}"
            )
        return _Select(statements[0].named_parameters - {"as_of"}, tables_read(con, sql))
    except duckdb.Error as error:
        raise UserError(_of_sql(path, sql, "cannot be read", error)) from error


def _extracts_read(path: Path, sql: str, tables: set[str], may_read: str) -> set[str]:
    """The extracts from which these staged tables come; UserError for a table of no such name."""
    used: set[str] = set()
    for table in sorted(tables):
        schema, _, name = table.rpartition(".")
        if schema != "staging" or name not in staging_sql():
            where = _line(path, rf"\b{re.escape(name)}\b", sql)
            raise UserError(f"{where}: {table}: {may_read}")
        used.update(extracts_of(name))
    return used


def _looks_back(con: duckdb.DuckDBPyConnection, evidence: str | None) -> frozenset[str]:
    """The staged tables of the run before that the evidence reads."""
    tables = tables_read(con, evidence) if evidence else set()
    return frozenset(name.removeprefix("before.") for name in tables if name.startswith("before."))


def _bind(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    types = _types(con, rule, rule.sql)
    wanted = {**ANSWER_TYPES, **dict.fromkeys(MAY_ALSO_ANSWER, "VARCHAR")}
    _check_types(rule, rule.sql, types, wanted, MAY_ALSO_ANSWER)
    if rule.evidence:
        found = _types(con, rule, rule.evidence)
        _check_types(rule, rule.evidence, found, EVIDENCE_TYPES)


def _types(con: duckdb.DuckDBPyConnection, rule: Rule, sql: str) -> list[tuple[str, str]]:
    sql = BEFORE_SELECT.sub("", sql)  # DuckDB miscounts lines after a comment at the beginning
    given = arguments(con, sql, {"as_of": None, **rule.params})
    try:
        answer = con.execute(sql, given).description or []
    except duckdb.Error as error:
        raise UserError(_of_sql(rule.path, sql, "does not fit", error)) from error
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
        what = "the SELECT" if sql == rule.sql else "the evidence"
        found = "; ".join(f"{says}: {', '.join(of)}" for says, of in faults.items() if of)
        raise UserError(
            f"{_line(rule.path, sql=sql)}: {what} must give {', '.join(needed)}; {found}"
        )
    for name, found in types.items():
        if found != wanted[name]:
            where = _line(rule.path, rf"\bAS {name}\b|\.{name}\b", sql)
            raise UserError(f"{where}: {name} must be {wanted[name]}, not {found}")


def _where(path: Path, header: str, key: str) -> str:
    """File, line and key, for a message."""
    for number, line in enumerate(header.splitlines(), start=2):
        if re.match(rf'\s*\[?"?{re.escape(key)}"?\s*[\]=]', line):
            return f"{path}: line {number}: {key}"
    return f"{path}: {key}"


def _line(path: Path, pattern: str = r"\S", sql: str = "") -> str:
    """File and line of the first match, in this SELECT of the file or in all of it."""
    text = read_text(path)
    start = max(text.find(sql), 0)
    found = re.compile(pattern, re.MULTILINE).search(text, start)
    at = found.start() if found else start
    return f"{path}: line {text.count(chr(10), 0, at) + 1}"


def _of_sql(path: Path, sql: str, what: str, error: duckdb.Error) -> str:
    """What DuckDB says of a SELECT, with the line of the file; it counts from the SELECT on."""
    says, _, place = str(error).partition("LINE ")
    number = re.match(r"\d+", place)
    lines = [line.strip() for line in says.splitlines() if line.strip()]
    # The second line may offer the columns there are; further ones list every function.
    words = " ".join(lines[:2] if "Candidate bindings" in says else lines[:1])
    where = _line_of(path, sql, int(number[0]) - 1 if number else 0)
    return f"{where}: the SQL {what}: {words}"


def _line_of(path: Path, sql: str, lines: int) -> str:
    """File and line of a place so many lines below the beginning of this SELECT."""
    text = read_text(path)
    return f"{path}: line {text.count(chr(10), 0, max(text.find(sql), 0)) + 1 + lines}"
