"""Damaged extracts in quantity: nothing is lost or invented, and absent data clears nothing."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import csv_files, sample
from pipelines import settings as settings_module
from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.rules import loading
from pipelines.runs import run
from pipelines.vocabulary import CLOSED_BY_RUN
from pipelines.warehouse import snapshots
from tests import mutations

DAYS = [sample.DEFAULT_AS_OF + dt.timedelta(days=number) for number in range(3)]
SEEDS = (3, 11)
RULES = loading.load_rules()
ENDS = set(CLOSED_BY_RUN)
BY_PEOPLE = {"completed", "override"}
TWO_HOURS, WEEK = dt.timedelta(hours=2), dt.timedelta(days=7)
DOING = {
    "complete": {"reason": "Waived", "is_override": True},
    "defer": {"until": DAYS[0] + TWO_HOURS + WEEK},
    "assign": {"to_staff_id": None},
    "note": {"reason": "Called"},
}


@pytest.fixture(scope="module")
def practices(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, Snapshot]]:
    """Sound extracts by seed (`day0` to `day2`), and `data` after a run over day 0."""
    found = {}
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp(f"practice{seed}")
        for number, as_of in enumerate(DAYS):
            sample.write_sample(
                folder / f"day{number}",
                patients=60,
                facilities=2,
                as_of=as_of,
                seed=seed,
                format="csv",
            )
        run.run(at(folder / "data"), folder / "day0", DAYS[0])
        found[seed] = folder, Snapshot(folder / "data")
    return found


def at(data: Path) -> settings_module.Settings:
    return settings_module.load({"WORKBENCH_DATA": str(data)})


class Snapshot:
    """What a run left: its tasks and events as dictionaries, its record, its staged keys."""

    def __init__(self, data: Path) -> None:
        path = snapshots.current(data / "warehouse")
        with duckdb.connect(str(path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            self.tasks = _dicts(con, "FROM tasks ORDER BY task_id")
            self.events = _dicts(con, "FROM events ORDER BY event_no")
            self.tables = {
                row["table_name"]: row for row in _dicts(con, "FROM run_tables ORDER BY run_no")
            }
            self.rules = {
                row["rule_id"]: row for row in _dicts(con, "FROM run_rules ORDER BY run_no")
            }
            self.run_no = max(row["run_no"] for row in self.tables.values())
            self.run_id = _dicts(con, "SELECT run_id, run_no FROM runs ORDER BY run_no")[-1][
                "run_id"
            ]
            self.refused = _dicts(con, f"FROM rejected_rows WHERE run_no = {self.run_no}")
            self.active = {
                row["patient_id"]
                for row in _dicts(
                    con, "SELECT patient_id FROM staging.patients WHERE status = 'Active'"
                )
            }

    @property
    def by_id(self) -> dict[str, dict]:
        return {task["task_id"]: task for task in self.tasks}

    def events_without_numbers(self) -> list[tuple]:
        return sorted(
            (
                tuple((name, str(value)) for name, value in event.items() if name != "event_no")
                for event in self.events
            ),
            key=str,
        )


def _dicts(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict]:
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _damage(least: int = 1) -> st.SearchStrategy[list[tuple[str, str, int]]]:
    one = st.tuples(
        st.sampled_from(mutations.KINDS), st.sampled_from(mutations.TABLES), st.integers(0, 2**31)
    )
    return st.lists(one, min_size=least, max_size=6)


def _deeds() -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(
        st.tuples(st.sampled_from(list(DOING)), st.integers(0, 2**31)),
        max_size=4,
        unique_by=lambda deed: deed[1],
    )


def act(data: Path, before: Snapshot, deeds: list[tuple[str, int]]) -> list[Action]:
    """Record what people do after the first day, each to another open task."""
    open_ids = [task["task_id"] for task in before.tasks if task["state"] == "open"]
    chosen = {open_ids[number % len(open_ids)]: action for action, number in deeds}
    with open_ledger(at(data).ledger_url) as ledger:
        return [
            ledger.record(NewAction(task, action, "S001", DAYS[0] + TWO_HOURS, **DOING[action]), 0)
            for task, action in chosen.items()
        ]


def check_deeds(done: list[Action], before: Snapshot, after: Snapshot) -> None:
    """Each action is in the history once; a completed task stays away while its condition lasts."""
    assert sorted(event["seq"] for event in after.events if event["seq"] is not None) == [
        action.seq for action in done
    ]
    for action in done:
        (event,) = [event for event in after.events if event["seq"] == action.seq]
        assert (event["task_id"], event["staff_id"], event["happened_at"]) == (
            action.task_id,
            action.staff_id,
            action.at,
        )
        if action.action == "complete":
            task = after.by_id[action.task_id]
            assert task["close_kind"] == "override"
            alike = [
                other
                for other in after.tasks
                if (other["rule_id"], other["subject_id"]) == (task["rule_id"], task["subject_id"])
            ]
            if before.run_no == 1 and not RULES[task["rule_id"]].period:
                assert max(alike, key=lambda other: other["occurrence"]) is task, (
                    "a task that was completed came back"
                )


def _rejected(data: Path, snapshot: Snapshot, table: str) -> list[dict[str, str]]:
    path = data / "rejected" / snapshot.run_id / f"{table}.csv"
    if not path.exists():
        return []
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [
            {name: value.removeprefix(csv_files.MARK) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def _sources(folder: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The rows of every table that Python's own CSV reader reads without doubt."""
    for table in mutations.TABLES:
        rows = mutations.rows_of(folder / f"{table}.csv")
        if (
            rows is not None
            and len(set(rows[0])) == len(rows[0])
            and contract.key_of(table) in rows[0]
        ):
            yield table, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def check_rows(data: Path, after: Snapshot) -> None:
    assert set(after.tables) == set(mutations.TABLES)
    for table, read in after.tables.items():
        assert read["run_no"] == after.run_no
        assert read["rows_read"] == read["rows_staged"] + read["rows_refused"], table
        if read["status"] == "accepted":
            assert len(_rejected(data, after, table)) == read["rows_refused"], table
            assert (
                sum(row["table_name"] == table for row in after.refused) == read["rows_refused"]
            ), table
        else:
            assert read["rows_staged"] == 0 and read["reason"], table


