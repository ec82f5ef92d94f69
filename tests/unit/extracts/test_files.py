"""Files of any kind: delimiters, encodings, line ends, broken records, and the line of each row."""

import gzip
import re
from pathlib import Path

import duckdb
import pytest

from pipelines.extracts import contract, contract_sql, files, records, validation

HEADER = "survey_id,case_id,kind,completed_at\n"
ROWS = "0001,C1,MIPS,2026-01-01\n0002,C1,MIPS,2026-01-02\n"


def _load(path: Path, **options: bool) -> tuple[duckdb.DuckDBPyConnection, files.Part]:
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("surveys"))
    return con, files.load(con, "surveys", path, **options)


def _ids(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        row[0]
        for row in con.execute("SELECT survey_id FROM extract.surveys ORDER BY rowid").fetchall()
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("surveys.csv", (HEADER + ROWS).encode()),
        ("surveys.csv", (HEADER + ROWS).encode("utf-8-sig")),
        ("surveys.csv", (HEADER + ROWS).replace("\n", "\r\n").encode()),
        ("surveys.csv", (HEADER + ROWS).replace("\n", "\r\n", 2).encode()),
        ("surveys.csv", (HEADER + ROWS).replace("\n", "\r").encode()),
        ("surveys.csv", (HEADER + ROWS).replace(",", ";").encode()),
        ("surveys.tsv", (HEADER + ROWS).replace(",", "\t").encode()),
        ("surveys.txt", (HEADER + ROWS).replace(",", "|").encode()),
        ("surveys.csv.gz", gzip.compress((HEADER + ROWS).encode(), mtime=0)),
        ("surveys.csv", (" Survey_ID , CASE_ID,Kind,completed_at\n" + ROWS).encode()),
        ("surveys.csv", (HEADER + ROWS).rstrip("\n").encode()),
        ("surveys.csv", (HEADER + ROWS).replace("\n", "\n\n").encode()),
        ("sur[v]eys*.csv", (HEADER + ROWS).encode()),
        ("sur[v]eys*.csv.gz", gzip.compress((HEADER + ROWS).encode(), mtime=0)),
    ],
)
@pytest.mark.parametrize("by_record", [False, True])
def test_every_variant_of_a_file_has_the_same_rows(name, content, by_record, tmp_path):
    (tmp_path / name).write_bytes(content)
    con, part = _load(tmp_path / name, by_record=by_record)
    assert _ids(con) == ["0001", "0002"]
    assert part.broken.empty and not part.is_cut_short


def test_a_latin_1_file_keeps_its_letters(tmp_path):
    (tmp_path / "surveys.csv").write_bytes(
        (HEADER + "1,C1,Müdigkeit,2026-01-01\n").encode("latin-1")
    )
    con, _ = _load(tmp_path / "surveys.csv")
    assert con.execute("SELECT kind FROM extract.surveys").fetchall() == [("Müdigkeit",)]


def test_a_record_with_too_many_or_too_few_fields_is_refused_alone_with_its_line(tmp_path):
    (tmp_path / "surveys.csv").write_text(
        HEADER
        + "1,C1,MIPS,2026-01-01\n2,C1,MIPS\n\n3,C1,MIPS,2026-01-01,more\n4,C1,MIPS,2026-01-01\n"
    )
    con, part = _load(tmp_path / "surveys.csv")
    assert _ids(con) == ["1", "4"]
    assert part.broken[["line", "check"]].values.tolist() == [
        [3, "field_count"],
        [5, "field_count"],
    ]
    assert files.lines_of(part).tolist() == [2, 6]


def test_a_quote_that_never_closes_refuses_its_own_line_only(tmp_path):
    rows = [f"{number},C1,MIPS,2026-01-01" for number in range(2, 130)]
    rows[3] = '5,C1,"MIPS,2026-01-01'
    rows[100] = '102,"C1","MIPS",2026-01-01'
    (tmp_path / "surveys.csv").write_text(HEADER + "\n".join(rows) + "\n")
    con, part = _load(tmp_path / "surveys.csv")
    assert part.broken[["line", "check"]].values.tolist() == [[5, "unterminated_quote"]]
    assert _ids(con) == [str(number) for number in range(2, 130) if number != 5]


