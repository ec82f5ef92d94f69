"""SQL that flags doubtful rows, with pandera behind it, accepts what pandera alone accepts."""

import csv
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.extracts import contract, contract_sql, files, formats, validation

GOOD = {
    "id": ["A1", "0042", "B-7", "É9"],
    "text": ["x", "Ünal, Ö.", 'said "no"', "two\nlines"],
    "zone": ["America/New_York", "UTC"],
    "day": ["2026-11-03", "2024-02-29", "2026-11-03T00:00", "2026-11-03 00:00:00.000"],
    "birth_day": ["1970-01-01", "1900-01-02"],
    "moment": [
        "2026-11-03",
        "2026-11-03T09:15",
        "2026-11-03 09:15:00.123456789",
        "2026-11-03T09:15Z",
        "2026-11-03T09:15:00+0530",
        "2026-11-03T09:15+05",
        "2199-12-31T23:59-05:00",
    ],
    "money": ["25", "-3.5", "25.10000", "9999999999.99", "-0"],
    "count": ["0", "12.0", "999999999", "007"],
    "flag": ["true", "F", "Yes", "n", "1", "0"],
}
DAMAGED = [
    "",
    " ",
    "  A1 ",
    "\tA1",
    "A1\n",
    "9.37E+12",
    "1e5",
    "\x00",
    "a\x7fb",
    "1970-01-01",
    "1970-01-01T05:00:00Z",
    "1969-12-31T19:00:00-05:00",
    "1900-01-01",
    "1900-01-01 00:00:00.000",
    "1900-01-01T08:00",
    "1900-01-01soon",
    "0001-01-01T00:00:00",
    "00/00/0000",
    "0000-00-00 00:00:00",
    "9999-12-31",
    "9999-12-31T23:59:59.9999999",
    "2099-12-31",
    "2026-02-30",
    "2026-02-29T10:00",
    "1899-12-31",
    "2200-01-01",
    "11/3/2026",
    "2026-11-03T25:00",
    "2026-11-03T09:60",
    "2026-11-03T09:15:60",
    "2026-11-03T24:00:00",
    "2026-11-03T09:15+15:00",
    "2026-11-03T09:15+14:60",
    "2026-11-03Z",
    "2026-11-03T09:15:00.1234567890",
    "2026-11-03T09:15:00 UTC",
    "infinity",
    "epoch",
    "$25.00",
    "1,000.00",
    "$1,025.00",
    "(25.00)",
    "-$25.00",
    "$-25.00",
    "25.00-",
    "($1,025.5)",
    "(-25.00)",
    "$",
    "1,00.00",
    "1025,00",
    "+7",
    "$ 99999999999",
    "1e3",
    "25.123",
    "99999999999",
    "nan",
    "-1",
    "12.5",
    "1_000",
    "0x1F",
    "１２",
    "٢٠٢٦-١١-٠٣",
    "TRUEX",
    "on",
    "off",
    "Mars/Phobos",
    "localtime",
    "America",
    "../etc",
    "active",
    "Active ",
    "NULL",
    " NULL ",
    "N/A",
    "None",
    "#N/A",
    "\\N",
    "-",
    "NaN",
    "Ａctive",
    "SCHEDULED",
    "no-show",
    "IN_PROGRESS",
    "Canceled",
    "1.0",
    "Chiropractor",
]


def _values(column: contract.Column) -> st.SearchStrategy[str]:
    good = list(column.allowed) if column.allowed else GOOD[column.form]
    every_good = [text for texts in GOOD.values() for text in texts]
    return st.one_of(
        st.sampled_from(good),
        st.sampled_from(good),
        st.sampled_from(good),
        st.sampled_from(DAMAGED + every_good),
        st.text(max_size=12),
    )


def _rows(table: str) -> st.SearchStrategy[list[list[str]]]:
    columns = contract.columns(table)
    # Distinct keys: this compares what a row breaks by itself; repeated keys have own tests.
    return st.lists(
        st.tuples(*map(_values, columns)),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0].strip(" "),
    ).map(lambda rows: [list(row) for row in rows])


