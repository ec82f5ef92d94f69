"""Bad rules, settings, ledgers and snapshots, a full disk, kill -9: the published list stays."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.rules import loading, model
from pipelines.warehouse import snapshots
from tests.bad_input import refused, run, written
from tests.conftest import Workbench
from tests.faults import children
from tests.practice import Practice


class TestRuleFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        copy = tmp_path / "rules"
        shutil.copytree(model.RULES_FOLDER, copy)
        real = loading.load_rules
        monkeypatch.setattr(loading, "load_rules", lambda folder=copy: real(folder))
        return copy

    def test_a_typo_in_a_header_stops_the_run_and_names_file_and_key(
        self, live: Workbench, practice: Practice, folder: Path
    ) -> None:
        path = folder / "mips.sql"
        path.write_text(path.read_text().replace("due_days", "due_dyas"))
        message = refused(live, *run(live, written(live, practice)))
        assert "mips.sql" in message
        assert "due_dyas" in message

    def test_a_rule_that_raises_is_withheld_and_the_others_go_on(
        self, live: Workbench, practice: Practice, folder: Path
    ) -> None:
        path = folder / "uncollected_payments.sql"
        path.write_text(
            path.read_text().replace(
                "CAST(NULL AS VARCHAR) AS staff_id",
                "CAST(CAST(u.case_id AS INTEGER) AS VARCHAR) AS staff_id",
            )
        )
        out = live.run(practice.patient("B"), 2)
        assert "the rule failed: ConversionException" in out
        assert "C-A" not in out, "the value that could not be converted is the patient's"
        assert live.states(2, "uncollected_payments") == {("V1", 1): "pending"}
        assert ("B", 1) in live.states(2, "unscheduled_patient")


class TestSettings:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("[rules.authorization_expirng]\ndays_ahead = 21", "authorization_expirng"),
            ("[rules.authorization_expiring]\ndays_ahed = 21", "days_ahed"),
            ("[rules.authorization_expiring.payers.NOPE]\ndays_ahead = 21", "NOPE"),
            ("[extract]\nmax_loss = 0.5", "extract"),
            ("[extracts]\nmax_loss = 'much'", "max_loss"),
            ("[app]\nidle_minute = 5", "app.idle_minute"),
            ("[app]\nidle_minutes = 0", "app.idle_minutes"),
            ("[app]\nidle_minutes = true", "app.idle_minutes"),
            ("[app]\nidle_minutes = 0.5", "app.idle_minutes"),
            ("[app]\nidle_minutes = 43201", "app.idle_minutes"),
            ("[rules", "settings.toml"),
            ("rules = 3", "rules must be a section"),
        ],
    )
    def test_unknown_names_are_errors_naming_file_and_key(
        self, live: Workbench, practice: Practice, text: str, names: str
    ) -> None:
        (live.data / "settings.toml").write_text(text)
        message = refused(live, *run(live, written(live, practice)))
        assert "settings.toml" in message
        assert names in message

    def test_a_payer_has_its_own_parameter_and_a_rule_can_be_switched_off(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.add("payers", "PAY2", name="Cigna")
        for patient, payer in (("A", "PAY1"), ("B", "PAY2")):
            practice.patient(patient).add(
                "policies",
                f"POL{patient}",
                patient_id=patient,
                payer_id=payer,
                authorization_required="true",
            )
            practice.add(
                "authorizations",
                f"AU{patient}",
                policy_id=f"POL{patient}",
                case_id=f"C-{patient}",
                ends_on="2026-11-30",
            )
        workbench.data.mkdir()
        (workbench.data / "settings.toml").write_text(
            "[rules.authorization_expiring.payers.PAY2]\ndays_ahead = 30\n"
            "[rules.unscheduled_patient]\nenabled = false\n"
        )
        assert "switched off" in workbench.run(practice, 1)
        assert workbench.states(1, "authorization_expiring") == {("AUB", 1): "pending"}
        assert workbench.states(1, "unscheduled_patient") == {}


class TestStores:
    def test_a_ledger_of_a_newer_version(self, live: Workbench, practice: Practice) -> None:
        ledger = sqlite3.connect(live.data / "ledger.sqlite")
        (columns,) = [[row[1] for row in ledger.execute("PRAGMA table_info(ledger_version)")]]
        ledger.execute(f"INSERT INTO ledger_version ({columns[0]}) VALUES (99)")
        ledger.commit()
        ledger.close()
        assert "99" in refused(live, *run(live, written(live, practice)))

    def test_a_ledger_that_is_no_database(self, live: Workbench, practice: Practice) -> None:
        (live.data / "ledger.sqlite").write_bytes(
            b"not a database at all, but long enough to look" * 40
        )
        for left in live.data.glob("ledger.sqlite-*"):
            left.unlink()
        assert "ledger.sqlite" in refused(live, *run(live, written(live, practice)))

    def test_a_pointer_to_nothing_is_reported(self, live: Workbench) -> None:
        (live.data / "warehouse" / "CURRENT").write_text("gone.duckdb\n")
        code, _, err = live.command("tasks")
        assert (code, "CURRENT" in err) == (2, True)

    def test_a_snapshot_cut_in_half_is_reported(self, live: Workbench) -> None:
        (path,) = (live.data / "warehouse").glob("*.duckdb")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        code, _, err = live.command("tasks", "--status", "all")
        assert (code, "error:" in err) == (2, True)

    @pytest.mark.parametrize(
        "filters", [("--type", "nope"), ("--facility", "F9"), ("--category", "billing")]
    )
    def test_a_filter_that_names_nothing_is_reported(
        self, live: Workbench, filters: tuple[str, str]
    ) -> None:
        code, _, err = live.command("tasks", *filters)
        assert (code, "There is no" in err) == (2, True)

    def test_tasks_before_the_first_run_says_what_to_do(self, workbench: Workbench) -> None:
        code, _, err = workbench.command("tasks")
        assert (code, "python -m pipelines run" in err) == (2, True)

    def test_a_full_disk_leaves_the_list_live(self, live: Workbench, practice: Practice) -> None:
        for number in range(300):
            practice.patient(f"N{number}", last_name=f"Name {number}")
        folder = written(live, practice)
        command = [sys.executable, "-m", "pipelines", *map(str, run(live, folder))]
        # A limit on file sizes stands in for a full disk: the write fails in the middle, too.
        limit = (200_000, 200_000)
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert "previous list stays live" in done.stderr
        assert live.states(1, "uncollected_payments") == {("V1", 1): "pending"}
        live.run(folder, 2)

    def test_seven_snapshots_are_kept(self, live: Workbench, practice: Practice) -> None:
        (first,) = (live.data / "warehouse").glob("*.duckdb")
        older = [
            Path(shutil.copy(first, first.with_name(f"000000-2026100{day}T110000Z.duckdb")))
            for day in range(1, 9)
        ]
        live.run(practice, 2)
        assert len(list(first.parent.glob("*.duckdb"))) == snapshots.KEPT == 7
        assert [path.exists() for path in older] == [False] * 3 + [True] * 5
        assert first.exists()


def test_kill_9_at_any_moment_leaves_the_previous_list_live_and_the_next_run_works(
    live: Workbench, practice: Practice
) -> None:
    folder = written(live, practice.payment("P", "A", "2026-10-30", "40.00"))
    command, place = [*map(str, run(live, folder))], {"WORKBENCH_DATA": str(live.data)}
    children.start(
        ["tasks"], **place
    ).end()  # waits for the process that the others are forked from
    started = time.perf_counter()
    assert children.start([*command[:-1], live.day(1.5).isoformat()], **place).end().code == 0
    length = time.perf_counter() - started
    choose = random.Random(7)
    killed = 0
    for _ in range(8):
        child = children.start(command, **place)
        time.sleep(choose.uniform(0, length))
        with contextlib.suppress(ProcessLookupError):  # it was quicker
            os.kill(child.pid, signal.SIGKILL)
        killed += child.end().code == -signal.SIGKILL
        assert len(live.tasks(2.5, "all")) >= 1
    assert killed, "no run was caught in the middle"
    live.run(folder, 2)
    assert live.states(2, "uncollected_payments") == {("V1", 1): "cleared"}
