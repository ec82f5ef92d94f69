"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import duckdb

from pipelines import contracts, warehouse
from pipelines.errors import UserError
from pipelines.staging import parameters, staging_sql

RULES_FOLDER = Path(__file__).parent.parent / "rules"
CATEGORIES = ("Administrative", "Billing", "Clinical", "Patient Engagement", "Referral Management")
LINKS = ("policies", "payments", "documents", "authorizations", "schedule", "demographics")
ANSWER = ("subject_id", "case_id", "patient_id", "facility_id", "staff_id", "since", "amount", "reason")
ANSWER_TYPES = {"since": "DATE", "amount": "DECIMAL(12,2)"}  # all others are text
MAY_ALSO_ANSWER = ("manual", "episode")
HEADER = re.compile(r"/\* rule\n(.*?)^\*/\n", re.DOTALL | re.MULTILINE)

REQUIRED: dict[str, type] = {
    "title": str,
    "category": str,
    "clears": str,
    "clears_when": str,
    "manual": str,
    "purpose": str,
    "resolve": list,
    "links": list,
    "reads": list,
    "due_days": int,
    "ends_at_discharge": bool,
    "subject_table": str,
    "source": str,
    "params": dict,
}
OPTIONAL: dict[str, type] = {"converts_to": list, "period": str}
CHOICES: dict[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "clears": ("auto", "manual"),
    "manual": ("allowed", "override"),
    "links": LINKS,
    "reads": tuple(contracts.TABLES),
    "period": ("week", "month"),
    "subject_table": tuple(contracts.TABLES),
}
TYPE_NAMES = {str: "text", list: "a list of texts", int: "a whole number", bool: "true or false", float: "a number", dict: "a table"}


@dataclass(frozen=True)
class Rule:
    """A task type: its header as written, its parameters by name, and the SELECT that answers who needs one."""

    rule_id: str
    title: str
    category: str
    clears: str
    clears_when: str
    manual: str
    purpose: str
    resolve: tuple[str, ...]
    links: tuple[str, ...]
    reads: tuple[str, ...]
    due_days: int
    ends_at_discharge: bool
    subject_table: str
    source: str
    params: Mapping[str, object]
    sql: str
    path: Path
    converts_to: tuple[str, ...] = ()
    period: str | None = None


@dataclass(frozen=True)
class Applied:
    """The rules under a practice's settings; payers is {rule_id: {payer_id: {parameter: value}}}, disabled are rule ids."""

    rules: dict[str, Rule]
    payers: dict[str, dict[str, dict[str, object]]]
    disabled: frozenset[str]


