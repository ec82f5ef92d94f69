"""A valid table is loaded fast, with the outcome of loading by line; others are loaded by line."""

import datetime as dt
import shutil

import duckdb
import pytest

from pipelines import lifecycle, sample
from pipelines.extracts import contract, read
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts.outcome import Previous
from pipelines.staging.stage import Stager
from pipelines.warehouse import snapshots

AT = sample.DEFAULT_AS_OF


@pytest.fixture(scope="module", params=["csv", "parquet"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    sample.write_sample(place, patients=150, facilities=2, as_of=AT, seed=3, format=request.param)
    return place


class Watched(Stager):
    """A stager that loads fast only if `may_load_fast`, and notes which tables it loaded so."""

    def __init__(self, con, *, may_load_fast):
        super().__init__(con, AT, frozenset())
        object.__setattr__(self, "may_load_fast", may_load_fast)
        object.__setattr__(self, "loaded_fast", set())

    def load_fast(self, table, path, accepted):
        found = super().load_fast(table, path, accepted) if self.may_load_fast else None
        if found is not None:
            self.loaded_fast.add(table)
        return found


def _read(folder, scratch, *, may_load_fast, previous=None):
    con = snapshots.connect()
    con.execute("ATTACH ':memory:' AS previous")
    con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
    snapshots.attach_new(con, scratch / f"{may_load_fast}.duckdb")
    con.execute("CREATE SCHEMA staging")
    stager = Watched(con, may_load_fast=may_load_fast)
    rejected = scratch / f"rejected-{may_load_fast}"
    outcomes = read.read(con, extracts_folder.find(folder), previous or {}, rejected, stager=stager)
    return con, stager, outcomes


def _both_ways(folder, scratch, previous=None):
    """Read both ways, compare outcomes, staged rows and refusals; the tables loaded fast."""
    one, stager, outcomes = _read(folder, scratch, may_load_fast=True, previous=previous)
    other, _, expected = _read(folder, scratch, may_load_fast=False, previous=previous)
    assert outcomes == expected
    for table in [
        *(f"staging.{table}" for table in contract.TABLES),
        "extract.refused_rows",
        "extract.refused_ids",
    ]:
        assert (
            one.execute(f"DESCRIBE {table}").fetchall()
            == other.execute(f"DESCRIBE {table}").fetchall()
        )
        assert sorted(map(repr, one.execute(f"FROM {table}").fetchall())) == sorted(
            map(repr, other.execute(f"FROM {table}").fetchall())
        )
    one.close(), other.close()
    return stager.loaded_fast


def test_every_table_of_a_valid_folder_but_facilities_is_loaded_fast(folder, tmp_path):
    zones_need_python = {"facilities"}
    assert _both_ways(folder, tmp_path) == set(contract.TABLES) - zones_need_python


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("patients", lambda row: [*row[:4], "asleep", *row[5:]]),
        ("patients", lambda row: [*row[:3], "1899-11-30", *row[4:]]),
        ("patients", lambda row: [row[0], "", *row[2:]]),
        ("cases", lambda row: [row[0], "nobody", *row[2:]]),
        ("cases", lambda row: [row[0], row[1] + " ", *row[2:]]),
        ("cases", lambda row: [row[0], "", *row[2:]]),
        ("cases", lambda row: ["9.37E+12", *row[1:]]),
        ("faxes", lambda row: row[:-1]),
        ("staff", lambda row: [*row[:3], "Chiropractor", *row[4:]]),
        ("cases", lambda row: [*row[:3], "nobody", *row[4:]]),
        ("cases", lambda row: [*row[:4], "2026-05-02", "2026-05-01", *row[6:]]),
        ("cases", lambda row: [row[0], row[1], f"{row[2]}.0", *row[3:]]),
    ],
    ids=[
        "value",
        "day",
        "required",
        "orphan",
        "untrimmed",
        "no parent",
        "damaged id",
        "field count",
        "role",
        "person",
        "order",
        "float",
    ],
)
def test_a_table_with_one_doubtful_row_is_loaded_by_line(tmp_path, table, change):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / f"{table}.csv"
    head, first, *rest = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join([head, ",".join(change(first.split(","))), *rest]) + "\n", encoding="utf-8"
    )
    loaded_fast = _both_ways(folder, tmp_path)
    assert table not in loaded_fast
    assert "payers" in loaded_fast


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("patients", lambda row: [*row[:4], row[4].upper(), *row[5:]]),
        ("patients", lambda row: [*row[:3], "1900-01-01", *row[4:]]),
        ("cases", lambda row: [*row[:5], "1900-01-01T00:00:00", *row[6:]]),
        ("cases", lambda row: [*row[:5], "9999-12-31", *row[6:]]),
        ("cases", lambda row: [*row[:5], "00/00/0000", *row[6:]]),
    ],
)
def test_a_value_written_another_way_is_loaded_fast_all_the_same(tmp_path, table, change):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / f"{table}.csv"
    head, first, *rest = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join([head, ",".join(change(first.split(","))), *rest]) + "\n", encoding="utf-8"
    )
    assert table in _both_ways(folder, tmp_path)


def test_a_table_with_a_repeated_key_is_loaded_by_line(tmp_path):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / "surveys.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    assert "surveys" not in _both_ways(folder, tmp_path)


def test_a_table_with_refused_rows_in_the_last_run_is_loaded_by_line(folder, tmp_path):
    before = {"payments": Previous(1, AT - dt.timedelta(days=1), rows_refused=1)}
    assert set(contract.TABLES) - _both_ways(folder, tmp_path, before) == {"facilities", "payments"}


def test_a_table_with_fewer_rows_than_its_manifest_says_is_refused_either_way(tmp_path):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / "surveys.csv"
    file.write_text(
        "\n".join(file.read_text(encoding="utf-8").splitlines()[:-1]) + "\n", encoding="utf-8"
    )
    assert "surveys" in _both_ways(folder, tmp_path)


def test_a_file_removed_after_it_was_loaded_fast_is_refused_and_leaves_nothing_staged(
    tmp_path, monkeypatch
):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=30, facilities=1, as_of=AT, seed=3, format="csv")

    def load_and_remove(stager, table, path, accepted, load_fast=Stager.load_fast):
        found = load_fast(stager, table, path, accepted)
        if table == "surveys":
            path.unlink()
        return found

    monkeypatch.setattr(Stager, "load_fast", load_and_remove)
    con, _, outcomes = _read(folder, tmp_path, may_load_fast=True)
    (surveys,) = [outcome for outcome in outcomes if outcome.table == "surveys"]
    assert (surveys.status, surveys.reason) == (
        "refused",
        "surveys.csv cannot be read: No such file or directory",
    )
    assert con.execute("SELECT COUNT(*) FROM staging.surveys").fetchone() == (0,)


def test_a_table_without_a_column_that_may_be_empty_is_loaded_fast(folder, tmp_path):
    """Both ways read it as empty, from CSV and from Parquet."""
    left_out = ("case_id", "starts_on", "verified_at", "verified_by")
    (file,) = folder.glob("policies.*")
    kind = file.suffix.removeprefix(".")
    copy = tmp_path / "in"
    shutil.copytree(folder, copy)
    options = ", all_varchar = true" if kind == "csv" else ""
    duckdb.execute(
        f"COPY (SELECT * EXCLUDE ({', '.join(left_out)}) FROM read_{kind}('{file}'{options})) "
        f"TO '{copy / file.name}' (FORMAT {kind})"
    )
    assert "policies" in _both_ways(copy, tmp_path)
