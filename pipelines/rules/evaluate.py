"""Evaluate the rules: each answers its candidates, the subjects whose condition is unresolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import duckdb

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.extracts.outcome import TableRead
from pipelines.rules import loading, model, sql
from pipelines.rules.model import ANSWER, ANSWER_TYPES, Applied, Params, Rule
from pipelines.vocabulary import ALWAYS_NEEDED

NEVER_NEEDED = frozenset({"payers"})  # the payer's name is shown; few rules depend on it
SWITCHED_OFF = "switched off in the settings"  # the one reason that needs no attention


@dataclass(frozen=True)
class RuleResult:
    """The outcome of a rule in one run: how many candidates, or why it was withheld.

    A rule that is not connected needs a table of which the practice says that it never delivers it.
    `unseen` counts the records that a rule cannot answer since a table does not reach back; the
    reason of an answered rule says so.
    """

    rule_id: str
    is_answered: bool
    candidates: int
    reason: str | None
    is_connected: bool = True
    unseen: int = 0


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

    The temp table `unseen` gets the subjects that they cannot answer, and do not ask for.

    A payer with parameters of its own is evaluated apart, and its answers replace the general ones.
    A rule whose file could not be loaded is withheld.
    """
    types = ", ".join(f"{name} {sql_type}" for name, sql_type in ANSWER_TYPES.items())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE found "
        f"(rule_id VARCHAR, {types}, manual VARCHAR, episode VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE candidates AS " + sql("payers") + " LIMIT 0")
    con.execute("CREATE OR REPLACE TEMP TABLE unseen (rule_id VARCHAR, subject_id VARCHAR)")
    asking = Asking(con, reads, as_of)
    results = [_evaluate(asking, rule, applied) for rule in applied.rules.values()]
    con.execute("INSERT INTO candidates BY NAME " + sql("payers"))
    answered = {result.rule_id for result in results if result.is_answered}
    for rule_id, payers in applied.payers.items():
        if rule_id in answered:
            for payer_id, params in payers.items():
                _evaluate_for_payer(asking, applied.rules[rule_id], payer_id, params)
    con.execute(
        "DELETE FROM unseen AS u WHERE EXISTS (SELECT 1 FROM candidates AS c "
        "WHERE c.rule_id = u.rule_id AND c.subject_id = u.subject_id)"
    )
    results = [_with_unseen(asking, applied.rules[result.rule_id], result) for result in results]
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


@dataclass(frozen=True)
class Asking:
    """What every rule of a run is asked with; as_of is aware."""

    con: duckdb.DuckDBPyConnection
    reads: Mapping[str, TableRead]
    as_of: dt.datetime

    def arguments(self, rule: Rule, select: str, params: Params) -> dict[str, object] | None:
        """The parameters that a SELECT of the rule takes."""
        since = {model.since(table): self.reads[table].since_on for table in rule.looks_back}
        return loading.arguments(self.con, select, {**params, **since, "as_of": self.as_of})


def _evaluate(asking: Asking, rule: Rule, applied: Applied) -> RuleResult:
    con, reads = asking.con, asking.reads
    lacking = not_connected(rule, {read.table for read in reads.values() if read.is_absent})
    if lacking and rule.rule_id not in applied.disabled:
        apart = f"not connected: {', '.join(lacking)}"
        return RuleResult(rule.rule_id, False, 0, apart, is_connected=False)
    withheld = _why_withheld(con, rule, applied, reads)
    reason = (
        withheld
        or _collect(asking, rule, rule.params)
        or (_collect_unseen(asking, rule) if _is_cut(rule, reads) else None)
    )
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
    for table in sorted(set(rule.looks_back) - rule.minds):
        if (since := reads[table].since_on) is not None:
            return f"{table} reach back only to {since}, and the rule counts earlier ones"
    # By convention `horizon_days` says how far ahead a rule looks at appointments.
    horizon, days = reads["appointments"].horizon_on, rule.params.get("horizon_days")
    if "appointments" in rule.reads and horizon is not None and isinstance(days, int):
        ((today,),) = con.execute("SELECT MAX(f.today) FROM staging.facilities AS f").fetchall()
        last_day = today and today + dt.timedelta(days=days)
        if last_day and horizon < last_day:
            return f"appointments reach only to {horizon}, the rule looks ahead to {last_day}"
    return None


def _is_cut(rule: Rule, reads: Mapping[str, TableRead]) -> bool:
    """Whether rows that the rule counts may be missing, and it says of which subjects."""
    return rule.unseen is not None and any(
        reads[table].since_on is not None or reads[table].was_never_delivered
        for table in rule.looks_back
    )


def _collect(asking: Asking, rule: Rule, params: Params) -> str | None:
    """Add the rule's rows to `found`; on failure add none and return the reason."""
    con = asking.con
    try:
        given = asking.arguments(rule, rule.sql, params)
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


def _collect_unseen(asking: Asking, rule: Rule) -> str | None:
    """Add the subjects that the rule cannot answer to `unseen`; the reason if that fails."""
    assert rule.unseen is not None
    con = asking.con
    try:
        given = asking.arguments(rule, rule.unseen, rule.params)
        con.execute("CREATE OR REPLACE TEMP TABLE answer AS " + rule.unseen, given)
        con.execute(f"INSERT INTO unseen SELECT DISTINCT '{rule.rule_id}', subject_id FROM answer")
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        con.execute("DELETE FROM found WHERE rule_id = ?", [rule.rule_id])
        return f"its unseen failed: {type(error).__name__} {safe_message(error)}".strip()
    return None


def _with_unseen(asking: Asking, rule: Rule, result: RuleResult) -> RuleResult:
    """The result with what the rule cannot see, if it is answered in part only."""
    ((count,),) = asking.con.execute(
        "SELECT COUNT(*) FROM unseen AS u WHERE u.rule_id = $rule_id", {"rule_id": rule.rule_id}
    ).fetchall()
    if not count:
        return result
    reads = [asking.reads[table] for table in rule.looks_back]
    cut = [
        f"{read.table} are not delivered"
        if read.since_on is None
        else f"{read.table} reach back only to {read.since_on}"
        for read in reads
        if read.since_on is not None or read.was_never_delivered
    ]
    records = rule.subject_table.replace("_", " ")
    says = f"{' and '.join(cut)}; {records} that cannot be answered, and are held: {count:,}"
    return replace(result, reason=says, unseen=count)


def safe_message(error: duckdb.Error) -> str:
    """The first line of an error that names columns only; others may quote a patient's values."""
    names_columns = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
    return str(error).splitlines()[0] if isinstance(error, names_columns) else ""


def _evaluate_for_payer(asking: Asking, rule: Rule, payer_id: str, params: Params) -> None:
    """Evaluate a rule with a payer's parameters and replace that payer's candidates."""
    con = asking.con
    key = {"rule_id": rule.rule_id, "payer_id": payer_id}
    con.execute("DELETE FROM found")
    if _collect(asking, rule, {**rule.params, **params}) is None:
        con.execute("DELETE FROM candidates WHERE rule_id = $rule_id AND payer_id = $payer_id", key)
        con.execute(
            f"INSERT INTO candidates BY NAME SELECT p.* FROM ({sql('payers')}) AS p "
            "WHERE p.payer_id = $payer_id",
            {"payer_id": payer_id},
        )