def _loaded(
    table: str, rows: list[list[str]], tmp_path: Path
) -> tuple[duckdb.DuckDBPyConnection, files.Part]:
    names = [column.name for column in contract.columns(table)]
    path = tmp_path / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, quoting=csv.QUOTE_ALL)
        writer.writerows([names, *rows])
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    for name in {table, "cases"}:
        con.execute(contract_sql.table_sql(name))
    return con, files.load(con, table, path)


def _is_valid(table: str, path: Path) -> bool:
    """Whether the SELECT that fails at the first doubtful row returns all rows of the file."""
    con = duckdb.connect()
    return (
        files.stage_valid(
            con, table, path, set(), lambda rows: con.execute(f"CREATE TABLE valid AS {rows}")
        )
        is not None
    )


def _as_read(table: str, rows: list[list[str]]) -> pd.DataFrame:
    names = [column.name for column in contract.columns(table)]
    return pd.DataFrame(
        [[value.strip(" ") or None for value in row] for row in rows], columns=names, dtype="str"
    )


@pytest.mark.parametrize("table", list(contract.TABLES))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_sql_and_pandera_together_accept_what_pandera_alone_accepts(table, data, tmp_path):
    rows = data.draw(_rows(table))
    con, part = _loaded(table, rows, tmp_path)
    assert part.rows == len(rows) and part.broken.empty
    alone = validation.failures(table, _as_read(table, rows), {})
    validation.mend(con, table, set())
    refused = validation.refuse(con, table, set())
    assert sorted(refused["row"]) == sorted(set(alone["row"]))
    assert alone.empty or not _is_valid(table, part.path)
    assert con.execute(f"SELECT count(*) FROM extract.{table}").fetchone()[0] == len(rows) - len(
        refused
    )
    for column in contract.columns(table):  # typing loses no accepted value
        kept = _as_read(table, rows)[column.name].drop(index=refused["row"])
        if column.form in ("day", "birth_day", "moment"):
            pattern = formats.no_time(column.form, is_end=column.is_end)
            kept = kept[~kept.str.fullmatch(pattern).fillna(False).astype(bool)]
        if column.is_nullable:
            kept = kept[~kept.isin(formats.null_words(column.form))]
        typed = con.execute(f"SELECT {column.name} FROM extract.{table}").fetchall()
        assert sum(value is not None for (value,) in typed) == (
            len(typed) if column.is_described else kept.notna().sum()
        )
        if column.allowed is not None:
            assert {value for (value,) in typed} <= {*column.allowed, None, formats.OTHER}


@pytest.mark.parametrize("table", ["appointments", "authorizations", "patients", "faxes"])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_typed_columns_and_texts_of_a_parquet_row_are_validated_together(table, data, tmp_path):
    """Some columns come typed, the rest as text; the outcome is pandera's for the same texts."""
    columns, rows = contract.columns(table), data.draw(_rows(table))
    written = pd.DataFrame(rows, columns=[column.name for column in columns], dtype="str")
    is_typed = {
        column.name: column.form in ("day", "birth_day", "moment", "money", "flag")
        and data.draw(st.booleans())
        for column in columns
    }
    typed = [
        f"TRY_CAST({c.name} AS {c.sql_type}) AS {c.name}" if is_typed[c.name] else c.name
        for c in columns
    ]
    con = duckdb.connect()
    con.register("written", written)
    path = tmp_path / f"{table}.parquet"
    con.execute(f"COPY (SELECT {', '.join(typed)} FROM written) TO '{path}' (FORMAT parquet)")
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql(table))
    files.load(con, table, path)
    texts = con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet('{path}')").fetchall()
    alone = validation.failures(
        table,
        _as_read(table, [["" if value is None else value for value in row] for row in texts]),
        {},
    )
    assert sorted(validation.refuse(con, table, set())["row"]) == sorted(set(alone["row"]))
    assert alone.empty or not _is_valid(table, path)