def load_rules(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """The rules of a folder by id, sorted; UserError naming file, line and key of the first thing that is wrong."""
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise UserError(f"{folder}: no rule files (*.sql) here")
    return dict(_loaded(tuple((path, _text(path)) for path in paths)))


# An app runs again and again over the same rules: what was read and checked once need not be while no file changes.
@lru_cache(maxsize=8)
def _loaded(files: tuple[tuple[Path, str], ...]) -> dict[str, Rule]:
    with warehouse.connect() as con:
        rules = {path.stem: _load(con, path, text) for path, text in files}
    for rule in rules.values():
        for target in rule.converts_to:
            if target not in rules or target == rule.rule_id or rules[target].subject_table != rule.subject_table:
                raise UserError(f"{rule.path}: converts_to: {target!r} is not another rule about {rule.subject_table}")
    return rules


def check(folder: Path = RULES_FOLDER) -> dict[str, Rule]:
    """Load the rules and bind every SELECT against empty staging tables, so that a misspelt column shows; the rules."""
    rules = load_rules(folder)
    with warehouse.connect() as con:
        stage_nothing(con)
        for rule in rules.values():
            _bind(con, rule)
    return rules


def stage_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Make all extract.* tables, empty, and staging.* from them."""
    con.execute("CREATE SCHEMA IF NOT EXISTS extract")
    con.execute("CREATE SCHEMA IF NOT EXISTS staging")
    for table in contracts.TABLES:
        parts = []
        for column in contracts.columns(table):
            parts.append(f"{column.name} {column.sql_type}")
            if column.form == "moment":
                parts.append(f"{column.name}_is_utc BOOLEAN")
        con.execute(f"CREATE TABLE extract.{table} ({', '.join(parts)})")
    for table, sql in staging_sql().items():
        con.execute(f"CREATE TABLE staging.{table} AS {sql}", dict.fromkeys(parameters(table)))


def apply_settings(rules: dict[str, Rule], settings: Mapping[str, object], file: str) -> Applied:
    """Lay the [rules] part of a practice's settings over the rules: due_days, enabled, parameters, and parameters by payer."""
    found, payers, disabled = dict(rules), {}, set()
    for rule_id, wanted in settings.items():
        where = f"{file}: rules.{rule_id}"
        if rule_id not in rules:
            raise UserError(f"{where}: there is no such rule; the rules are {', '.join(rules)}")
        if not isinstance(wanted, Mapping):
            raise UserError(f"{where}: must be a table, as in [rules.{rule_id}]")
        rule, params = rules[rule_id], {}
        for key, value in wanted.items():
            if key == "payers":
                payers[rule_id] = _payers(rule, value, f"{where}.payers")
            elif key == "enabled":
                if not _matched(value, bool, f"{where}.enabled"):
                    disabled.add(rule_id)
            elif key == "due_days":
                rule = replace(rule, due_days=_not_negative(_matched(value, int, f"{where}.due_days"), f"{where}.due_days"))
            else:
                params[key] = _param(rule, key, value, where)
        found[rule_id] = replace(rule, params={**rule.params, **params})
    return Applied(found, payers, frozenset(disabled))


def docs(rules: Mapping[str, Rule]) -> str:
    """The text of rules/README.md: every rule as its header tells it, by category."""
    lines = [
        "# The rules",
        "",
        "One SQL file a task type; the file name is the rule's id. This page is written by `python -m pipelines rules docs` from the headers.",
        "A practice changes parameters, `due_days` and `enabled` in its settings file, never in the SQL.",
    ]
    for category in CATEGORIES:
        of_category = [rule for rule in rules.values() if rule.category == category]
        if of_category:
            lines += ["", f"## {category}", "", "| task | id | clears | by hand | overdue after |", "|---|---|---|---|---|"]
            lines += [
                f"| [{rule.title}](#{rule.title.lower().replace(' ', '-')}) | `{rule.rule_id}` | {rule.clears} | {rule.manual} | {rule.due_days} d |"
                for rule in of_category
            ]
            for rule in of_category:
                lines += _rule_docs(rule)
    return "\n".join(lines) + "\n"


def _rule_docs(rule: Rule) -> list[str]:
    facts = [f"Clears ({rule.clears}): {rule.clears_when}", f"Subject: {rule.subject_table}; reads {', '.join(rule.reads)}"]
    facts.append("A discharge ends it." if rule.ends_at_discharge else "A discharge does not end it.")
    if rule.period:
        facts.append(f"Periodic: one that a person completed may return the next {rule.period}.")
    if rule.converts_to:
        facts.append(f"Converts to {', '.join(f'`{target}`' for target in rule.converts_to)}.")
    why = reasons(rule)
    facts += [f"`{name}` = {written(value)}: {why.get(name, '')}" for name, value in rule.params.items()]
    facts.append(f"Source: {rule.source}")
    steps = [f"{number}. {step}" for number, step in enumerate(rule.resolve, start=1)]
    return ["", f"### {rule.title}", "", rule.purpose, "", *steps, "", *(f"- {fact}" for fact in facts)]


def reasons(rule: Rule) -> dict[str, str]:
    """The comment behind a key or parameter of the header, which says why it is what it is."""
    header = HEADER.match(rule.path.read_text(encoding="utf-8"))
    return dict(re.findall(r"^(\w+) *=[^#\n]*# (.+)$", header[1], re.MULTILINE)) if header else {}


def written(value: object) -> str:
    """A parameter's value as a settings file has it."""
    return f"{value:.2f}" if isinstance(value, float) else f'"{value}"' if isinstance(value, str) else str(value).lower()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error


def _load(con: duckdb.DuckDBPyConnection, path: Path, text: str) -> Rule:
    match = HEADER.match(text)
    if match is None:
        raise UserError(f"{path}: line 1: a rule begins with its header, /* rule … */, the /* rule and the */ on lines of their own")
    try:
        header = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        # The header's first line is the file's second.
        says = re.sub(r"at line (\d+)", lambda found: f"at line {int(found[1]) + 1} of the file", str(error))
        raise UserError(f"{path}: the header is not TOML: {says}") from error
    _check_header(path, match[1], header)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in header.items()}
    rule = Rule(rule_id=path.stem, sql=text[match.end() :], path=path, **values)
    _check_sql(con, rule, match[1])
    return rule


