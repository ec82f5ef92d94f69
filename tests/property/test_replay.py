"""A sequence of days of the sample practice: replayed, repeated, shuffled, in another format."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from pipelines import sample
from pipelines.rules import loading
from tests.conftest import Workbench

DAYS = [sample.DEFAULT_AS_OF + dt.timedelta(days=number) for number in range(3)]


def write(folder: Path, as_of: dt.datetime, form: str = "csv") -> Path:
    sample.write_sample(folder, patients=120, facilities=2, as_of=as_of, seed=3, format=form)
    return folder


def listed(workbench: Workbench, at: dt.datetime) -> str:
    code, out, err = workbench.command(
        "tasks", "--at", at.isoformat(), "--status", "all", "--format", "json"
    )
    assert code == 0, err
    return out


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """A folder of three dated folders."""
    for as_of in DAYS:
        write(tmp_path / "days" / f"{as_of:%Y-%m-%d}", as_of)
    return tmp_path / "days"


def test_a_replay_gives_what_the_nights_gave(
    workbench: Workbench, days: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for as_of in DAYS:
        code, _, err = workbench.command(
            "run", "--extracts", days / f"{as_of:%Y-%m-%d}", "--as-of", as_of.isoformat()
        )
        assert code == 0, err
    nights = listed(workbench, DAYS[-1])
    monkeypatch.setenv("WORKBENCH_DATA", str(workbench.data.parent / "again"))
    code, _, err = workbench.command("replay", "--extracts", days)
    assert code == 0, err
    assert listed(workbench, DAYS[-1]) == nights
    assert {'"cleared"', '"pending"'} <= {
        word for word in ('"cleared"', '"pending"') if word in nights
    }


def test_the_sample_exercises_all_seventeen_types(workbench: Workbench, days: Path) -> None:
    workbench.command("replay", "--extracts", days)
    found = listed(workbench, DAYS[-1])
    assert [rule_id for rule_id in loading.load_rules() if f'"{rule_id}"' not in found] == []


def test_run_takes_the_newest_of_dated_folders(workbench: Workbench, days: Path) -> None:
    code, out, err = workbench.command("run", "--extracts", days, "--as-of", DAYS[-1].isoformat())
    assert code == 0, err
    assert "2026-11-22" in out


def test_the_order_of_rows_and_the_format_do_not_matter(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write(tmp_path / "plain", DAYS[0])
    shuffled = write(tmp_path / "shuffled", DAYS[0])
    choose = random.Random(5)
    for path in shuffled.glob("*.csv"):
        head, *rows = path.read_text().splitlines()
        choose.shuffle(rows)
        path.write_text("\r\n".join(["\ufeff" + head, *rows]) + "\r\n", encoding="utf-8")
    lists = []
    for name, folder in {
        "a": plain,
        "b": shuffled,
        "c": write(tmp_path / "parquet", DAYS[0], "parquet"),
    }.items():
        monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / name))
        code, _, err = workbench.command(
            "run", "--extracts", folder, "--as-of", DAYS[0].isoformat()
        )
        assert code == 0, err
        lists.append(listed(workbench, DAYS[0]))
    assert lists[0] == lists[1]
    assert lists[0] == lists[2]
    assert lists[0].count("task_id") > 50


def test_check_says_whether_anything_is_refused(workbench: Workbench, tmp_path: Path) -> None:
    folder = write(tmp_path / "checked", DAYS[0])
    assert workbench.command("check", "--extracts", folder)[0] == 0
    path = folder / "payments.csv"
    path.write_text(path.read_text().replace("payment,", "paiment,", 1), encoding="utf-8")
    code, out, _ = workbench.command("check", "--extracts", folder)
    assert code == 1
    assert "payments.csv" in out
    assert "value_set" in out


def test_the_first_command_of_the_readme_prints_the_worklist_of_the_sample(
    workbench: Workbench,
) -> None:
    code, out, err = workbench.command("run")
    assert code == 0, err
    assert "using the sample practice" in out
    assert "The worklist: " in out
