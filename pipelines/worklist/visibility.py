"""What a person limited to some facilities sees: a database of views over the list in memory.

All names of a query resolve in that database, so no query can forget the limit: a table that is not
named here does not exist for a limited reader. A task belongs to its facility; tasks of none are
seen by those who see all. A patient belongs to a facility by home facility, case, visit or task,
and is then seen with the whole record, since people who treat or bill need all of it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import duckdb
import pandas as pd

from pipelines.settings import Settings
from pipelines.sql_files import literal
from pipelines.worklist.at import State
from pipelines.worklist.worklist import Worklist

Facilities = tuple[str, ...] | None  # ids; None sees all

OF_NOBODY = (  # no patient data: facilities, colleagues, payers, counts of runs
    "memory.main.moment",
    "snapshot.main.rules",
    "snapshot.main.runs",
    "snapshot.main.run_rules",
    "snapshot.main.run_tables",
    "snapshot.main.rejected_rows",
    "snapshot.staging.facilities",
    "snapshot.staging.payers",
    "snapshot.staging.staff",
)
OF_FACILITIES = (
    "snapshot.main.held",
    "snapshot.main.set_aside",
    "memory.main.current_tasks",
    "memory.main.open_tasks",
    "memory.main.open_counts",
    "memory.main.all_tasks",
)
OF_FACILITIES_OR_ALL = ("snapshot.main.guards",)  # without a facility: of a whole table
OF_TASKS = ("memory.main.current_events", "memory.main.current_stays")
OF_PATIENTS = tuple(
    f"snapshot.staging.{name}"
    for name in (
        "patients",
        "cases",
        "appointments",
        "documents",
        "policies",
        "authorizations",
        "authorization_usage",
        "payments",
    )
)
OF_CASES = ("snapshot.staging.accounts",)
OF_DOCUMENTS = ("snapshot.staging.faxes",)
OWN_PATIENTS = """
    SELECT p.patient_id FROM snapshot.staging.patients AS p WHERE p.facility_id IN ({own})
    UNION SELECT c.patient_id FROM snapshot.staging.cases AS c WHERE c.facility_id IN ({own})
    UNION SELECT a.patient_id FROM snapshot.staging.appointments AS a WHERE a.facility_id IN ({own})
    UNION SELECT t.patient_id FROM snapshot.main.tasks AS t WHERE t.facility_id IN ({own})
"""
_numbers = itertools.count(1)


@dataclass
class Limits:
    """The databases of views over one list, one per group of facilities, and known answers."""

    _made: dict[Facilities, tuple[str | None, dict[str, pd.DataFrame]]] = field(
        default_factory=dict
    )

    def reader(
        self,
        con: duckdb.DuckDBPyConnection,
        settings: Settings,
        at: dt.datetime,
        state: State,
        facility_ids: Facilities,
    ) -> Worklist:
        """A reader of the list with a cursor of its own; one thread's at a time."""
        if facility_ids not in self._made:
            self._made[facility_ids] = (
                None if facility_ids is None else _create_views(con, facility_ids),
                {},
            )
        within, known = self._made[facility_ids]
        return Worklist(
            con.cursor(), settings, at, replace(state, facility_ids=facility_ids), known, within
        )


def _create_views(con: duckdb.DuckDBPyConnection, facility_ids: tuple[str, ...]) -> str:
    """Create the database for these facilities; its name.

    Only a run changes the facility of a task or patient, and then the list is loaded again.
    """
    name = f"own_{next(_numbers)}"
    own = ", ".join(literal(facility_id) for facility_id in facility_ids) or "NULL"
    con.execute(f"ATTACH ':memory:' AS {name}")
    con.execute(f"CREATE SCHEMA {name}.staging")
    con.execute(
        f"CREATE TABLE {name}.main.own_tasks AS "
        f"SELECT t.task_id FROM snapshot.main.tasks AS t WHERE t.facility_id IN ({own})"
    )
    con.execute(f"CREATE TABLE {name}.main.own_patients AS {OWN_PATIENTS.format(own=own)}")
    for table, condition in _conditions(name, own):
        con.execute(
            f"CREATE VIEW {name}.{table.partition('.')[2]} AS "
            f"SELECT t.* FROM {table} AS t WHERE {condition}"
        )
    return name


def _conditions(name: str, own: str) -> Iterator[tuple[str, str]]:
    """Each visible table and the condition on its rows."""
    yield from ((table, "TRUE") for table in OF_NOBODY)
    yield from ((table, f"t.facility_id IN ({own})") for table in OF_FACILITIES)
    yield from (
        (table, f"t.facility_id IS NULL OR t.facility_id IN ({own})")
        for table in OF_FACILITIES_OR_ALL
    )
    yield from (
        (table, f"t.task_id IN (SELECT o.task_id FROM {name}.main.own_tasks AS o)")
        for table in OF_TASKS
    )
    yield from (
        (table, f"t.patient_id IN (SELECT o.patient_id FROM {name}.main.own_patients AS o)")
        for table in OF_PATIENTS
    )
    yield from (
        (table, f"t.case_id IN (SELECT c.case_id FROM {name}.staging.cases AS c)")
        for table in OF_CASES
    )
    yield from (
        (table, f"t.document_id IN (SELECT d.document_id FROM {name}.staging.documents AS d)")
        for table in OF_DOCUMENTS
    )
