"""Ask every rule that may answer for its candidates: the subjects whose condition is unresolved now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.extracts.read import TableRead
from pipelines.rules import sql
from pipelines.rules.model import Applied, Rule
from pipelines.warehouse import snapshots

SPINE = (
    "facilities",
    "patients",
    "cases",
)  # without these nobody knows whose task it is, where, or what day it is there
COLUMNS = (
    "subject_id",
    "case_id",
    "patient_id",
    "facility_id",
    "staff_id",
    "since",
    "amount",
    "reason",
)
PAYER_RULES = frozenset({"payers"})  # a payer's name is shown, no rule decides on it
SWITCHED_OFF = "switched off in the settings"  # the one reason for which nobody need do anything


@dataclass(frozen=True)
class RuleResult:
    """What became of a rule in one run: how many candidates, or why it was withheld."""

    rule_id: str
    is_answered: bool
    candidates: int
    reason: str | None


def needed_tables(rule: Rule) -> set[str]:
    """The extracts a rule cannot do without: those it reads, and the parents their rows must have."""
    needed, waiting = set(), [*rule.reads, *SPINE]
    while waiting:
        table = waiting.pop()
        if table in needed or table in PAYER_RULES:
            continue
        needed.add(table)
        waiting.extend(
            c.references for c in contract.columns(table) if c.references and not c.is_nullable
        )
    return needed


def ask(
    con: duckdb.DuckDBPyConnection,
    applied: Applied,
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> list[RuleResult]:
    """Fill the temp table `candidates` by evaluating every rule that can be."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE found (rule_id VARCHAR, {_types()}, manual VARCHAR, episode VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE candidates AS " + sql("payers") + " LIMIT 0")
    answers = [
        _ask(con, rule, rule.rule_id in applied.disabled, reads, as_of)
        for rule in applied.rules.values()
    ]
    con.execute("INSERT INTO candidates BY NAME " + sql("payers"))
    for rule_id, payers in applied.payers.items():
        if any(answer.rule_id == rule_id and answer.is_answered for answer in answers):
            for payer_id, parameters in payers.items():
                _ask_for_payer(con, applied.rules[rule_id], payer_id, parameters, as_of)
    return answers


def check_payers(con: duckdb.DuckDBPyConnection, applied: Applied, file: str) -> None:
    """UserError when the settings name a payer that the payers extract does not have."""
    known = {row[0] for row in con.execute("SELECT p.payer_id FROM staging.payers AS p").fetchall()}
    for rule_id, payers in applied.payers.items():
        for payer_id in payers:
            if payer_id not in known:
                raise UserError(
                    f"{file}: rules.{rule_id}.payers.{payer_id}: there is no such payer in the payers extract"
                )


def _ask(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    is_disabled: bool,
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> RuleResult:
    reason = SWITCHED_OFF if is_disabled else _why_withheld(con, rule, reads)
    if reason is None:
        reason = _collect(con, rule, rule.params, as_of)
    if reason is not None:
        return RuleResult(rule.rule_id, False, 0, reason)
    count = snapshots.one(
        con, "SELECT COUNT(*) FROM found WHERE rule_id = $rule_id", {"rule_id": rule.rule_id}
    )
    return RuleResult(rule.rule_id, True, count[0] if count else 0, None)


def _why_withheld(
    con: duckdb.DuckDBPyConnection, rule: Rule, reads: Mapping[str, TableRead]
) -> str | None:
    for table in sorted(needed_tables(rule)):
        read = reads[table]
        if read.status != "accepted":
            return read.reason or f"{table} is {read.status}"
    # By convention a parameter horizon_days says how far ahead the rule looks into the appointments.
    horizon, days = reads["appointments"].horizon_on, rule.params.get("horizon_days")
    if "appointments" in rule.reads and horizon is not None and days is not None:
        (today,) = snapshots.one(con, "SELECT MAX(today) FROM staging.facilities")
        wanted = today and today + dt.timedelta(days=int(days))
        if wanted and horizon < wanted:
            return f"appointments reach only to {horizon}, the rule looks ahead to {wanted}"
    return None


def _collect(
    con: duckdb.DuckDBPyConnection, rule: Rule, parameters: Mapping[str, object], as_of: dt.datetime
) -> str | None:
    """Add the rule's rows to `found`; the reason when it failed or answered nonsense, and then none are added."""
    try:
        wanted = con.extract_statements(rule.sql)[0].named_parameters
        given = {
            name: value for name, value in {**parameters, "as_of": as_of}.items() if name in wanted
        }
        con.execute("CREATE OR REPLACE TEMP TABLE answer AS " + rule.sql, given)
        names = {row[0] for row in con.execute("DESCRIBE answer").fetchall()}
        manual = f"COALESCE(manual, '{rule.manual}')" if "manual" in names else f"'{rule.manual}'"
        episode = "CAST(episode AS VARCHAR)" if "episode" in names else "NULL"
        rows, subjects, unusable = snapshots.one(
            con,
            "SELECT COUNT(*), COUNT(DISTINCT subject_id), COUNT(*) FILTER (WHERE patient_id IS NULL OR since IS NULL) FROM answer",
        )
        if rows != subjects or unusable:
            return f"the rule gave {rows} rows for {subjects} subjects, {unusable} of them without patient or date"
        con.execute(
            f"INSERT INTO found SELECT '{rule.rule_id}', {', '.join(COLUMNS)}, {manual}, {episode} FROM answer"
        )
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        # A conversion error quotes the value it met; a binder error names columns only.
        says = (
            str(error).splitlines()[0]
            if isinstance(
                error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
            )
            else ""
        )
        return f"the rule failed: {type(error).__name__} {says}".strip()
    return None


def _ask_for_payer(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    payer_id: str,
    parameters: Mapping[str, object],
    as_of: dt.datetime,
) -> None:
    """Ask once more with a payer's parameters and keep that payer's rows of this answer instead."""
    key = {"rule_id": rule.rule_id, "payer_id": payer_id}
    con.execute("DELETE FROM found")
    if _collect(con, rule, {**rule.params, **parameters}, as_of) is None:
        con.execute("DELETE FROM candidates WHERE rule_id = $rule_id AND payer_id = $payer_id", key)
        con.execute(
            f"INSERT INTO candidates BY NAME SELECT * FROM ({sql('payers')}) AS p WHERE p.payer_id = $payer_id",
            {"payer_id": payer_id},
        )


def _types() -> str:
    kinds = {"since": "DATE", "amount": "DECIMAL(12,2)"}
    return ", ".join(f"{name} {kinds.get(name, 'VARCHAR')}" for name in COLUMNS)
