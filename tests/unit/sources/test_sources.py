"""Imports of any source: conversion, messages for bad exports, and a new source."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.errors import UserError
from pipelines.extracts import folder as folder_module
from pipelines.extracts import read
from pipelines.sources import importing, mapping
from pipelines.warehouse import snapshots
from tests.bhsim import EXPORT, EXPORTED, rewrite, rows_of


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_moment_in_another_zone_is_the_same_moment(tmp_path) -> None:
    for name, moment in (
        ("here", EXPORTED),
        ("there", datetime.fromisoformat("2026-10-10T08:00:00-04:00")),
    ):
        sources.import_export("bhsim", EXPORT, tmp_path / name, moment)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_the_time_of_a_delivery_is_told_in_utc(export, tmp_path) -> None:
    moment = datetime.fromisoformat("2026-10-10T08:00:00-04:00")
    request = importing.Request(mapping.load("bhsim"), export, tmp_path / "out", moment)
    assert importing.import_delivery(request).extracted_at.isoformat() == (
        "2026-10-10T12:00:00+00:00"
    )


def test_an_export_with_bom_crlf_and_semicolons_reads_the_same(export, tmp_path) -> None:
    sources.import_export("bhsim", EXPORT, tmp_path / "plain", EXPORTED)
    rows = rows_of(export, "visits")
    with (export / "visits.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(
            file, fieldnames=list(rows[0]), delimiter=";", lineterminator="\r\n"
        )
        writer.writeheader()
        writer.writerows(reversed(rows))
    sources.import_export("bhsim", export, tmp_path / "out", EXPORTED)
    assert contents(tmp_path / "out") == contents(tmp_path / "plain")


# --- bad exports ---


def remove_column(path: Path, column: str) -> None:
    rewrite(
        path,
        [
            {key: value for key, value in row.items() if key != column}
            for row in rows_of(path.parent, path.stem)
        ],
    )


def change_cell(path: Path, number: int, column: str, text: str) -> None:
    rows = rows_of(path.parent, path.stem)
    rows[number - 1][column] = text
    rewrite(path, rows)


def held(export: Path, out: Path) -> dict[str, str]:
    """The tables that an import of this export holds, and why."""
    request = importing.Request(mapping.load("bhsim"), export, out, EXPORTED)
    return dict(importing.import_delivery(request).held)


MISSING = {
    "no-such-file": (lambda folder: (folder / "visits.csv").unlink(), "has no file visits"),
    "no-such-column": (
        lambda folder: remove_column(folder / "visits.csv", "documented_at"),
        r"visits\.csv has no column documented_at",
    ),
    "an-empty-file": (
        lambda folder: (folder / "visits.csv").write_text(""),
        "has no file visits",
    ),
}
OF_VISITS = {"patients", "cases", "appointments", "documents", "surveys", "engagement_actions"}


@pytest.mark.parametrize("spoil, message", MISSING.values(), ids=MISSING)
def test_what_is_missing_holds_the_tables_that_read_it(export, tmp_path, spoil, message) -> None:
    spoil(export)
    found = held(export, tmp_path / "out")
    assert {"appointments", "documents"} <= set(found) <= OF_VISITS
    assert re.search(message, found["appointments"])
    manifest = {row["table"]: row for row in rows_of(tmp_path / "out", "manifest")}
    assert {table for table, row in manifest.items() if row["complete"] == "false"} == set(found)
    assert re.search(message, manifest["appointments"]["note"])
    assert len(rows_of(tmp_path / "out", "staff")) == len(rows_of(EXPORT, "employees"))


def test_a_held_table_leaves_no_file_of_the_import_before(export, tmp_path) -> None:
    assert not held(export, tmp_path / "out")
    (export / "visits.csv").unlink()
    assert "appointments" in held(export, tmp_path / "out")
    assert rows_of(tmp_path / "out", "appointments") == []


def test_a_half_written_row_is_counted_and_stops_nothing(export, tmp_path) -> None:
    (export / "visits.csv").open("a").write("1,2")
    request = importing.Request(mapping.load("bhsim"), export, tmp_path / "out", EXPORTED)
    done = importing.import_delivery(request)
    assert not done.held
    assert "visits.csv: 1 line is no row of its 15 columns and left out" in done.notes


UNREADABLE = {
    "a-time-that-is-none": ("visits", 7, "scheduled_start", "soon", "appointments"),
    "a-day-that-is-none": ("individual_programs", 1, "end_date", "2026-02-30", "cases"),
    "a-start-that-is-none": ("individual_programs", 1, "start_date", "13/13/2026", "cases"),
    "a-signature-that-is-none": ("visits", 7, "documented_at", "soon", "documents"),
}


@pytest.mark.parametrize("file, row, column, text, table", UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_is_refused_by_the_contract_and_no_other(
    export, tmp_path, file, row, column, text, table
) -> None:
    before = {path.stem: rows_of(EXPORT, path.stem) for path in EXPORT.glob("*.csv")}
    change_cell(export / f"{file}.csv", row, column, text)
    assert not held(export, tmp_path / "out")
    with snapshots.connect() as con:
        found = {
            one.table: one
            for one in read.read(con, folder_module.find(tmp_path / "out"), {}, tmp_path)
        }
    assert found[table].rows_refused >= 1
    assert found["patients"].rows_refused == 0
    assert found["patients"].rows_read == len(before["individuals"])


def test_no_message_of_a_damaged_export_holds_a_value(export, tmp_path) -> None:
    for column in ("scheduled_start", "actual_start", "actual_end", "documented_at"):
        change_cell(export / "visits.csv", 3, column, "zzmarker")
    request = importing.Request(mapping.load("bhsim"), export, tmp_path / "out", EXPORTED)
    assert "zzmarker" not in repr(importing.import_delivery(request))


def test_an_export_in_another_encoding_is_read(export, tmp_path) -> None:
    (export / "employees.csv").write_bytes("employee_id,full_name\n1,José".encode("cp1252"))
    assert "staff" not in held(export, tmp_path / "out")
    assert rows_of(tmp_path / "out", "staff")[0]["name"] == "José"


def test_a_folder_that_is_not_there_is_named(export, tmp_path) -> None:
    shutil.rmtree(export)
    with pytest.raises(UserError, match="export: "):
        held(export, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="file/out: cannot write the extracts here"):
        sources.import_export("bhsim", EXPORT, tmp_path / "file" / "out", EXPORTED)


def test_the_export_is_not_overwritten_by_its_own_extracts(export) -> None:
    with pytest.raises(UserError, match="is the folder of the export"):
        sources.import_export("bhsim", export, export, EXPORTED)


def test_extracts_of_two_sources_do_not_mix(tmp_path) -> None:
    (tmp_path / "payers.csv").write_text("payer_id,name,kind\n")
    with pytest.raises(UserError, match=r"holds payers\.csv, which this source does not give"):
        sources.import_export("bhsim", EXPORT, tmp_path, EXPORTED)


def test_a_second_import_replaces_the_first(tmp_path) -> None:
    for as_of in (datetime(2026, 5, 1, tzinfo=UTC), EXPORTED):
        sources.import_export("bhsim", EXPORT, tmp_path / "out", as_of)
    sources.import_export("bhsim", EXPORT, tmp_path / "fresh", EXPORTED)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_the_message_for_an_unknown_source_names_the_known_ones(tmp_path) -> None:
    with pytest.raises(UserError, match="no source named other; known: bhsim"):
        sources.import_export("other", EXPORT, tmp_path / "out", EXPORTED)


# --- a new source is one folder ---


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty folder of sources."""
    monkeypatch.setattr(mapping, "PRESETS", tmp_path / "sources")
    (tmp_path / "sources" / "facility").mkdir(parents=True)
    return tmp_path / "sources"


