"""SQLGlot can write every rule, staging and lifecycle file for Spark and PostgreSQL.

Worklist, records, analytics and runs query our own snapshots in DuckDB and may use its extensions.
"""

from pathlib import Path

import pytest
import sqlglot

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {ROOT / "pipelines" / room for room in ("worklist", "records", "analytics", "runs")}
FILES = sorted(
    [
        *(ROOT / "rules").glob("*.sql"),
        *(path for path in (ROOT / "pipelines").rglob("*.sql") if path.parent not in QUERIES),
    ]
)
# These pass through SQLGlot unchanged, or changed in meaning, without a word.
UNPORTABLE = (
    "format(",
    "printf(",
    "strftime(",
    "arg_max(",
    "arg_min(",
    "any_value(",
    "list_",
    "qualify ",
    "try_cast(",
    "regexp_",
    "group by all",
    "by name",
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
@pytest.mark.parametrize("dialect", ["spark", "postgres"])
def test_every_file_can_be_written_for_other_engines(path, dialect):
    written = sqlglot.transpile(
        path.read_text(encoding="utf-8"),
        read="duckdb",
        write=dialect,
        unsupported_level=sqlglot.ErrorLevel.RAISE,
    )
    assert len(written) == 1
    sqlglot.parse_one(written[0], read=dialect)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_keeps_to_words_that_mean_the_same_elsewhere(path):
    tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    assert [
        word for word in UNPORTABLE if word in tree.sql(dialect="duckdb", comments=False).lower()
    ] == []


def test_there_is_something_to_check():
    assert len(FILES) >= 17 + 16
