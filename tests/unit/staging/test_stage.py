"""A sound table is staged straight from its file, and what is there then is what the long way makes of it; any doubt leaves it to the long way."""

import datetime as dt

import pytest

from pipelines import lifecycle, sample
from pipelines.extracts import contract, read
from pipelines.extracts import folder as extracts_folder
from pipelines.staging import stage as stager_module
from pipelines.staging.stage import Stager
from pipelines.warehouse import snapshots

AT = sample.DEFAULT_AS_OF


@pytest.fixture(scope="module", params=["csv", "parquet"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    sample.write_sample(place, patients=150, facilities=2, as_of=AT, seed=3, format=request.param)
    return place


class Watched(Stager):
    """A stager that goes straight only if it may, and notes which tables did."""

    def __init__(self, con, *, may):
        super().__init__(con, AT, frozenset())
        object.__setattr__(self, "may", may)
        object.__setattr__(self, "went", set())

    def load_fast(self, table, path, readable):
        found = super().load_fast(table, path, readable) if self.may else None
        if found is not None:
            self.went.add(table)
        return found


def _read(folder, scratch, *, may, previous=None):
    stager_module._columns.clear()  # each way finds its own
    con = snapshots.connect()
    con.execute("ATTACH ':memory:' AS previous")
    con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
    snapshots.attach_new(con, scratch / f"{may}.duckdb")
    con.execute("CREATE SCHEMA staging")
    stager = Watched(con, may=may)
    return (
        con,
        stager,
        read.read(
            con,
            extracts_folder.find(folder),
            previous or {},
            scratch / f"rejected-{may}",
            stager=stager,
        ),
    )


def _both_ways(folder, scratch, previous=None):
    """Read both ways; the tables that went straight, after checking that outcomes, staged rows and refusals are the same."""
    one, stager, outcomes = _read(folder, scratch, may=True, previous=previous)
    other, _, expected = _read(folder, scratch, may=False, previous=previous)
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
    return stager.went


def test_every_table_of_a_sound_folder_but_the_facilities_goes_straight(folder, tmp_path):
    assert _both_ways(folder, tmp_path) == set(contract.TABLES) - {
        "facilities"
    }  # only Python's list of zones can tell


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("patients", lambda row: [*row[:4], "active", *row[5:]]),
        ("patients", lambda row: [*row[:3], "1899-12-31", *row[4:]]),
        ("patients", lambda row: [row[0], "", *row[2:]]),
        ("cases", lambda row: [row[0], "nobody", *row[2:]]),
        ("cases", lambda row: [row[0], row[1] + " ", *row[2:]]),
        ("cases", lambda row: [row[0], "", *row[2:]]),
        ("cases", lambda row: ["9.37E+12", *row[1:]]),
        ("faxes", lambda row: row[:-1]),
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
    ],
)
def test_one_doubtful_row_leaves_its_table_to_the_long_way(tmp_path, table, change):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / f"{table}.csv"
    head, first, *rest = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join([head, ",".join(change(first.split(","))), *rest]) + "\n", encoding="utf-8"
    )
    went = _both_ways(folder, tmp_path)
    assert table not in went
    assert "payers" in went


def test_a_key_that_is_there_twice_leaves_its_table_to_the_long_way(tmp_path):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / "surveys.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    assert "surveys" not in _both_ways(folder, tmp_path)


def test_a_table_that_had_refused_rows_the_run_before_is_not_tried(folder, tmp_path):
    before = {"payments": read.Previous(1, AT - dt.timedelta(days=1), rows_refused=1)}
    assert set(contract.TABLES) - _both_ways(folder, tmp_path, before) == {"facilities", "payments"}


def test_a_table_with_fewer_rows_than_its_manifest_says_is_refused_either_way(tmp_path):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=150, facilities=2, as_of=AT, seed=3, format="csv")
    file = folder / "surveys.csv"
    file.write_text(
        "\n".join(file.read_text(encoding="utf-8").splitlines()[:-1]) + "\n", encoding="utf-8"
    )
    assert "surveys" in _both_ways(folder, tmp_path)


def test_a_file_that_is_taken_away_behind_the_one_pass_is_refused_and_leaves_nothing_staged(
    tmp_path, monkeypatch
):
    folder = tmp_path / "in"
    sample.write_sample(folder, patients=30, facilities=1, as_of=AT, seed=3, format="csv")

    def taken_away(stager, table, path, readable, straight=Stager.load_fast):
        found = straight(stager, table, path, readable)
        if table == "surveys":
            path.unlink()
        return found

    monkeypatch.setattr(Stager, "load_fast", taken_away)
    con, _, outcomes = _read(folder, tmp_path, may=True)
    (surveys,) = [outcome for outcome in outcomes if outcome.table == "surveys"]
    assert (surveys.status, surveys.reason) == (
        "refused",
        "surveys.csv cannot be read: No such file or directory",
    )
    assert con.execute("SELECT COUNT(*) FROM staging.surveys").fetchone() == (0,)
