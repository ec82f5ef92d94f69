"""A delivery that differs from what a person confirmed holds the tables that read it."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path

import duckdb
import pytest

from pipelines.sources import dates, differences, importing, kept, mapping
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.importing import Imported, Request
from pipelines.sources.mapping import SourceMapping

MAPPING = """
time_zone = "America/New_York"
[tables.facilities]
from = "Sites"
[tables.facilities.columns]
facility_id = "Site"
[tables.patients]
from = "Clients"
[tables.patients.columns]
patient_id = "No"
first_name = "First"
last_name = "Last"
birth_date = "Born"
facility_id = "Site"
status = { column = "State", values = { A = "Active", I = "Inactive", Z = "Z" } }
"""
CONFIRMED = """
[confirmed]
sites = ["Site"]
clients = ["No", "First", "Last", "Born", "Site", "State"]
[days.clients]
Born = ["%m/%d/%Y"]
"""
HEADER = "No,First,Last,Born,Site,State"
ROWS = ("1,Ann,Lee,12/31/1960,1,A", "2,Bo,Kay,01/15/1970,1,I")


def source(home: Path, text: str = MAPPING + CONFIRMED) -> SourceMapping:
    return mapping.from_document("own", home / "own" / mapping.FILE, tomllib.loads(text))


def deliver(folder: Path, *rows: str, header: str = HEADER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Sites.csv").write_text("Site\n1\n", encoding="utf-8")
    lines = [header, *(rows or ROWS)]
    (folder / "Clients.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def imported(home: Path, folder: Path, text: str = MAPPING + CONFIRMED) -> Imported:
    return importing.import_delivery(
        Request(source(home, text), folder, folder.parent / f"out-{folder.name}", home=home)
    )


def test_a_delivery_as_it_was_confirmed_holds_nothing(tmp_path: Path) -> None:
    done = imported(tmp_path / "home", deliver(tmp_path / "first"))
    assert (done.held, done.new) == ({}, ())


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        (
            f"{HEADER},Payer Portal",
            (f"{ROWS[0]},x",),
            "Clients.csv has 1 new column: confirm it on the Connect page",
        ),
        (
            HEADER,
            (*ROWS, "3,Cy,May,02/02/1980,1,Q"),
            "Clients.csv has 1 new word for status: confirm it on the Connect page",
        ),
        (
            HEADER,
            ("1,Ann,Lee,1960.12.31,1,A",),
            "Clients.csv writes the days of Born in another way: confirm it on the Connect page",
        ),
        (
            HEADER,
            ("1,Ann,Lee,31/12/1960,1,A",),
            "Clients.csv writes the days of Born in another way: confirm it on the Connect page",
        ),
    ],
)
def test_what_is_new_holds_the_table_that_reads_it_and_no_other(
    tmp_path: Path, header: str, rows: tuple[str, ...], says: str
) -> None:
    done = imported(tmp_path / "home", deliver(tmp_path / "later", *rows, header=header))
    assert done.held == {"patients": says}


def test_only_what_a_person_confirmed_is_compared(tmp_path: Path) -> None:
    rows = [f"{ROWS[0]},x", "3,Cy,May,02/02/1980,1,Q,y"]
    folder = deliver(tmp_path / "later", *rows, header=f"{HEADER},New")
    done = imported(tmp_path / "home", folder, MAPPING)
    assert (done.held, done.new) == ({}, ())
    assert not (tmp_path / "home" / "own" / differences.FILE).exists()


def test_a_word_that_was_left_to_be_refused_is_not_new(tmp_path: Path) -> None:
    done = imported(tmp_path / "home", deliver(tmp_path / "later", *ROWS, "3,C,M,02/02/1980,1,z"))
    assert done.new == ()


def test_a_column_full_of_unknown_words_is_one_difference_without_them(tmp_path: Path) -> None:
    rows = [f"{n},Ann,Lee,12/31/1960,1,Name {n}" for n in range(differences.MOST_WORDS + 1)]
    (new,) = imported(tmp_path / "home", deliver(tmp_path / "later", *rows)).new
    assert (new.kind, new.what, new.rows) == (differences.WORD, "", 31)


def test_the_reason_quotes_no_word_and_no_header(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "later", "1,A,L,12/31/1960,1,Grace,x", header=f"{HEADER},Abbott")
    (says,) = imported(tmp_path / "home", folder).held.values()
    assert "Grace" not in says
    assert "Abbott" not in says


def test_what_is_new_is_noted_for_the_page_and_forgotten_once_confirmed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = deliver(tmp_path / "later", *ROWS, "3,Cy,May,02/02/1980,1,Q")
    new = imported(home, folder).new
    assert differences.read(home / "own") == differences.News("later", new)
    assert stat.S_IMODE((home / "own" / differences.FILE).stat().st_mode) == 0o600
    answered = (MAPPING + CONFIRMED).replace('I = "Inactive"', 'I = "Inactive", Q = "Referral"')
    assert imported(home, folder, answered).held == {}
    assert differences.read(home / "own") == differences.News("later", ())


def test_days_turned_round_are_read_so_once_they_are_confirmed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported(home, deliver(tmp_path / "first"))
    turned = deliver(tmp_path / "later", "1,Ann,Lee,31/12/1960,1,A", "2,Bo,Kay,02/03/1970,1,I")
    assert "patients" in imported(home, turned).held
    confirmed = (MAPPING + CONFIRMED).replace("%m/%d/%Y", "%d/%m/%Y")
    assert imported(home, turned, confirmed).held == {}
    lines = (tmp_path / "out-later" / "patients.csv").read_text(encoding="utf-8")
    assert "1970-03-02" in lines


@pytest.mark.parametrize("text", ["", "[]", '{"delivery": "x", "found": [{"kind": 1}]}'])
def test_a_damaged_note_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / differences.FILE).write_text(text, encoding="utf-8")
    assert differences.read(tmp_path) == differences.News("", ())


@pytest.mark.parametrize(
    ("formats", "order"),
    [
        (["%m/%d/%Y"], dates.MONTH_FIRST),
        (["%d.%m.%y", "%d.%m.%Y %H:%M"], dates.DAY_FIRST),
        (["%Y-%m-%d"], None),
        (["%d-%b-%Y"], None),
        (["%m/%d/%Y", "%d/%m/%Y"], None),
    ],
)
def test_formats_tell_the_order_of_month_and_day(formats: list[str], order: str | None) -> None:
    assert dates.order_of(formats) == order


def test_formats_are_said_as_people_write_them() -> None:
    assert dates.in_words("%m/%d/%Y %I:%M %p") == "MM/DD/YYYY hh:mm AM"


def test_a_column_in_another_spelling_is_not_new(tmp_path: Path) -> None:
    relation = Relation("clients", ("NO", "first name"), 1, ("Clients.csv",), "", None)
    told = MAPPING + '[confirmed]\nclients = ["No", "First_Name"]\n'
    catalogue = Catalogue({"clients": relation})
    assert list(differences.new_columns(source(tmp_path, told), catalogue)) == []


def test_the_store_keeps_the_order_of_days_that_was_confirmed_last(tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported(home, deliver(tmp_path / "first"))
    turned = deliver(tmp_path / "later", "1,Ann,Lee,31/12/1960,1,A")
    imported(home, turned, (MAPPING + CONFIRMED).replace("%m/%d/%Y", "%d/%m/%Y"))

    with duckdb.connect() as con, kept.opened(con, home / "own"):
        assert set(kept.orders(con).values()) == {dates.DAY_FIRST}
    assert json.loads((home / "own" / differences.FILE).read_text(encoding="utf-8"))["found"] == []


def test_a_file_without_names_of_columns_is_one_difference_without_its_values(
    tmp_path: Path,
) -> None:
    folder = deliver(tmp_path / "later", "2,Bo,Kay,01/15/1970,1,I", header=ROWS[0])
    done = imported(tmp_path / "home", folder)
    assert [(new.kind, new.column) for new in done.new] == [(differences.COLUMN, "")]
    assert "Lee" not in (tmp_path / "home" / "own" / differences.FILE).read_text(encoding="utf-8")
    assert "patients" in done.held
