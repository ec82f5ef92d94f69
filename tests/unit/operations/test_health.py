"""What the health command says, and its exit code, for each way a practice can be unwell."""

from __future__ import annotations

import datetime as dt
import errno
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines import settings as settings_module
from pipelines.operations import arrivals, health, permissions
from tests.conftest import Workbench
from tests.practice import Practice

TODAY = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
NAMES = ["list", "tables", "rules", "guards", "ledger", "settings", "disk", "extracts"]


@pytest.fixture
def extracts(workbench: Workbench, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dated folder that was run just now, by the machine's clock."""
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(workbench.extracts))
    practice.write(workbench.extracts / TODAY, None)
    assert workbench.command("run")[0] == 0
    return workbench.extracts


def asked(workbench: Workbench, *options: object) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and each check's status and sentence."""
    code, out, err = workbench.command("health", "--format", "json", *options)
    said = json.loads(out)
    assert err == ""
    assert dt.datetime.fromisoformat(said["at"]).tzinfo
    assert code == health.LEVELS.index(said["status"])
    return code, {check["check"]: (check["status"], check["says"]) for check in said["checks"]}


def in_hours(hours: float) -> dict[str, tuple[str, str]]:
    """The checks as they will be then."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    return {
        check.check: (check.status, check.says)
        for check in health.checks(settings_module.load(), now, dt.timedelta(hours=26))
    }


@pytest.mark.usefixtures("extracts")
def test_all_is_well(workbench: Workbench) -> None:
    code, found = asked(workbench)
    assert code == 0
    assert list(found) == NAMES
    assert {status for status, _ in found.values()} == {"ok"}
    code, out, _ = workbench.command("health")
    assert (code, out.splitlines()[0]) == (0, "ok")
    assert len(out.splitlines()) == 1 + len(NAMES)


def test_before_the_first_run(workbench: Workbench) -> None:
    code, found = asked(workbench)
    assert code == 2
    assert found["list"] == ("failing", "no list was published yet: python -m pipelines run")
    assert found["ledger"][0] == "failing"
    assert not workbench.data.exists(), "a check makes nothing"


@pytest.mark.usefixtures("extracts")
def test_an_old_list_and_a_clock_set_back() -> None:
    assert in_hours(25)["list"][0] == "ok"
    assert in_hours(27)["list"][0] == "attention"
    assert in_hours(27)["list"][1].endswith("27 hours ago, more than 26 hours")
    status, says = in_hours(-1)["list"]
    assert status == "attention"
    assert "later than this machine's clock" in says


def test_tables_the_last_run_did_not_accept(workbench: Workbench, practice: Practice) -> None:
    workbench.command(
        "run", "--extracts", practice.write(workbench.extracts, None, without=("faxes",))
    )
    code, found = asked(workbench)
    assert code == 1
    assert found["tables"][0] == "attention"
    assert "faxes is missing" in found["tables"][1]
    assert found["rules"][0] == "attention"
    assert "failed_fax: " in found["rules"][1]


def test_a_rule_that_is_switched_off_needs_no_attention(
    workbench: Workbench, practice: Practice
) -> None:
    workbench.data.mkdir()
    (workbench.data / "settings.toml").write_text("[rules.mips]\nenabled = false\n")
    workbench.command("run", "--extracts", practice.write(workbench.extracts, None))
    code, found = asked(workbench)
    assert code == 0, found
    assert found["settings"][1] == "16 of 17 rules are in force"


def test_extracts_of_long_ago(workbench: Workbench, practice: Practice) -> None:
    taken = dt.datetime.now(dt.UTC) - dt.timedelta(hours=40)
    workbench.command("run", "--extracts", practice.write(workbench.extracts, taken))
    assert asked(workbench)[1]["tables"] == (
        "attention",
        "the oldest extract of the last run was taken 40 hours ago, more than 26 hours",
    )
    assert asked(workbench, "--max-age", 48)[0] == 0


def test_extracts_that_nobody_ran(extracts: Path, practice: Practice) -> None:
    assert in_hours(0)["extracts"] == (
        "ok",
        f"{extracts}/{TODAY} was run; it came 0 minutes ago, and nothing since",
    )
    practice.write(extracts / f"{TODAY}_2", None)
    assert in_hours(1)["extracts"] == (
        "ok",
        f"{extracts}/{TODAY}_2 came 60 minutes ago and was not run yet",
    )
    assert in_hours(30)["extracts"][0] == "attention"


def test_a_file_that_was_replaced_during_the_run_was_not_run(
    workbench: Workbench, extracts: Path
) -> None:
    then = dt.datetime.now(dt.UTC) - dt.timedelta(
        hours=20
    )  # when the run began; the files came at its end
    shutil.rmtree(workbench.data / "warehouse")
    assert workbench.command("run", "--extracts", extracts, "--as-of", then.isoformat())[0] == 0
    assert in_hours(0)["extracts"][1].endswith("came 0 minutes ago and was not run yet")


def test_a_waiting_folder_is_not_hidden_by_later_ones(
    extracts: Path, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (2, 3):
        practice.write(extracts / f"{TODAY}_{number}", None)
    now = dt.datetime.now(dt.UTC)
    came = {f"{TODAY}_2": now - dt.timedelta(hours=30)}
    look = arrivals.look
    monkeypatch.setattr(
        arrivals, "look", lambda folder: replace(look(folder), came_at=came.get(folder.name, now))
    )
    assert in_hours(0)["extracts"] == (
        "attention",
        f"{extracts}/{TODAY}_2 came 30 hours ago and was not run yet",
    )


@pytest.mark.usefixtures("extracts")
def test_a_new_list_over_old_extracts_needs_attention() -> None:
    assert in_hours(25)["extracts"][0] == "ok"
    status, says = in_hours(27)["extracts"]
    assert (status, says.partition(" was run; ")[2]) == (
        "attention",
        "it came 27 hours ago, and nothing since",
    )


def test_a_folder_of_a_future_day_hides_all_others(
    extracts: Path, practice: Practice, workbench: Workbench
) -> None:
    practice.write(extracts / "2099-11-20", None)
    assert workbench.command("run")[0] == 0
    status, says = in_hours(0)["extracts"]
    assert status == "attention"
    assert says.startswith(f"{extracts}/2099-11-20 is dated later than tomorrow")


@pytest.mark.parametrize("name", ["20261399", "20993011_1"])
def test_a_folder_of_no_day_stops_the_choice_until_it_is_renamed(
    extracts: Path, practice: Practice, workbench: Workbench, name: str
) -> None:
    practice.write(extracts / name, None)
    code, _, err = workbench.command("run")
    assert (code, f"{extracts}/{name}: starts like a day" in err) == (2, True)
    status, says = in_hours(0)["extracts"]
    assert (status, "name it like 2026-11-03" in says) == ("failing", True)


def test_an_empty_folder_arrived_when_it_was_created(extracts: Path) -> None:
    (extracts / f"{TODAY}_2").mkdir()
    assert in_hours(0)["extracts"] == (
        "ok",
        f"{extracts}/{TODAY}_2 came 0 minutes ago and was not run yet",
    )


@pytest.mark.usefixtures("extracts")
def test_a_damaged_snapshot_fails_and_the_other_checks_go_on(workbench: Workbench) -> None:
    (live,) = (workbench.data / "warehouse").glob("*.duckdb")
    live.write_bytes(live.read_bytes()[:5000])
    code, found = asked(workbench)
    assert code == 2
    assert found["list"][0] == found["extracts"][0] == "failing"
    assert live.name in found["list"][1]
    assert (found["ledger"][0], found["disk"][0]) == ("ok", "ok")


@pytest.mark.usefixtures("extracts")
def test_a_ledger_that_cannot_be_written(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "WORKBENCH_LEDGER", f"sqlite:///{workbench.data / 'ledger.sqlite'}?timeout=0.1"
    )
    holder = sqlite3.connect(workbench.data / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    code, found = asked(workbench)
    holder.close()
    assert code == 2
    assert found["ledger"][0] == "failing"
    assert "is locked by another program" in found["ledger"][1]
    assert asked(workbench)[0] == 0


def test_a_settings_file_that_nobody_can_read(workbench: Workbench) -> None:
    workbench.data.mkdir()
    (workbench.data / "settings.toml").write_text("[rules")
    code, found = asked(workbench)
    assert code == 2
    assert list(found) == ["settings"]
    assert "settings.toml: the settings file cannot be read" in found["settings"][1]


@pytest.mark.usefixtures("extracts")
def test_a_data_folder_on_a_read_only_disk(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "ledger.sqlite")

    (workbench.data / "ledger.sqlite").chmod(0o644)
    monkeypatch.setattr(permissions.os, "chmod", refuse)
    assert list(asked(workbench)[1]) == NAMES


@pytest.mark.usefixtures("extracts")
def test_a_settings_file_that_the_next_run_would_refuse(workbench: Workbench) -> None:
    (workbench.data / "settings.toml").write_text("[rules.mips]\nno_such = 1\n")
    code, found = asked(workbench)
    assert code == 2
    assert found["settings"][0] == "failing"
    assert "no_such" in found["settings"][1]


@pytest.mark.usefixtures("extracts")
def test_a_disk_that_has_no_room_for_the_next_list(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (live,) = (workbench.data / "warehouse").glob("*.duckdb")
    size = live.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(health.os, "access", lambda path, mode: Path(path) != live.parent)
        assert in_hours(0)["disk"] == (
            "failing",
            f"{live.parent} cannot be written to, so a run cannot publish the next list",
        )
    for room, status in ((0.5, "failing"), (2, "attention"), (4, "ok")):
        monkeypatch.setattr(
            health.shutil,
            "disk_usage",
            lambda path, room=room: SimpleNamespace(free=round(room * size)),
        )
        assert in_hours(0)["disk"][0] == status
