"""The conventions of this code: each is a test, or it is a wish."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app_pages", "docs", "notebooks", "pipelines", "rules", "tests")
PYTHON = sorted(
    [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
)
SQL = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.sql"))
MOST_LINES = 400

MAY_ASK_THE_TIME = {
    "pipelines/cli/clock.py": "gives as_of its default",
    "pipelines/bench/runs.py": "measures how long a run takes",
    "app_pages/session/clock.py": "is the app's clock",
}
CLOCKS = {"now", "utcnow", "today"}
SQL_CLOCK = re.compile(
    r"\b(?:now|today|get_current_timestamp|transaction_timestamp)\s*\(|\b(?:current|local)_?(?:date|time|timestamp)\b",
    re.IGNORECASE,
)

MAY_CONNECT = {
    "pipelines/warehouse/snapshots.py": "the place that opens databases",
    "pipelines/bench/runs.py": "its floor is bare DuckDB, without any of our code",
    "pipelines/sample/files.py": "writes Parquet and CSV before there is a warehouse",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def check(*command: str) -> None:
    """Fail with all that the tool has to say, which an assert would cut short."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command[:2])} found:\n{done.stdout}\n{done.stderr}", pytrace=False)


def calls_in(path: Path) -> list[tuple[str, int]]:
    """Each call of a name with a dot in the file, as (its last two names, line)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            owner_name = (
                owner.id
                if isinstance(owner, ast.Name)
                else owner.attr
                if isinstance(owner, ast.Attribute)
                else ""
            )
            found.append((f"{owner_name}.{node.func.attr}", node.lineno))
    return found


def without_comments(sql: str) -> str:
    return re.sub(r"/\*.*?\*/|--[^\n]*", "", sql, flags=re.DOTALL)


def test_there_is_something_to_check():
    assert ROOT / "pipelines/ledger/ledger.py" in PYTHON
    assert SQL


def test_python_is_clean():
    check("ruff", "check", ".")


def test_python_is_formatted():
    check("ruff", "format", "--check", "--diff", ".")


def test_types_are_sound():
    check("mypy")


def test_sql_is_clean():
    check("sqlfluff", "lint", "--disable-progress-bar", "--processes", "2", *map(str, SQL))


def test_only_the_command_line_and_the_apps_clock_ask_what_time_it_is():
    asked = []
    for path in PYTHON:
        if (
            name_of(path).startswith(("pipelines/", "app"))
            and name_of(path) not in MAY_ASK_THE_TIME
        ):
            for call, line in calls_in(path):
                owner, method = call.split(".")
                # The app and the command line may read their own clocks.
                is_ours = owner in {"workspace", "session_workspace", "clock"} and name_of(
                    path
                ).startswith(("app", "pipelines/cli/"))
                if (method in CLOCKS and not is_ours) or (
                    owner == "time" and method in {"time", "time_ns", "localtime", "gmtime"}
                ):
                    asked.append(f"{name_of(path)}:{line} {call}")
    assert asked == []


def test_no_sql_asks_what_time_it_is():
    assert [
        name_of(path)
        for path in SQL
        if SQL_CLOCK.search(without_comments(path.read_text(encoding="utf-8")))
    ] == []


def test_databases_are_opened_in_one_place():
    opened = [
        f"{name_of(path)}:{line}"
        for path in PYTHON
        for call, line in calls_in(path)
        if call == "duckdb.connect" and not is_allowed(path)
    ]
    assert opened == []


def test_no_page_asks_a_database():
    asked = [
        f"{name_of(path)}:{line} {call}"
        for path in PYTHON
        if name_of(path).startswith("app")
        for call, line in calls_in(path)
        if call.split(".")[1] in {"execute", "executemany", "sql", "connect"}
    ]
    assert asked == []


def is_allowed(path: Path) -> bool:
    # Tests look at files the way a stranger would, past our code.
    return name_of(path) in MAY_CONNECT or name_of(path).startswith("tests/")


def test_rules_and_queries_name_their_columns():
    asked = [
        path
        for path in SQL
        if path.parts[-2] in {"rules", "own-rules", "records", "analytics", "worklist", "runs"}
        # It passes through the columns of `matching`, which columns.py and listed.sql state.
        and path.name != "first_tasks.sql"
    ]
    assert [
        name_of(path)
        for path in asked
        if re.search(r"(?:\bSELECT|,|\.)\s*\*", without_comments(path.read_text(encoding="utf-8")))
    ] == []


@pytest.mark.parametrize("suffix", [".py", ".sql"])
def test_every_file_can_be_read_in_one_go(suffix):
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in [*PYTHON, *SQL]
        if path.suffix == suffix
    }
    assert {name: lines for name, lines in lengths.items() if lines >= MOST_LINES} == {}


def test_no_module_is_named_for_being_useful():
    assert [
        name_of(path)
        for path in PYTHON
        if path.stem in {"utils", "util", "helpers", "common", "misc"}
    ] == []


@pytest.mark.parametrize("file", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned_and_says_what_it_is_for(file):
    lines = [
        line
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert lines
    assert [
        line
        for line in lines
        if not re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[0-9][0-9A-Za-z.]*  # \S.+", line)
    ] == []


def test_plotly_is_imported_in_one_place():
    imports = re.compile(r"^(?:import|from) plotly", re.MULTILINE)
    assert [
        name_of(path) for path in PYTHON if imports.search(path.read_text(encoding="utf-8"))
    ] == ["pipelines/analytics/charts.py"]