def check_tasks(before: Snapshot, after: Snapshot) -> None:
    assert len(after.by_id) == len(after.tasks)
    assert len(
        {(task["rule_id"], task["subject_id"], task["occurrence"]) for task in after.tasks}
    ) == len(after.tasks)
    assert set(before.by_id) <= set(after.by_id)
    assert after.events[: len(before.events)] == before.events
    assert [event["event_no"] for event in after.events] == sorted(
        {event["event_no"] for event in after.events}
    )
    moments = [event["happened_at"] for event in after.events]
    assert moments == sorted(moments)
    for task_id, task in after.by_id.items():
        own = [event["event"] for event in after.events if event["task_id"] == task_id]
        ends = [event for event in own if event in ENDS | BY_PEOPLE]
        assert own[0] == "opened" and own.count("opened") == 1
        assert len(ends) == (task["state"] != "open") and ends in ([], [task["close_kind"]])
        assert (task["closed_at"] is None) == (task["state"] == "open")


def check_opened_and_closed(folder: Path, data: Path, before: Snapshot, after: Snapshot) -> None:
    sources = dict(_sources(folder))
    for task_id, task in after.by_id.items():
        rule = RULES[task["rule_id"]]
        table, key = rule.subject_table, contract.key_of(rule.subject_table)
        changed = task_id not in before.by_id or before.by_id[task_id]["state"] != task["state"]
        if changed and task["close_kind"] not in BY_PEOPLE:
            assert after.rules[rule.rule_id]["is_answered"], "a withheld rule changed a task"
            assert after.tables[table]["status"] == "accepted"
        named = {row[key].strip(" ") for row in sources.get(table, [])}
        if task_id not in before.by_id:
            assert task["patient_id"] in after.active
            if table in sources:
                assert task["subject_id"] in named, "a task without a source record"
            if "patients" in sources:
                assert any(
                    row["patient_id"].strip(" ") == task["patient_id"]
                    and row["status"].strip(" ") == "Active"
                    for row in sources["patients"]
                )
        elif changed and task["close_kind"] not in BY_PEOPLE | {"discharged"}:
            refused = {
                row[key].strip(" ")
                for row in _rejected(data, after, table)
                if row["check"] != "duplicate_key"
            }
            assert task["subject_id"] not in refused, "a task whose record was refused was closed"
            if task["close_kind"] == "source_gone" and table in sources:
                assert task["subject_id"] not in named, "a record that is there was called gone"


