"""The active staff of the practice, who may use the workbench."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from app_pages.session import typed_rows, workspace
from app_pages.session.workspace import Person
from pipelines.warehouse import snapshots


class StaffRow(NamedTuple):
    """A row of Worklist.staff."""

    staff_id: str
    name: str
    email: str | None
    role: str | None
    facility_id: str | None
    is_active: bool | None


def people() -> tuple[Person, ...]:
    """The active staff of the newest snapshot, by name."""
    return of_snapshot(snapshots.current(workspace.workspace().settings.warehouse))


@lru_cache(maxsize=2)
def of_snapshot(path: Path | None) -> tuple[Person, ...]:
    """The active staff by name; cached by snapshot, which never changes."""
    return tuple(
        Person(row.staff_id, row.name, row.role or "", row.email, row.facility_id)
        for row in typed_rows.read(StaffRow, workspace.staff())
        if row.is_active
    )


def find(staff_id: str | None) -> Person | None:
    """The active member of staff with this id."""
    return next((person for person in people() if person.staff_id == staff_id), None)


def labels() -> list[tuple[str, str]]:
    """(staff id, name and role), with the id where two are the same: browsers send labels back."""
    names = {
        person.staff_id: " – ".join(filter(None, (person.name, person.role))) for person in people()
    }
    count = Counter(names.values())
    return [
        (staff_id, name if count[name] == 1 else f"{name} ({staff_id})")
        for staff_id, name in names.items()
    ]