def test_a_new_source_is_one_folder(home, tmp_path) -> None:
    (home / "facility" / "payers.sql").write_text(
        "SELECT k.\"no\" AS payer_id, k.label AS name, 'Plan' AS kind FROM source.kassen AS k"
    )
    (tmp_path / "kassen.csv").write_text("no,label\n002,Two\n001,One\n")
    assert sources.names() == ["facility"]
    assert sources.import_export("facility", tmp_path, tmp_path / "out", EXPORTED) == {"payers": 2}
    assert (
        tmp_path / "out" / "payers.csv"
    ).read_text() == "payer_id,name,kind\n001,One,Plan\n002,Two,Plan\n"
    assert [row["horizon_on"] for row in rows_of(tmp_path / "out", "manifest")] == [""]


@pytest.mark.parametrize(
    ("file", "sql", "message"),
    [
        ("payer.sql", "SELECT 1", r"facility/payer\.sql: payer is not a table of the contract"),
        (
            "payers.sql",
            "SELECT 1 AS payer_id, 2 AS kind",
            r"facility/payers\.sql: gives the columns payer_id, kind; "
            "the contract wants payer_id, name, kind",
        ),
        ("payers.sql", "SELEC 1", r"facility/payers\.sql: .*syntax error"),
        ("payers.sql", "", r"facility/payers\.sql: holds no SELECT"),
    ],
)
def test_a_source_that_is_wrong_names_its_file(home, tmp_path, file, sql, message) -> None:
    (home / "facility" / file).write_text(sql)
    (tmp_path / "kassen.csv").write_text("no,label\n1,One\n")
    with pytest.raises(UserError, match=message):
        sources.import_export("facility", tmp_path, tmp_path / "out", EXPORTED)
