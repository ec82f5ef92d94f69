"""The rooms of the house: what may import what, and how large things may be."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each room may import rooms above it in this list, never one below: data flows one way.
ROOMS = [
    "pipelines.errors",
    "pipelines.vocabulary",
    "pipelines.sql_files",
    "pipelines.csv_files",
    "pipelines.settings",
    "pipelines.warehouse",
    "pipelines.extracts",
    "pipelines.sources",
    "pipelines.staging",
    "pipelines.rules",
    "pipelines.ledger",
    "pipelines.lifecycle",
    "pipelines.worklist",
    "pipelines.runs",
    "pipelines.records",
    "pipelines.analytics",
    "pipelines.sample",
    "pipelines.demo",
    "pipelines.reports",
    "pipelines.operations",
    "pipelines.bench",
    "pipelines.cli",
    "pipelines.__main__",
    "app_pages.session",
    "app_pages.sign_in",
    "app_pages.server",
    "app_pages.url",
    "app_pages.components",
    "app_pages.tasks",
    "app_pages.dashboard",
    "app_pages.patient",
    "app_pages.backlog",
    "app_pages.aging",
    "app_pages.schedule",
    "app_pages.rules",
    "app_pages.reports",
    "app_pages.runs",
    "app_pages.connect",
    "app_pages.frame",
]
MOST_PARAMETERS = 6


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    _module_of(path): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("pipelines", "app_pages")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imports_of(module: str) -> set[str]:
    """The modules of the project that a module imports, anywhere in its code."""
    found = set()
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                found |= {whole if whole in MODULES else node.module} & MODULES.keys()
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & MODULES.keys()
    return found - {module}


IMPORTS = {module: imports_of(module) for module in MODULES}


def test_every_room_is_listed() -> None:
    packages = {"pipelines", "app_pages"}
    assert {room_of(module) for module in MODULES} - packages == set(ROOMS)


def test_no_room_imports_a_later_one() -> None:
    upwards = [
        f"{module} imports {imported}"
        for module, others in IMPORTS.items()
        for imported in others
        if room_of(module) in ROOMS
        and room_of(imported) in ROOMS
        and ROOMS.index(room_of(imported)) > ROOMS.index(room_of(module))
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = dict(IMPORTS)
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert sorted(left) == []


def test_functions_take_few_parameters() -> None:
    """Constructors of values are free to take more."""
    too_many = []
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(argument.arg not in ("self", "cls") for argument in given)
                if count > MOST_PARAMETERS:
                    too_many.append(f"{module}.{node.name} takes {count}")
    assert too_many == []


# Doors that only a private name opens, each with its reason.
MAY_REACH_INTO: dict[str, str] = {
    "_tree": "Streamlit's AppTest has no public way to its elements",
    "_actions": "argparse has no public list of options",
    "_SubParsersAction": "argparse has no public list of commands",
    "_tmp_path_factory": "pytest has no public way to the folder of all tests in a hook",
    "_replace": "namedtuple's own public method",
    "_exit": "os has no other name for leaving a forked process without its clean-up",
    "_asdict": "namedtuple's own public method",
    "_fields": "namedtuple's own public attribute",
}


def reached_into(tree: ast.AST) -> dict[str, list[int]]:
    """Private names of other objects that a file uses, with their lines."""
    found = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else None
            is_private = node.attr.startswith("_") and not node.attr.startswith("__")
            if is_private and owner not in ("self", "cls"):
                found[node.attr].append(node.lineno)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                if name.name.startswith("_") and not name.name.startswith("__"):
                    found[name.name].append(node.lineno)
    return {name: lines for name, lines in found.items() if name not in MAY_REACH_INTO}


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_test_reaches_into_privates(path: Path) -> None:
    assert reached_into(ast.parse(path.read_text(encoding="utf-8"))) == {}
