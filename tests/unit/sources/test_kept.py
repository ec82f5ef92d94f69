"""What is kept from night to night: changes, windows, losses, and the store itself."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources.kept import FILE
from tests.imports import PATIENTS, Practice

CHANGES = (
    """
every_hours = 24
[files."Patients*"]
mode = "changes"
key = ["id"]
flag = "export_flag"
delete = ["3"]
"""
    + PATIENTS
)
HEAD = "id,first,last,status,export_flag\n"


def patients(*rows: str) -> dict[str, str]:
    return {"Patients.csv": HEAD + "".join(f"{row}\n" for row in rows)}


@pytest.fixture
def changes(tmp_path) -> Practice:
    return Practice(tmp_path).maps(CHANGES)


def firsts(practice: Practice) -> dict[str, str]:
    return {row["patient_id"]: row["first_name"] for row in practice.rows("patients")}


def test_changes_add_replace_and_delete_by_key(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1", "2,Bo,B,Active,1", "3,Cy,C,Active,1"))
    changes.imports(patients("2,Bob,B,Active,2", "3,Cy,C,Active,3", "4,Di,D,Active,1"), 1)
    assert firsts(changes) == {"1": "Ann", "2": "Bob", "4": "Di"}


def test_of_duplicates_in_one_night_the_last_counts(changes) -> None:
    changes.imports(
        patients("1,Ann,A,Active,1", "1,Anna,A,Active,2", "2,B,B,Active,1", "2,B,B,x,3")
    )
    assert firsts(changes) == {"1": "Anna"}


def test_rows_without_a_key_are_all_left_for_the_contract_to_refuse(changes) -> None:
    changes.imports(patients("1,A,A,Active,1", ",B,B,Active,1", ",C,C,Active,1"))
    assert sorted(changes.column("patients", "patient_id")) == ["", "", "1"]


def test_several_nights_in_one_folder_are_taken_in_their_order(changes) -> None:
    changes.imports(
        {
            "Patients_20261102.csv": HEAD + "1,Ann,A,Active,1\n2,Bo,B,Active,1\n",
            "Patients_20261103.csv": HEAD.replace("first", "First") + "1,Anna,A,Active,2\n",
        }
    )
    assert firsts(changes) == {"1": "Anna", "2": "Bo"}


def test_the_same_delivery_twice_changes_nothing(changes) -> None:
    night = patients("1,Ann,A,Active,1", "2,Bo,B,Active,1")
    for content in (night, patients("2,Bo,B,Active,3")):
        place = changes.delivery(content, 0 if content is night else 1)
        changes.imports(place)
    before = {path.name: path.read_bytes() for path in changes.out.iterdir()}
    changes.imports(place)
    assert {path.name: path.read_bytes() for path in changes.out.iterdir()} == before
    for path in place.iterdir():  # copied once more, later
        os.utime(path)
    changes.imports(place)
    assert {path.name: path.read_bytes() for path in changes.out.iterdir()} == before


def test_an_older_delivery_is_held_and_changes_nothing(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1", "9,Zed,Z,Active,1"))
    changes.imports(patients("1,Anna,A,Active,2"), 1)
    for night, rows in ((0.5, ["1,Old,A,Active,2"]), (0, ["1,Ann,A,Active,1", "9,Zed,Z,Active,1"])):
        with pytest.raises(UserError, match="is older than the delivery of Nov 3, 06:00 UTC"):
            changes.imports(patients(*rows), night)
        assert firsts(changes) == {"1": "Anna", "9": "Zed"}


def test_a_lost_night_holds_until_everything_comes(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1"))
    missing = r"a delivery of Patients\.csv after Nov 2, 06:00 UTC is missing; .* --full"
    for night, row in ((3, "2,Bo,B,Active,1"), (4, "3,Cy,C,Active,1")):
        with pytest.raises(UserError, match=missing):
            changes.imports(patients(row), night)
    everything = changes.delivery(patients("1,Ann,A,Active,1", "3,Cy,C,Active,1"), 5)
    with pytest.raises(UserError, match=missing):
        changes.imports(everything)
    assert not changes.imports(everything, is_full=True).held
    assert firsts(changes) == {"1": "Ann", "3": "Cy"}
    assert not changes.imports(patients("4,Di,D,Active,1"), 6).held


def test_quiet_nights_are_no_lost_ones(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1"))
    for night in (1, 2, 3):
        assert not changes.imports(patients(), night).held
    assert not changes.imports(patients("2,Bo,B,Active,1"), 4).held
    assert not changes.imports(patients(), 5).held
    assert firsts(changes) == {"1": "Ann", "2": "Bo"}


@pytest.mark.parametrize("lacking", ["id", "export_flag"])
def test_a_file_without_the_column_that_keeps_its_rows_loses_none(changes, lacking) -> None:
    changes.imports(patients("1,Ann,A,Active,1", "2,Bo,B,Active,1"))
    night = {"Patients.csv": HEAD.replace(lacking, "other") + "1,Anna,A,Active,2\n"}
    with pytest.raises(UserError, match=f"has no column {lacking}, by which the source keeps"):
        changes.imports(night, 1)
    changes.imports(patients("3,Cy,C,Active,1"), 1.2)
    assert firsts(changes) == {"1": "Ann", "2": "Bo", "3": "Cy"}


def test_a_column_that_is_new_or_written_otherwise_is_the_kept_one(tmp_path) -> None:
    practice = Practice(tmp_path).maps(
        CHANGES
        + 'birth_date = ["dob", "Date of Birth"]\n'
        + 'phone = { column = "tel", optional = true }\n'
    )
    practice.imports(
        {
            "Patients.csv": "Id,First,Last,Status,Date of Birth,Export Flag\n"
            "1,Ann,A,Active,12/31/1960,1\n2,Bo,B,Active,1/2/1961,1\n"
        }
    )
    practice.imports(
        {
            "Patients.csv": "id,first,last,status,dob,tel,export_flag\n"
            "2,Bob,B,Active,1961-01-03,555,2\n"
        },
        1,
    )
    assert {
        row["patient_id"]: (row["first_name"], row["birth_date"], row["phone"])
        for row in practice.rows("patients")
    } == {
        "1": ("Ann", "1960-12-31", ""),
        "2": ("Bob", "1961-01-03", "555"),
    }


WINDOW = """
time_zone = "America/New_York"
[files."Visits*"]
mode = "window"
key = ["id"]
date = "day"
back = 14
ahead = 14
[tables.appointments]
from = "Visits"
[tables.appointments.columns]
appointment_id = "id"
case_id = { constant = "C" }
patient_id = { constant = "P" }
facility_id = { constant = "F" }
starts_at = "day"
status = { constant = "Scheduled" }
created_at = "day"
"""


def visits(days: Mapping[int, str]) -> dict[str, str]:
    return {"Visits.csv": "id,day\n" + "".join(f"{key},{day}\n" for key, day in days.items())}


def days(practice: Practice) -> dict[str, str]:
    return {row["appointment_id"]: row["starts_at"] for row in practice.rows("appointments")}


@pytest.fixture
def window(tmp_path) -> Practice:
    return Practice(tmp_path).maps(WINDOW)


def test_a_window_keeps_what_left_it_and_replaces_its_own_days(window) -> None:
    window.imports(visits({1: "10/20/2026", 2: "11/3/2026", 3: "11/5/2026", 4: "11/14/2026"}))
    window.imports(visits({2: "11/3/2026", 4: "11/15/2026", 5: "11/20/2026"}), 6)
    assert days(window) == {
        "1": "2026-10-20T00:00:00",  # left the window
        "2": "2026-11-03T00:00:00",
        # 3 was deleted inside it
        "4": "2026-11-15T00:00:00",  # was moved
        "5": "2026-11-20T00:00:00",
    }
    told = window.manifest("appointments")
    assert (told["since_on"], told["horizon_on"]) == ("2026-10-19", "2026-11-22")


def test_a_gap_between_windows_begins_the_history_anew(window) -> None:
    window.imports(visits({1: "10/20/2026"}))
    done = window.imports(visits({2: "12/13/2026"}), 30)
    assert any("the days between are unknown" in note for note in done.notes)
    assert window.manifest("appointments")["since_on"] == "2026-11-18"
    assert set(days(window)) == {"1", "2"}


def test_a_window_without_bounds_goes_from_its_first_day_to_its_last(tmp_path) -> None:
    practice = Practice(tmp_path).maps(
        WINDOW.replace("back = 14\nahead = 14\n", "").replace('key = ["id"]\n', "")
    )
    odd = {7: "5/3/2016", 8: "soon"}
    practice.imports(visits({1: "10/25/2026", 2: "11/3/2026", 3: "11/9/2026", **odd}))
    practice.imports(visits({2: "11/1/2026", 4: "11/10/2026", **odd}), 1)
    assert days(practice) == {
        "1": "2026-10-25T00:00:00",
        "2": "2026-11-01T00:00:00",
        "4": "2026-11-10T00:00:00",
        "7": "2016-05-03T00:00:00",
        "8": "soon",
    }
    told = practice.manifest("appointments")
    assert (told["since_on"], told["horizon_on"]) == ("2026-10-25", "2026-11-10")


def test_a_window_of_days_that_can_be_read_two_ways_is_not_taken(tmp_path) -> None:
    practice = Practice(tmp_path).maps(WINDOW)
    with pytest.raises(UserError, match="may be month/day or day/month"):
        practice.imports(visits({1: "11/3/2026", 2: "11/4/2026"}))
    practice.maps('dates = "M/D/YYYY"\n' + WINDOW)
    practice.imports(visits({1: "11/3/2026", 2: "11/4/2026"}))
    assert days(practice) == {"1": "2026-11-03T00:00:00", "2": "2026-11-04T00:00:00"}


MANY = {number: f"11/{number % 15 + 1}/2026" for number in range(100)}


def test_a_window_cut_short_is_held_and_loses_nothing_until_somebody_accepts_it(window) -> None:
    window.imports(visits(MANY))
    cut = {number: MANY[number] for number in range(60)}
    with pytest.raises(
        UserError, match=r"Visits\.csv has 60 rows for its days where earlier deliveries had 100"
    ):
        window.imports(visits(cut), 1)
    assert len(days(window)) == 100
    assert not window.imports(visits(cut), 1, accepted=frozenset({"Visits.csv"})).held
    assert len(days(window)) == 60


FULL = '[tables.payers]\nfrom = "Payers"\n[tables.payers.columns]\npayer_id = "id"\n' + PATIENTS


def test_a_whole_file_cut_short_holds_its_table_and_no_other(tmp_path) -> None:
    practice = Practice(tmp_path).maps(FULL)
    whole = {
        "Payers.csv": "id\n" + "".join(f"{n}\n" for n in range(100)),
        **patients("1,A,A,Active,1"),
    }
    practice.imports(whole)
    cut = {**whole, "Payers.csv": "id\n" + "".join(f"{n}\n" for n in range(60))}
    assert list(practice.imports(cut, 1).held) == ["payers"]
    assert practice.manifest("payers")["complete"] == "false"
    assert practice.manifest("patients")["complete"] == ""
    assert list(practice.imports(cut, 2).held) == ["payers"]  # the good one is still the measure
    assert not practice.imports(cut, 3, accepted=frozenset({"Payers.csv"})).held
    assert not practice.imports(cut, 4).held
    assert {row["row_count"] for row in practice.rows("manifest")} == {""}


def test_a_small_loss_is_no_cut(tmp_path) -> None:
    practice = Practice(tmp_path).maps(FULL)
    for night, rows in ((0, 40), (1, 25)):
        files = {"Payers.csv": "id\n" + "".join(f"{n}\n" for n in range(rows))}
        assert "payers" not in practice.imports({**files, **patients("1,A,A,Active,1")}, night).held


def test_only_its_owner_may_read_the_store(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1"))
    assert stat.S_IMODE(changes.store.stat().st_mode) == 0o600
    assert stat.S_IMODE(changes.store.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"no database", b"DUCK" * 5000])
def test_a_damaged_store_is_named_with_the_way_on(changes, damage) -> None:
    changes.imports(patients("1,Ann,A,Active,1"))
    changes.store.write_bytes(damage)
    with pytest.raises(UserError, match=rf"{FILE}: is damaged; restore it from a backup"):
        changes.imports(patients("1,Ann,A,Active,1"), 1)


HOLD = """
import duckdb, sys
con = duckdb.connect()
con.execute(f"ATTACH '{sys.argv[1]}' AS kept")
print("open", flush=True)
sys.stdin.read()
"""


def test_the_second_of_two_imports_is_told_to_try_again(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1"))
    command = [sys.executable, "-c", HOLD, str(changes.store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(UserError, match="another import of this source is under way"):
            changes.imports(patients("2,Bo,B,Active,1"), 1)
        other.communicate()
    assert not changes.imports(patients("2,Bo,B,Active,1"), 1).held


KILL = """
import os, signal, sys
from pathlib import Path
from pipelines.sources import accumulating, importing, mapping
real = accumulating.Rows.take_changes
def killed(self, **given):
    real(self, **given)
    os.kill(os.getpid(), signal.SIGKILL)
accumulating.Rows.take_changes = killed
home, place, out = map(Path, sys.argv[1:])
importing.import_delivery(
    importing.Request(mapping.load("mine", home), place, out, home=home)
)
"""


def test_kill_9_within_a_delivery_leaves_the_store_as_it_was(changes) -> None:
    changes.imports(patients("1,Ann,A,Active,1", "2,Bo,B,Active,1"))
    before = {path.name: path.read_bytes() for path in changes.out.iterdir()}
    place = changes.delivery(patients("1,Anna,A,Active,2", "2,Bo,B,Active,3"), 1)
    command = [sys.executable, "-c", KILL, str(changes.home), str(place), str(changes.out)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], check=False)
    assert ended.returncode == -9
    assert {path.name: path.read_bytes() for path in changes.out.iterdir()} == before
    assert not changes.imports(place).held
    assert firsts(changes) == {"1": "Anna"}
