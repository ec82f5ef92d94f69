"""The demo practice: built once, always the same, busy on its last morning, and extended later."""

from __future__ import annotations

import datetime as dt
import fcntl
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipelines import settings
from pipelines.demo import build
from pipelines.demo.staff import HABITS, OTHER
from pipelines.errors import UserError
from pipelines.ledger.actions import Action
from pipelines.ledger.ledger import open_ledger
from pipelines.rules.loading import load_rules
from pipelines.runs import run
from pipelines.settings import Settings
from pipelines.vocabulary import ACTIONS
from pipelines.warehouse import snapshots
from pipelines.worklist import layout
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist

ROOT = Path(__file__).resolve().parents[2]
ALL = Filters(status="all")


def place(folder: Path) -> Settings:
    return build.settings_for(settings.load({"WORKBENCH_DATA": str(folder)}))


def tasks_of(practice: Settings, at: dt.datetime = build.START) -> pd.DataFrame:
    with open_worklist(practice, at) as listed:
        return listed.tasks(ALL).set_index("task_id").sort_index()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of three days."""
    monkeypatch.setattr(build, "FIRST_DAY", build.LAST_DAY - dt.timedelta(days=2))


@pytest.fixture(scope="module")
def told() -> list[tuple[float, str]]:
    return []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, told: list[tuple[float, str]]) -> Settings:
    practice = place(tmp_path_factory.mktemp("demo"))
    build.build(practice, lambda share, doing: told.append((share, doing)))
    return practice


@pytest.fixture(scope="module")
def tasks(built: Settings) -> pd.DataFrame:
    """The list as it is first shown."""
    return tasks_of(built)


@pytest.fixture(scope="module")
def actions(built: Settings) -> list[Action]:
    with open_ledger(built.ledger_url, read_only=True) as ledger:
        return ledger.actions()


def test_it_is_built_in_its_own_folder(built: Settings) -> None:
    assert build.is_built(built)
    assert [path.name for path in built.data.parent.iterdir() if not path.name.startswith(".")] == [
        "demo"
    ]
    assert [path.name for path in built.data.parent.iterdir() if path.is_dir()] == ["demo"]


def test_it_reports_its_progress(built: Settings, told: list[tuple[float, str]]) -> None:
    shares = [share for share, _ in told]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert told[0][1] == "Monday, October 19: reading the data"


def test_several_hundred_tasks_are_open_in_all_facilities(tasks: pd.DataFrame) -> None:
    still_open = tasks[tasks["is_open"]]
    assert 250 <= len(still_open) <= 600
    assert set(still_open["rule_id"]) == set(load_rules())
    assert still_open.groupby("facility_id").size().min() > 50
    assert 0.2 < still_open["overdue"].mean() < 0.6


def test_some_tasks_are_deferred_and_some_have_returned(
    tasks: pd.DataFrame, actions: list[Action]
) -> None:
    assert (tasks["status"] == "deferred").sum() >= 10
    back = [
        action for action in actions if action.action == "defer" and action.until <= build.START
    ]
    assert (tasks.loc[[action.task_id for action in back], "status"] == "pending").sum() >= 10


def test_people_and_the_system_closed_tasks_since_yesterday(tasks: pd.DataFrame) -> None:
    yesterday = tasks[tasks["closed_at"] >= build.START - dt.timedelta(days=1)]
    assert (yesterday["closed_by"] == "system").sum() >= 5
    assert (yesterday["closed_by"] != "system").sum() >= 5


def test_history_says_who_did_what_and_when(
    built: Settings, actions: list[Action], tasks: pd.DataFrame
) -> None:
    assert {action.action for action in actions} == set(ACTIONS)
    assert [action.at for action in actions] == sorted(action.at for action in actions)
    assert actions[-1].at < build.START
    assert actions[0].at < build.START - dt.timedelta(weeks=4)
    assert (tasks["opened_at"].min(), tasks["opened_at"].max()) == (
        build.morning(build.FIRST_DAY),
        build.morning(build.LAST_DAY),
    )
    undone = next(action for action in actions if action.action == "reopen")
    with open_worklist(built, build.START) as listed:
        history = listed.history(tasks.loc[undone.task_id, "patient_id"])
    events = history[history["task_id"] == undone.task_id]
    assert events["event"].iloc[0] == "opened"
    assert {"completed", "override"} & set(events["event"])
    row = events[events["event"] == "reopened"].iloc[0]
    assert (row["staff_id"], row["happened_at"]) == (undone.staff_id, undone.at)
    assert row["staff"] != row["staff_id"]


def test_people_act_as_the_workbench_would_let_them(
    built: Settings, actions: list[Action], tasks: pd.DataFrame
) -> None:
    with open_worklist(built, build.START) as listed:
        staff = listed.staff().set_index("staff_id")
    acted = {action.staff_id for action in actions} | {
        action.to_staff_id for action in actions if action.to_staff_id
    }
    assert staff.loc[list(acted), "is_active"].all()
    assert len(acted) > 20
    for action in actions:
        task = tasks.loc[action.task_id]
        assert action.at > task["opened_at"]
        assert task["patient_id"] >= build.FIRST_RANDOM_PATIENT
        if action.action == "complete":
            habit = HABITS[task["rule_id"]]
            owners = ("Clinical Staff", "Therapy Director") if habit.is_owners else ()
            assert staff.loc[action.staff_id, "role"] in (*habit.roles, *owners)
            assert action.reason or not action.is_override


def test_what_people_did_this_morning_waits_for_the_next_run(
    built: Settings, actions: list[Action]
) -> None:
    this_morning = [action for action in actions if action.at > build.morning(build.LAST_DAY)]
    assert this_morning
    with snapshots.connect() as con:
        snapshots.attach(con, snapshots.current(built.warehouse), "published")
        assert snapshots.one(con, "SELECT MAX(folded_seq) FROM published.runs") == (
            actions[-1].seq - len(this_morning),
        )


def test_every_habit_is_of_a_rule_and_every_override_has_a_reason() -> None:
    rules = load_rules()
    assert set(HABITS) == set(rules)
    assert [
        rule_id
        for rule_id, habit in HABITS.items()
        if rules[rule_id].manual == "override" and None in habit.done
    ] == []
    assert None not in OTHER.done
    assert [habit for habit in (*HABITS.values(), OTHER) if habit.notes and not habit.says] == []


def test_the_next_delivery_continues_the_history(built: Settings, tasks: pd.DataFrame) -> None:
    later = build.START + dt.timedelta(days=3, hours=2)
    folder = build.extend(built, later)
    assert folder.parent == built.data / "inbox"
    report = run.run(built, folder, later)
    assert [
        read.table for read in report.reads if read.status != "accepted" or read.rows_refused
    ] == []
    assert [answer.rule_id for answer in report.answers if not answer.is_answered] == []
    counts = {
        kind: sum(done.get(kind, 0) for done in report.decisions.values())
        for kind in ("open", "cleared")
    }
    assert counts["open"] >= 5
    assert counts["cleared"] >= 5
    assert set(tasks.index) < set(tasks_of(built, later).index)
    assert build.extend(built, later) == folder
    assert build.is_built(built)


def test_only_the_newest_deliveries_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "KEPT", 2)
    monkeypatch.setattr(build, "PATIENTS", 1)
    folders = [
        build.extend(place(tmp_path), build.START + dt.timedelta(seconds=seconds))
        for seconds in range(3)
    ]
    assert [folder.is_dir() for folder in folders] == [False, True, True]
    assert sorted(folders[0].parent.iterdir()) == folders[1:]


def test_two_sessions_build_once_and_two_builds_are_equal(
    tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    real = run.run
    monkeypatch.setattr(
        run, "run", lambda *arguments: runs.append(arguments[0].data) or real(*arguments)
    )
    first, said = place(tmp_path / "first"), []
    sessions = [
        threading.Thread(target=build.build, args=(first, lambda share, doing: said.append(doing)))
        for _ in range(2)
    ]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert len(runs) == 3
    assert any(doing.startswith("waiting") for doing in said)
    second = place(tmp_path / "second")
    build.build(second)
    pd.testing.assert_frame_equal(tasks_of(first), tasks_of(second))
    books = []
    for practice in (first, second):
        with open_ledger(practice.ledger_url) as ledger:
            books.append(ledger.actions())
    assert books[0] == books[1]
    assert len(books[0]) > 50


def test_an_interrupted_build_does_not_count(tmp_path: Path) -> None:
    practice = place(tmp_path)

    def stop(share: float, doing: str) -> None:
        if "people" in doing:
            raise RuntimeError("the browser was closed")

    with pytest.raises(RuntimeError):
        build.build(practice, stop)
    assert not build.is_built(practice)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_killed_build_does_not_count_and_the_next_one_succeeds(
    tmp_path: Path, short: None
) -> None:
    practice = place(tmp_path)
    code = f"""
