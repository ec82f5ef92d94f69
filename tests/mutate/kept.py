"""What earlier runs found, a file of `.cache/mutants/` for each SQL file.

A mutant is known by the whole text of its file, so what is kept ends with any change of the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.mutate.changes import Mutant

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "mutants"


def _place(file: str) -> Path:
    return FOLDER / f"{file.strip('/').replace('/', '-')}.json"


def _name(text: str, mutant: Mutant) -> str:
    return hashlib.sha256(mutant.applied_to(text).encode()).hexdigest()


def killers(file: str, text: str, mutants: list[Mutant]) -> dict[Mutant, str]:
    """The test that killed each mutant of the file when last tried, "" if it survived."""
    place = _place(file)
    kept = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    names = {mutant: _name(text, mutant) for mutant in mutants}
    return {mutant: kept[name] for mutant, name in names.items() if name in kept}


def keep(file: str, text: str, found: Mapping[Mutant, str]) -> None:
    """Add the killers of this run to those of earlier ones."""
    place = _place(file)
    kept = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    kept |= {_name(text, mutant): killer for mutant, killer in found.items()}
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(kept, indent=1), encoding="utf-8")
