"""Guards of tables: keys that are gone, an older delivery, and the values of values.py.

A table that trips one is refused as a whole: its rules are withheld, and its rows are those of the
run before. Tables that a snapshot does not keep have no rows to compare with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import duckdb

from pipelines.extracts import contract
from pipelines.extracts.outcome import Previous, TableRead, how_to_accept
from pipelines.runs import previous
from pipelines.runs.guards import sql, values
from pipelines.runs.guards.model import (
    FEWEST_KEYS,
    FEWEST_OF_EMPTIED,
    KEYS,
    OLDER,
    Tripped,
)
from pipelines.settings import GuardLimits

# When a record was made: a delivery whose newest ones are older than those of the run before is an
# older one.
MADE_AT = {
    "appointments": "created_at",
    "authorizations": "entered_at",
    "documents": "started_at",
    "payments": "paid_at",
    "policies": "created_at",
}
EVERY_TABLE = "every table"
SHORTER = dt.timedelta(days=14)  # less than this, and an export reaches as far ahead as before
FEWEST_OLDER = 2  # tables: one newest record may be deleted


def judge(
    con: duckdb.DuckDBPyConnection,
    reads: Sequence[TableRead],
    before: Mapping[str, Previous],
    limits: GuardLimits,
) -> list[Tripped]:
    """The guards that tripped on the staged tables of this run, also those that people accepted.

    Reads previous.staging.*, staging.* and extract.refused_ids; `before` are the tables as the
    last run that accepted them read them.
    """
    kept = previous.staged_extracts(con)
    found: list[Tripped] = []
    older: list[str] = []
    for read in reads:
        for doubt in read.doubts:
            kind = doubt.guard.partition("/")[0]
            found.append(
                Tripped(doubt.guard, kind, doubt.says, doubt.concerned, doubt.total, read.table)
            )
        if read.status != "accepted":
            continue
        if read.table not in kept:
            found += _fewer_rows(read, before.get(read.table), limits.keys)
            if read.table == "claims" and "accounts" in previous.staged_tables(con):
                found += values.changed_claims(con, limits.values)
            continue
        _create_rows(con, read.table)
        gone, lost = _lost_keys(con, read.table, limits.keys)
        if lost is None and gone > FEWEST_KEYS and read.table == "appointments":
            lost = _shorter(con, gone)
        changed = values.changed_values(con, read.table, limits.values)
        found += [guard for guard in (lost, changed) if guard is not None]
        if gone and (said := _older(con, read.table, gone)):
            older.append(said)
    if len(older) >= FEWEST_OLDER:
        says = f"are older than those of the run before: {'; '.join(older)}"
        found.append(Tripped(f"{OLDER}/{EVERY_TABLE}", OLDER, says, len(older), len(MADE_AT)))
    return found


def of_table(tripped: Sequence[Tripped], table: str) -> list[Tripped]:
    """Those of these guards that are about this table."""
    return [guard for guard in tripped if guard.table == table or guard.kind == OLDER]


def refused(read: TableRead, tripped: Sequence[Tripped]) -> TableRead:
    """The outcome of a table that guards refuse."""
    said = "; ".join(guard.says for guard in tripped)
    name = read.files[0] if len(read.files) == 1 else read.table
    return replace(
        read,
        status="refused",
        reason=f"{name} {said} {how_to_accept([guard.guard for guard in tripped])}",
        rows_staged=0,
        rows_refused=read.rows_read,
    )


def _create_rows(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make the views that the queries read: keys of then, with their facility, and of now."""
    key = contract.key_of(table)
    names = {column.name for column in contract.columns(table)}
    place, join = "CAST(NULL AS VARCHAR)", ""
    if "facility_id" in names:
        place = "p.facility_id"
    elif "case_id" in names:
        place = "c.facility_id"
        join = "LEFT JOIN previous.staging.cases AS c ON p.case_id = c.case_id"
    elif "patient_id" in names:
        place = "c.facility_id"
        join = "LEFT JOIN previous.staging.patients AS c ON p.patient_id = c.patient_id"
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW earlier_rows AS SELECT p.{key} AS key_value, "
        f"{place} AS facility_id FROM previous.staging.{table} AS p {join}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW rows_now AS SELECT n.{key} AS key_value "
        f"FROM staging.{table} AS n"
    )


def _lost_keys(
    con: duckdb.DuckDBPyConnection, table: str, limit: float
) -> tuple[int, Tripped | None]:
    """How many keys are gone, and the guard that trips on them."""
    by_facility = sorted(con.execute(sql("lost_keys"), {"table": table}).fetchall(), key=str)
    total, gone = (sum(row[place] for row in by_facility) for place in (1, 2))
    is_emptied = gone == total and gone > FEWEST_OF_EMPTIED
    if gone <= FEWEST_KEYS and not is_emptied:
        return gone, None
    where = ""
    if gone <= limit * total:
        too_many = [
            (facility, of, lost)
            for facility, of, lost in by_facility
            if facility is not None and lost > max(FEWEST_KEYS, limit * of)
        ]
        if not too_many:
            return gone, None
        facilities = ", ".join(facility for facility, _, _ in too_many)
        where = f" at facility {facilities}"
        total, gone = (sum(row[place] for row in too_many) for place in (1, 2))
    (respelled,) = con.execute(sql("respelled_keys")).fetchall()[0]
    says = f"lacks {gone:,} of the {total:,} records that the run before had{where}"
    if respelled > gone / 2:
        says += f"; {respelled:,} of them are there under ids with other leading zeros or capitals"
    return gone, Tripped(f"{KEYS}/{table}", KEYS, says, gone, total, table)


def _fewer_rows(read: TableRead, before: Previous | None, limit: float) -> Iterator[Tripped]:
    """The guard of a table whose keys no snapshot keeps: that it has far fewer rows."""
    if before is None:
        return
    gone = before.rows_read - read.rows_read
    if gone > max(FEWEST_KEYS, limit * before.rows_read):
        says = f"has {read.rows_read:,} rows where the run before had {before.rows_read:,}"
        name = f"{KEYS}/{read.table}"
        yield Tripped(name, KEYS, says, gone, before.rows_read, read.table)


def _shorter(con: duckdb.DuckDBPyConnection, gone: int) -> Tripped | None:
    """The guard of appointments that reach less far ahead than those of the run before."""
    now, before, total = con.execute(sql("reach")).fetchall()[0]
    if now is None or before is None or now > before - SHORTER:
        return None
    says = f"reaches to {now:%Y-%m-%d} only, that of the run before to {before:%Y-%m-%d}"
    return Tripped(f"{KEYS}/appointments", KEYS, says, gone, total, "appointments")


def _older(con: duckdb.DuckDBPyConnection, table: str, gone: int) -> str | None:
    """What is older where records are gone and the newest one is older than before."""
    made_at = MADE_AT.get(table)
    if made_at is None:
        return None
    now, before = con.execute(
        f"SELECT (SELECT MAX(n.{made_at}) FROM staging.{table} AS n), MAX(e.{made_at}) "
        f"FROM previous.staging.{table} AS e"
    ).fetchall()[0]
    if now is None or now >= before:
        return None
    return (
        f"the newest record of {table} is of {now:%Y-%m-%d}, before of {before:%Y-%m-%d}, "
        f"and {gone:,} records are gone"
    )
