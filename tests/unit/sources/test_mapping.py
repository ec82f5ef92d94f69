"""Mapping files: every key right and wrong, presets overridden, and what a mapping gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import mapping
from pipelines.sources.mapping import FileRule, OnePer
from pipelines.sources.specs import Constant, Expression, Joined, Lookup, Moment, Named
from tests.imports import Practice


@pytest.fixture
def practice(tmp_path) -> Practice:
    return Practice(tmp_path)


@pytest.fixture
def preset(tmp_path, monkeypatch) -> Path:
    """The only preset, `shop`, whose mapping file a test writes."""
    monkeypatch.setattr(mapping, "PRESETS", tmp_path / "presets")
    (tmp_path / "presets" / "shop").mkdir(parents=True)
    return tmp_path / "presets" / "shop" / mapping.FILE


OF_THE_FILE = {
    "title": 'title = "Ours"',
    "time_zone": 'time_zone = "America/New_York"',
    "every_hours": "every_hours = 24",
}


def test_the_keys_of_the_file_are_read(practice) -> None:
    source = practice.maps(
        """
        title = "Ours"
        time_zone = "America/New_York"
        dates = "D/M/YYYY"
        absent = ["faxes"]
        every_hours = 24
        cases = "one a patient"
        [confirmed]
        "Patients" = ["id"]
        [files."Appointments*"]
        mode = "window"
        date = "start"
        key = ["id"]
        back = 14
        ahead = 0
        [files.Charges]
        mode = "changes"
        key = "id"
        flag = "export_flag"
        delete = ["3"]
        [tables.payers]
        from = "Payers"
        """
    ).source()
    assert (source.title, source.time_zone, source.dates) == (
        "Ours",
        "America/New_York",
        "D/M/YYYY",
    )
    assert (source.absent, source.every_hours) == (("faxes",), 24)
    assert source.confirmed == {"Patients": ("id",)}
    assert source.files == (
        FileRule("Appointments*", "window", ("id",), "start", back=14, ahead=0),
        FileRule("Charges", "changes", ("id",), flag="export_flag", delete=("3",)),
    )
    assert source.provided() == ["payers", "cases"]


COLUMNS = {
    '"Patient ID"': Named(("Patient ID",)),
    '["dob", "Date of Birth"]': Named(("dob", "Date of Birth")),
    '{ column = "s", values = { A = "Active", "" = "Referral", 1 = true } }': Named(
        ("s",), {"A": "Active", "": "Referral", "1": "true"}
    ),
    '{ column = "s", empty = "x" }': Named(("s",), empty="x"),
    '{ column = "s", empty = false }': Named(("s",), empty="false"),
    '{ column = "$.subject.reference", reference = true, optional = true }': Named(
        ("$.subject.reference",), is_reference=True, is_optional=True
    ),
    '{ date = "d", time = ["t", "u"] }': Moment(("d",), ("t", "u")),
    '{ join = ["a", "b"] }': Joined(("a", "b")),
    '{ join = ["a", "b"], separator = "" }': Joined(("a", "b"), ""),
    '{ lookup = "Payers", match = "id", give = "name" }': Lookup("Payers", "id", "id", "name"),
    '{ lookup = "Payers", match = ["pid", "id"], give = "name", values = { a = "b" } }': Lookup(
        "Payers", "pid", "id", "name", {"a": "b"}
    ),
    "{ constant = true }": Constant("true"),
    '{ constant = "x" }': Constant("x"),
    "{ constant = 3 }": Constant("3"),
    '{ sql = "UPPER(s.a)" }': Expression("UPPER(s.a)"),
}


@pytest.mark.parametrize(("written", "spec"), COLUMNS.items(), ids=COLUMNS)
def test_a_column_says_where_its_values_come_from(practice, written, spec) -> None:
    source = practice.maps(
        f'[tables.patients]\nfrom = "P"\n[tables.patients.columns]\nphone = {written}'
    ).source()
    assert source.tables["patients"][0].columns == {"phone": spec}


def test_a_table_may_choose_and_join_its_rows(practice) -> None:
    source = practice.maps(
        """
        [[tables.payments]]
        from = "Paid"
        one_per = { key = ["id"], latest = "modified" }
        only = { kind = ["a", ""] }
        without = { state = "void" }
        assumed = ["kind"]
        [[tables.payments]]
        from = "Credits"
        optional = true
        """
    ).source()
    first, second = source.tables["payments"]
    assert first.one_per == OnePer(("id",), "modified")
    assert (first.only, first.without) == ({"kind": ("a", "")}, {"state": ("void",)})
    assert (first.assumed, first.is_optional) == (("kind",), False)
    assert (second.source, second.is_optional) == ("Credits", True)


TABLE = '[tables.patients]\nfrom = "P"\n'
COLUMN = TABLE + "[tables.patients.columns]\n"
WRONG = {
    "title = 3": "title: must be a text in quotes",
    'titel = "x"': "titel: is not known here",
    "title = ": "is not TOML",
    'preset = "nobody"': "preset: no preset is named so",
    'time_zone = "Newyork"': 'time_zone: is no IANA name, such as "America/New_York"',
    'dates = "MDY"': "dates: must be one of M/D/YYYY, D/M/YYYY",
    "absent = 3": "absent: must be a list of texts",
    'absent = ["fax"]': "absent: fax is not a table of the contract",
    "every_hours = 0": "every_hours: must be a positive number",
    "every_hours = true": "every_hours: must be a positive number",
    "every_hours = inf": "every_hours: must be a positive number",
    'cases = "two"': "cases: must be one of one a patient",
    'unconfirmed = "yes"': "unconfirmed: must be true or false",
    "files = 3": "files: must be a section",
    "tables = 3": "tables: must be a section",
    '[files.A]\nmode = "all"': "[files.A] mode: must be one of full, changes, window",
    "[files.A]\nmod = 1": "[files.A] mod: is not known here",
    '[files.A]\nmode = "changes"': "[files.A] key: changes need the columns",
    '[files.A]\nmode = "window"': "[files.A] date: a window needs the column",
    '[files.A]\nmode = "window"\ndate = "d"\nback = -1': "[files.A] back: must be 0 or more",
    '[files.A]\nmode = "changes"\nkey = "k"\ndelete = "3"': "[files.A] delete: needs flag",
    '[files.A]\nmode = "changes"\nkey = "k"\nflag = "f"': "[files.A] delete: needs flag",
    '[files.A]\nkey = "k"': "[files.A] key: is of mode changes or window or events",
    '[files.A]\nmode = "changes"\nkey = "k"\nback = 3': "[files.A] back: is of mode window",
    '[tables.patient]\nfrom = "P"': "[tables] patient: is not a table of the contract",
    "[tables]\npatients = 3": "[tables] patients: must be a section",
    "[tables]\npatients = [3]": "[tables] patients: must be a section",
    "[tables.patients]\nfrom = 3": "[tables.patients] from: must be a list of texts in quotes",
    '[tables.patients]\nform = "P"': "[tables.patients] form: is not known here",
    TABLE + "one_per = 3": "[tables.patients] one_per: must be a section",
    TABLE + 'one_per = { key = "k" }': "[tables.patients] one_per: needs key and latest",
    TABLE + 'one_per = { kay = "k" }': "[tables.patients.one_per] kay: is not known here",
    TABLE + "only = { a = 3 }": "[tables.patients.only] a: must be a list of texts",
    TABLE + "without = 3": "[tables.patients] without: must be a section",
    TABLE + "assumed = 3": "[tables.patients] assumed: must be a list of texts",
    TABLE + 'assumed = ["mail"]': "[tables.patients] assumed: patients has no column mail",
    TABLE + "optional = 1": "[tables.patients] optional: must be true or false",
    TABLE + "columns = 3": "[tables.patients] columns: must be a section",
    COLUMN + 'mail = "m"': "[tables.patients.columns] mail: patients has no such column",
    COLUMN + "email = 3": "[tables.patients.columns] email: must be a column's name",
    COLUMN + "email = []": "[tables.patients.columns] email: names no column",
    COLUMN + 'email = ""': "[tables.patients.columns] email: names no column",
    COLUMN + 'email = { values = { A = "b" } }': "email: needs one of column, date",
    COLUMN + 'email = { column = "a", sql = "b" }': "email: needs one of column, date",
    COLUMN + 'email = { column = "a", match = "b" }': "columns.email] match: is not known here",
    COLUMN + 'email = { column = "a", values = 3 }': "columns.email] values: must be a section",
    COLUMN + 'email = { column = "a", values = { A = [] } }': "values: must give a text",
    COLUMN + 'email = { column = "a", empty = [] }': "empty: must be a text in quotes",
    COLUMN + 'email = { date = "a" }': "columns.email] time: names no column",
    COLUMN + 'email = { join = ["a"], separator = [] }': "separator: must be a text in quotes",
    COLUMN + 'email = { lookup = "L", give = "g" }': "lookup: needs match",
    COLUMN + 'email = { lookup = "L", match = ["a", "b", "c"], give = "g" }': "lookup: needs match",
    COLUMN + "email = { constant = [] }": "constant: must be a text in quotes",
    COLUMN + 'email = { sql = "" }': "sql: must be a text in quotes",
}


@pytest.mark.parametrize(("written", "message"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_named_with_file_section_and_key(practice, written, message) -> None:
    practice.maps(written)
    with pytest.raises(UserError, match=r"sources/mine/source\.toml: ") as raised:
        practice.source()
    assert message in str(raised.value)


def test_an_unknown_source_names_those_that_there_are(practice) -> None:
    practice.maps("")
    with pytest.raises(UserError, match="no source named yours; known: mine, bhsim"):
        mapping.load("yours", practice.home)


PRESET = """
title = "Shop"
[files."Visits*"]
mode = "window"
date = "day"
ahead = 14
[files."Paid*"]
mode = "changes"
key = ["id"]
flag = "f"
delete = ["3"]
[tables.patients]
from = "Patients"
one_per = { key = ["id"], latest = "changed" }
only = { kind = ["x"] }
[tables.patients.columns]
patient_id = "id"
status = { column = "state", values = { A = "Active" } }
[tables.payers]
from = "Payers"
"""


def test_a_practice_overrides_single_keys_of_a_preset(practice, preset) -> None:
    preset.write_text(PRESET)
    source = practice.maps(
        """
        preset = "shop"
        absent = ["payers"]
        [files."VisitsMain*"]
        [files."Visits*"]
        ahead = 28
        [files."Paid*"]
        mode = "full"
        [tables.patients]
        only = { state = ["y"] }
        [tables.patients.columns]
        status = { column = "state2", values = { B = "Inactive" } }
        phone = "tel"
        """
    ).source()
    assert source.title == "Shop"
    assert source.provided() == ["patients"]
    assert source.files == (
        FileRule("VisitsMain*"),
        FileRule("Visits*", "window", date="day", ahead=28),
        FileRule("Paid*"),
    )
    (patients,) = source.tables["patients"]
    assert patients.source == "Patients"
    assert patients.one_per == OnePer(("id",), "changed")
    assert patients.only == {"state": ("y",)}
    assert patients.columns == {
        "patient_id": Named(("id",)),
        "status": Named(("state2",), {"B": "Inactive"}),
        "phone": Named(("tel",)),
    }


def test_a_practice_s_sql_replaces_that_of_its_preset(practice, preset) -> None:
    preset.write_text("")
    (preset.parent / "payers.sql").write_text("SELECT 1")
    (preset.parent / "staff.sql").write_text("SELECT 1")
    source = practice.maps('preset = "shop"', payers="SELECT 2").source()
    assert source.sql_files() == {
        "payers": practice.home / "mine" / "payers.sql",
        "staff": preset.parent / "staff.sql",
    }


def test_a_list_of_sections_replaces_a_preset_s_section(practice, preset) -> None:
    preset.write_text(PRESET)
    source = practice.maps(
        'preset = "shop"\n[[tables.payers]]\nfrom = "A"\n[[tables.payers]]\nfrom = "B"'
    ).source()
    assert [rule.source for rule in source.tables["payers"]] == ["A", "B"]


def test_every_shipped_preset_is_read() -> None:
    for name in mapping.shipped():
        source = mapping.load(name)
        assert source.provided(), name
        assert not re.search("unconfirmed", source.title)
