"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.rules import model
from pipelines.rules.model import (
    ANSWER,
    ANSWER_TYPES,
    CHOICES,
    HEADER,
    MAY_ALSO_ANSWER,
    OPTIONAL,
    REQUIRED,
    RULES_FOLDER,
    Rule,
)
from pipelines.staging import parameters, staging_sql
from pipelines.warehouse import snapshots


def load_rules(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """The rules of a folder by id, sorted; UserError naming file, line and key of the first thing that is wrong."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise UserError(f"{folder}: no rule files (*.sql) here")
    return dict(_loaded(tuple((path, _text(path)) for path in paths)))


# An app runs again and again over the same rules: what was read and checked once need not be while no file changes.
@lru_cache(maxsize=8)
def _loaded(files: tuple[tuple[Path, str], ...]) -> dict[str, Rule]:
    with snapshots.connect() as con:
        rules = {path.stem: _load(con, path, text) for path, text in files}
    for rule in rules.values():
        for target in rule.converts_to:
            if (
                target not in rules
                or target == rule.rule_id
                or rules[target].subject_table != rule.subject_table
            ):
                raise UserError(
                    f"{rule.path}: converts_to: {target!r} is not another rule about {rule.subject_table}"
                )
    return rules


def check(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """Load the rules and bind every SELECT against empty staging tables, so that a misspelt column shows; the rules."""
    rules = load_rules(folder)
    with snapshots.connect() as con:
        stage_nothing(con)
        for rule in rules.values():
            _bind(con, rule)
    return rules


def stage_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Make all extract.* tables, empty, and staging.* from them."""
    con.execute("CREATE SCHEMA IF NOT EXISTS extract")
    con.execute("CREATE SCHEMA IF NOT EXISTS staging")
    for table in contract.TABLES:
        parts = []
        for column in contract.columns(table):
            parts.append(f"{column.name} {column.sql_type}")
            if column.form == "moment":
                parts.append(f"{column.name}_is_utc BOOLEAN")
        con.execute(f"CREATE TABLE extract.{table} ({', '.join(parts)})")
    for table, sql in staging_sql().items():
        con.execute(f"CREATE TABLE staging.{table} AS {sql}", dict.fromkeys(parameters(table)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error


def _load(con: duckdb.DuckDBPyConnection, path: Path, text: str) -> Rule:
    match = HEADER.match(text)
    if match is None:
        raise UserError(
            f"{path}: line 1: a rule begins with its header, /* rule … */, the /* rule and the */ on lines of their own"
        )
    try:
        header = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        # The header's first line is the file's second.
        says = re.sub(
            r"at line (\d+)", lambda found: f"at line {int(found[1]) + 1} of the file", str(error)
        )
        raise UserError(f"{path}: the header is not TOML: {says}") from error
    _check_header(path, match[1], header)
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in header.items()
    }
    rule = Rule(rule_id=path.stem, sql=text[match.end() :], path=path, **values)
    _check_sql(con, rule, match[1])
    return rule


def _check_header(path: Path, text: str, header: dict[str, object]) -> None:
    known = {**REQUIRED, **OPTIONAL}
    for key, value in header.items():
        where = _where(path, text, key)
        if key not in known:
            raise UserError(f"{where}: unknown key; known are {', '.join(known)}")
        model.matched(value, known[key], where)
        if isinstance(value, str) and not value.strip():
            raise UserError(f"{where}: must not be empty")
        if isinstance(value, list) and not value:
            raise UserError(f"{where}: must not be empty")
        for item in value if isinstance(value, list) else [value]:
            if key in CHOICES and item not in CHOICES[key]:
                raise UserError(f"{where}: {item!r} is none of {', '.join(CHOICES[key])}")
        if isinstance(value, list) and len(set(value)) < len(value):
            raise UserError(f"{where}: names something twice")
    missing = [key for key in REQUIRED if key not in header]
    if missing:
        raise UserError(f"{path}: the header lacks {', '.join(missing)}")
    model.not_negative(header["due_days"], _where(path, text, "due_days"))
    for name, value in header["params"].items():
        if not isinstance(value, (int, float, str)):
            raise UserError(
                f"{_where(path, text, name)}: a parameter is a number, a text, true or false"
            )


def _check_sql(con: duckdb.DuckDBPyConnection, rule: Rule, header: str) -> None:
    try:
        statements = con.extract_statements(rule.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UserError(
                f"{rule.path}: a rule is exactly one SELECT, this file has {len(statements)} statements"
            )
        names = statements[0].named_parameters - {"as_of"}
        # Listing tables takes no parameters, so each gives way to a NULL; DuckDB lists "staging.cases AS c".
        listed = con.get_table_names(re.sub(r"\$(\w+)", "NULL", rule.sql), qualified=True)
        tables = {name.split(" AS ")[0].replace('"', "") for name in listed}
    except duckdb.Error as error:
        raise UserError(f"{rule.path}: the SQL cannot be read: {_first_line(error)}") from error
    for name in sorted(names - rule.params.keys()):
        raise UserError(f"{rule.path}: the SQL uses ${name}, which [params] lacks")
    for name in sorted(rule.params.keys() - names):
        raise UserError(f"{_where(rule.path, header, name)}: the SQL does not use ${name}")
    for table in sorted(tables):
        if table.removeprefix("staging.") not in contract.TABLES or not table.startswith(
            "staging."
        ):
            raise UserError(f"{rule.path}: {table}: a rule reads tables of staging only")
    used = {table.removeprefix("staging.") for table in tables}
    if used != set(rule.reads):
        raise UserError(
            f"{_where(rule.path, header, 'reads')}: the SQL reads {', '.join(sorted(used))}"
        )


def _bind(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    wanted = con.extract_statements(rule.sql)[0].named_parameters
    given = {name: rule.params.get(name) for name in wanted}
    try:
        answer = con.execute(rule.sql, given or None).description or []
    except duckdb.Error as error:
        raise UserError(f"{rule.path}: {_first_line(error)}") from error
    types = {column[0]: str(column[1]) for column in answer}
    missing = [name for name in ANSWER if name not in types]
    surplus = [name for name in types if name not in (*ANSWER, *MAY_ALSO_ANSWER)]
    if missing or surplus or len(types) < len(answer):
        raise UserError(
            f"{rule.path}: the SELECT must give {', '.join(ANSWER)}; missing {missing or 'nothing'}, not known {surplus or 'nothing'}"
        )
    for name, found in types.items():
        if found != ANSWER_TYPES.get(name, "VARCHAR"):
            raise UserError(
                f"{rule.path}: {name} must be {ANSWER_TYPES.get(name, 'VARCHAR')}, not {found}"
            )


def _where(path: Path, header: str, key: str) -> str:
    """File, line and key, for a message."""
    for number, line in enumerate(header.splitlines(), start=2):
        if re.match(rf'\s*\[?"?{re.escape(key)}"?\s*[\]=]', line):
            return f"{path}: line {number}: {key}"
    return f"{path}: {key}"


def _first_line(error: duckdb.Error) -> str:
    return next(line for line in str(error).splitlines() if line.strip())
