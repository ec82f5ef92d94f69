"""The registry of task columns: how each column of listed.sql is named, sorted, shown and exported.

The grid, CSV and Excel export, sorting, and the table and JSON of the command line read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A column of the grid: its place from the left, its key, its width in pixels.

    `only_with` names the lists that show it: facilities (several), deferred or closed; None: all.
    """

    place: int
    key: str
    width: int
    help: str | None = None
    form: str | None = None  # of days, times and numbers, as Streamlit writes formats
    only_with: str | None = None


@dataclass(frozen=True)
class TaskColumn:
    """A column of Worklist.tasks. Places start at 1; None leaves the column out.

    `is_json` columns are the JSON and CSV keys of the `tasks` command, in the order of
    TASK_COLUMNS, which scripts rely on: add new ones at the end.
    """

    source: str
    heading: str
    kind: str = "text"  # text | day | time | number | dollars | flag | state
    order: str | None = None  # what Order and the URL call sorting by it
    is_json: bool = True
    printed: int | None = None  # place in the table of the command line
    exported: int | None = None  # place in CSV and Excel
    grid: Grid | None = None


DAY, LONG_DAY, TIME = "MMM D", "MMM D, YYYY", "MMM D, HH:mm"

TASK_COLUMNS = (
    TaskColumn("task_id", "Task id", printed=1, exported=1),
    TaskColumn("rule_id", "Task type"),
    TaskColumn("title", "Task", order="task", printed=2, exported=2, grid=Grid(2, "task", 160)),
    TaskColumn("category", "Category", exported=3),
    TaskColumn("subject_id", "Record"),
    TaskColumn("occurrence", "Occurrence", "number"),
    TaskColumn("patient_id", "Patient id", printed=3, exported=5),
    TaskColumn("case_id", "Case"),
    TaskColumn("facility_id", "Facility id", printed=4),
    TaskColumn("payer_id", "Payer id"),
    TaskColumn("payer", "Payer", order="payer", printed=5, exported=7, grid=Grid(8, "payer", 120)),
    TaskColumn("staff_id", "Staff id"),
    TaskColumn("staff", "Staff", order="staff", printed=6, exported=8, grid=Grid(7, "staff", 120)),
    TaskColumn(
        "since",
        "Since",
        "day",
        order="since",
        printed=7,
        exported=9,
        grid=Grid(9, "since", 100, "The day it fell due in the data", LONG_DAY),
    ),
    TaskColumn("opened_at", "Opened", "time"),
    TaskColumn(
        "status",
        "Status",
        "state",
        order="status",
        printed=11,
        exported=13,
        grid=Grid(6, "state", 92),
    ),
    TaskColumn("deferred_until", "Deferred until", "time"),
    TaskColumn("closed_at", "Closed at", "time"),
    TaskColumn("closed_by", "Closed by"),
    TaskColumn("close_kind", "How it ended"),
    TaskColumn("reason", "Reason", printed=12, exported=16, grid=Grid(4, "reason", 262)),
    TaskColumn(
        "amount",
        "Amount",
        "dollars",
        order="amount",
        exported=15,
        grid=Grid(11, "amount", 86, form="dollar"),
    ),
    TaskColumn(
        "age_days",
        "Age (days)",
        "number",
        order="age",
        printed=8,
        exported=11,
        grid=Grid(10, "age", 86, form="%d"),
    ),
    TaskColumn("overdue", "Overdue", "flag", printed=10, exported=12),
    TaskColumn(
        "patient",
        "Patient",
        order="patient",
        is_json=False,
        exported=4,
        grid=Grid(3, "patient", 115),
    ),
    TaskColumn(
        "facility",
        "Facility",
        order="facility",
        is_json=False,
        exported=6,
        grid=Grid(12, "facility", 150, only_with="facilities"),
    ),
    TaskColumn(
        "due_on",
        "Due",
        "day",
        order="due",
        is_json=False,
        exported=10,
        grid=Grid(5, "due", 62, "The day it is due; older is overdue", DAY),
    ),
    TaskColumn(
        "returns_at",
        "Returns",
        "time",
        is_json=False,
        exported=14,
        grid=Grid(
            13,
            "returns",
            110,
            "When it is back on the list, in the facility's time",
            TIME,
            "deferred",
        ),
    ),
    TaskColumn(
        "closed_on",
        "Closed",
        "day",
        is_json=False,
        grid=Grid(14, "closed", 100, "The facility's day it was closed", LONG_DAY, "closed"),
    ),
    TaskColumn("since_is_inferred", "Since is inferred", "flag", exported=17),
    TaskColumn("active_age_days", "Age not deferred (days)", "number", is_json=False, printed=9),
)
# Columns that only queries need; Worklist.tasks leaves them out.
INTERNAL = ("payer_key", "staff_key", "opened_on", "changes_at", "place", "tasks")

# The name of an order → its column.
ORDERS = {column.order: column.source for column in TASK_COLUMNS if column.order is not None}
JSON_KEYS = tuple(column.source for column in TASK_COLUMNS if column.is_json)


def _placed(place: Callable[[TaskColumn], int | None]) -> tuple[TaskColumn, ...]:
    found = [(at, column) for column in TASK_COLUMNS if (at := place(column)) is not None]
    return tuple(column for _, column in sorted(found, key=lambda pair: pair[0]))


PRINTED_KEYS = tuple(column.source for column in _placed(lambda column: column.printed))
# Heading → column of Worklist.tasks.
EXPORTED = {column.heading: column.source for column in _placed(lambda column: column.exported)}
GRID = _placed(lambda column: None if column.grid is None else column.grid.place)
