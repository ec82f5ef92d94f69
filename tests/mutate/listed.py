"""The mutants that change nothing, as docs/testing.md lists them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.mutate.changes import Mutant

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
HEADING = "## Mutants that change nothing"
CELL = re.compile(r"(?<!\\)\|")


def key_of(file: str, mutant: Mutant) -> tuple[str, str, str]:
    """What the page says of a mutant: file, the line's text, the change."""
    return file, mutant.line_text, mutant.change


def _plain(cell: str) -> str:
    return cell.strip().strip("`").replace("\\|", "|")


@cache
def equivalents() -> dict[tuple[str, str, str], str]:
    """The reason why a mutant changes nothing, by file, line's text and change."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    section = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [CELL.split(line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    found: dict[tuple[str, str, str], str] = {}
    for file, line, changes, why in rows:
        for change in changes.split("` and `"):
            found[_plain(file), _plain(line), _plain(change)] = why.strip()
    return found
