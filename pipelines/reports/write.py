"""Write reports into a folder: page and spreadsheet of each notebook, or the digest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from pipelines import reports
from pipelines.errors import UserError
from pipelines.reports import Scope, spreadsheet
from pipelines.settings import Settings

WRITTEN_TO = (
    "JUPYTER_RUNTIME_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_CONFIG_DIR",
    "IPYTHONDIR",
    "MPLCONFIGDIR",
)
LONGEST_SHEET = 31  # characters of a sheet name in Excel


def write_notebooks(
    settings: Settings,
    names: Sequence[str],
    scope: Scope,
    out: Path,
    tell: Callable[[float, str], None],
) -> list[Path]:
    """Execute notebooks and write <name>.html and <name>.xlsx into `out`; their paths.

    `tell` gets the share that is done and what is being done.
    """
    written = []
    for number, name in enumerate(names):

        def say(
            share: float, heading: str, number: int = number, title: str = reports.NOTEBOOKS[name]
        ) -> None:
            tell((number + share) / len(names), f"{title}: {heading}")

        with _away_from_home() as scratch:
            page, workbook = make(
                settings,
                reports.FOLDER / f"{name}.ipynb",
                reports.NOTEBOOKS[name],
                scope,
                scratch,
                say,
            )
        written += [put(out / f"{name}.html", page.encode()), put(out / f"{name}.xlsx", workbook)]
    tell(1.0, "done")
    return written


def make(
    settings: Settings,
    path: Path,
    title: str,
    scope: Scope,
    scratch: Path,
    tell: Callable[[float, str], None],
) -> tuple[str, bytes]:
    """The page and the spreadsheet of one notebook."""
    from pipelines.reports import execute, page

    tables = scratch / "tables"
    tables.mkdir()
    parameters = {
        "at": scope.at.isoformat(),
        "first": scope.period.first.isoformat(),
        "last": scope.period.last.isoformat(),
        "facility": scope.facility_id,
        "tables": str(tables),
    }
    executed = execute.execute(path, settings, parameters, scratch, tell)
    sheets = {
        file.name[3:][:LONGEST_SHEET]: pd.read_pickle(file) for file in sorted(tables.iterdir())
    }
    return page.html(executed, title), spreadsheet.workbook_bytes(sheets)


def write_digest(
    settings: Settings, scope: Scope, out: Path, tell: Callable[[float, str], None]
) -> list[Path]:
    """Write digest.html into `out`; its path."""
    with _away_from_home():
        from pipelines.reports import digest

        written = put(out / f"{reports.DIGEST}.html", digest.html(settings, scope, tell).encode())
    tell(1.0, "done")
    return [written]


@contextmanager
def _away_from_home() -> Iterator[Path]:
    """A temporary folder for the files that Jupyter and Matplotlib write to the home folder."""
    before = {name: os.environ.get(name) for name in WRITTEN_TO}
    with tempfile.TemporaryDirectory(prefix="report") as scratch:
        os.environ.update(dict.fromkeys(WRITTEN_TO, scratch))
        try:
            yield Path(scratch)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def put(path: Path, content: bytes) -> Path:
    """Write a file by an atomic rename; UserError when that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise UserError(f"{path}: the report cannot be written ({error.strerror})") from None
    return path
