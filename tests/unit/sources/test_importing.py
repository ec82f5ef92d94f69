"""One import: its time, what is held and what is not, and that nothing of a patient is said."""

from __future__ import annotations

import csv
import datetime as dt
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import importing, mapping
from tests.bhsim import EXPORT
from tests.imports import DAY, PATIENTS, Practice

TOML = PATIENTS + '[tables.payers]\nfrom = "Payers"\n[tables.payers.columns]\npayer_id = "id"\n'
FILES: dict[str, str | bytes] = {
    "Patients.csv": "id,first,last,status\n1,Ann,A,Active\n",
    "Payers.csv": "id\np1\n",
}
ROOT = Path(__file__).parents[3]


@pytest.fixture
def practice(tmp_path) -> Practice:
    return Practice(tmp_path).maps(TOML)


def test_a_delivery_has_the_time_of_its_files_and_keeps_the_first(practice) -> None:
    place = practice.delivery(FILES, -30)
    first = DAY - dt.timedelta(days=30)
    assert practice.imports(place).extracted_at == first
    for path in place.iterdir():  # the same content, copied once more
        os.utime(path)
    assert practice.imports(place).extracted_at == first
    assert practice.manifest("patients")["extracted_at"] == first.isoformat()
    assert practice.imports(place, as_of=DAY).extracted_at == DAY


def test_a_file_that_no_table_reads_makes_no_delivery_newer(practice) -> None:
    place = practice.delivery(FILES, -30)
    (place / "readme_20271231.txt").write_text("a,b\n1,2\n")
    assert practice.imports(place).extracted_at == DAY - dt.timedelta(days=30)


def test_a_zip_has_the_time_at_which_it_was_made(practice, tmp_path) -> None:
    place = practice.delivery(FILES)
    packed = tmp_path / "packed"
    packed.mkdir()
    with zipfile.ZipFile(packed / "all.zip", "w") as target:
        for path in place.iterdir():
            target.write(path, path.name)
    made = (DAY - dt.timedelta(days=30)).timestamp()
    os.utime(packed / "all.zip", (made, made))
    assert practice.imports(packed).extracted_at == DAY - dt.timedelta(days=30)


def test_names_with_days_say_when_and_which_is_the_newest(practice) -> None:
    files = {
        f"{day}/{name}": content
        for day in ("2026-10-30", "10312026")
        for name, content in FILES.items()
    }
    done = practice.imports(files)
    assert done.rows == {"payers": 1, "patients": 1}
    assert done.extracted_at == dt.datetime(2026, 10, 31, 12, tzinfo=dt.UTC)


SPOILED: dict[str, dict[str, str | bytes | None]] = {
    "a file is missing": {"Payers.csv": None},
    "a column is missing": {"Payers.csv": "nr\np1\n"},
    "a file is empty": {"Payers.csv": ""},
    "a file is no text": {"Payers.csv": b"\x00\x01\x02" * 100},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_one_bad_file_holds_its_table_and_no_other(practice, spoiled) -> None:
    practice.imports(FILES)
    files = {name: text for name, text in {**FILES, **spoiled}.items() if text is not None}
    assert set(practice.imports(files, 1).held) == {"payers"}
    # What the last import wrote is not left there as if it were new.
    assert "p1" not in practice.column("payers", "payer_id")
    assert practice.manifest("payers")["complete"] == "false"
    assert practice.manifest("patients")["complete"] == ""
    assert practice.column("patients", "patient_id") == ["1"]


UNREAD: dict[str, str | bytes] = {
    "ragged.csv": "a,b\n1,2,3\n4\n",
    "empty.csv": "",
    "noise.csv": b"\x00\xff" * 500,
    "broken.json": '{"a":',
    "note.pdf": b"%PDF",
    "_file.csv": "x\n1\n",
    "Ours.csv": "_file,_day,_line\n1,2,3\n",
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_that_nobody_reads_stops_nothing(practice, name) -> None:
    assert not practice.imports({**FILES, name: UNREAD[name]}).held


def test_sql_that_is_wrong_holds_its_table_and_those_made_of_it(practice) -> None:
    practice.maps(
        TOML,
        staff="SELECT wrong FROM source.payers AS p",
        facilities="SELECT s.staff_id AS facility_id, NULL AS name, NULL AS time_zone "
        "FROM canonical.staff AS s",
    )
    held = practice.imports(FILES).held
    assert set(held) >= {"staff"}
    assert "patients" not in held


def test_sql_reads_columns_however_the_file_writes_them(practice) -> None:
    practice.maps(
        TOML,
        facilities="SELECT p.plan_id AS facility_id, p.name, 'UTC' AS time_zone "
        "FROM source.plans AS p",
    )
    assert not practice.imports({**FILES, "Plans.csv": "Plan ID,Name\n7,N\n"}).held
    assert practice.column("facilities", "facility_id") == ["7"]


def test_a_table_said_to_be_absent_is_not_connected(practice) -> None:
    practice.maps('absent = ["payers", "faxes"]\n' + TOML)
    assert not practice.imports({"Patients.csv": FILES["Patients.csv"]}).held
    for table in ("payers", "faxes"):
        assert practice.manifest(table)["connected"] == "false"
    assert not (practice.out / "payers.csv").exists()


def test_a_mapping_that_nobody_confirmed_is_not_imported(practice) -> None:
    practice.maps("unconfirmed = true\n" + TOML)
    with pytest.raises(UserError, match="nobody has confirmed this mapping"):
        practice.imports(FILES)


MARKER = "Zzmarker"
OF_BHSIM = {
    "visits": ("visit_id", "visit_status", "scheduled_start", "actual_start", "documented_at"),
    "individual_programs": ("enrollment_id", "start_date", "end_date"),
    "individuals": ("individual_id", "full_name", "date_of_birth"),
    "assessments": ("assessment_id", "status", "assessed_at"),
    "employees": ("employee_id", "full_name"),
}
COMMANDS = (
    ("import", "--source", "bhsim", "--out", "OUT", "--from"),
    ("sources", "check", "bhsim", "--from"),
    ("sources", "recognise", "--from"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(line[:2]) for line in COMMANDS])
def test_no_command_says_a_value_of_a_delivery(export, tmp_path, command) -> None:
    for name, columns in OF_BHSIM.items():
        path = export / f"{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for number, column in enumerate(columns):
            if "recognise" in command and "status" in column:
                continue  # a person must see the words of a value set to say what they mean
            rows[number][column] = f"{MARKER}{number}"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    line = [str(tmp_path / "out") if word == "OUT" else word for word in command]
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines", *line, str(export)],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in (0, 1), ended.stderr
    assert ended.stdout
    assert MARKER.lower() not in (ended.stdout + ended.stderr).lower()


def test_bhsim_cut_to_60_percent_of_its_visits_holds_what_reads_them(export, tmp_path) -> None:
    def held() -> set[str]:
        request = importing.Request(
            mapping.load("bhsim"), export, tmp_path / "out", home=tmp_path / "home"
        )
        return set(importing.import_delivery(request).held)

    assert not held()
    lines = (EXPORT / "visits.csv").read_text().splitlines(keepends=True)
    (export / "visits.csv").write_text("".join(lines[: len(lines) * 6 // 10]))
    assert held() == {
        "patients", "cases", "appointments", "documents", "engagement_actions", "surveys",
    }  # fmt: skip
