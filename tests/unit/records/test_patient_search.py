"""The search for a patient by name, id, phone or birth date, in any spelling."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from pipelines.records import patient_search
from tests.practice import Practice


@pytest.fixture(scope="module")
def people(read) -> duckdb.DuckDBPyConnection:
    practice = Practice()
    for key, first, last, born_on, phone in (
        ("0000901", "María", "López", "1961-04-30", "(212) 555-0199"),
        ("0000902", "Mark", "Lopez-García", "1980-12-05", "212.555.0901"),
        ("0000903", "Sinéad", "O'Connor", "1980-12-05", "+1 646 555 0142"),
        ("0000904", "Zoë “Zed”", "Reed, Jr.", "", ""),
        ("0000905", "Robert (Bob)", "de la Cruz", "1970-01-01", "5550905"),
        ("0000906", "Jürgen", "Groß", "", ""),
        ("0000907", "Łukasz", "Ångström", "", ""),
        ("P%7", "100%", "O_K", "", ""),
        ("12-B", "Ann", "Adams", "", ""),
        ("0000908", "Jose\u0301", "D\u2019Angelo", "", ""),
    ):
        practice.patient(key, first_name=first, last_name=last, birth_date=born_on, phone=phone)
    return read(practice)


def found(con: duckdb.DuckDBPyConnection, text: str, **options: int) -> list[str]:
    return [
        patient_id.removeprefix("0000")
        for patient_id in patient_search.find_patients(con, text, **options)["patient_id"]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ma lop", ["901", "902"]),
        ("LOP  MARÍA", ["901"]),
        ("lópez, maria", ["901"]),
        ("López,Mari\u0301a", ["901"]),
        ("garcia", ["902"]),
        ("arcia", []),
        ("mark maria", []),
        ("o'con", ["903"]),
        ("oconnor sinead", ["903"]),
        ("o’connor", ["903"]),
        ("reed, jr., zoe", ["904"]),
        ("bob cruz", ["905"]),
        ("de la cruz robert bob", ["905"]),
        ("gross", ["906"]),
        ("groß jurgen", ["906"]),
        ("lukasz angst", ["907"]),
        ("jose dangelo", ["908"]),
        ("j.r. dangelo", []),
        ("zed", ["904"]),
        ("josé", ["908"]),
        ("maria\tlopez", ["901"]),
    ],
)
def test_words_are_beginnings_of_names_in_any_order_case_and_accent(people, text, expected):
    assert found(people, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0000901", ["901"]),
        ("901", ["901"]),
        (" 00901 ", ["901"]),
        ("12-B", ["12-B"]),
        ("P%7", ["P%7"]),
        ("0901", ["901", "902"]),
        ("2125550901", ["902"]),
        ("1 (212) 555-0199", ["901"]),
        ("646-555-0142", ["903"]),
        ("142", []),
        ("5550", []),
        ("12 12", []),
        ("1961-04-30", ["901"]),
        ("4/30/1961", ["901"]),
        ("12/05/1980", ["902", "903"]),
        ("1970-01-01", ["905"]),
        ("lopez 4/30/1961", ["901"]),
        ("lopez 12/5/1980", ["902"]),
        ("lopez 0199", ["901"]),
        ("lopez 0903", []),
        ("lopez 0000901", ["901"]),
    ],
)
def test_ids_phones_and_birth_dates_find_too_and_all_that_is_given_must_fit(people, text, expected):
    assert sorted(found(people, text)) == sorted(expected)


def test_an_exact_id_stands_before_the_others(people):
    assert found(people, "0901") == ["901", "902"]


JUNK = [
    "",
    "   ",
    "%",
    "_",
    "%%",
    "'",
    "' OR 1=1 --",
    "\\",
    "\x00",
    "\ud800",
    "²",
    "2026-02-30",
    "99/99/0000",
    "(((",
    "-",
    "1" * 5000,
    "x" * 5000,
    "0",
]


@pytest.mark.parametrize("text", JUNK)
def test_junk_finds_nobody_and_breaks_nothing(people, text):
    nobody = patient_search.find_patients(people, text)
    assert nobody.empty
    assert list(nobody.columns) == ["patient_id", "name", "born_on", "status", "facility"]


def test_a_percent_sign_and_an_underscore_are_no_wildcards(people):
    assert (
        found(people, "100% o"),
        found(people, "o_k"),
        found(people, "m%a"),
        found(people, "o%k"),
    ) == (["P%7"], ["P%7"], [], [])


def test_a_search_is_cut_at_80_characters(people):
    assert found(people, "lopez maria" + " " * 69 + "zzz") == ["901"]


def test_the_search_names_last_and_first_and_keeps_to_its_limit(people):
    row = patient_search.find_patients(people, "maria").iloc[0]
    assert (row["name"], row["born_on"], row["status"], row["facility"]) == (
        "López, María",
        dt.date(1961, 4, 30),
        "Active",
        "North Clinic",
    )
    assert found(people, "lop", limit=1) == ["901"]


def test_everybody_is_found_by_the_name_as_it_is_written(people):
    for patient_id, first, last in people.execute(
        "SELECT p.patient_id, p.first_name, p.last_name FROM staging.patients AS p"
    ).fetchall():
        for text in (f"{first} {last}", f"{last}, {first}", f"{last} {first}".upper()):
            assert (
                patient_id in patient_search.find_patients(people, text)["patient_id"].tolist()
            ), text
