"""Bad extracts: a message that names file, line and column; the published list stays whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read as extracts_read
from pipelines.warehouse import snapshots
from tests.bad_input import refused, run, written
from tests.conftest import Workbench
from tests.practice import Practice


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
        practice.visit("V2", "A", "2026-10-31T09:00:00", amount_due="ten dollars").patient(
            "B"
        ).visit("V3", "B", "2026-10-31T11:00:00", amount_due="7.00")
        out = live.run(practice, 2)
        assert "1 rows refused" in out
        (report,) = (live.data / "rejected").glob("*/appointments.csv")
        head, line = report.read_text("utf-8-sig").splitlines()
        assert head.startswith("file,line,column,check,appointment_id")
        assert line.split(",")[1:4] == ["3", "amount_due", "money"]
        assert live.one(2, "uncollected_payments", "V3")["amount"] == 7.0

    @pytest.mark.parametrize(
        ("value", "check"),
        [
            ("1970-01-01", "required"),
            ("11/03/2026", "day"),
            ("2026-02-30", "day"),
            ("", "required"),
        ],
    )
    def test_a_day_outside_the_calendar_is_refused(
        self, live: Workbench, practice: Practice, value: str, check: str
    ) -> None:
        live.run(practice.patient("B").add("cases", "C-B", opened_on=value), 2)
        (report,) = (live.data / "rejected").glob("*/cases.csv")
        assert report.read_text("utf-8-sig").splitlines()[1].split(",")[1:4] == [
            "3",
            "opened_on",
            check,
        ]

    def test_an_id_with_a_control_character_is_refused(
        self, live: Workbench, practice: Practice
    ) -> None:
        live.run(practice.patient("B").patient("C\tD"), 2)
        (report,) = (live.data / "rejected").glob("*/patients.csv")
        assert report.read_text("utf-8-sig").splitlines()[1].split(",")[1:4] == [
            "4",
            "patient_id",
            "id",
        ]

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

    def test_ten_thousand_refused_rows_are_all_counted(
        self, live: Workbench, practice: Practice
    ) -> None:
        for number in range(10_000):
            practice.payment(f"P{number}", "A", "2026-10-29", "a dime")
        out = live.run(practice, 2)
        assert "payments.csv has 10,000 of 10,000 rows refused: more than 20%" in out
        assert "payments.csv  amount  money  10000" in " ".join(out.split("\n"))
        (report,) = (live.data / "rejected").glob("*/payments.csv")
        assert len(report.read_text("utf-8-sig").splitlines()) == 10_001

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


def test_rows_read_are_rows_staged_plus_rows_refused_for_every_table(
    live: Workbench, practice: Practice, tmp_path: Path
) -> None:
    practice.visit("V2", "A", "2026-10-31T09:00:00", status="Perhaps").payment(
        "P9", "Z", "2026-10-30", "1.00"
    )
    con = snapshots.connect()
    reads = extracts_read.read(
        con, extracts_folder.find(written(live, practice)), {}, tmp_path / "rejected"
    )
    con.close()
    for read in reads:
        assert read.rows_read == read.rows_staged + read.rows_refused
    assert {read.table: read.rows_refused for read in reads if read.rows_refused} == {
        "appointments": 1,
        "payments": 1,
    }
