"""Hand-made tables for decisions.sql and its neighbours: a lifecycle without extracts or rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import duckdb
import pytest

from pipelines import lifecycle
from pipelines.extracts import contract
from pipelines.rules import loading
from pipelines.rules import sql as rules_sql
from pipelines.warehouse import snapshots

AS_OF = dt.datetime(2026, 11, 3, 11, tzinfo=dt.UTC)  # a Tuesday, 06:00 in New York
Row = dict[str, object]


@dataclass
class Lifecycle:
    """One run's decisions: rule `r` over visits of patient A's case C-A at facility F1."""

    con: duckdb.DuckDBPyConnection
    rules: dict[str, Row] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)

    def rule(
        self, rule_id: str = "r", patients: tuple[str, ...] = ("Active",), **given: object
    ) -> Lifecycle:
        """Add a rule that answered: clears auto, about appointments, without a period."""
        row = {"rule_id": rule_id, "clears": "auto", "clears_when": "It is done."}
        row |= {"ends_at_discharge": False, "subject_table": "appointments", "is_answered": True}
        row |= {"looks_at": "case"}
        self.insert("rules", **row | given)
        for status in patients:
            self.insert("rule_patients", rule_id=rule_id, status=status)
        self.insert("rule_reads", rule_id=rule_id, table_name="appointments", is_read=True)
        return self

    def reads(self, table: str, rule_id: str = "r", *, is_read: bool = True) -> Lifecycle:
        """Add a table that a rule reads, or only depends on."""
        return self.insert("rule_reads", rule_id=rule_id, table_name=table, is_read=is_read)

    def converts(self, rule_id: str, *targets: str) -> Lifecycle:
        """Let a rule convert to these, in this order."""
        for position, target in enumerate(targets):
            self.insert(
                "conversion_rules", rule_id=rule_id, target_rule_id=target, position=position
            )
        return self

    def record(self, table: str, **row: object) -> Lifecycle:
        """Stage a record, or replace the one with its key."""
        key = contract.key_of(table)
        self.con.execute(f"DELETE FROM staging.{table} WHERE {key} = ?", [row[key]])
        return self.insert(f"staging.{table}", **row)

    def visit(self, visit: str = "V1", **given: object) -> Lifecycle:
        """Stage a visit of case C-A on October 30."""
        row = {"case_id": "C-A", "patient_id": "A", "visit_on": dt.date(2026, 10, 30)}
        return self.record("appointments", appointment_id=visit, **row | given)

    def candidate(self, subject: str = "V1", rule_id: str = "r", **given: object) -> Lifecycle:
        """Let a rule ask for a subject."""
        row = {"rule_id": rule_id, "subject_id": subject, "case_id": "C-A", "patient_id": "A"}
        row |= {"facility_id": "F1", "since": dt.date(2026, 10, 30), "reason": "unpaid"}
        row |= {"since_is_inferred": False}
        return self.insert("candidates", **row | {"manual": "allowed"} | given)

    def task(self, state: str = "open", subject: str = "V1", **given: object) -> Lifecycle:
        """Store a task of rule `r`: `r-<subject>-<occurrence>`, opened a day ago."""
        row = {"rule_id": "r", "subject_id": subject, "occurrence": 1, "is_latest": True}
        row |= {"case_id": "C-A", "patient_id": "A", "facility_id": "F1", "state": state}
        row |= {"opened_at": AS_OF - dt.timedelta(days=1), "is_away": False, "last_seq": 0}
        row |= {"since": dt.date(2026, 10, 30), "reason": "unpaid", "manual": "allowed"}
        row |= {"since_is_inferred": False, "record_on": dt.date(2026, 10, 30)}
        if state != "open":
            row |= {"closed_at": AS_OF - dt.timedelta(hours=20), "close_kind": state}
            row |= {"closed_by": "S1" if state == "completed" else "system"}
        row |= given
        if row.get("close_kind") == "source_gone":
            row = {"gone_at": row["closed_at"]} | row
        task_id = "-".join(str(row[name]) for name in ("rule_id", "subject_id", "occurrence"))
        return self.insert("tasks_with_actions", task_id=task_id, **row)

    def refused(self, table: str, id_table: str, id_value: str) -> Lifecycle:
        """Refuse a row of a table that names this record."""
        return self.insert("refused_ids", table_name=table, id_table=id_table, id_value=id_value)

    def refused_unnamed(self, table: str) -> Lifecycle:
        """Refuse a row of a table that has no usable id."""
        return self.insert("refused_unnamed", table_name=table, n=1)

    def evidence(self, task_id: str = "r-V1-1", **given: object) -> Lifecycle:
        """Let a rule explain why a task is no longer asked for: by work, unless told otherwise."""
        row = {"is_work": True, "record_table": "payments", "record_id": "P1"}
        row |= {"happened_on": dt.date(2026, 11, 2), "amount": 40, "says": "$40.00 paid"}
        return self.insert("evidence", task_id=task_id, **row | given)

    def held(self) -> list[Row]:
        """The questions that the run left open, by rule and subject."""
        self.decide()
        return self._rows(lifecycle.sql("held"), "rule_id, subject_id", {"as_of": AS_OF})

    def decide(self) -> dict[tuple[str, str], str]:
        """The decision for each (rule, subject)."""
        self.con.execute("CREATE OR REPLACE TEMP TABLE records AS " + lifecycle.sql("records"))
        self.con.execute("INSERT INTO unseen BY NAME " + lifecycle.sql("gone_before"))
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE first_decisions AS " + lifecycle.sql("decisions"),
            {"return_from": AS_OF - dt.timedelta(days=30)},
        )
        self.con.execute("CREATE OR REPLACE TEMP TABLE decisions AS " + lifecycle.sql("explained"))
        rows = self.con.execute(
            "SELECT d.rule_id, d.subject_id, d.is_reused, d.decision FROM decisions AS d"
        ).fetchall()
        assert len(rows) == len({row[:3] for row in rows}), "one decision for each record"
        return {(rule_id, subject): decision for rule_id, subject, _, decision in rows}

    def tasks(self, *, has_payers: bool = True) -> list[Row]:
        """The tasks after the run, in order of rule, subject and occurrence."""
        self.decide()
        given = {"as_of": AS_OF, "has_payers": has_payers}
        return self._rows(lifecycle.sql("tasks"), "rule_id, subject_id, occurrence", given)

    def events(self, *, has_payers: bool = True) -> list[Row]:
        """The events of the run, in their order."""
        self.decide()
        given = {"as_of": AS_OF, "has_payers": has_payers}
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE tasks_after AS " + lifecycle.sql("tasks"), given
        )
        given |= {"last_event_no": 10}
        return self._rows(lifecycle.sql("events"), "event_no", given)

    def set_aside(self) -> dict[tuple[str, str], bool]:
        """The candidates that a go-live sets aside, and whether each would open without it."""
        rows = self._rows(lifecycle.sql("go_live"), "rule_id, subject_id", {})
        found = {(row["rule_id"], row["subject_id"]): row["would_open"] for row in rows}
        assert len(rows) == len(found), "one row for each candidate"
        return found

    def insert(self, table: str, **row: object) -> Lifecycle:
        """Add a row; columns that are not given are NULL."""
        marks = ", ".join(f"${name}" for name in row)
        self.con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)
        return self

    def _rows(self, sql: str, order: str, given: Row) -> list[Row]:
        found = self.con.execute(f"FROM ({sql}) ORDER BY {order}", given)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="session")
def lifecycle_tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table that decisions.sql, tasks.sql and events.sql read, empty."""
    with snapshots.connect() as con:
        loading.stage_nothing(con)
        con.execute("CREATE TABLE tasks_with_actions AS " + lifecycle.sql("empty_tasks"))
        con.execute(
            "CREATE TABLE rules (rule_id VARCHAR, clears VARCHAR, clears_when VARCHAR, "
            "ends_at_discharge BOOLEAN, subject_table VARCHAR, period VARCHAR, "
            "looks_at VARCHAR, is_answered BOOLEAN)"
        )
        con.execute("CREATE TABLE rule_patients (rule_id VARCHAR, status VARCHAR)")
        con.execute(
            "CREATE TABLE conversion_rules "
            "(rule_id VARCHAR, target_rule_id VARCHAR, position INTEGER)"
        )
        con.execute(
            "CREATE TABLE rule_reads (rule_id VARCHAR, table_name VARCHAR, is_read BOOLEAN)"
        )
        con.execute(
            "CREATE TABLE refused_ids (table_name VARCHAR, id_table VARCHAR, id_value VARCHAR)"
        )
        con.execute("CREATE TABLE refused_unnamed (table_name VARCHAR, n BIGINT)")
        con.execute("CREATE TABLE unseen (rule_id VARCHAR, subject_id VARCHAR)")
        con.execute("CREATE TABLE first_days (table_name VARCHAR, since_on DATE)")
        con.execute(
            "CREATE TABLE found (rule_id VARCHAR, subject_id VARCHAR, case_id VARCHAR, "
            "patient_id VARCHAR, facility_id VARCHAR, staff_id VARCHAR, since DATE, "
            "amount DECIMAL(12, 2), reason VARCHAR, manual VARCHAR, episode VARCHAR)"
        )
        con.execute("CREATE TABLE candidates AS " + rules_sql("payers") + " LIMIT 0")
        con.execute(
            "CREATE TABLE evidence (task_id VARCHAR, is_work BOOLEAN, record_table VARCHAR, "
            "record_id VARCHAR, happened_on DATE, amount DECIMAL(12, 2), says VARCHAR)"
        )
        con.execute("CREATE TABLE rule_changes (rule_id VARCHAR, payer_id VARCHAR, says VARCHAR)")
        con.execute("CREATE TABLE unexplained_rules (rule_id VARCHAR)")
        con.execute("CREATE TABLE held_before AS " + lifecycle.sql("empty_held"))
        con.execute(
            "CREATE TABLE go_live_rules (rule_id VARCHAR, first_on DATE, ends_at_discharge BOOLEAN)"
        )
        con.execute("CREATE TABLE go_live_sources (rule_id VARCHAR, target_rule_id VARCHAR)")
        con.execute("CREATE TABLE acted_before (task_id VARCHAR, acted_at TIMESTAMPTZ)")
        con.execute("CREATE TABLE brought_in (rule_id VARCHAR, facility_id VARCHAR)")
        lifecycle.create_move_kinds(con)
        con.execute("CREATE VIEW subjects AS " + lifecycle.sql("subjects"))
        yield con


@pytest.fixture
def run(lifecycle_tables: duckdb.DuckDBPyConnection) -> Iterator[Lifecycle]:
    """A run with rule `r`, and the Active patient A with the open case C-A and the visit V1."""
    lifecycle_tables.begin()
    made = Lifecycle(lifecycle_tables)
    made.record(
        "facilities",
        facility_id="F1",
        time_zone="America/New_York",
        today=dt.date(2026, 11, 3),
        week_on=dt.date(2026, 11, 2),
        month_on=dt.date(2026, 11, 1),
    )
    made.record("patients", patient_id="A", status="Active")
    made.record("cases", case_id="C-A", patient_id="A", is_discharged=False)
    yield made.rule().visit()
    lifecycle_tables.rollback()
