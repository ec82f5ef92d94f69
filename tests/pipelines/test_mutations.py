"""Damaged extracts in quantity: whatever arrives, nothing is lost, nothing is invented, and nothing clears on data that is not there."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import contracts, rules, run, sample, warehouse
from pipelines import settings as settings_module
from pipelines.errors import UserError
from tests import mutations

DAYS = [sample.DEFAULT_AS_OF + dt.timedelta(days=number) for number in range(3)]
SEEDS = (3, 11)
RULES = rules.load_rules()
ENDS = set(run.CLOSINGS)


@pytest.fixture(scope="module")
def practices(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Sound extracts of three days by seed, in `day0` to `day2`, and `data` after a run over the first."""
    found = {}
    for seed in SEEDS:
        found[seed] = tmp_path_factory.mktemp(f"practice{seed}")
        for number, as_of in enumerate(DAYS):
            sample.write_sample(found[seed] / f"day{number}", patients=60, facilities=2, as_of=as_of, seed=seed, format="csv")
        run.run(at(found[seed] / "data"), found[seed] / "day0", DAYS[0])
    return found


def at(data: Path) -> settings_module.Settings:
    return settings_module.load({"WORKBENCH_DATA": str(data)})


class Snapshot:
    """What a run left: its tasks and events as dictionaries, its record, its staged keys."""

    def __init__(self, data: Path) -> None:
        path = warehouse.current(data / "warehouse")
        with duckdb.connect(str(path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            self.tasks = _dicts(con, "FROM tasks ORDER BY task_id")
            self.events = _dicts(con, "FROM events ORDER BY event_no")
            self.tables = {row["table_name"]: row for row in _dicts(con, "FROM run_tables ORDER BY run_no")}
            self.rules = {row["rule_id"]: row for row in _dicts(con, "FROM run_rules ORDER BY run_no")}
            self.run_no = max(row["run_no"] for row in self.tables.values())
            self.run_id = _dicts(con, "SELECT run_id, run_no FROM runs ORDER BY run_no")[-1]["run_id"]
            self.refused = _dicts(con, f"FROM rejected_rows WHERE run_no = {self.run_no}")
            self.active = {row["patient_id"] for row in _dicts(con, "SELECT patient_id FROM staging.patients WHERE status = 'Active'")}

    @property
    def by_id(self) -> dict[str, dict]:
        return {task["task_id"]: task for task in self.tasks}

    def events_without_numbers(self) -> list[tuple]:
        return sorted((tuple((name, str(value)) for name, value in event.items() if name != "event_no") for event in self.events), key=str)


def _dicts(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict]:
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _damage() -> st.SearchStrategy[list[tuple[str, str, int]]]:
    one = st.tuples(st.sampled_from(mutations.KINDS), st.sampled_from(mutations.TABLES), st.integers(0, 2**31))
    return st.lists(one, min_size=1, max_size=6)


def _rejected(data: Path, snapshot: Snapshot, table: str) -> list[dict[str, str]]:
    path = data / "rejected" / snapshot.run_id / f"{table}.csv"
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sources(folder: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The rows of every table that Python's own CSV reader reads without doubt."""
    for table in mutations.TABLES:
        rows = mutations.rows_of(folder / f"{table}.csv")
        if rows is not None and len(set(rows[0])) == len(rows[0]) and contracts.key_of(table) in rows[0]:
            yield table, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def check_rows(data: Path, after: Snapshot) -> None:
    assert set(after.tables) == set(mutations.TABLES)
    for table, read in after.tables.items():
        assert read["run_no"] == after.run_no
        assert read["rows_read"] == read["rows_staged"] + read["rows_refused"], table
        if read["status"] == "accepted":
            assert len(_rejected(data, after, table)) == read["rows_refused"], table
            assert sum(row["table_name"] == table for row in after.refused) == read["rows_refused"], table
        else:
            assert read["rows_staged"] == 0 and read["reason"], table


def check_tasks(before: Snapshot, after: Snapshot) -> None:
    assert len(after.by_id) == len(after.tasks)
    assert len({(task["rule_id"], task["subject_id"], task["occurrence"]) for task in after.tasks}) == len(after.tasks)
    assert set(before.by_id) <= set(after.by_id)
    assert after.events[: len(before.events)] == before.events
    assert [event["event_no"] for event in after.events] == sorted({event["event_no"] for event in after.events})
    moments = [event["happened_at"] for event in after.events]
    assert moments == sorted(moments)
    for task_id, task in after.by_id.items():
        own = [event["event"] for event in after.events if event["task_id"] == task_id]
        ends = [event for event in own if event in ENDS]
        assert own[0] == "opened" and own.count("opened") == 1
        assert len(ends) == (task["state"] != "open") and ends in ([], [task["close_kind"]])
        assert (task["closed_at"] is None) == (task["state"] == "open")


def check_opened_and_closed(folder: Path, data: Path, before: Snapshot, after: Snapshot) -> None:
    sources = dict(_sources(folder))
    for task_id, task in after.by_id.items():
        rule = RULES[task["rule_id"]]
        table, key = rule.subject_table, contracts.key_of(rule.subject_table)
        changed = task_id not in before.by_id or before.by_id[task_id]["state"] != task["state"]
        if changed:
            assert after.rules[rule.rule_id]["is_answered"], "a withheld rule changed a task"
            assert after.tables[table]["status"] == "accepted"
        named = {row[key].strip(" ") for row in sources.get(table, [])}
        if task_id not in before.by_id:
            assert task["patient_id"] in after.active
            if table in sources:
                assert task["subject_id"] in named, "a task without a source record"
            if "patients" in sources:
                assert any(row["patient_id"].strip(" ") == task["patient_id"] and row["status"].strip(" ") == "Active" for row in sources["patients"])
        elif changed and task["close_kind"] != "discharged":
            refused = {row[key].strip(" ") for row in _rejected(data, after, table) if row["check"] != "duplicate_key"}
            assert task["subject_id"] not in refused, "a task whose record was refused was closed"
            if task["close_kind"] == "source_gone" and table in sources:
                assert task["subject_id"] not in named, "a record that is there was called gone"


def run_or_refuse(data: Path, folder: Path, as_of: dt.datetime) -> bool:
    """True when it published; otherwise nothing may have changed and the message must name the place."""
    was = warehouse.current(data / "warehouse")
    try:
        run.run(at(data), folder, as_of)
    except UserError as error:
        assert str(folder) in str(error)
        assert warehouse.current(data / "warehouse") == was
        return False
    return True


def same(one: Snapshot, other: Snapshot) -> None:
    assert one.tasks == other.tasks
    assert one.events_without_numbers() == other.events_without_numbers()


def _again(work: Path, folder: Path, practice: Path, after: Snapshot) -> None:
    run.run(at(work / "data"), folder, DAYS[1])
    twice = Snapshot(work / "data")
    assert twice.tasks == after.tasks
    assert twice.events == after.events


def _rows_in_another_order(work: Path, folder: Path, practice: Path, after: Snapshot) -> None:
    shutil.copytree(practice / "data", work / "other")
    for table in mutations.TABLES:
        if mutations.rows_of(folder / f"{table}.csv") is not None and (folder / f"{table}.csv").read_bytes().endswith(b"\n"):
            mutations.damage(folder, "shuffle", table, 1)
    run.run(at(work / "other"), folder, DAYS[1])
    same(Snapshot(work / "other"), after)


def _rules_in_another_order(work: Path, folder: Path, practice: Path, after: Snapshot) -> None:
    shutil.copytree(practice / "data", work / "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "load_rules", lambda: dict(reversed(RULES.items())))
        run.run(at(work / "other"), folder, DAYS[1])
    same(Snapshot(work / "other"), after)


def _from_the_beginning(work: Path, folder: Path, practice: Path, after: Snapshot) -> None:
    for number, extracts in enumerate((practice / "day0", folder, practice / "day2")):
        run.run(at(work / "other"), extracts, DAYS[number])
    assert run_or_refuse(work / "data", practice / "day2", DAYS[2])
    last = Snapshot(work / "data")
    same(Snapshot(work / "other"), last)
    check_tasks(after, last)
    check_opened_and_closed(practice / "day2", work / "data", after, last)


MORE = {"nothing": None} | {
    function.__name__: function for function in (_again, _rows_in_another_order, _rules_in_another_order, _from_the_beginning)
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(SEEDS), damage=_damage(), more=st.sampled_from([*["nothing"] * 4, *MORE]))
def test_whatever_arrives_nothing_is_lost_or_invented(practices, seed, damage, more):
    practice = practices[seed]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shutil.copytree(practice / "data", work / "data")
        folder = Path(shutil.copytree(practice / "day1", work / "day1"))
        for kind, table, number in damage:
            mutations.damage(folder, kind, table, number)
        before = Snapshot(work / "data")
        if not run_or_refuse(work / "data", folder, DAYS[1]):
            return
        after = Snapshot(work / "data")
        check_rows(work / "data", after)
        check_tasks(before, after)
        check_opened_and_closed(folder, work / "data", before, after)
        if MORE[more] is not None:
            MORE[more](work, folder, practice, after)
