"""Imports of any source: conversion, messages for bad exports, and a new source."""

from __future__ import annotations

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.errors import UserError
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


BAD_EXPORTS = {
    "no-such-file": (lambda folder: (folder / "visits.csv").unlink(), r"visits\.csv is missing"),
    "no-such-column": (
        lambda folder: remove_column(folder / "visits.csv", "documented_at"),
        r"visits\.csv: the column documented_at is missing",
    ),
    "an-empty-file": (
        lambda folder: (folder / "visits.csv").write_text(""),
        r"visits\.csv: the file is empty",
    ),
    "a-half-written-row": (
        lambda folder: (folder / "visits.csv").open("a").write("1,2"),
        r"visits\.csv, line 739: not a row of 15 columns",
    ),
    "a-time-that-is-none": (
        lambda folder: change_cell(folder / "visits.csv", 7, "scheduled_start", "soon"),
        r"visits\.csv, data row 7, column scheduled_start: the text is not a TIMESTAMP",
    ),
    "a-day-that-is-none": (
        lambda folder: change_cell(folder / "individual_programs.csv", 1, "end_date", "2026-02-30"),
        r"individual_programs\.csv, data row 1, column end_date: the text is not a DATE",
    ),
    "two-columns-of-one-name": (
        lambda folder: (folder / "visits.csv").write_text("a,a\n"),
        r"visits\.csv, line 1: column 2",
    ),
    "another-encoding": (
        lambda folder: (folder / "employees.csv").write_bytes(
            "employee_id,full_name\n1,José".encode("latin-1")
        ),
        r"employees\.csv",
    ),
    "no-such-folder": (shutil.rmtree, r"export: cannot read this folder"),
}


@pytest.mark.parametrize("spoil, message", BAD_EXPORTS.values(), ids=BAD_EXPORTS)
def test_a_damaged_export_is_refused_and_the_place_named(export, tmp_path, spoil, message) -> None:
    spoil(export)
    with pytest.raises(UserError, match=message) as refused:
        sources.import_export("bhsim", export, tmp_path / "out", EXPORTED)
    assert "soon" not in str(refused.value)
    assert "02-30" not in str(refused.value)
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
    monkeypatch.setattr(sources, "HOME", tmp_path / "sources")
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
    with pytest.raises(UserError, match=message):
        sources.import_export("facility", tmp_path, tmp_path / "out", EXPORTED)
