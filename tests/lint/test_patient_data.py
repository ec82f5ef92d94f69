"""Pages get patients' data through app_pages/session/patient_data.py only, which records the look.

Found in the code, so that a new page cannot forget the record.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.worklist.worklist import Worklist

ROOT = Path(__file__).resolve().parents[2]
DOOR = "app_pages/session/patient_data.py"
RECORD = "app_pages/session/access_record.py"
# Worklist's answers about single tasks and patients, and SELECTs of the caller's own.
ABOUT_PATIENTS = {"tasks", "first_tasks", "task", "history", "moved_to", "held_runs", "question"}
# Counts, names of staff, facilities, payers and rules, and attributes.
ABOUT_NOBODY = {
    "counts",
    "facilities",
    "movements",
    "options",
    "payers",
    "rules",
    "staff",
    "staff_name",
    "summary",
}
# What may ask the connection itself: queries about runs.
ABOUT_RUNS = {"history"}
OF_THE_DOOR = {"Listed", "OpenedTask", "OpenedPatient", "Replayed"}
# What holds rows of tasks outside the list.
OF_A_SOURCE_CHECK = {"first_tasks"}
OF_A_BACKTEST = {"only_changed", "only_now", "earlier"}


def asks_of(path: str, code: str) -> Iterator[str]:
    """Each place of a page that reaches for patients' data without the door, with its line."""
    tree = ast.parse(code)
    by_runs = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ABOUT_RUNS
        for argument in node.args
    }
    for node in ast.walk(tree):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{name.name}" for name in node.names}
            if any(name.startswith(("pipelines.records", "duckdb")) for name in names):
                yield f"{where} imports records of patients"
            if any("access_record" in name for name in names) and path != "app_pages/frame.py":
                yield f"{where} imports the access record"
        elif isinstance(node, ast.Import):
            if any(name.name.startswith(("pipelines.records", "duckdb")) for name in node.names):
                yield f"{where} imports records of patients"
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called in ABOUT_PATIENTS:
                yield f"{where} calls .{called}()"
            name = called or getattr(node.func, "id", "")
            if name in OF_THE_DOOR:
                yield f"{where} makes a {name}"
        elif isinstance(node, ast.Attribute):
            if node.attr in ABOUT_PATIENTS and getattr(node.value, "id", "") == "Worklist":
                yield f"{where} asks Worklist.{node.attr}"
            if node.attr == "con" and id(node) not in by_runs:
                yield f"{where} uses a connection"
            if node.attr in OF_A_SOURCE_CHECK:
                yield f"{where} uses the tasks of a source's check"
            if node.attr in OF_A_BACKTEST and path != "app_pages/rules/backtest_result.py":
                yield f"{where} uses the tasks of a backtest"


def pages() -> list[Path]:
    return sorted(
        path
        for path in (ROOT / "app_pages").rglob("*.py")
        if path.relative_to(ROOT).as_posix() not in (DOOR, RECORD)
    )


def test_no_page_asks_for_patients_without_the_record() -> None:
    found = [
        ask
        for path in pages()
        for ask in asks_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_question_of_the_list_is_known_to_be_about_patients_or_not() -> None:
    public = {
        name
        for name, value in vars(Worklist).items()
        if not name.startswith("_") and isinstance(value, Callable)
    }
    assert public == ABOUT_PATIENTS | ABOUT_NOBODY


def test_the_door_records_before_it_returns() -> None:
    tree = ast.parse((ROOT / DOOR).read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    recording = {
        name
        for name, function in functions.items()
        if any(
            isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "access_record"
            for node in ast.walk(function)
        )
    }
    without = {name for name in functions if not name.startswith("_")} - recording
    assert without == {"without_patients"}  # its rows name no patient


@pytest.mark.parametrize(
    "code",
    [
        "from pipelines.records import patients",
        "import pipelines.records.patients",
        "from app_pages.session import access_record, workspace",
        "workspace.worklist().tasks(Filters())",
        "cached.ask(Worklist.first_tasks, worklist, filters, 3)",
        "rows = worklist.con.execute('SELECT 1')",
        "backtest.rows(worklist.con)",
        "from app_pages.session.patient_data import Listed\nListed(worklist).rows(Filters())",
        "shown = found.only_now",
        "shown = checked.first_tasks",
    ],
)
def test_a_page_that_forgets_is_found(code: str) -> None:
    assert list(asks_of("app_pages/new/page.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "history.runs(worklist.con)",
        "worklist.summary(filters)",
        "patient_data.look_at_list(worklist, 'new', {}).rows(filters)",
    ],
)
def test_a_page_that_does_not_is_left_alone(code: str) -> None:
    assert list(asks_of("app_pages/new/page.py", code)) == []
