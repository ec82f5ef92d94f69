"""Bad input: a message that names file, line and column; the published list stays whole."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read as extracts_read
from pipelines.rules import loading, model
from pipelines.warehouse import snapshots
from tests.conftest import Workbench
from tests.faults import children
from tests.practice import Practice


@pytest.fixture
def live(workbench: Workbench, practice: Practice) -> Workbench:
    """A workbench with a published list of one open Uncollected Payments task."""
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.once(lambda: workbench.run(practice, 1))
    return workbench


def refused(workbench: Workbench, *arguments: object) -> str:
    """The message of a command that must fail and leave the published list unchanged."""
    before = (
        (workbench.data / "warehouse" / "CURRENT").read_text()
        if (workbench.data / "warehouse" / "CURRENT").exists()
        else None
    )
    code, out, err = workbench.command(*arguments)
    assert code == 2, out + err
    assert "Traceback" not in err
    after = (
        (workbench.data / "warehouse" / "CURRENT").read_text()
        if (workbench.data / "warehouse" / "CURRENT").exists()
        else None
    )
    assert after == before
    assert list((workbench.data / "warehouse").glob(".*building*")) == []
    return err


def run(workbench: Workbench, folder: Path, day: float = 2) -> tuple[object, ...]:
    return ("run", "--extracts", folder, "--as-of", workbench.day(day).isoformat())


def written(workbench: Workbench, practice: Practice, day: float = 2) -> Path:
    return practice.write(workbench.extracts / "bad", workbench.day(day))


class TestFolders:
    def test_a_missing_folder(self, live: Workbench) -> None:
        assert "nowhere" in refused(live, *run(live, live.extracts / "nowhere"))

    def test_an_empty_folder(self, live: Workbench, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert "no extract table" in refused(live, *run(live, tmp_path / "empty"))

    def test_a_folder_without_permission(self, live: Workbench, practice: Practice) -> None:
        folder = written(live, practice)
        for open_one in (live.data, live.data / "warehouse", *folder.parents):
            if open_one.stat().st_uid == os.getuid() and open_one != Path("/"):
                open_one.chmod(
                    open_one.stat().st_mode
                    | (0o777 if live.data in (open_one, open_one.parent) else 0o011)
                )
        (live.data / "warehouse" / "CURRENT").chmod(0o644)
        folder.chmod(0)
        with as_nobody():
            message = refused(live, *run(live, folder))
        folder.chmod(0o755)
        assert "permission" in message.lower()
        assert str(folder) in message

    def test_a_data_folder_in_use_by_another_run(self, live: Workbench, practice: Practice) -> None:
        folder = written(live, practice)
        with snapshots.one_run_at_a_time(live.data / "warehouse"):
            code, _, err = live.command(*run(live, folder))
        assert (code, "another run is going on" in err) == (2, True)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run as a user who, unlike root, may not read everything."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


class TestFiles:
    def test_a_row_with_text_in_a_number_is_refused_alone_with_its_line(
        self, live: Workbench, practice: Practice
    ) -> None:
        practice.visit("V2", "A", "2026-10-31T09:00:00", amount_due="ten dollars").visit(
            "V3", "A", "2026-10-31T11:00:00", amount_due="7.00"
        )
        out = live.run(practice, 2)
        assert "1 rows refused" in out
        (report,) = (live.data / "rejected").glob("*/appointments.csv")
        head, line = report.read_text().splitlines()
        assert head.startswith("file,line,column,check,appointment_id")
        assert line.split(",")[1:4] == ["3", "amount_due", "money"]
        assert live.one(2, "uncollected_payments", "V3")["amount"] == 7.0

    @pytest.mark.parametrize(
        ("value", "check"),
        [("1970-01-01", "day"), ("11/03/2026", "day"), ("2026-02-30", "day"), ("", "required")],
    )
    def test_a_day_outside_the_calendar_is_refused(
        self, live: Workbench, practice: Practice, value: str, check: str
    ) -> None:
        live.run(practice.patient("B").add("cases", "C-B", opened_on=value), 2)
        (report,) = (live.data / "rejected").glob("*/cases.csv")
        assert report.read_text().splitlines()[1].split(",")[1:4] == ["3", "opened_on", check]

    def test_an_id_with_a_control_character_is_refused(
        self, live: Workbench, practice: Practice
    ) -> None:
        live.run(practice.patient("B").patient("C\tD"), 2)
        (report,) = (live.data / "rejected").glob("*/patients.csv")
        assert report.read_text().splitlines()[1].split(",")[1:4] == ["4", "patient_id", "id"]

    def test_a_missing_column_refuses_the_file_and_names_it(
        self, live: Workbench, practice: Practice
    ) -> None:
        folder = written(live, practice)
        path = folder / "payments.csv"
        path.write_text(path.read_text().replace("amount", "amuont"))
        out = live.run(folder, 2)
        assert "payments.csv" in out
        assert "amount" in out
        assert live.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    def test_an_unknown_column_is_reported_and_ignored(
        self, live: Workbench, practice: Practice
    ) -> None:
        folder = written(live, practice)
        path = folder / "payments.csv"
        path.write_text(path.read_text().replace("paid_at", "paid_at,clerk"))
        assert "clerk" in live.run(folder, 2)

    def test_a_file_shorter_than_its_manifest_clears_nothing(
        self, live: Workbench, practice: Practice
    ) -> None:
        folder = written(live, practice.visit("V2", "A", "2026-10-31T09:00:00"))
        path = folder / "appointments.csv"
        path.write_text(
            "".join(
                line
                for line in path.read_text().splitlines(keepends=True)
                if not line.startswith("V1")
            )
        )
        assert "withheld" in live.run(folder, 2)
        assert live.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    def test_without_a_manifest_at_most_a_fifth_of_the_rows_may_be_gone(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.patient("A")
        for number in range(10):
            practice.visit(f"V{number}", "A", f"2026-10-{10 + number}T09:00:00", amount_due="5.00")
        workbench.run(practice, 1, manifest=False)
        workbench.run(
            practice.remove("appointments", "V0").remove("appointments", "V1"), 2, manifest=False
        )
        assert workbench.states(2, "uncollected_payments")[("V0", 1)] == "source_gone"
        workbench.run(
            practice.remove("appointments", "V2").remove("appointments", "V3"), 3, manifest=False
        )
        assert workbench.states(3, "uncollected_payments")[("V2", 1)] == "pending"

    def test_an_extract_older_than_the_one_before_clears_nothing(
        self, live: Workbench, practice: Practice
    ) -> None:
        old = practice.payment("P", "A", "2026-10-30", "40.00").write(
            live.extracts / "old", live.day(0)
        )
        assert "older than the one before" in live.run(old, 2)
        assert live.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x00\x01\x02garbage",
            b"payment_id,patient_id,case_id,date_of_service,kind,amount,paid_at\nP1,A,C",
        ],
    )
    def test_a_damaged_file_is_refused_whole_and_the_run_goes_on(
        self, live: Workbench, practice: Practice, content: bytes
    ) -> None:
        folder = written(live, practice)
        (folder / "payments.csv").write_bytes(content)
        assert "payments.csv" in live.run(folder, 2)
        assert live.states(2, "uncollected_payments") == {("V1", 1): "pending"}

    def test_a_file_replaced_while_it_is_read(
        self, live: Workbench, practice: Practice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = written(live, practice.payment("P", "A", "2026-10-30", "40.00"))
        real = os.stat
        path = folder / "payments.csv"
        seen = []

        def stat(target: object, *args: object, **kwargs: object) -> os.stat_result:
            if str(target) == str(path):
                seen.append(target)
                os.utime(
                    path, ns=(len(seen), len(seen))
                )  # somebody writes to it between our two looks
            return real(target, *args, **kwargs)

        monkeypatch.setattr(os, "stat", stat)
        monkeypatch.setattr(Path, "stat", lambda self, **kwargs: stat(self, **kwargs))
        out = live.run(folder, 2)
        monkeypatch.undo()
        assert "while" in out
        assert "withheld" in out

    def test_a_file_without_its_header_shows_none_of_its_values(
        self, live: Workbench, practice: Practice
    ) -> None:
        folder = written(live, practice.patient("patient_77"))
        path = folder / "patients.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[2:]))
        out = live.run(folder, 2)
        assert "patients.csv has no column patient_id" in out
        assert "patient_77" not in out

    def test_a_utf_16_file_is_named_as_such(self, live: Workbench, practice: Practice) -> None:
        folder = written(live, practice)
        path = folder / "payments.csv"
        path.write_text(path.read_text(), encoding="utf-16")
        assert "payments.csv is written in UTF-16" in live.run(folder, 2)

    def test_ten_thousand_refused_rows_are_all_counted(
        self, live: Workbench, practice: Practice
    ) -> None:
        for number in range(10_000):
            practice.payment(f"P{number}", "A", "2026-10-29", "a dime")
        out = live.run(practice, 2)
        assert "10,000 rows refused" in out
        (report,) = (live.data / "rejected").glob("*/payments.csv")
        assert len(report.read_text().splitlines()) == 10_001

    def test_messages_never_hold_a_patients_values(
        self, live: Workbench, practice: Practice
    ) -> None:
        practice.add("patients", "A", last_name="Secretname", birth_date="Secretday").patient(
            "B", first_name="Secretfirst", status="Secretstatus"
        )
        folder = written(live, practice)
        for command in (run(live, folder), ("check", "--extracts", folder)):
            _, out, err = live.command(*command)
            assert "Secret" not in out + err


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
                "policies", f"POL{patient}", patient_id=patient, payer_id=payer
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
        os.kill(child.pid, signal.SIGKILL)
        killed += child.end().code == -signal.SIGKILL
        assert len(live.tasks(2.5, "all")) >= 1
    assert killed, "no run was caught in the middle"
    live.run(folder, 2)
    assert live.states(2, "uncollected_payments") == {("V1", 1): "cleared"}


def test_rows_read_are_rows_staged_plus_rows_refused_for_every_table(
    live: Workbench, practice: Practice, tmp_path: Path
) -> None:
    practice.visit("V2", "A", "2026-10-31T09:00:00", status="Perhaps").payment(
        "P9", "Z", "2026-10-30", "1.00"
    )
    con = snapshots.connect()
    reads = extracts_read.read(
        con, extracts_folder.find(written(live, practice)), {}, tmp_path / "rejected", 0.2
    )
    con.close()
    for read in reads:
        assert read.rows_read == read.rows_staged + read.rows_refused
    assert {read.table: read.rows_refused for read in reads if read.rows_refused} == {
        "appointments": 1,
        "payments": 1,
    }