def test_an_empty_text_of_a_parquet_file_is_no_value(tmp_path):
    path = tmp_path / "patients.parquet"
    written = pd.DataFrame(
        [["P1", "Test", "Ana", "", "Active", "F1", "", "", ""]],
        columns=[c.name for c in contract.columns("patients")],
        dtype="str",
    )
    con = duckdb.connect()
    con.register("written", written)
    con.execute(f"COPY written TO '{path}' (FORMAT parquet)")
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("patients"))
    files.load(con, "patients", path)
    assert validation.refuse(con, "patients", set()).empty
    kept = con.execute("SELECT COLUMNS(*)::VARCHAR FROM extract.patients").fetchone()[:9]
    assert kept == (
        "P1",
        "Test",
        "Ana",
        None,
        "Active",
        "F1",
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "value", "is_utc"),
    [
        ("2026-11-03", "2026-11-03 00:00:00", False),
        ("2026-11-03T09:15", "2026-11-03 09:15:00", False),
        ("2026-11-03 09:15:00.123456789", "2026-11-03 09:15:00.123456", False),
        ("2026-11-03T09:15:00Z", "2026-11-03 09:15:00", True),
        ("2026-11-03T09:15+05", "2026-11-03 04:15:00", True),
        ("2026-11-03T09:15:00+0530", "2026-11-03 03:45:00", True),
        ("2026-11-03T09:15:00.5-05:30", "2026-11-03 14:45:00.5", True),
    ],
)
def test_a_moment_with_an_offset_becomes_utc_and_one_without_stays_local(
    text, value, is_utc, tmp_path
):
    con, _ = _loaded("surveys", [["S1", "C1", "MIPS", text]], tmp_path)
    assert con.execute(
        "SELECT CAST(completed_at AS VARCHAR), completed_at_is_utc FROM extract.surveys"
    ).fetchall() == [(value, is_utc)]


def test_money_counts_and_flags_get_their_types(tmp_path):
    con, _ = _loaded(
        "engagement_actions",
        [["1", "C", "call", "12.0", "y"], ["2", "C", "call", "007", "No"]],
        tmp_path,
    )
    assert con.execute(
        "SELECT days_after_discharge, is_active FROM extract.engagement_actions"
    ).fetchall() == [(12, True), (7, False)]
    con, _ = _loaded(
        "payments", [["1", "P", "C", "", "refund", "-25.10000", "2026-11-03"]], tmp_path
    )
    assert con.execute("SELECT amount, date_of_service FROM extract.payments").fetchall() == [
        (Decimal("-25.10"), None)
    ]


def test_of_a_repeated_key_the_latest_row_stays_whatever_the_order(tmp_path):
    rows = [
        ["S1", "C1", "old", "2026-01-01"],
        ["S1", "C1", "new", "2026-03-01"],
        ["S1", "C1", "even newer", "soon"],
        ["S1", "C1", "mid", "2026-02-01"],
        ["S2", "C1", "a", "2026-01-01"],
        ["S2", "C1", "b", "2026-01-01"],
    ]
    for order in (rows, rows[::-1]):
        con, _ = _loaded("surveys", order, tmp_path)
        refused = validation.refuse(con, "surveys", set())
        assert sorted(con.execute("SELECT survey_id, kind FROM extract.surveys").fetchall()) == [
            ("S1", "new"),
            ("S2", "b"),
        ]
        assert sorted(refused["check"]) == [
            "duplicate_key",
            "duplicate_key",
            "duplicate_key",
            "moment",
        ]


def test_a_reference_to_nothing_is_refused_only_where_the_parent_could_be_read(tmp_path):
    con, _ = _loaded(
        "surveys",
        [["S1", "C1", "MIPS", "2026-01-01"], ["S2", "C2", "MIPS", "2026-01-01"]],
        tmp_path,
    )
    con.execute("INSERT INTO extract.cases (case_id) VALUES ('C1')")
    assert validation.refuse(con, "surveys", set()).empty
    refused = validation.refuse(con, "surveys", {"cases"})
    assert refused[["survey_id", "column", "check"]].values.tolist() == [
        ["S2", "case_id", "reference"]
    ]


def test_a_row_that_breaks_several_checks_is_one_refusal_naming_all(tmp_path):
    con, _ = _loaded("surveys", [["9.37E+12", "C2", "", "soon"]], tmp_path)
    refused = validation.refuse(con, "surveys", {"cases"}).iloc[0]
    assert refused["column"] == "survey_id; case_id; kind; completed_at"
    assert refused["check"] == "id; reference; required; moment"
    assert refused["bad_ids"] == ("survey_id", "kind")
