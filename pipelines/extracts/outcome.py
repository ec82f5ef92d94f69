"""The outcome of reading a table, and the limits that it is held to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Previous:
    """The table in the last run that read it."""

    rows_read: int
    extracted_at: dt.datetime | None
    rows_refused: int = 0


@dataclass(frozen=True)
class Doubt:
    """A limit that a table exceeds: the guard's name, what it says, and the rows it is about."""

    guard: str
    says: str
    concerned: int
    total: int


@dataclass(frozen=True)
class TableRead:
    """The outcome for one table; status is accepted, refused, missing or absent.

    Absent is a missing table of which the practice says that it never delivers it.

    rows_read = rows_staged + rows_refused; `was_read_before` says that an earlier run accepted it.
    `since_on` is the first day from which the table has every row; None: it has all.
    A table with `doubts` is refused unless a person accepted them.
    """

    table: str
    status: str
    reason: str | None = None
    files: tuple[str, ...] = ()
    rows_read: int = 0
    rows_staged: int = 0
    rows_refused: int = 0
    extracted_at: dt.datetime | None = None
    horizon_on: dt.date | None = None
    since_on: dt.date | None = None
    warnings: tuple[str, ...] = ()
    was_read_before: bool = False
    doubts: tuple[Doubt, ...] = ()

    @property
    def is_absent(self) -> bool:
        """Whether the practice says that it never delivers the table, and it did not."""
        return self.status == "absent"

    @property
    def was_never_delivered(self) -> bool:
        """Whether no rows of this practice are known or expected, so that none can be missing."""
        return self.is_absent or (self.status == "missing" and not self.was_read_before)


@dataclass(frozen=True)
class Limits:
    """The share of a table's rows that may be gone since the last run, and that may be refused.

    `accepted` are the guards whose doubts a person accepted; `absent` the tables that the practice
    never delivers.
    """

    max_loss: float = 0.2
    max_refused: float = 0.2
    accepted: Set[str] = frozenset()
    absent: Set[str] = frozenset()


def how_to_accept(guards: Sequence[str]) -> str:
    """The end of a message about guards that refuse a table."""
    accept = " ".join(f"--accept {guard}" for guard in guards)
    return (
        f"(guard {', '.join(guards)}; if it is true, accept it: "
        f"run {accept} --staff ID --reason TEXT)"
    )
