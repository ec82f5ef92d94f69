"""The registry of filters: what each compares, and where it is offered.

The list, its options, the parameters of the URL, the options of the `tasks` command and the checks
of unknown values are generated from FILTERS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from pipelines.vocabulary import (
    AGE_BANDS,
    CATEGORIES,
    CLOSE_KINDS,
    HAPPENINGS,
    STANDINGS,
    STATUSES,
)


@dataclass(frozen=True)
class Filters:
    """Which tasks to list; an empty tuple or None means any. Each field is a SQL parameter.

    `open_on`, `open_since`: tasks on the list in the evening of a day, or at any time from one
    evening to another; `stood_as`: how they stood in that evening. `in_` and `out_`: tasks that
    came to the list, or left it, between two days. All days are the facility's. `close_kinds` is
    how tasks ended; with days of leaving, how they left in those days. Payer 'self-pay' and staff
    'unassigned' name the absent.
    """

    status: str = "pending"
    facility_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    payer_ids: tuple[str, ...] = ()
    staff_ids: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    patient_id: str | None = None
    task_ids: tuple[str, ...] = ()
    close_kinds: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
    open_on: dt.date | None = None
    open_since: dt.date | None = None
    stood_as: str | None = None
    in_from: dt.date | None = None
    in_to: dt.date | None = None
    out_from: dt.date | None = None
    out_to: dt.date | None = None


@dataclass(frozen=True)
class Condition:
    """A SQL condition on a task `t`, used when all of `needs` and none of `unless` are given.

    `needs` and `unless` are fields of Filters; `reads` are SQL files of this room that the
    condition reads by name.
    """

    sql: str
    needs: tuple[str, ...]
    unless: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filter:
    """One filter. `name` is its URL parameter, `fields` are its fields of Filters.

    A filter with a `column` compares that column of listed.sql and needs no conditions of its own.
    """

    name: str
    label: str
    kind: str  # many | one | evenings (one or two days) | days (two days)
    fields: tuple[str, ...]
    column: str | None = None
    own_conditions: tuple[Condition, ...] = ()
    choices: Mapping[str, str] | None = None  # value → label, of a closed list
    known_in: tuple[str, str] | None = None  # method of Worklist and column with all known ids
    noun: str | None = None  # in messages, where it is not the label
    default: str | None = None
    needs: str | None = None  # another filter without which it means nothing
    is_offered: bool = False  # with the number of tasks of each value; open_counts has the column
    is_counted: bool = False  # open_counts can answer it
    is_option: bool = False  # of the `tasks` command
    option_choices: tuple[str, ...] | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions, generated where it has a column."""
        if self.column is None:
            return self.own_conditions
        (field,) = self.fields
        sql = (
            f"LIST_CONTAINS(${field}, t.{self.column})"
            if self.kind == "many"
            else f"t.{self.column} = ${field}"
        )
        return (Condition(sql, self.fields),)

    @property
    def said(self) -> str:
        """What messages call it."""
        return self.noun or self.label.lower()


_STATUS = """
    $status = 'all'
    OR t.status = $status
    OR ($status = 'overdue' AND t.status = 'pending' AND t.overdue)
    OR ($status = 'open' AND t.is_open)
    OR ($status = 'closed' AND NOT t.is_open)
"""


def _stays(condition: str) -> str:
    return f"t.task_id IN (SELECT s.task_id FROM current_stays AS s WHERE {condition})"


_OUT = "s.out_on BETWEEN $out_from AND $out_to"
_DAYS_OUT = ("out_from", "out_to")

