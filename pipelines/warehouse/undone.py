"""Which runs `run --undo` went back from, one line of JSON each, beside the snapshots."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.errors import UserError
from pipelines.warehouse import snapshots

NAME = "undone.jsonl"


@dataclass(frozen=True)
class UndoneRun:
    """A run that was undone, and the run whose list is live since.

    `extracts` is the folder it read and `files` what was in it at that moment; both are None when
    the folder had changed since. `acceptances` counts those of guards that the ledger had then.
    """

    run_id: str
    back_to_run_no: int
    at: dt.datetime
    acceptances: int
    extracts: str | None = None
    files: str | None = None


def add(folder: Path, undone: UndoneRun) -> None:
    """Keep one more; on the disk when this returns."""
    line = json.dumps({**asdict(undone), "at": undone.at.isoformat()})
    path = folder / NAME
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    snapshots.sync(path)


def read(folder: Path) -> list[UndoneRun]:
    """All of them, the first one first; UserError for a damaged file."""
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        return [UndoneRun(**{**row, "at": dt.datetime.fromisoformat(row["at"])}) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}: the record of undone runs cannot be read ({type(error).__name__}); "
            "move it away, or correct its last line"
        ) from None
