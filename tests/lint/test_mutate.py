"""The command that tries mutants: what it changes, what it kills, and what survives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mutate import kept, listed
from tests.mutate.__main__ import files, main, name_of
from tests.mutate.changes import mutants

SQL = """\
/* a comment < is left alone, and so is the header: 0 */
SELECT v.visit_id,
FROM visits AS v
WHERE v.day <= $today
"""
TEST = """\
import duckdb
import pytest
from pathlib import Path
from pipelines import sql_files

@pytest.mark.parametrize("day", {days})
def test_it(day):
    con = duckdb.connect()
    con.execute(f"CREATE TABLE visits AS SELECT 'V1' AS visit_id, {{day}} AS day")
    sql = sql_files.read(Path({path!r}))
    assert len(con.execute(sql, {{"today": 5}}).fetchall()) == (day <= 5)
"""


def changes_of(sql: str) -> list[str]:
    return [mutant.applied_to(sql) for mutant in mutants(sql)]


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("a < 0", ["a <= 0", "a < 1"]),
        ("a = 'x'", ["a <> 'x'", "a = 'x~'"]),
        ("a AND NOT b", ["a OR NOT b", "a AND b"]),
        ("a BETWEEN b AND c", ["a NOT BETWEEN b AND c"]),
        ("a IS NULL", ["a IS NOT NULL"]),
        ("a IS NOT NULL", ["a IS NULL"]),
        ("EXISTS (SELECT 1 FROM b)", ["NOT EXISTS (SELECT 1 FROM b)"]),
        ("a NOT IN (b)", ["a IN (b)"]),
        ("MIN(a) + COALESCE(b, c)", ["MAX(a) + COALESCE(b, c)", "MIN(a) - COALESCE(b, c)",
                                    "MIN(a) + COALESCE(b)"]),
        ("COUNT(DISTINCT a)", ["COUNT(a)"]),
        ("a LEFT JOIN b", ["a INNER JOIN b"]),
        ("a INNER JOIN b ON c", ["a LEFT JOIN b ON c"]),
        ("JOIN staging.cases AS c ON a.case_id = c.case_id",
         ["LEFT JOIN staging.cases AS c ON a.case_id = c.case_id",
          "JOIN staging.cases AS c ON a.case_id <> c.case_id"]),
        ("INNER JOIN staging.cases AS c ON a.case_id = c.case_id",
         ["INNER JOIN staging.cases AS c ON a.case_id <> c.case_id"]),
        ("ORDER BY LPAD(a, 64, '0') ASC", ["ORDER BY LPAD(a, 64, '0') DESC"]),
        ("LPAD(x.a, 64, '0') ASC, x.a ASC", ["LPAD(x.a, 64, '0') DESC, x.a ASC"]),
        ("DATE '2026-11-03'", []),
        ("-- a < 0\nb", []),
    ],
)  # fmt: skip
def test_one_token_is_changed_at_a_time(sql: str, changed: list[str]) -> None:
    assert changes_of(sql) == changed


@pytest.mark.parametrize(
    ("days", "outcome"), [((4, 6), "survived"), ((4, 5, 6), "killed"), ((1, 5), "killed")]
)
def test_a_boundary_survives_until_its_day_is_tested(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], days: tuple[int, ...], outcome: str
) -> None:
    sql, test = tmp_path / "visits.sql", tmp_path / "test_visits.py"
    sql.write_text(SQL, encoding="utf-8")
    test.write_text(TEST.format(days=days, path=str(sql)), encoding="utf-8")
    code = main([str(sql), "--json", "--jobs", "1", "--tests", str(test)])
    (row,) = json.loads(capfd.readouterr().out)
    assert (row["line"], row["change"], row["outcome"]) == (4, "<= → <", outcome)
    assert code == (outcome == "survived")


def test_it_may_begin_with_a_later_mutant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sql, test = tmp_path / "visits.sql", tmp_path / "test_visits.py"
    sql.write_text("SELECT 1 AS day, 5 AS other,\n", encoding="utf-8")
    test.write_text("def test_it():\n    assert True\n", encoding="utf-8")
    main([str(sql), "--json", "--jobs", "1", "--first", "2", "--tests", str(test)])
    assert [row["change"] for row in json.loads(capfd.readouterr().out)] == ["5 → 6"]


def test_tests_that_fail_anyway_kill_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sql, test = tmp_path / "visits.sql", tmp_path / "test_visits.py"
    sql.write_text(SQL, encoding="utf-8")
    test.write_text("def test_it():\n    assert False\n", encoding="utf-8")
    assert main([str(sql), "--tests", str(test)]) == 2
    assert "its tests fail without a change" in capfd.readouterr().err


def test_a_test_that_ends_its_process_kills_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sql, test = tmp_path / "visits.sql", tmp_path / "test_visits.py"
    sql.write_text(SQL, encoding="utf-8")
    test.write_text(
        "import os\n"
        "from pathlib import Path\n"
        f"def test_it():\n    '<=' in Path({str(sql)!r}).read_text() or os._exit(3)\n",
        encoding="utf-8",
    )
    assert main([str(sql), "--tests", str(test)]) == 2
    assert "line 4, <= → <: the tests ended by themselves" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("killer", "changed", "counts"),
    [
        ("test_it", SQL, "1 killed, 0 listed, 0 survived; 100.0% killed of those not listed"),
        ("", SQL, "0 killed, 0 listed, 1 survived; 0.0% killed of those not listed"),
        ("test_it", SQL.replace("day", "on"), "0 killed, 0 listed, 0 survived, 1 not tried"),
    ],
)
def test_what_is_kept_is_summed_up_until_the_file_changes(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    killer: str,
    changed: str,
    counts: str,
) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")
    sql = tmp_path / "visits.sql"
    (mutant,) = mutants(SQL)
    kept.keep(name_of(sql), SQL, {mutant: killer})
    sql.write_text(changed, encoding="utf-8")
    main([str(sql), "--kept"])
    assert capfd.readouterr().out.splitlines()[-1] == f"all: 1 mutants, {counts}"


def test_what_was_killed_before_may_be_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")
    sql, test = tmp_path / "visits.sql", tmp_path / "test_visits.py"
    sql.write_text("SELECT 1 AS day, 5 AS other,\n", encoding="utf-8")
    test.write_text("def test_it():\n    assert True\n", encoding="utf-8")
    first, second = mutants(sql.read_text(encoding="utf-8"))
    kept.keep(name_of(sql), sql.read_text(encoding="utf-8"), {first: "test_it", second: ""})
    main([str(sql), "--untried", "--tests", str(test)])
    assert capfd.readouterr().out.splitlines() == [
        f"survived {sql}:1: {second.change}    in: {second.line_text}",
        f"{sql}: 2 mutants, 1 killed, 0 listed, 1 survived; 50.0% killed of those not listed",
        "all: 2 mutants, 1 killed, 0 listed, 1 survived; 50.0% killed of those not listed",
    ]


def test_every_listed_mutant_exists() -> None:
    existing = {
        listed.key_of(name_of(path), mutant)
        for path in files()
        for mutant in mutants(path.read_text(encoding="utf-8"))
    }
    assert [key for key in listed.equivalents() if key not in existing] == []
