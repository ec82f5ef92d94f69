"""The text of a question about the tasks that match, put together from parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pipelines.worklist import filters as worklist_filters
from pipelines.worklist import sql
from pipelines.worklist.columns import INTERNAL
from pipelines.worklist.filters import COLUMNS, Condition, Filters

# The rows of listed.sql that a live or past list keeps: of the open tasks, and of all.
OPEN_TASKS, ALL_TASKS = "open_tasks", "all_tasks"
# Pre-aggregated open tasks (6× fewer rows), used by counting questions.
OPEN_COUNTS = "open_counts"
COUNT_COLUMNS = (*COLUMNS.values(), "status", "overdue", "is_open", "close_kind")
TASK_COLUMNS = f"t.* EXCLUDE ({', '.join(INTERNAL)})"


@dataclass(frozen=True)
class Question:
    """A SELECT over `matching`, the tasks that match, in which each row is so many `tasks`.

    `reads` names the SQL files of this room that the text reads beside it.
    """

    text: str
    order: str = ""  # ORDER BY …
    page: str = ""  # LIMIT … OFFSET …, for a question that orders the tasks themselves
    columns: str = "t.*"
    split_by: str | None = None  # what `split` is; None leaves the column out
    is_counting: bool = False  # open_counts can answer it
    reads: Collection[str] = ()


@dataclass(frozen=True)
class Kept:
    """The tables of a list in memory. A limited reader sees views, whose rows have no rowid."""

    is_limited: bool


def query(question: Question, filters: Filters, kept: Kept | None) -> str:
    """The whole text; without tables in memory the list is worked out by listed.sql."""
    conditions = worklist_filters.conditions(filters)
    matched = f"FROM asked AS t WHERE {_joined(conditions)}"
    is_open = filters.status not in ("closed", "all")
    if kept and is_open and question.is_counting and worklist_filters.is_counted(filters):
        asked, matching = f"FROM {OPEN_COUNTS}", f"SELECT t.* {matched}"
    else:
        asked = _asked(is_open, kept)
        if question.page:
            # Find the rows of the page first, then read all columns of these few rows.
            page = f"SELECT t.place {matched} {question.order} {question.page}"
            matched = f"FROM asked AS t WHERE t.place IN (SELECT p.place FROM ({page}) AS p)"
        matching = f"SELECT t.*, 1 AS tasks {matched}"
    if question.split_by is not None:
        split = COLUMNS.get(question.split_by)
        value = "'all'" if split is None else f"t.{split}"
        matching = f"SELECT t.*, {value} AS split FROM ({matching}) AS t"
    hint = "" if kept is None else "NOT MATERIALIZED "
    reads = sorted({*question.reads, *(name for one in conditions for name in one.reads)})
    parts = [
        f"asked AS {hint}(\n{asked}\n)",
        *(f"{name} AS (\n{sql(name)}\n)" for name in reads),
        f"matching AS {hint}(\n{matching}\n)",
    ]
    answer = f"SELECT {question.columns} FROM (\n{question.text}\n) AS t {question.order}"
    return f"WITH {', '.join(parts)} {answer}"


def _asked(is_open: bool, kept: Kept | None) -> str:
    if kept is None:
        return f"SELECT t.*, t.task_id AS place FROM (\n{sql('listed')}\n) AS t"
    place = "rowid" if is_open and not kept.is_limited else "task_id"
    return f"SELECT t.*, t.{place} AS place FROM {OPEN_TASKS if is_open else ALL_TASKS} AS t"


def options(filters: Filters) -> str:
    """For each offered filter, how many tasks each value has given the other filters.

    Asked of the tasks that match without the offered filters.
    """
    columns = ", ".join(f"t.{column}" for column in COLUMNS.values())
    narrow = f"WITH narrow AS MATERIALIZED (SELECT {columns}, t.tasks FROM matching AS t)"
    branches = [
        f"SELECT '{one.name}' AS filter, t.{one.column} AS choice, "
        "CAST(SUM(t.tasks) AS BIGINT) AS tasks "
        f"FROM narrow AS t WHERE {_joined(worklist_filters.other_conditions(filters, one))} "
        f"GROUP BY t.{one.column} HAVING SUM(t.tasks) > 0"
        for one in worklist_filters.OFFERED
    ]
    return f"{narrow} {' UNION ALL '.join(branches)}"


def counted(tasks: str) -> str:
    """The rows of open_counts for some open tasks; $sign -1 takes them out of the count."""
    columns = ", ".join(f"t.{column}" for column in COUNT_COLUMNS)
    return (
        f"SELECT {columns}, CAST($sign * COUNT(*) AS INTEGER) AS tasks, "
        "CAST($sign * SUM(t.amount) AS DECIMAL(18, 2)) AS amount "
        f"FROM ({tasks}) AS t GROUP BY {columns}"
    )


def _joined(conditions: Iterable[Condition]) -> str:
    return " AND ".join(f"({condition.sql})" for condition in conditions) or "TRUE"