from pipelines import settings
from pipelines.demo import build as demo
place = demo.settings_for(settings.load({{"WORKBENCH_DATA": {str(tmp_path)!r}}}))
demo.build(place, lambda share, doing: print(doing, flush=True))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert any("people at work" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / ".demo.building" / "warehouse" / "CURRENT").is_file()
    assert not build.is_built(practice)
    build.begin_clock(practice, build.START)
    build.build(practice)
    assert build.is_built(practice)
    assert build.clock_file(practice).read_text() == "0"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["demo"]


def test_waiting_for_another_build_ends_after_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "WAIT_SECONDS", 0.4)
    with (tmp_path / ".demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process"):
            build.build(place(tmp_path))


def test_a_demo_with_snapshots_of_another_layout_is_rebuilt(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "sources", lambda: "of other sources")
    assert build.is_built(built), "other sources may write the same columns"
    monkeypatch.setattr(layout, "current", lambda: "of other columns")
    assert not build.is_built(built)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    practice = replace(place(tmp_path), data=tmp_path / "file" / "demo")
    with pytest.raises(UserError, match="cannot be written"):
        build.build(practice)
    with pytest.raises(UserError, match="clock"):
        build.begin_clock(practice, build.START)
    with pytest.raises(UserError, match="extracts"):
        build.extend(practice, build.START)