def _check_header(path: Path, text: str, header: dict[str, object]) -> None:
    known = {**REQUIRED, **OPTIONAL}
    for key, value in header.items():
        where = _where(path, text, key)
        if key not in known:
            raise UserError(f"{where}: unknown key; known are {', '.join(known)}")
        _matched(value, known[key], where)
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
    _not_negative(header["due_days"], _where(path, text, "due_days"))
    for name, value in header["params"].items():
        if not isinstance(value, (int, float, str)):
            raise UserError(f"{_where(path, text, name)}: a parameter is a number, a text, true or false")


def _check_sql(con: duckdb.DuckDBPyConnection, rule: Rule, header: str) -> None:
    try:
        statements = con.extract_statements(rule.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UserError(f"{rule.path}: a rule is exactly one SELECT, this file has {len(statements)} statements")
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
        if table.removeprefix("staging.") not in contracts.TABLES or not table.startswith("staging."):
            raise UserError(f"{rule.path}: {table}: a rule reads tables of staging only")
    used = {table.removeprefix("staging.") for table in tables}
    if used != set(rule.reads):
        raise UserError(f"{_where(rule.path, header, 'reads')}: the SQL reads {', '.join(sorted(used))}")


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
        raise UserError(f"{rule.path}: the SELECT must give {', '.join(ANSWER)}; missing {missing or 'nothing'}, not known {surplus or 'nothing'}")
    for name, found in types.items():
        if found != ANSWER_TYPES.get(name, "VARCHAR"):
            raise UserError(f"{rule.path}: {name} must be {ANSWER_TYPES.get(name, 'VARCHAR')}, not {found}")


def _payers(rule: Rule, wanted: object, where: str) -> dict[str, dict[str, object]]:
    if not isinstance(wanted, Mapping) or not all(isinstance(params, Mapping) for params in wanted.values()):
        raise UserError(f"{where}: must hold a table for each payer, as in [rules.{rule.rule_id}.payers.PAYER_ID]")
    return {payer_id: {key: _param(rule, key, value, f"{where}.{payer_id}") for key, value in params.items()} for payer_id, params in wanted.items()}


def _param(rule: Rule, key: str, value: object, where: str) -> object:
    if key not in rule.params:
        raise UserError(f"{where}.{key}: the rule has no such parameter; it has {', '.join(rule.params) or 'none'}")
    kind = type(rule.params[key])
    matched = _matched(value, kind, f"{where}.{key}")
    # Days and dollars below zero would turn a rule round.
    return matched if isinstance(matched, (str, bool)) else _not_negative(matched, f"{where}.{key}")


def _matched(value: object, kind: type, where: str) -> object:
    """The value if it is of that kind (a whole number will do for a number); UserError if not."""
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or (kind is list and not all(isinstance(item, str) for item in value)):
        raise UserError(f"{where}: must be {TYPE_NAMES[kind]}")
    return value


def _not_negative(value: float, where: str) -> float:
    if not 0 <= value < 1_000_000:
        raise UserError(f"{where}: must be 0 or more, and below a million")
    return value


def _where(path: Path, header: str, key: str) -> str:
    """File, line and key, for a message."""
    for number, line in enumerate(header.splitlines(), start=2):
        if re.match(rf'\s*\[?"?{re.escape(key)}"?\s*[\]=]', line):
            return f"{path}: line {number}: {key}"
    return f"{path}: {key}"


def _first_line(error: duckdb.Error) -> str:
    return next(line for line in str(error).splitlines() if line.strip())
