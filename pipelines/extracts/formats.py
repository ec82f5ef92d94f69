"""How values are written in extract files, and the pandera checks that compare texts with it."""

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
    """How a value is written: the DuckDB type it becomes, and the pattern of its text."""

    sql_type: str
    pattern: str


# [0-9], not \d: Python's \d matches digits of every script, DuckDB's only ASCII.
# Databases write a plain date with midnight behind it.
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?"
FORMS = {
    # A spreadsheet turns different long ids into one and the same 9.37E+12; see DAMAGED_ID.
    "id": Form("VARCHAR", r"[^\x00-\x1f\x7f]+"),
    "text": Form("VARCHAR", r"[^\x00]*"),
    "zone": Form("VARCHAR", r"[A-Za-z0-9_+/-]+"),
    "day": Form("DATE", _DAY),
    "birth_day": Form("DATE", _DAY),  # unlike a day, it may be NONE_DAY
    "moment": Form(
        "TIMESTAMP",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
        r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?",
    ),
    "money": Form("DECIMAL(12,2)", r"-?[0-9]{1,10}(?:\.[0-9]{1,2}0*)?"),
    "count": Form("INTEGER", r"[0-9]{1,9}(?:\.0+)?"),
    "flag": Form("BOOLEAN", r"(?i)true|false|t|f|yes|no|y|n|1|0"),
}
TRUE_TEXTS = ("true", "t", "yes", "y", "1")
DAMAGED_ID = r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+"
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)  # other days are typing errors
NONE_DAY = "1970-01-01"  # what some systems write for "none"

# Keys by table, for `refers_to`; a table that is absent is not checked.
KNOWN_KEYS: ContextVar[dict[str, set[str]]] = ContextVar("KNOWN_KEYS")


@extensions.register_check_method(statistics=["form"], check_type="vectorized")
def written_as(values: pd.Series, *, form: str) -> pd.Series:
    """True where the text has the form; pandera passes no empty values."""
    is_good = values.str.fullmatch(FORMS[form].pattern)
    if form == "id":
        return is_good & ~values.str.fullmatch(DAMAGED_ID)
    if form == "zone":
        return is_good & values.isin(_zones())
    if form in ("day", "birth_day", "moment"):
        is_good &= values.map(_is_real_time).astype(bool)
        if form != "birth_day":
            is_good &= ~values.str.startswith(NONE_DAY)
    return is_good


@extensions.register_check_method(statistics=["table"], check_type="vectorized")
def refers_to(values: pd.Series, *, table: str) -> pd.Series:
    """True where the id is a key of that table, or where KNOWN_KEYS does not have the table."""
    known = KNOWN_KEYS.get({})
    return values.isin(known[table]) if table in known else pd.Series(True, index=values.index)


@cache
def _zones() -> frozenset[str]:
    # "localtime" is this machine's zone, and DuckDB does not know it.
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


def _is_real_time(text: str) -> bool:
    """False for 2026-02-30 and days outside EARLIEST…LATEST; the pattern checks the rest."""
    try:
        return EARLIEST <= dt.date.fromisoformat(text[:10]) <= LATEST
    except ValueError:
        return False