def run_or_refuse(data: Path, folder: Path, as_of: dt.datetime) -> bool:
    """True when the run published; otherwise nothing changed and the message names the place."""
    was = snapshots.current(data / "warehouse")
    try:
        run.run(at(data), folder, as_of)
    except UserError as error:
        assert str(folder) in str(error)
        assert snapshots.current(data / "warehouse") == was
        return False
    return True


def same(one: Snapshot, other: Snapshot) -> None:
    assert one.tasks == other.tasks
    assert one.events_without_numbers() == other.events_without_numbers()


@dataclass(frozen=True)
class Case:
    """A damaged second day after a sound first, the actions in between, and the run's result."""

    practice: Path
    work: Path
    folder: Path
    deeds: list[tuple[str, int]]
    before: Snapshot
    after: Snapshot
    later: list[tuple[str, str, int]]

    def once_more(self) -> Path:
        """The first day again, in another folder, and people at work."""
        data = Path(shutil.copytree(self.practice / "data", self.work / "other"))
        act(data, self.before, self.deeds)
        return data


def _again(case: Case) -> None:
    run.run(at(case.work / "data"), case.folder, DAYS[1])
    twice = Snapshot(case.work / "data")
    assert twice.tasks == case.after.tasks
    assert twice.events == case.after.events


def _rows_in_another_order(case: Case) -> None:
    data = case.once_more()
    for table in mutations.TABLES:
        path = case.folder / f"{table}.csv"
        if mutations.rows_of(path) is not None and path.read_bytes().endswith(b"\n"):
            mutations.damage(case.folder, "shuffle", table, 1)
    run.run(at(data), case.folder, DAYS[1])
    same(Snapshot(data), case.after)


def _rules_in_another_order(case: Case) -> None:
    data = case.once_more()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load_rules", lambda: dict(reversed(RULES.items())))
        run.run(at(data), case.folder, DAYS[1])
    same(Snapshot(data), case.after)


def _a_third_day_and_all_from_the_beginning(case: Case) -> None:
    """The third day may be damaged, too; the first is run anew."""
    third = damaged(case.practice / "day2", case.work / "day2", case.later)
    data, anew = case.work / "data", case.work / "anew"
    run.run(at(anew), case.practice / "day0", DAYS[0])
    act(anew, case.before, case.deeds)
    run.run(at(anew), case.folder, DAYS[1])
    assert run_or_refuse(data, third, DAYS[2]) == run_or_refuse(anew, third, DAYS[2])
    last = Snapshot(data)
    same(Snapshot(anew), last)
    if last.run_no > case.after.run_no:
        check_rows(data, last)
        check_tasks(case.after, last)
        check_opened_and_closed(third, data, case.after, last)


MORE = {"nothing": None} | {
    function.__name__: function
    for function in (
        _again,
        _rows_in_another_order,
        _rules_in_another_order,
        _a_third_day_and_all_from_the_beginning,
    )
}


def damaged(sound: Path, folder: Path, damage: list[tuple[str, str, int]]) -> Path:
    """A copy of an extract folder with this damage."""
    shutil.copytree(sound, folder)
    for kind, table, number in damage:
        mutations.damage(folder, kind, table, number)
    return folder


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.sampled_from(SEEDS),
    damage=_damage(),
    deeds=_deeds(),
    more=st.sampled_from([*["nothing"] * 4, *MORE]),
    later=_damage(0),
)
def test_whatever_arrives_nothing_is_lost_or_invented(practices, seed, damage, deeds, more, later):
    practice, before = practices[seed]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        data = Path(shutil.copytree(practice / "data", work / "data"))
        folder = damaged(practice / "day1", work / "day1", damage)
        done = act(data, before, deeds)
        if not run_or_refuse(data, folder, DAYS[1]):
            return
        after = Snapshot(data)
        check_rows(data, after)
        check_tasks(before, after)
        check_opened_and_closed(folder, data, before, after)
        check_deeds(done, before, after)
        if MORE[more] is not None:
            MORE[more](Case(practice, work, folder, deeds, before, after, later))
            check_deeds(done, after, Snapshot(data))
