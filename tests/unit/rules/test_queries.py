"""The queries about rules, each on hand-made tables: payers, what leaves, what explains it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pytest

from pipelines.rules import sql
from pipelines.warehouse import snapshots

DAY = dt.date(2026, 10, 15)
LATER = dt.date(2026, 10, 16)
BEFORE = dt.date(2026, 10, 14)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with snapshots.connect() as con:
        yield con


def table(
    con: duckdb.DuckDBPyConnection, columns: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Create `name (column TYPE, …)` with these rows; what a row leaves out is NULL."""
    schema, _, _ = columns.partition("(")[0].strip().rpartition(".")
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema or 'main'}")
    con.execute(f"CREATE TABLE {columns}")
    for row in rows:
        marks = ", ".join("?" * len(row))
        name = columns.partition("(")[0]
        con.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", [*row.values()])


class TestEvidence:
    """Which of several explanations of a task is taken."""

    TASK = {"task_id": "T", "rule_id": "r", "subject_id": "S"}

    def explained(
        self,
        con: duckdb.DuckDBPyConnection,
        *explanations: Mapping[str, object],
        tasks: Sequence[Mapping[str, object]] = (TASK,),
    ) -> list[tuple]:
        table(
            con,
            "leaving_tasks (task_id VARCHAR, rule_id VARCHAR, subject_id VARCHAR)",
            tasks,
        )
        table(
            con,
            "explanations (rule_id VARCHAR, subject_id VARCHAR, is_work BOOLEAN, "
            "record_table VARCHAR, record_id VARCHAR, happened_on DATE, amount DECIMAL(12, 2), "
            "says VARCHAR)",
            [{"rule_id": "r", "subject_id": "S", **given} for given in explanations],
        )
        found = con.execute(sql("evidence")).fetchall()
        return sorted(
            (task, is_work, record, says) for task, is_work, _, record, _, _, says in found
        )

    @pytest.mark.parametrize(
        ("taken", "other"),
        [
            ({"is_work": True, "happened_on": BEFORE}, {"is_work": False, "happened_on": DAY}),
            ({"is_work": True, "happened_on": BEFORE}, {"is_work": None, "happened_on": DAY}),
            ({"happened_on": LATER}, {"happened_on": DAY}),
            ({"happened_on": DAY, "record_id": "9"}, {"happened_on": None, "record_id": "10"}),
            ({"record_id": "10"}, {"record_id": "9"}),
            ({"record_id": "9"}, {"record_id": "09"}),
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_work_goes_first_then_the_newest_then_the_higher_number(
        self, con, taken, other, is_first
    ):
        given = [{**taken, "says": "taken"}, {**other, "says": "other"}]
        found = self.explained(con, *(given if is_first else reversed(given)))
        assert [says for *_, says in found] == ["taken"]

    def test_of_two_texts_about_one_record_the_first_by_alphabet_is_taken(self, con):
        found = self.explained(
            con, {"record_id": "1", "says": "b"}, {"record_id": "1", "says": "a"}
        )
        assert found == [("T", False, "1", "a")]

    def test_one_that_says_nothing_is_none(self, con):
        assert self.explained(con, {"is_work": True, "record_id": "1"}) == []

    def test_each_task_has_that_of_its_own_rule_and_subject(self, con):
        tasks = [
            {"task_id": f"{rule}{subject}", "rule_id": rule, "subject_id": subject}
            for rule in ("q", "r")
            for subject in ("S", "X")
        ]
        given = [
            {"rule_id": rule, "subject_id": "S", "record_id": "1", "says": rule, "is_work": True}
            for rule in ("r", "q")
        ]
        found = self.explained(con, *given, tasks=tasks)
        assert found == [("qS", True, "1", "q"), ("rS", True, "1", "r")]


class TestLeaving:
    """The tasks to explain for one payer with parameters of its own, or for all others."""

    @pytest.mark.parametrize(
        ("payer_id", "left"), [("P1", ["r-P1"]), (None, ["r-P3", "r-none"]), ("P9", [])]
    )
    def test_a_payers_tasks_or_those_of_all_without_parameters_of_their_own(
        self, con, payer_id, left
    ):
        table(
            con,
            "leaving_tasks (task_id VARCHAR, rule_id VARCHAR, payer_id VARCHAR)",
            [
                {"task_id": f"{rule}-{payer or 'none'}", "rule_id": rule, "payer_id": payer}
                for rule in ("r", "q")
                for payer in ("P1", "P2", "P3", None)
            ],
        )
        given = {"rule_id": "r", "payer_id": payer_id, "own_payers": ["P1", "P2"]}
        assert sorted(task for (task,) in con.execute(sql("leaving"), given).fetchall()) == left


class TestPayers:
    """The primary policy in force on the task's date."""

    def candidates(
        self,
        con: duckdb.DuckDBPyConnection,
        *policies: Mapping[str, object],
        since: dt.date | None = DAY,
        facility_id: str = "F1",
    ) -> list[tuple]:
        """Subject, since, whether it is inferred, and payer of rule r's candidate S."""
        row = {"rule_id": "r", "subject_id": "S", "case_id": "C", "patient_id": "A"}
        other = {"rule_id": "q", "subject_id": "S", "case_id": "C2", "patient_id": "B"}
        third = {"rule_id": "r", "subject_id": "X", "case_id": "C2", "patient_id": "B"}
        table(
            con,
            "found (rule_id VARCHAR, subject_id VARCHAR, case_id VARCHAR, patient_id VARCHAR, "
            "facility_id VARCHAR, staff_id VARCHAR, since DATE, amount DECIMAL(12, 2), "
            "reason VARCHAR, manual VARCHAR, episode VARCHAR)",
            [
                {**given, "facility_id": facility_id, "since": since}
                for given in (row, other, third)
            ],
        )
        table(
            con,
            "staging.facilities (facility_id VARCHAR, today DATE)",
            [{"facility_id": "F1", "today": LATER}, {"facility_id": "F2", "today": BEFORE}],
        )
        table(
            con,
            "staging.policies (policy_id VARCHAR, patient_id VARCHAR, case_id VARCHAR, "
            "payer_id VARCHAR, rank INTEGER, starts_on DATE, ends_on DATE)",
            [
                {"patient_id": "A", "rank": 1, "payer_id": given["policy_id"], **given}
                for given in policies
            ],
        )
        answer = con.execute(sql("payers"))
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, values, strict=True)) for values in answer.fetchall()]
        assert len(rows) == 3
        assert {row["payer_id"] for row in rows if row["patient_id"] == "B"} == {None}
        return [
            (row["since"], row["since_is_inferred"], row["payer_id"])
            for row in rows
            if row["patient_id"] == "A"
        ]

    @pytest.mark.parametrize(
        ("policy", "payer_id"),
        [
            ({}, "P"),
            ({"case_id": "C"}, "P"),
            ({"case_id": "C9"}, None),
            ({"patient_id": "Z"}, None),
            ({"rank": 2}, None),
            ({"starts_on": DAY, "ends_on": DAY}, "P"),
            ({"starts_on": LATER}, None),
            ({"ends_on": BEFORE}, None),
        ],
    )
    def test_it_must_be_the_primary_one_of_patient_and_case_on_that_day(
        self, con, policy, payer_id
    ):
        assert self.candidates(con, {"policy_id": "P", **policy}) == [(DAY, False, payer_id)]

    @pytest.mark.parametrize(
        ("taken", "other"),
        [
            (
                {"policy_id": "2", "case_id": "C", "starts_on": BEFORE},
                {"policy_id": "1", "starts_on": DAY},
            ),
            ({"policy_id": "2", "starts_on": DAY}, {"policy_id": "1", "starts_on": BEFORE}),
            ({"policy_id": "2", "starts_on": BEFORE}, {"policy_id": "1"}),
            ({"policy_id": "9"}, {"policy_id": "10"}),
            ({"policy_id": "09"}, {"policy_id": "9"}),
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_the_cases_own_goes_first_then_the_newest_then_the_lower_number(
        self, con, taken, other, is_first
    ):
        given = (taken, other) if is_first else (other, taken)
        assert self.candidates(con, *given) == [(DAY, False, taken["policy_id"])]

    @pytest.mark.parametrize(("facility_id", "day"), [("F1", LATER), ("F2", BEFORE), ("F9", None)])
    def test_without_a_day_it_is_the_facilitys_today(self, con, facility_id, day):
        found = self.candidates(con, since=None, facility_id=facility_id)
        assert found == [(day, True, None)]


def test_the_previous_parameters_are_those_of_the_last_run(con):
    rows = [{"run_no": number, "parameters": f"of {number}"} for number in (9, 10, 8)]
    table(con, "previous.runs (run_no INTEGER, parameters VARCHAR)", rows)
    assert con.execute(sql("previous_parameters")).fetchall() == [("of 10",)]
