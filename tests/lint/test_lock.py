"""The lock files pin the whole tree of dependencies by hash, and everything installs from them.

`.venv/bin/python -m tests.lint.test_lock` writes them after a change of a short list; what else is
locked stays as it is. `--upgrade` raises that, too, `--upgrade-package NAME` one package of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# Lock file → the short lists it holds. The tests' lock holds all of the other one, too.
LISTS = {
    "requirements.lock": ("requirements.txt",),
    "tests/requirements.lock": ("requirements.txt", "tests/requirements.txt"),
}
WRITE = ".venv/bin/python -m tests.lint.test_lock"
OPTIONS = (
    "--no-config",  # a machine's own settings for uv would end up in the file
    "--universal",  # for every platform and Python at once, by markers
    "--python-version=3.11",  # the oldest Python the README promises
    "--generate-hashes",
    "--no-build",  # only versions that have wheels: no compiler, no unpinned build tools
    "--quiet",
)
ENTRY = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)(?: ; (?P<marker>[^\\\n]+))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
    r"    # via(?P<via>[^\n]*\n(?:    #   [^\n]+\n)*)"
)


class Locked(NamedTuple):
    """An entry of a lock file; `via` are packages and the short lists, as `-r FILE`."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]
    via: frozenset[str]


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def entries(text: str) -> list[Locked]:
    return [
        Locked(
            found["name"],
            found["version"],
            (found["marker"] or "").strip(),
            frozenset(re.findall(r"[0-9a-f]{64}", found["hashes"])),
            frozenset(
                via
                for line in found["via"].splitlines()
                if (via := line.removeprefix("    #").strip()) and not via.startswith("-c ")
            ),
        )
        for found in ENTRY.finditer(text)
    ]


def required(file: str) -> list[Requirement]:
    lines = text_of(file).splitlines()
    return [Requirement(line.partition("  # ")[0]) for line in lines if line and line[0] != "#"]


@pytest.mark.parametrize("lock", LISTS)
def test_every_entry_has_hashes_and_there_is_nothing_else(lock: str) -> None:
    head, _, body = text_of(lock).partition(WRITE + "\n")
    assert [line for line in head.splitlines() if not line.startswith("#")] == []
    assert len(entries(body)) > 100
    assert ENTRY.sub("", body) == "", "an entry without a hash, an address or an option"


@pytest.mark.parametrize("lock", LISTS)
def test_the_short_lists_are_locked_at_their_versions(lock: str) -> None:
    for file in LISTS[lock]:
        asked = {
            (canonicalize_name(one.name), str(one.specifier).removeprefix("=="))
            for one in required(file)
        }
        assert asked
        assert asked == {
            (one.name, one.version) for one in entries(text_of(lock)) if f"-r {file}" in one.via
        }


@pytest.mark.parametrize("lock", LISTS)
def test_nothing_in_the_lock_is_unneeded(lock: str) -> None:
    found = entries(text_of(lock))
    lists = {f"-r {file}" for file in LISTS[lock]}
    needed = {one.name for one in found if one.via & lists}
    while more := {one.name for one in found if one.via & needed} - needed:
        needed |= more
    assert {one.name for one in found} == needed
    versions = {(one.name, one.version) for one in found}
    for one in found:
        for parent in one.via - lists:
            package = parent.partition("[")[0]  # as in psycopg[binary]
            said = requires_of(package)
            if said is not None and (package, metadata.version(package)) in versions:
                assert one.name in {canonicalize_name(asked.name) for asked in said}, parent


def requires_of(package: str) -> list[Requirement] | None:
    """What the installed package asks for, with its extras; None if it is not installed here."""
    try:
        return [Requirement(text) for text in metadata.requires(package) or ()]
    except metadata.PackageNotFoundError:
        return None


@pytest.mark.parametrize("lock", LISTS)
def test_nothing_that_this_machine_needs_is_missing_from_the_lock(lock: str) -> None:
    names = {one.name for one in entries(text_of(lock))}
    waiting = [one for file in LISTS[lock] for one in required(file)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        asked = waiting.pop()
        name = str(canonicalize_name(asked.name))
        assert name in names
        for extra in ("", *asked.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [
                    one
                    for one in requires_of(name) or ()
                    if one.marker is None or one.marker.evaluate({"extra": extra})
                ]
    assert len({name for name, _ in seen}) > 90


def test_the_tests_run_with_what_the_program_is_installed_with() -> None:
    """Markers may differ: a package that one list needs on Windows, another may need anywhere."""
    own, both = (
        {(one.name, one.version, one.hashes) for one in entries(text_of(lock))} for lock in LISTS
    )
    assert own <= both


def test_whatever_installs_does_so_from_a_lock() -> None:
    places = [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", ".ci/run")),
        *(ROOT / "docs").glob("*.md"),
        *(path for path in (ROOT / ".deploy").rglob("*") if path.is_file()),
    ]
    installs = {
        (path.relative_to(ROOT).as_posix(), file)
        for path in places
        for file in re.findall(
            r"(?:pip|pip-audit) [^\n]*?-r ([\w./-]*requirements[\w.-]*\w)", path.read_text("utf-8")
        )
    }
    assert {file for _, file in installs} == set(LISTS)
    assert {name for name, _ in installs} == {
        ".deploy/Containerfile",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
        "docs/operations.md",
    }


def write(more: list[str]) -> None:
    """Write both lock files; versions that are locked stay unless a short list has others."""
    for lock, files in LISTS.items():
        same = () if len(files) == 1 else ("--constraint=requirements.lock",)
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *more, *files, *same]
            + [f"--output-file={lock}"],
            cwd=ROOT,
            env={**os.environ, "UV_CUSTOM_COMPILE_COMMAND": WRITE},
            check=True,
        )


if __name__ == "__main__":
    write(sys.argv[1:])
