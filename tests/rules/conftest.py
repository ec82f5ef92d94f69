"""Fixtures that evaluate a rule over a hand-made practice.

`opens` gives the subjects, `answers` the whole rows, `explains` the evidence of those that left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

import duckdb
import pytest

from pipelines.extracts import contract
from pipelines.rules import loading, model, overrides, own
from pipelines.settings import AUTHORIZATION_CODES, ROOT
from pipelines.staging import parameters, staging_sql
from pipelines.warehouse import snapshots
from tests.practice import Practice
from tests.rules.authorizations import authorize, policy

TODAY = "2026-11-03"  # a Tuesday
SHIPPED = loading.load_rules()
EXAMPLES = ROOT / "docs" / "own-rules"
RULES = {**SHIPPED, **own.load(EXAMPLES, SHIPPED).rules}

Answers = Callable[..., dict[str, dict[str, object]]]
Opens = Callable[..., list[str]]


class Desk:
    """One DuckDB for a session: extract tables that each test fills, staging as views over them."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.since: dict[str, str] = {}
        loading.stage_nothing(con)
        for table, sql in staging_sql().items():
            if not parameters(table):  # a view takes no parameters
                con.execute(f"DROP TABLE staging.{table}")
                con.execute(f"CREATE VIEW staging.{table} AS {sql}")

    def fill(
        self,
        practice: Practice,
        as_of: dt.datetime,
        authorization_codes: tuple[str, ...] = AUTHORIZATION_CODES,
    ) -> None:
        """Type the practice's texts into extract.* and stage the tables that take parameters."""
        for table, rows in practice.tables.items():
            self.con.execute(f"DELETE FROM extract.{table}")
            typed = [
                tuple(
                    value
                    for column in contract.columns(table)
                    for value in typed_values(column, row)
                )
                for row in rows.values()
            ]
            if typed:
                self.con.executemany(
                    f"INSERT INTO extract.{table} VALUES ({'?, ' * len(typed[0])}NULL)",
                    typed,
                )
        values = {
            "as_of": as_of,
            "authorization_codes": list(authorization_codes),
            "appointments_since": practice.since.get("appointments"),
        }
        self.since = practice.since
        for table, sql in staging_sql().items():
            if wanted := parameters(table):
                self.con.execute(f"DELETE FROM staging.{table}")
                given = {name: values[name] for name in wanted}
                self.con.execute(f"INSERT INTO staging.{table} {sql}", given)

    def ask(self, rule: model.Rule, params: dict[str, object]) -> dict[str, dict[str, object]]:
        """The rule's rows by subject; fails when a subject comes twice."""
        assert params.keys() <= rule.params.keys()
        return self._by_subject(rule.sql, {**self._since(rule), **rule.params, **params})

    def unseen(self, rule: model.Rule) -> list[str]:
        """The subjects that the rule says it cannot answer, sorted."""
        assert rule.unseen is not None
        return sorted(self._by_subject(rule.unseen, {**self._since(rule), **rule.params}))

    def _since(self, rule: model.Rule) -> dict[str, object]:
        return {model.since(table): self.since.get(table) for table in rule.looks_back}

    def remember(self, rule: model.Rule) -> None:
        """Keep the staged tables that the rule's evidence compares as those of the run before."""
        for table in rule.compares:
            self.con.execute(f"DELETE FROM before.{table}")
            self.con.execute(f"INSERT INTO before.{table} BY NAME FROM staging.{table}")

    def explain(
        self,
        rule: model.Rule,
        params: dict[str, object],
        left: Iterable[dict[str, object]],
        opened_at: dt.datetime,
    ) -> dict[str, dict[str, object]]:
        """The rule's evidence by subject, for these rows of an earlier answer as open tasks."""
        assert rule.evidence is not None
        self.con.execute("DELETE FROM leaving")
        for row in left:
            task = {"episode": None, **row, "task_id": row["subject_id"], "opened_at": opened_at}
            names = [name for name in model.LEAVING_TYPES if name in task]
            self.con.execute(
                f"INSERT INTO leaving ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                [task[name] for name in names],
            )
        return self._by_subject(rule.evidence, {**rule.params, **params})

    def _by_subject(self, sql: str, params: dict[str, object]) -> dict[str, dict[str, object]]:
        answer = self.con.execute(sql, loading.arguments(self.con, sql, params))
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, values, strict=True)) for values in answer.fetchall()]
        by_subject = {row["subject_id"]: row for row in rows}
        assert len(by_subject) == len(rows)
        return by_subject


