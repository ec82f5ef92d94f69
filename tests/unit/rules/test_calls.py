"""A rule reads staged tables only: no SQL of it may read a file, a setting or other SQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.rules import calls, loading, model, own
from pipelines.settings import ROOT
from pipelines.warehouse import snapshots

EXAMPLE = ROOT / "docs" / "own-rules" / "referral_without_appointment.sql"
FILES = ("read_csv", "read_text", "read_blob", "read_parquet", "read_json", "glob", "sniff_csv")


def first_call(sql: str) -> calls.Call | None:
    with snapshots.connect() as con:
        return calls.not_allowed(con, sql)


@pytest.mark.parametrize("name", [*FILES, "duckdb_secrets", "query", "json_execute_serialized_sql"])
def test_finds_each_function_that_reads_more_than_tables(name: str) -> None:
    assert first_call(f"SELECT t.a\nFROM {name}('/srv/x') AS t") == (f"{name}()", 1)


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SELECT (SELECT t.content FROM\nread_text('/x') AS t) AS a", 1),
        ("WITH a AS (\n\nSELECT 1 FROM read_text('/x')) SELECT 1 FROM a", 2),
        ("SELECT 1 FROM staging.cases AS c\nCROSS JOIN read_text('/x') AS t", 1),
        ("SELECT 1 WHERE EXISTS (\nSELECT 1 FROM read_text('/x'))", 1),
        ("SELECT 1 ORDER BY (\nSELECT 1 FROM read_text('/x'))", 1),
        ("SELECT 1 LIMIT (\nSELECT 1 FROM read_text('/x'))", 1),
        ("SELECT 1\nUNION ALL\nSELECT 1 FROM read_text('/x')", 2),
        ("SELECT list_transform([1], lambda y: (\nSELECT 1 FROM read_text('/x')))", 1),
        ("SELECT 'é', '—'\nFROM read_text($file)", 1),
        ("SELECT 1 FROM range(3), unnest([1]),\nread_text('/x')", 1),
        ("SELECT 1 FROM\n\"read_text\"('/x')", 1),
        ("SELECT 1 FROM\nsystem.main.READ_TEXT /* x */ ('/x')", 1),
        ("SELECT 1 FROM\nread_text('/x') AS a, glob('/x') AS b", 1),
    ],
)
def test_finds_it_wherever_it_stands(sql: str, line: int) -> None:
    assert first_call(sql) == ("read_text()", line)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT c.case_id FROM staging.cases AS c -- read_text('/x')",
        "SELECT 'FROM read_text(''/x'')' AS a",
        "SELECT u.a FROM (SELECT UNNEST([1]) AS a) AS u, range($days) AS r, generate_series(1, 2)",
    ],
)
def test_leaves_tables_texts_and_rows_of_numbers_alone(sql: str) -> None:
    assert first_call(sql) is None


@pytest.mark.parametrize("what", ["DESCRIBE staging.cases", "SHOW ALL TABLES", "SUMMARIZE '/x'"])
def test_describing_is_refused_too(what: str) -> None:
    found = first_call(f"SELECT 1 AS a FROM ({what}) AS t")
    assert found is not None and found.what.startswith("DESCRIBE")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("WHERE\n    c.opened_on", "INNER JOIN glob('/srv/*') AS g ON TRUE\nWHERE c.opened_on", 36),
        ("WHERE a.status <>", "CROSS JOIN glob('/srv/*') AS g\nWHERE a.status <>", 56),
    ],
    ids=["rule", "evidence"],
)
def test_an_own_rule_that_reads_files_is_withheld_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / EXAMPLE.name
    path.write_text(text[::-1].replace(old[::-1], new[::-1], 1)[::-1], encoding="utf-8")
    found = own.load(tmp_path, loading.load_rules())
    assert found.rules == {}
    assert found.broken[path.stem].startswith(f"{path}: line {line}: glob(): ")


@pytest.mark.parametrize(("mark", "what"), [("", "a rule"), ("/* evidence */", "the evidence")])
def test_a_shipped_rule_that_reads_files_stops_the_load(
    tmp_path: Path, mark: str, what: str
) -> None:
    folder = shutil.copytree(model.RULES_FOLDER, tmp_path / "rules")
    path = folder / "draft_documents.sql"
    before, mark, after = path.read_text(encoding="utf-8").partition(mark or "*/\n")
    after = after.replace("FROM ", "FROM read_csv('/x') AS z,\n", 1)
    path.write_text(before + mark + after, encoding="utf-8")
    line = path.read_text(encoding="utf-8").partition("read_csv")[0].count("\n") + 1
    with pytest.raises(UserError) as raised:
        loading.load_rules(folder)
    assert str(raised.value).startswith(f"{path}: line {line}: read_csv(): {what} reads tables")


def test_a_file_named_as_a_table_is_no_staged_table(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    path = tmp_path / EXAMPLE.name
    path.write_text(text.replace("FROM staging.cases AS c", "FROM '/srv/x.csv' AS c"), "utf-8")
    assert "line 34: /srv/x.csv" in own.load(tmp_path, loading.load_rules()).broken[path.stem]
