"""Evaluate the rules: each answers its candidates, the subjects whose condition is unresolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from dataclasses import dataclass

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.extracts.outcome import TableRead
from pipelines.rules import loading, sql
from pipelines.rules.model import ANSWER, ANSWER_TYPES, Applied, Params, Rule
from pipelines.vocabulary import ALWAYS_NEEDED

NEVER_NEEDED = frozenset({"payers"})  # the payer's name is shown; few rules depend on it
SWITCHED_OFF = "switched off in the settings"  # the one reason that needs no attention


@dataclass(frozen=True)
class RuleResult:
    """The outcome of a rule in one run: how many candidates, or why it was withheld.

    A rule that is not connected needs a table of which the practice says that it never delivers it.
    """

    rule_id: str
    is_answered: bool
    candidates: int
    reason: str | None
    is_connected: bool = True


def needed_tables(rule: Rule) -> set[str]:
    """The extracts a rule depends on: those it reads, and the parents their rows refer to."""
    needed: set[str] = set()
    waiting = [*rule.reads, *ALWAYS_NEEDED]
    while waiting:
        table = waiting.pop()
        if table in needed or (table in NEVER_NEEDED and table not in rule.reads):
            continue
        needed.add(table)
        waiting.extend(
            c.references for c in contract.columns(table) if c.references and not c.is_nullable
        )
    return needed


def not_connected(rule: Rule, absent: Set[str]) -> list[str]:
    """Those of the absent tables without which the rule cannot answer, sorted."""
    return sorted((needed_tables(rule) & absent) - set(rule.may_lack))


def evaluate(
    con: duckdb.DuckDBPyConnection,
    applied: Applied,
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> list[RuleResult]:
    """Fill the temp table `candidates` with the answers of all rules that are not withheld.

    A payer with parameters of its own is evaluated apart, and its answers replace the general ones.
    A rule whose file could not be loaded is withheld.
    """
    types = ", ".join(f"{name} {sql_type}" for name, sql_type in ANSWER_TYPES.items())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE found "
        f"(rule_id VARCHAR, {types}, manual VARCHAR, episode VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE candidates AS " + sql("payers") + " LIMIT 0")
    results = [_evaluate(con, rule, applied, reads, as_of) for rule in applied.rules.values()]
    con.execute("INSERT INTO candidates BY NAME " + sql("payers"))
    answered = {result.rule_id for result in results if result.is_answered}
    for rule_id, payers in applied.payers.items():
        if rule_id in answered:
            for payer_id, params in payers.items():
                _evaluate_for_payer(con, applied.rules[rule_id], payer_id, params, as_of)
    broken = [RuleResult(rule_id, False, 0, why) for rule_id, why in applied.broken.items()]
    return [*results, *broken]


def check_payers(con: duckdb.DuckDBPyConnection, applied: Applied, file: str) -> None:
    """UserError when the settings name a payer that the payers extract does not have."""
    known = {row[0] for row in con.execute("SELECT p.payer_id FROM staging.payers AS p").fetchall()}
    for rule_id, payers in applied.payers.items():
        for payer_id in payers:
            if payer_id not in known:
                raise UserError(
                    f"{file}: rules.{rule_id}.payers.{payer_id}: "
                    "there is no such payer in the payers extract"
                )


def _evaluate(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    applied: Applied,
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> RuleResult:
    lacking = not_connected(rule, {read.table for read in reads.values() if read.is_absent})
    if lacking and rule.rule_id not in applied.disabled:
        apart = f"not connected: {', '.join(lacking)}"
        return RuleResult(rule.rule_id, False, 0, apart, is_connected=False)
    withheld = _why_withheld(con, rule, applied, reads)
    reason = withheld or _collect(con, rule, rule.params, as_of)
    if reason is not None:
        return RuleResult(rule.rule_id, False, 0, reason)
    ((count,),) = con.execute(
        "SELECT COUNT(*) FROM found WHERE rule_id = $rule_id", {"rule_id": rule.rule_id}
    ).fetchall()
    return RuleResult(rule.rule_id, True, count, None)


def _why_withheld(
    con: duckdb.DuckDBPyConnection, rule: Rule, applied: Applied, reads: Mapping[str, TableRead]
) -> str | None:
    if rule.rule_id in applied.disabled:
        return SWITCHED_OFF
    for table in sorted(needed_tables(rule)):
        read = reads[table]
        if table in rule.may_lack and read.was_never_delivered:
            continue
        if read.status != "accepted":
            return read.reason or f"{table} is {read.status}"
    # By convention `horizon_days` says how far ahead a rule looks at appointments.
    horizon, days = reads["appointments"].horizon_on, rule.params.get("horizon_days")
    if "appointments" in rule.reads and horizon is not None and isinstance(days, int):
        ((today,),) = con.execute("SELECT MAX(f.today) FROM staging.facilities AS f").fetchall()
        last_day = today and today + dt.timedelta(days=days)
        if last_day and horizon < last_day:
            return f"appointments reach only to {horizon}, the rule looks ahead to {last_day}"
    return None


def _collect(
    con: duckdb.DuckDBPyConnection, rule: Rule, params: Params, as_of: dt.datetime
) -> str | None:
    """Add the rule's rows to `found`; on failure add none and return the reason."""
    try:
        given = loading.arguments(con, rule.sql, {**params, "as_of": as_of})
        con.execute("CREATE OR REPLACE TEMP TABLE answer AS " + rule.sql, given)
        names = {row[0] for row in con.execute("DESCRIBE answer").fetchall()}
        manual = f"COALESCE(manual, '{rule.manual}')" if "manual" in names else f"'{rule.manual}'"
        episode = "CAST(episode AS VARCHAR)" if "episode" in names else "NULL"
        ((rows, subjects, unusable),) = con.execute(
            "SELECT COUNT(*), COUNT(DISTINCT subject_id), "
            "COUNT(*) FILTER (WHERE patient_id IS NULL) FROM answer"
        ).fetchall()
        if rows != subjects or unusable:
            return (
                f"the rule gave {rows} rows for {subjects} subjects, "
                f"{unusable} of them without a patient"
            )
        con.execute(
            f"INSERT INTO found SELECT '{rule.rule_id}', {', '.join(ANSWER)}, {manual}, {episode} "
            "FROM answer"
        )
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        return f"the rule failed: {type(error).__name__} {safe_message(error)}".strip()
    return None


def safe_message(error: duckdb.Error) -> str:
    """The first line of an error that names columns only; others may quote a patient's values."""
    names_columns = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
    return str(error).splitlines()[0] if isinstance(error, names_columns) else ""


def _evaluate_for_payer(
    con: duckdb.DuckDBPyConnection, rule: Rule, payer_id: str, params: Params, as_of: dt.datetime
) -> None:
    """Evaluate a rule with a payer's parameters and replace that payer's candidates."""
    key = {"rule_id": rule.rule_id, "payer_id": payer_id}
    con.execute("DELETE FROM found")
    if _collect(con, rule, {**rule.params, **params}, as_of) is None:
        con.execute("DELETE FROM candidates WHERE rule_id = $rule_id AND payer_id = $payer_id", key)
        con.execute(
            f"INSERT INTO candidates BY NAME SELECT p.* FROM ({sql('payers')}) AS p "
            "WHERE p.payer_id = $payer_id",
            {"payer_id": payer_id},
        )
