"""SECURITY.md names existing tests, and every dependency with version, licence and reason."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENT = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)  # (.+)$", re.MULTILINE)


def licence(package: str) -> str:
    """As the installed package says it, in one of the three ways there are."""
    said = metadata.metadata(package)
    classified = [
        text.rpartition(" :: ")[2]
        for text in said.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    return str(said.get("License-Expression") or next(iter(classified), said.get("License")))


def dependencies() -> str:
    """The table of SECURITY.md."""
    pinned = REQUIREMENT.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    rows = [
        f"| {package} | {version} | {licence(package)} | {reason} |"
        for package, version, reason in pinned
    ]
    return "\n".join(["| package | version | licence | for |", "|---|---|---|---|", *rows, ""])


def page() -> str:
    return (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_dependency_is_listed_as_it_is_pinned() -> None:
    assert page().endswith("\n\n" + dependencies())
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert dependencies().count("\n") == 2 + sum("==" in line for line in lines)


def test_the_audit_is_of_every_locked_package() -> None:
    """The tests' lock holds the other one, as tests/lint/test_lock.py asks."""
    (audited,) = re.findall(r"pip-audit -r (\S+) --require-hashes", page())
    assert audited == "tests/requirements.lock"


def test_every_file_it_points_at_exists() -> None:
    named = re.findall(r"`((?:tests|pipelines|app_pages)/[\w./]+)`", page())
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


if __name__ == "__main__":
    print(dependencies(), end="")
