"""What a guard found, and what a person accepted of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.ledger.accepted_guards import AcceptedGuard

# Numbers below which no guard trips, so that small practices are not nagged.
FEWEST_KEYS, FEWEST_OF_EMPTIED, FEWEST_VALUES, FEWEST_SMALL_VALUES = 20, 5, 5, 3
FEWEST_CLOSINGS, FEWEST_OPENINGS = 5, 20
# `loss` and `refused`, which extracts/read.py judges, refuse a table, too; closings and openings
# hold tasks of a rule at a facility.
KEYS, VALUES, OLDER, CLOSINGS, OPENINGS = "keys", "values", "older", "closings", "openings"
ALARM_RUNS = 3  # held by so many runs in a row, it is an alarm: nobody has looked


@dataclass(frozen=True)
class Tripped:
    """One guard that tripped in a run.

    `guard` is its name, `concerned` of `total` the rows or tasks it is about; `table` for guards of
    tables, else `rule_id` and `facility_id` (None: tasks of no facility).
    """

    guard: str
    kind: str
    says: str
    concerned: int
    total: int
    table: str | None = None
    rule_id: str | None = None
    facility_id: str | None = None


@dataclass(frozen=True)
class Acceptances:
    """What people accepted of the guards of the run before, by guard."""

    rows: Mapping[str, AcceptedGuard]

    def covers(self, guard: str) -> bool:
        """Whether a person accepted what this guard holds."""
        return guard in self.rows

    def held(self, tripped: Sequence[Tripped]) -> list[Tripped]:
        """Those of these guards that nobody accepted."""
        return [guard for guard in tripped if not self.covers(guard.guard)]

    def covers_kind(self, kind: str) -> bool:
        """Whether a person accepted a guard of this kind."""
        return any(guard.startswith(f"{kind}/") for guard in self.rows)


def age_in_words(held_from: dt.datetime, runs: int, as_of: dt.datetime) -> str:
    """For how long a guard has held: "for 3 runs, 2 days"."""
    days = (as_of - held_from).days
    said = "for 1 run" if runs == 1 else f"for {runs:,} runs"
    return said if days < 1 else f"{said}, {days:,} day{'s' if days > 1 else ''}"
