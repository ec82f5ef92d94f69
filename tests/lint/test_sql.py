"""SQLGlot can write every rule, staging and lifecycle file for Spark and PostgreSQL.

Sources make extracts in DuckDB, and worklist, records, analytics and runs query our own snapshots
in it: they may use its extensions.
In every file, numbers in ids compare as numbers.
"""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {ROOT / "pipelines" / room for room in ("worklist", "records", "analytics", "runs")}
RULES = [*(ROOT / "rules").glob("*.sql"), *(ROOT / "docs" / "own-rules").glob("*.sql")]
FILES = sorted(
    [
        *RULES,
        *(
            path
            for path in (ROOT / "pipelines").rglob("*.sql")
            if path.parent not in QUERIES and "sources" not in path.parts
        ),
    ]
)
EVERY_FILE = sorted([*RULES, *(ROOT / "pipelines").rglob("*.sql")])
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
    # A rule file may also hold what it cannot see, and its evidence.
    assert len(written) == 1 or (path in RULES and len(written) <= 3)
    for statement in written:
        sqlglot.parse_one(statement, read=dialect)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_keeps_to_words_that_mean_the_same_elsewhere(path):
    trees = sqlglot.parse(path.read_text(encoding="utf-8"), read="duckdb")
    text = "\n".join(
        tree.sql(dialect="duckdb", comments=False).lower() for tree in trees if tree is not None
    )
    assert [word for word in UNPORTABLE if word in text] == []


# Ids of ours, which nobody reads as numbers: a hash and names.
NOT_NUMBERED = ("linked_task_id", "task_id", "rule_id", "run_id")
GENERATED = ROOT / "pipelines" / "sample"  # its ids all have one width
COMPARISONS = (exp.Min, exp.Max, exp.ArgMin, exp.ArgMax, exp.GT, exp.GTE, exp.LT, exp.LTE)


def unpadded_ids(sql: str) -> list[str]:
    """The ids that a statement orders or compares as texts, where 10 comes before 9."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    ordered = [
        term.this
        for order in tree.find_all(exp.Order)
        for term in order.expressions
        if f"LPAD({term.this.sql()}, 64, '0')" not in [one.this.sql() for one in order.expressions]
    ]
    compared = [
        value
        for kind in COMPARISONS
        for found in tree.find_all(kind)
        for name, value in found.args.items()
        # ARG_MAX(id, day) gives the id and compares the days.
        if name != "this" or not isinstance(found, exp.ArgMin | exp.ArgMax)
    ]
    return [
        value.sql()
        for value in (*ordered, *compared)
        if isinstance(value, exp.Column)
        and value.name.endswith("_id")
        and value.name not in NOT_NUMBERED
    ]


@pytest.mark.parametrize(
    "path",
    [path for path in EVERY_FILE if GENERATED not in path.parents],
    ids=name_of,
)
def test_ids_compare_as_numbers(path):
    assert unpadded_ids(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.x FROM a ORDER BY a.on_day, a.visit_id DESC",
        "SELECT ROW_NUMBER() OVER (ORDER BY a.visit_id) FROM a",
        "SELECT MAX(a.visit_id) FROM a",
        "SELECT a.x FROM a INNER JOIN b ON a.visit_id > b.visit_id",
    ],
)
def test_an_id_compared_as_text_is_found(sql):
    assert len(unpadded_ids(sql)) >= 1


def test_there_is_something_to_check():
    assert len(FILES) >= 17 + 16
