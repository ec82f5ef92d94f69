"""Copies of the source tree that a test changes and then runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("app_pages", "pipelines", "rules")
TESTS = ("__init__", "published", "truth")  # what scripts in a copy use


def copy_of_sources(target: Path) -> Path:
    """Copy the program and the modules of TESTS; the folder, to be the current one of `python`."""
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    (target / "tests").mkdir()
    for name in TESTS:
        shutil.copy(ROOT / "tests" / f"{name}.py", target / "tests")
    return target


def insert(file: Path, before: str, text: str) -> None:
    """Insert a text before the last occurrence of another one."""
    head, marker, tail = file.read_text("utf-8").rpartition(before)
    assert marker, f"{file}: {before!r} is missing"
    file.write_text(f"{head}{text}{marker}{tail}", "utf-8")


def python(sources: Path, data: Path, *arguments: str) -> str:
    """What Python prints when it runs over these sources with this data folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=sources,
        env=os.environ | {"PYTHONPATH": str(sources), "WORKBENCH_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