def test_a_line_break_inside_quotes_counts_as_a_line_of_one_row(tmp_path):
    (tmp_path / "surveys.csv").write_text(
        HEADER + '1,C1,"two\nlines",2026-01-01\n\n2,C1,MIPS,2026-01-01\n'
    )
    for by_record in (False, True):
        con, part = _load(tmp_path / "surveys.csv", by_record=by_record)
        assert _ids(con) == ["1", "2"]
        assert files.lines_of(part).tolist() == [2, 5]


def test_a_file_ending_inside_a_row_is_cut_short(tmp_path):
    (tmp_path / "surveys.csv").write_text(HEADER + "1,C1,MIPS,2026-01-01\n2,C1,MI")
    assert _load(tmp_path / "surveys.csv")[1].is_cut_short
    (tmp_path / "surveys.csv").write_text(HEADER + '1,C1,MIPS,2026-01-01\n2,C1,"MI')
    assert _load(tmp_path / "surveys.csv")[1].is_cut_short


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "has no column survey_id"),
        (
            b"survey_id,case_id,kind,complete_at\n",
            r"has no column completed_at \(did you mean its column complete_at\?\)",
        ),
        (b"survey_id,case_id,kind,completed_at,Kind \n", "has the column kind 2 times"),
    ],
)
def test_a_file_without_its_columns_is_refused_whole(content, says, tmp_path):
    (tmp_path / "surveys.csv").write_bytes(content)
    with pytest.raises(records.FileRefused, match=says):
        _load(tmp_path / "surveys.csv")


POLICIES = "policy_id,patient_id,payer_id,rank,created_at,authorization_required"
WITHOUT = (
    "case_id",
    "starts_on",
    "ends_on",
    "verification_requested_at",
    "verified_at",
    "verified_by",
)


def _policies(path: Path, header: str, *rows: str) -> Path:
    """Write the rows as CSV, or as Parquet with a typed created_at."""
    text = path.with_suffix(".csv")
    text.write_text("\n".join([header, *rows]) + "\n")
    if path.suffix == ".parquet":
        duckdb.execute(f"COPY (FROM read_csv('{text}')) TO '{path}' (FORMAT parquet)")
        text.unlink()
    return path


@pytest.mark.parametrize("name", ["policies.csv", "policies.parquet"])
@pytest.mark.parametrize("by_record", [False, True])
def test_a_column_that_may_be_empty_may_be_absent(name, by_record, tmp_path):
    path = _policies(tmp_path / name, POLICIES, "PO1,A,Y,1,2026-01-01T09:00:00,true")
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("policies"))
    part = files.load(con, "policies", path, by_record=by_record)
    assert part.layout.absent == WITHOUT
    assert validation.refuse(con, "policies", set()).empty
    answer = con.execute("SELECT * FROM extract.policies")
    row = dict(zip([column[0] for column in answer.description], answer.fetchall()[0], strict=True))
    assert (row["policy_id"], str(row["created_at"])) == ("PO1", "2026-01-01 09:00:00")
    assert {name for name, value in row.items() if value is None} == {
        *WITHOUT,
        "verification_requested_at_is_utc",
        "verified_at_is_utc",
        "_text",
    }


def test_the_texts_of_a_broken_record_stay_in_their_columns_without_an_absent_one(tmp_path):
    path = _policies(tmp_path / "policies.csv", POLICIES, "PO1,A,Y,1,2026-01-01,true,more")
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("policies"))
    broken = files.load(con, "policies", path).broken.loc[0].to_dict()
    assert {name: broken[name] for name in ("policy_id", "payer_id", "rank", *WITHOUT)} == {
        "policy_id": "PO1",
        "payer_id": "Y",
        "rank": "1",
        **dict.fromkeys(WITHOUT, ""),
    }


@pytest.mark.parametrize("name", ["policies.csv", "policies.parquet"])
@pytest.mark.parametrize(
    ("header", "says"),
    [
        (POLICIES + ",end_on", r"no column ends_on \(did you mean its column end_on\?\)"),
        (
            POLICIES + ",verified_byy",
            r"no column verified_by \(did you mean its column verified_byy\?",
        ),
        (POLICIES.replace("rank,", "") + ",rnk", r"no column rank \(did you mean its column rnk\?"),
    ],
)
def test_a_misspelt_column_is_not_an_absent_one(name, header, says, tmp_path):
    path = _policies(tmp_path / name, header, ",".join("1" for _ in header.split(",")))
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("policies"))
    with pytest.raises(records.FileRefused, match=says):
        files.load(con, "policies", path)