def typed_values(column: contract.Column, row: dict[str, object]) -> tuple[object, ...]:
    """What the column holds once typed; a moment is two columns, the time and whether it is UTC."""
    text = row.get(column.name)
    if column.form != "moment":
        return (text,)
    if text is None:
        return (None, None)
    time = dt.datetime.fromisoformat(str(text))
    return (time.astimezone(dt.UTC).replace(tzinfo=None), True) if time.tzinfo else (time, False)


def noon(day: str) -> dt.datetime:
    """17:00 UTC of a day: the same day in every American time zone."""
    return (
        dt.datetime.fromisoformat(day).replace(hour=17, tzinfo=dt.UTC)
        if len(day) == 10
        else dt.datetime.fromisoformat(day)
    )


def after(days: int) -> str:
    """The day so many days after TODAY; negative for before."""
    return (dt.date.fromisoformat(TODAY) + dt.timedelta(days=days)).isoformat()


@pytest.fixture(scope="session")
def desk() -> Iterator[Desk]:
    """The session's one database."""
    with snapshots.connect() as con:
        yield Desk(con)


@pytest.fixture
def answers(desk: Desk) -> Answers:
    """answers(rule_id, practice, on=TODAY, **params): the rows by subject id."""

    def ask(
        rule_id: str, practice: Practice, on: str = TODAY, **params: object
    ) -> dict[str, dict[str, object]]:
        applied = overrides.apply_settings(RULES, {rule_id: params}, "settings.toml")
        desk.fill(practice, noon(on), applied.authorization_codes)
        return desk.ask(RULES[rule_id], params)

    return ask


@pytest.fixture
def opens(answers: Answers) -> Opens:
    """opens(rule_id, practice, on=TODAY, **params): the subject ids, sorted."""

    def ask(rule_id: str, practice: Practice, on: str = TODAY, **params: object) -> list[str]:
        return sorted(answers(rule_id, practice, on, **params))

    return ask


@pytest.fixture
def unseen(desk: Desk) -> Opens:
    """unseen(rule_id, practice, on=TODAY): the subjects that the rule cannot answer, sorted."""

    def ask(rule_id: str, practice: Practice, on: str = TODAY) -> list[str]:
        desk.fill(practice, noon(on))
        return desk.unseen(RULES[rule_id])

    return ask


@pytest.fixture
def explains(desk: Desk) -> Callable[..., dict[str, dict[str, object]]]:
    """explains(rule_id, earlier, now, days=(yesterday, TODAY), **params of now): the evidence.

    The tasks are those that the rule asked for earlier and asks for no longer.
    """

    def ask(
        rule_id: str,
        earlier: Practice,
        now: Practice,
        days: tuple[str, str] = (after(-1), TODAY),
        **params: object,
    ) -> dict[str, dict[str, object]]:
        rule = RULES[rule_id]
        desk.fill(earlier, noon(days[0]))
        opened = desk.ask(rule, {})
        desk.remember(rule)
        desk.fill(now, noon(days[1]))
        asked = desk.ask(rule, params)
        left = [row for subject, row in opened.items() if subject not in asked]
        return desk.explain(rule, params, left, noon(days[0]))

    return ask


@pytest.fixture
def staged(desk: Desk) -> Callable[..., list[dict[str, object]]]:
    """staged(table, practice, on=TODAY): the rows of a staged table, in the order of its key."""

    def ask(table: str, practice: Practice, on: str = TODAY) -> list[dict[str, object]]:
        desk.fill(practice, noon(on))
        answer = desk.con.execute(f"SELECT * FROM staging.{table} ORDER BY 1")
        names = [column[0] for column in answer.description]
        return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]

    return ask


@pytest.fixture
def authorized(practice: Practice) -> Practice:
    """One authorization without end or limit, started on 1 October."""
    policy(practice.patient("A"), "PO1", case_id="C-A")
    policy(practice, "PO2", case_id="C-A")
    return authorize(practice, "AU1")
