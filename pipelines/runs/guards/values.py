"""The guard of values: a column that work does not change in bulk, and that changed in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from pipelines.extracts import contract
from pipelines.runs.guards import sql
from pipelines.runs.guards.model import (
    FEWEST_SMALL_VALUES,
    FEWEST_VALUES,
    VALUES,
    Tripped,
)
from pipelines.sql_files import literal

# Work changes these every day; all other values of a record rarely change once they are there.
CHANGED_BY_WORK = frozenset(
    {
        "attempts",
        "is_active",
        "last_editor_id",
        "reminder_status",
        "reviewer_id",
        "staff_id",
        "status",
        "therapist_id",
        "visits_per_week_target",
        "visits_used",
    }
)
# Of these, work changes few in one run; more than half of them is a default or a wrong column.
CHANGED_ONE_BY_ONE = frozenset({"is_active", "last_editor_id", "staff_id", "therapist_id"})
MOST_BY_WORK = 0.5
# Empty until something ends: filled for many records at once, a default was entered.
FILLED_ONE_BY_ONE = frozenset({"discharged_on"})
# Nearly all that were empty, filled with one value: a default. A payer answers claims at once.
MOST_FILLED_ALIKE = 0.95
# A column of moments whose earlier values are distinct to this share gets none alike by work.
MOST_DISTINCT, FEWEST_HISTORY = 0.9, 50
FILLED_AT_ONCE = frozenset({"processed_at"})
MOST_VISITS_AT_ONCE = 7  # of an authorization, between two runs
# A status that a record keeps once it has it, or leaves for any but these in bulk.
SETTLED = {
    "appointments": ("Completed", "Cancelled", "No Show"),
    "claims": ("Processed",),
    "documents": ("Completed",),
    "faxes": ("Sent",),
    "patients": ("Active",),
}
CALLED_OFF = {"appointments": ("Scheduled", ("Cancelled", "No Show"))}
SMALL_TABLES = frozenset({"facilities", "payers", "staff"})


class Counted(NamedTuple):
    """The counts of a change, as Change.counts has them."""

    total: int
    changed: int
    values: int
    earlier: int
    earlier_values: int


@dataclass(frozen=True)
class Change:
    """A change that is work in some records and damage in many.

    `among` and `changed` are SQL conditions on a record `e` of the run before and `n` of now;
    `limit` is the share that may change, None for that of the settings. With `alike`, only those
    count whose new value of that column is the same as others'; it takes that share of the empty
    ones, or a column whose earlier values hardly ever were the same.
    """

    says: str
    among: str
    changed: str
    limit: float | None = None
    alike: str | None = None

    def counts(self) -> str:
        """SQL: records it is about, those that changed, their values, earlier ones, their values.

        The last three are counted for `alike` only.
        """
        both = f"FILTER (WHERE {self.among} AND {self.changed})"
        values = (
            f"COUNT(DISTINCT n.{self.alike}) {both}, COUNT(e.{self.alike}), "
            f"COUNT(DISTINCT e.{self.alike})"
            if self.alike
            else "0, 0, 0"
        )
        return f"COUNT(*) FILTER (WHERE {self.among}), COUNT(*) {both}, {values}"

    def others(self, counted: Counted, limit: float, fewest: int) -> int:
        """In how many records it happened, 0 for no more than may happen in one run."""
        limit = limit if self.limit is None else self.limit
        if self.alike is None:
            is_too_many = counted.changed > max(fewest, limit * counted.total)
            return counted.changed if is_too_many else 0
        alike = counted.changed - counted.values + 1
        was_distinct = (
            counted.earlier > FEWEST_HISTORY
            and counted.earlier_values >= MOST_DISTINCT * counted.earlier
        )
        is_default = was_distinct or counted.changed > limit * counted.total
        return alike if alike > fewest and is_default else 0


def changed_values(con: duckdb.DuckDBPyConnection, table: str, limit: float) -> Tripped | None:
    """The guard that trips when too many earlier records of the table have other values now."""
    columns = _comparable(con, table)
    fewest = FEWEST_SMALL_VALUES if table in SMALL_TABLES else FEWEST_VALUES
    watched = _in_many(con, table, columns, [*_changes(table, columns)], fewest)
    if limit >= 1 or not watched:
        return None
    found = [
        (change.says, counts.total, others)
        for change, counts in zip(watched, _counted(con, table, watched), strict=True)
        if (others := change.others(counts, limit, fewest))
    ]
    if not found:
        return None
    says = "has other values than the run before in " + ", ".join(
        f"{name} ({others:,} of {total:,} records)" for name, total, others in found
    )
    _, total, others = max(found, key=lambda change: change[2])
    return Tripped(f"{VALUES}/{table}", VALUES, says, others, total, table)


def _in_many(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[contract.Column],
    changes: Sequence[Change],
    fewest: int,
) -> list[Change]:
    """The changes that more than `fewest` records have: on most days few, so the rest costs little.

    Only records whose values hash differently are looked at.
    """
    if not changes:
        return []
    key = contract.key_of(table)
    then, now = (
        f"hash({', '.join(f'{alias}.{column.name}' for column in columns)})" for alias in "en"
    )
    numbers = ", ".join(
        f"COUNT(*) FILTER (WHERE {change.among} AND {change.changed})" for change in changes
    )
    counted = con.execute(
        f"SELECT {numbers} FROM previous.staging.{table} AS e "
        f"INNER JOIN staging.{table} AS n ON e.{key} = n.{key} AND {then} <> {now}"
    ).fetchall()[0]
    return [change for change, number in zip(changes, counted, strict=True) if number > fewest]


def _counted(
    con: duckdb.DuckDBPyConnection, table: str, changes: Sequence[Change]
) -> list[Counted]:
    key = contract.key_of(table)
    row = con.execute(
        f"SELECT {', '.join(change.counts() for change in changes)} "
        f"FROM previous.staging.{table} AS e INNER JOIN staging.{table} AS n ON e.{key} = n.{key}"
    ).fetchall()[0]
    return [Counted(*row[place : place + 5]) for place in range(0, len(row), 5)]


def changed_claims(con: duckdb.DuckDBPyConnection, limit: float) -> list[Tripped]:
    """The guard of what payers answered, from the accounts of the run before."""
    total, others = con.execute(sql("changed_claims")).fetchall()[0]
    if limit >= 1 or others <= max(FEWEST_VALUES, limit * total):
        return []
    says = (
        f"has other answers of payers than the run before ({others:,} of {total:,} days of service)"
    )
    return [Tripped(f"{VALUES}/claims", VALUES, says, others, total, "claims")]


def _changes(table: str, columns: Sequence[contract.Column]) -> Iterator[Change]:
    for column in columns:
        yield from _changes_of(column)
    names = {column.name for column in columns}
    if "status" not in names:
        return
    for status in SETTLED.get(table, ()):
        left = f"n.status <> {literal(status)}"
        yield Change(f"status {status}", f"e.status = {literal(status)}", left)
    if table in CALLED_OFF:
        planned, ends = CALLED_OFF[table]
        ended = f"n.status IN ({', '.join(map(literal, ends))})"
        yield Change(f"status {planned}", f"e.status = {literal(planned)}", ended)


def _changes_of(column: contract.Column) -> Iterator[Change]:
    name = column.name
    was_filled, is_filled = f"e.{name} IS NOT NULL", f"n.{name} IS NOT NULL"
    is_other = f"n.{name} IS DISTINCT FROM e.{name}"
    if name not in CHANGED_BY_WORK:
        yield Change(name, was_filled, is_other)
    else:
        yield Change(f"{name}, empty now", was_filled, f"n.{name} IS NULL")
    if name in CHANGED_ONE_BY_ONE:
        yield Change(name, was_filled, is_other, MOST_BY_WORK)
    if name == "visits_used":
        jumped = f"n.{name} < e.{name} OR n.{name} > e.{name} + {MOST_VISITS_AT_ONCE}"
        yield Change(name, was_filled, f"({jumped})")
    if name in FILLED_ONE_BY_ONE:
        yield Change(f"{name}, filled now", f"e.{name} IS NULL", is_filled)
    elif column.is_nullable and name not in FILLED_AT_ONCE:
        yield Change(
            f"{name}, filled alike", f"e.{name} IS NULL", is_filled, MOST_FILLED_ALIKE, name
        )


def _comparable(con: duckdb.DuckDBPyConnection, table: str) -> list[contract.Column]:
    """The columns of the contract that both runs staged."""
    before, now = (
        {name for name, *_ in con.execute(f"DESCRIBE {source}.{table}").fetchall()}
        for source in ("previous.staging", "staging")
    )
    return [
        column
        for column in contract.columns(table)
        if not column.is_key and column.name in before and column.name in now
    ]