FILTERS = (
    Filter(
        "facility",
        "Facility",
        "many",
        ("facility_ids",),
        column="facility_id",
        known_in=("facilities", "facility_id"),
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
    Filter(
        "category",
        "Category",
        "many",
        ("categories",),
        column="category",
        choices={category: category for category in CATEGORIES},
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
    Filter(
        "type",
        "Task type",
        "many",
        ("rule_ids",),
        column="rule_id",
        known_in=("rules", "rule_id"),
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
    Filter(
        "payer",
        "Payer",
        "many",
        ("payer_ids",),
        column="payer_key",
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
    Filter(
        "staff",
        "Staff member",
        "many",
        ("staff_ids",),
        column="staff_key",
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
    Filter(
        "age",
        "Age",
        "many",
        ("age_bands",),
        column="age_band",
        choices=AGE_BANDS,
        is_offered=True,
        is_counted=True,
    ),
    Filter(
        "status",
        "Status",
        "one",
        ("status",),
        own_conditions=(Condition(_STATUS, ("status",)),),
        choices=STATUSES,
        default="pending",
        is_counted=True,
        is_option=True,
        option_choices=("pending", "deferred", "all", "closed"),
    ),
    Filter(
        "ended",
        "How it ended",
        "many",
        ("close_kinds",),
        own_conditions=(
            Condition(
                "LIST_CONTAINS($close_kinds, t.close_kind)", ("close_kinds",), unless=_DAYS_OUT
            ),
            Condition(
                _stays(f"{_OUT} AND LIST_CONTAINS($close_kinds, s.ended_as)"),
                ("close_kinds", *_DAYS_OUT),
            ),
        ),
        choices={name: kind.label for name, kind in CLOSE_KINDS.items()},
    ),
    Filter(
        "had",
        "What happened",
        "many",
        ("happened",),
        own_conditions=(
            Condition(
                "t.task_id IN (SELECT h.task_id FROM happened AS h"
                " WHERE LIST_CONTAINS($happened, h.happening))",
                ("happened",),
                reads=("happened",),
            ),
        ),
        choices=HAPPENINGS,
        noun="happening",
    ),
    Filter(
        "on",
        "On the list",
        "evenings",
        ("open_since", "open_on"),
        own_conditions=(
            Condition(
                _stays("s.in_on <= $open_on AND COALESCE(s.out_on > $open_on, TRUE)"),
                ("open_on",),
                unless=("open_since",),
            ),
            Condition(
                _stays("s.in_on <= $open_on AND COALESCE(s.out_on > $open_since, TRUE)"),
                ("open_on", "open_since"),
            ),
        ),
    ),
    Filter(
        "stood",
        "How it stood then",
        "one",
        ("stood_as",),
        own_conditions=(
            Condition(
                "t.task_id IN (SELECT s.task_id FROM stood AS s WHERE s.stood_as = $stood_as)",
                ("stood_as", "open_on"),
                reads=("stood",),
            ),
        ),
        choices=STANDINGS,
        noun="standing",
        needs="on",
    ),
    Filter(
        "in",
        "Came to the list",
        "days",
        ("in_from", "in_to"),
        own_conditions=(
            Condition(_stays("s.in_on BETWEEN $in_from AND $in_to"), ("in_from", "in_to")),
        ),
    ),
    Filter(
        "out",
        "Left the list",
        "days",
        _DAYS_OUT,
        own_conditions=(Condition(_stays(_OUT), _DAYS_OUT),),
    ),
    Filter("patient", "Patient", "one", ("patient_id",), column="patient_id", is_option=True),
)
BY_NAME = {one.name: one for one in FILTERS}
OFFERED = tuple(one for one in FILTERS if one.is_offered)
OPTIONS = tuple(one for one in FILTERS if one.is_option)
COLUMNS = {one.name: one.column for one in OFFERED if one.column}  # what numbers can be split by
# Task ids come from the program, never from a URL.
_TASK_IDS = Condition(
    "t.task_id IN (SELECT w.task_id FROM UNNEST($task_ids) AS w (task_id))", ("task_ids",)
)


def conditions(filters: Filters) -> list[Condition]:
    """The conditions that these filters apply, to be joined by AND."""
    given = parameters(filters)
    every = (_TASK_IDS, *(condition for one in FILTERS for condition in one.conditions))
    return [condition for condition in every if _applies(condition, given)]


def other_conditions(filters: Filters, own: Filter) -> Iterator[Condition]:
    """The conditions of the offered filters but one."""
    given = parameters(filters)
    for other in OFFERED:
        if other is not own:
            yield from (one for one in other.conditions if _applies(one, given))


def _applies(condition: Condition, given: Mapping[str, object]) -> bool:
    return all(given[name] is not None for name in condition.needs) and not any(
        given[name] is not None for name in condition.unless
    )


def parameters(filters: Filters) -> dict[str, object]:
    """Each field of the filters as a SQL parameter; None where it is not given."""
    return {
        name: (list(value) or None) if isinstance(value, tuple) else value
        for name, value in vars(filters).items()
    }


def is_counted(filters: Filters) -> bool:
    """Whether open_counts can answer: the filters choose only by what it groups by."""
    counted = {field for one in FILTERS if one.is_counted for field in one.fields}
    return all(
        getattr(filters, field.name) == field.default
        for field in fields(filters)
        if field.name not in counted
    )


def of_fields(values: Mapping[str, object]) -> Filters:
    """Filters from the values of some fields, by the name of the field."""
    return replace(Filters(), **values)  # type: ignore[arg-type] # the registry names fields


def narrowed(filters: Filters, name: str, value: str) -> Filters:
    """The filters with one value of one filter."""
    one = BY_NAME[name]
    (field,) = one.fields
    return of_fields({**vars(filters), field: (value,) if one.kind == "many" else value})


@dataclass(frozen=True)
class Order:
    """How a list is ordered: a name of columns.ORDERS, and whether the largest comes first."""

    by: str = "since"
    is_descending: bool = False
