"""SQL of columns that come typed, from Parquet: their values without a detour through text."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.extracts import formats
from pipelines.extracts.contract import Column
from pipelines.sql_files import identifier

TIME_FORMS = ("day", "birth_day", "moment")
TYPES_AS_THEY_ARE = {  # by form: the Parquet types that need no detour through text
    "day": ("DATE",),
    "birth_day": ("DATE",),
    "moment": (
        "TIMESTAMP",
        "TIMESTAMP_S",
        "TIMESTAMP_MS",
        "TIMESTAMP_NS",
        "TIMESTAMP WITH TIME ZONE",
    ),
    "count": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    "flag": ("BOOLEAN",),
}


class Expressions(NamedTuple):
    """SQL of one column: typed values, its text, and a condition true for doubtful values.

    `values` has two entries for a moment: the time, and whether it is in UTC.
    """

    values: list[str]
    text: str
    doubt: str


def needs_no_text(column: Column, sql_type: str) -> bool:
    """True where a Parquet column has a type that converts without a detour through text."""
    if column.form != "money":
        return column.allowed is None and sql_type in TYPES_AS_THEY_ARE.get(column.form, ())
    if not sql_type.startswith("DECIMAL("):
        return False
    digits, decimals = map(int, sql_type.removeprefix("DECIMAL(").removesuffix(")").split(","))
    return decimals <= 2 and digits - decimals <= 10


def from_value(column: Column, sql_type: str) -> Expressions:
    """Expressions for a column that comes typed; a NULL `doubt` means no doubt."""
    x = identifier(column.name)
    value = f"CAST({x} AS {column.sql_type})"
    text = f"CAST({x} AS VARCHAR)"
    if column.form == "count":
        in_range = f"TRY_CAST({x} AS INTEGER)"
        return Expressions([in_range], text, f"{x} < 0 OR {x} > 999999999")
    if column.form not in TIME_FORMS:
        return Expressions([value], text, "false")
    has_zone = sql_type == "TIMESTAMP WITH TIME ZONE"
    if has_zone:
        value = f"({x} AT TIME ZONE 'UTC')"
        text = f"CAST({value} AS VARCHAR) || 'Z'"
    is_none = _is_no_day(column, value)
    doubt = _is_out_of_range(value)
    doubt = f"({doubt}) AND NOT {is_none}" if column.is_nullable else f"{doubt} OR {is_none}"
    values = [f"CASE WHEN NOT {is_none} THEN {value} END"]
    if column.form == "moment":
        is_utc = "true" if has_zone else "false"
        values.append(f"CASE WHEN {x} IS NOT NULL AND NOT {is_none} THEN {is_utc} END")
    return Expressions(values, text, doubt)


def _is_no_day(column: Column, value: str) -> str:
    """Condition for a typed time on a day that stands for an empty value."""
    days = [
        f"CAST({value} AS DATE) = '{day}'"
        for day in formats.no_days(column.form, is_end=column.is_end)
        if not day.startswith("0000")  # no calendar has it
    ]
    return f"coalesce({' OR '.join(days)}, false)"


def _is_out_of_range(value: str) -> str:
    return (
        f"{value} < '{formats.EARLIEST}' OR {value} >= DATE '{formats.LATEST}' "
        f"OR NOT isfinite({value})"
    )