@pytest.fixture
def begun(tmp_path: Path) -> Settings:
    practice = place(tmp_path)
    build.begin_clock(practice, dt.datetime(2026, 11, 20, 13, 0, 7, tzinfo=dt.UTC))
    return practice


def test_the_clock_starts_where_the_history_ends(begun: Settings) -> None:
    assert build.clock_file(begun) == begun.data / "clock"
    assert build.clock_file(begun).read_text() == str(29 * 60 + 53)
    assert list(begun.data.iterdir()) == [build.clock_file(begun)]
    assert not build.is_built(begun)


def test_a_started_clock_is_left_alone(begun: Settings) -> None:
    build.begin_clock(begun, dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert build.clock_file(begun).read_text() == str(29 * 60 + 53)


def test_the_demo_keeps_the_practices_choices_but_nothing_of_its_data(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(
        "[extracts]\nmax_loss = 0.1\n[rules.mips]\nenabled = false\n"
        "[rules.authorization_expiring]\ndays_ahead = 21\n"
        "[rules.authorization_expiring.payers.0002]\ndays_ahead = 30\n"
        "[rules.authorization_expiring.payers.AETNA]\ndays_ahead = 40\n"
    )
    real = settings.load(
        {
            "WORKBENCH_DATA": str(tmp_path),
            "WORKBENCH_EXTRACTS": "/in",
            "WORKBENCH_LEDGER": "postgresql://x/y",
            "EMR_LINK_A": "z",
        }
    )
    found = build.settings_for(real)
    assert (found.data, found.extracts, found.ledger_url) == (
        tmp_path / "demo",
        None,
        f"sqlite:///{tmp_path}/demo/ledger.sqlite",
    )
    assert (found.max_loss, dict(found.emr_links)) == (0.1, {"EMR_LINK_A": "z"})
    assert found.rules == {
        "mips": {"enabled": False},
        "authorization_expiring": {"days_ahead": 21, "payers": {"0002": {"days_ahead": 30}}},
    }
