"""Commands on bad input that must leave the published list as it is."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Workbench
from tests.practice import Practice


def refused(workbench: Workbench, *arguments: object) -> str:
    """The message of a command that must fail and leave the published list unchanged."""
    before = _live_pointer(workbench)
    code, out, err = workbench.command(*arguments)
    assert code == 2, out + err
    assert "Traceback" not in err
    assert _live_pointer(workbench) == before
    assert list((workbench.data / "warehouse").glob(".*building*")) == []
    return err


def _live_pointer(workbench: Workbench) -> str | None:
    path = workbench.data / "warehouse" / "CURRENT"
    return path.read_text() if path.exists() else None


def run(workbench: Workbench, folder: Path, day: float = 2) -> tuple[object, ...]:
    """The arguments of a run on the folder."""
    return ("run", "--extracts", folder, "--as-of", workbench.day(day).isoformat())


def written(workbench: Workbench, practice: Practice, day: float = 2) -> Path:
    """The folder of the practice's extracts."""
    return practice.write(workbench.extracts / "bad", workbench.day(day))