def test_another_column_of_a_similar_name_does_not_refuse_the_file():
    names = [*POLICIES.split(","), "verifier", "ended_on_date"]
    assert records.layout_from("policies", ",", names).absent == WITHOUT


def test_a_damaged_gzip_or_parquet_file_is_refused_whole(tmp_path):
    packed = gzip.compress((HEADER + ROWS * 3000).encode())
    for name, content in [
        ("surveys.csv.gz", packed[: len(packed) // 2]),
        ("surveys.csv.gz", packed[:-6] + b"\0\0" + packed[-4:]),
        ("surveys.csv.gz", b"no gzip at all"),
        ("surveys.parquet", b"PAR1 and nothing else"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(records.FileRefused, match="is damaged"):
            _load(tmp_path / name)


def test_parquet_types_are_kept_and_validated_all_the_same(tmp_path):
    path = tmp_path / "surveys.parquet"
    duckdb.execute(
        f"""COPY (
        SELECT t.id AS survey_id, 'C1' AS case_id, 'MIPS' AS "Kind", t.made AS completed_at
        FROM (VALUES (1, TIMESTAMP '2026-01-01 08:00:00'),
        (2, TIMESTAMP '1970-01-01 00:00:00'), (3, NULL),
        (4, TIMESTAMP '2300-01-01 00:00:00')) AS t (id, made)) TO '{path}' (FORMAT parquet)"""
    )
    con, part = _load(path)
    refused = validation.refuse(con, "surveys", set())
    assert _ids(con) == ["1"]
    assert sorted(
        zip(
            files.lines_of(part)[refused["row"].to_numpy(int)].tolist(),
            refused["check"],
            strict=True,
        )
    ) == [
        (2, "required"),
        (3, "required"),
        (4, "moment"),
    ]


def test_parquet_times_with_a_zone_are_utc(tmp_path):
    path = tmp_path / "surveys.parquet"
    row = (
        "SELECT 'S' AS survey_id, 'C' AS case_id, 'k' AS kind, "
        "TIMESTAMPTZ '2026-01-01 08:00:00-05' AS completed_at"
    )
    duckdb.execute(f"COPY ({row}) TO '{path}' (FORMAT parquet)")
    con, _ = _load(path)
    assert con.execute(
        "SELECT CAST(completed_at AS VARCHAR), completed_at_is_utc, _text FROM extract.surveys"
    ).fetchall() == [("2026-01-01 13:00:00", True, None)]


@pytest.mark.parametrize("table", list(contract.TABLES))
def test_typing_has_no_join_because_a_join_may_reorder_rows(table, tmp_path):
    names = [column.name for column in contract.columns(table)]
    (tmp_path / "any.csv").write_text(",".join(names) + "\n")
    source = contract_sql.Source(
        f"read_csv('{tmp_path / 'any.csv'}', all_varchar = true, header = true)",
        {name: contract_sql.SourceColumn(name, "VARCHAR") for name in names},
    )
    sql = contract_sql.typed_select(table, source)
    plan = duckdb.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1]
    assert set(re.findall(r'"name": "([^"]+)"', plan)) <= {"PROJECTION", "READ_CSV"}


def test_every_row_of_a_large_file_keeps_its_line(tmp_path):
    # Large enough to be read by several threads.
    path = tmp_path / "documents.csv"
    header = ",".join(column.name for column in contract.columns("documents")) + "\n"
    filler = "x" * 200
    path.write_text(
        header
        + "".join(
            f"{number},C1,,{filler},yes,Draft,2026-01-01T08:00:00,2026-01-01,,,,,\n"
            for number in range(2, 150_002)
        )
    )
    con = duckdb.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute(contract_sql.table_sql("documents"))
    part = files.load(con, "documents", path)
    assert part.rows == 150_000
    assert (
        con.execute(
            "SELECT count(*) FROM extract.documents WHERE document_id <> CAST(rowid + 2 AS VARCHAR)"
        ).fetchone()[0]
        == 0
    )
