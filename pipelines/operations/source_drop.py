"""The deliveries that the Connect page offers: what lies in WORKBENCH_DROP, and nothing outside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.errors import UserError
from pipelines.operations import source_check, source_watch
from pipelines.operations.source_check import SourceCheck
from pipelines.operations.source_watch import Found
from pipelines.settings import Settings
from pipelines.sources import looking
from pipelines.sources.looking import Seen
from pipelines.sources.mapping import SourceMapping

ALL = "."  # the name of the delivery that is the whole folder


def offered(drop: Path) -> list[Found]:
    """The deliveries in the folder, the newest first, and the folder itself as the last one.

    A link that leads out of the folder is none. UserError when the folder cannot be listed.
    """
    found = [one for one in source_watch.deliveries(drop) if _is_inside(drop, one)]
    found.sort(key=lambda one: (one.day, one.name), reverse=True)
    if not found:
        return []
    states = hashlib.sha256("".join(one.state for one in found).encode()).hexdigest()
    whole = Found(ALL, (drop,), states, found[0].day, False)
    return [*found, whole] if _is_inside(drop, whole) else found


def chosen(drop: Path, name: str) -> Found:
    """The delivery of this name; UserError when it is not there (any more)."""
    for one in offered(drop):
        if one.name == name:
            return one
    raise UserError("This delivery is no longer in the folder. Choose another one.")


def look(
    drop: Path, name: str, tables: Mapping[str, str | None] | None = None, order: str | None = None
) -> Seen:
    """What is in a delivery; see looking.look."""
    with source_watch.as_folder(drop, chosen(drop, name)) as folder:
        return looking.look(folder, tables, order)


def check(
    settings: Settings,
    source: SourceMapping,
    drop: Path,
    name: str,
    *,
    tell: Callable[[float, str], None],
) -> SourceCheck:
    """Try a delivery as a job; see source_check.check."""
    tell(0.1, "Reading the delivery")
    with source_watch.as_folder(drop, chosen(drop, name)) as folder:
        return source_check.check(settings, source, folder)


def _is_inside(drop: Path, one: Found) -> bool:
    inside = drop.resolve()
    files = [file for path in one.paths for file in (path, *path.rglob("*"))]
    return all(file.resolve().is_relative_to(inside) for file in files)
