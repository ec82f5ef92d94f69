"""The contract of the extracts: one pandera model per table, the single statement of its columns, types,
nullability, keys, value sets and references.

An extract arrives as text, so the contract says how each column must be *written* (`day`, `moment`, `money` …).
Two readers use it: DuckDB, through the SQL that judging.py derives from the models, finds the suspect rows of a
large file; pandera judges the suspects and names line, column and check. A property test holds the two together.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

import pandas as pd
from pandera import extensions


@dataclass(frozen=True)
class Form:
    """How a value is written: the DuckDB type it becomes, the pattern of its text, and what people call it."""

    sql_type: str
    pattern: str
    says: str


# [0-9], not \d: Python counts the digits of every script, DuckDB those of ASCII, and both read these patterns.
FORMS = {
    # A spreadsheet turns a long id into 9.37E+12: another id, and no longer the only one written so.
    "id": Form(
        "VARCHAR", r"[^\x00-\x1f\x7f]+", "an id, as text, not damaged by a spreadsheet (9.37E+12)"
    ),
    "text": Form("VARCHAR", r"[^\x00]*", "text"),
    "zone": Form("VARCHAR", r"[A-Za-z0-9_+/-]+", "an IANA time zone such as America/New_York"),
    # A midnight behind a day is what databases add to a plain date; it says nothing more.
    "day": Form(
        "DATE",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?",
        "a day such as 2026-11-03 (1970-01-01 is not one: leave it empty)",
    ),
    # Somebody may be born on 1970-01-01; nothing else in a practice happened then.
    "birth_day": Form(
        "DATE",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?",
        "a day such as 1961-04-30",
    ),
    "moment": Form(
        "TIMESTAMP",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?",
        "a time such as 2026-11-03T09:15:00, with an offset or in the facility's time zone (1970-01-01 is not one: leave it empty)",
    ),
    "money": Form(
        "DECIMAL(12,2)",
        r"-?[0-9]{1,10}(?:\.[0-9]{1,2}0*)?",
        "an amount such as 25.00, without sign of currency or thousands",
    ),
    "count": Form("INTEGER", r"[0-9]{1,9}(?:\.0+)?", "a whole number, 0 or more"),
    "flag": Form("BOOLEAN", r"(?i)true|false|t|f|yes|no|y|n|1|0", "true or false"),
}
TRUE_TEXTS = ("true", "t", "yes", "y", "1")
DAMAGED_ID = r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+"
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)  # outside lies a slip of the keyboard
NONE_DAY = "1970-01-01"  # what some systems write for "none"

KNOWN_KEYS: ContextVar[dict[str, set[str]]] = ContextVar("KNOWN_KEYS")


@extensions.register_check_method(statistics=["form"], check_type="vectorized")
def written_as(values: pd.Series, *, form: str) -> pd.Series:
    """True where the text is written as the form asks (empty values never get here)."""
    is_good = values.str.fullmatch(FORMS[form].pattern)
    if form == "id":
        return is_good & ~values.str.fullmatch(DAMAGED_ID)
    if form == "zone":
        return is_good & values.map(_is_zone).astype(bool)
    if form in ("day", "birth_day", "moment"):
        is_good &= values.map(_is_real_time).astype(bool)
        if form != "birth_day":
            is_good &= ~values.str.startswith(NONE_DAY)
    return is_good


@extensions.register_check_method(statistics=["table"], check_type="vectorized")
def refers_to(values: pd.Series, *, table: str) -> pd.Series:
    """True where the id is a key of that table, or where that table could not be read in this run."""
    known = KNOWN_KEYS.get({})
    return values.isin(known[table]) if table in known else pd.Series(True, index=values.index)


def _is_zone(text: str) -> bool:
    return text in _zones()


@cache
def _zones() -> frozenset[str]:
    # "localtime" is this machine's own zone under another name: not a place, and DuckDB does not know it.
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


def _is_real_time(text: str) -> bool:
    """False for 2026-02-30 and years outside EARLIEST…LATEST; the pattern has seen to the rest."""
    try:
        return EARLIEST <= dt.date.fromisoformat(text[:10]) <= LATEST
    except ValueError:
        return False
