"""How values are written in extract files, and the pandera checks that compare texts with it."""

from __future__ import annotations

import datetime as dt
import re
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
_MIDNIGHT = r"(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?"
_CLOCK = (
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?"
)
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
FORMS = {
    # A spreadsheet turns different long ids into one and the same 9.37E+12; see DAMAGED_ID.
    "id": Form("VARCHAR", r"[^\x00-\x1f\x7f]+"),
    "text": Form("VARCHAR", r"[^\x00]*"),
    "zone": Form("VARCHAR", r"[A-Za-z0-9_+/-]+"),
    "day": Form("DATE", _DAY + _MIDNIGHT),
    "birth_day": Form("DATE", _DAY + _MIDNIGHT),
    "moment": Form("TIMESTAMP", _DAY + _CLOCK),
    "money": Form("DECIMAL(12,2)", r"-?[0-9]{1,10}(?:\.[0-9]{1,2}0*)?"),
    "count": Form("INTEGER", r"[0-9]{1,9}(?:\.0+)?"),
    "flag": Form("BOOLEAN", r"(?i)true|false|t|f|yes|no|y|n|1|0"),
}
TRUE_TEXTS = ("true", "t", "yes", "y", "1")
DAMAGED_ID = r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+"
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)  # other days are typing errors
# What systems write for "no date": the first day each can count, or the day before in local time.
NO_DAYS = ("0000-00-00", "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01")
EPOCH_DAYS = ("1969-12-31", "1970-01-01")  # no date either, but people were born on them
OPEN_DAYS = ("2099-12-31", "9999-12-31")  # an end on one of these is still open
# What databases, data frames and spreadsheets write for an empty value. A dash or None may be a
# text that means something.
NULL_TEXTS = ("NULL", "null", "\\N", "NaN", "nan", "N/A", "n/a")
NULL_WORDS = (*NULL_TEXTS, "Null", "None", "none", "#N/A", "-")
# Amounts as people read them: $1,025.00, (25.00), -$25.00, 25.00-.
_AMOUNT = r"(?:[0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,2}0*)?"
DRESSED_MONEY = rf"[-+]? ?\$? ?{_AMOUNT}|\$ ?-{_AMOUNT}|\(\$? ?{_AMOUNT}\)|\$? ?{_AMOUNT} ?-"
NO_AMOUNT, NEGATIVE = r"[^0-9.]", "[(-]"  # what is no part of the number; what says it is negative
_ZERO_DAY = r"0{1,2}/0{1,2}/0000(?: 00:00(?::00)?)?"
_ZONE = r"^.{16}.*?(Z|[+-][0-9:]+)$"  # the offset of a time, behind its minutes
NO_LETTER, DECIMALS = "[^A-Za-z0-9]", r"\.0+$"
OTHER_SPELLINGS = {"canceled": "cancelled"}
OTHER = "Other"  # what a value becomes that only describes, and that nobody knows

# Keys by table, for `refers_to`; a table that is absent is not checked.
KNOWN_KEYS: ContextVar[dict[str, set[str]]] = ContextVar("KNOWN_KEYS")


def no_days(form: str, *, is_end: bool) -> tuple[str, ...]:
    """The days that stand for an empty value in a column of days or moments."""
    of_form = NO_DAYS if form == "birth_day" else (*NO_DAYS, *EPOCH_DAYS)
    return (*of_form, *OPEN_DAYS) if is_end else of_form


@cache
def no_time(form: str, *, is_end: bool) -> str:
    """The pattern of all texts that stand for an empty value in a column of days or moments."""
    tail = _CLOCK if form == "moment" else _MIDNIGHT
    return f"(?:{'|'.join(no_days(form, is_end=is_end))}){tail}|{_ZERO_DAY}"


def null_words(form: str) -> tuple[str, ...]:
    """The words that stand for an empty value in a column that may be empty."""
    return NULL_TEXTS if form == "text" else NULL_WORDS


def plain_money(text: str) -> str:
    """An amount without sign of currency, thousands and brackets; any other text as it is."""
    if not re.fullmatch(DRESSED_MONEY, text):
        return text
    return ("-" if re.search(NEGATIVE, text) else "") + re.sub(NO_AMOUNT, "", text)


def squeezed(text: str) -> str:
    """A word without what is written differently: capitals, blanks, hyphens, the .0 of a number."""
    return re.sub(NO_LETTER, "", re.sub(DECIMALS, "", text)).lower()


def words(allowed: tuple[str, ...]) -> dict[str, str]:
    """The words of a value set by their squeezed text, in every spelling."""
    found = {squeezed(word): word for word in allowed}
    return found | {other: found[word] for other, word in OTHER_SPELLINGS.items() if word in found}


def is_before(later: pd.Series, earlier: pd.Series) -> pd.Series:
    """True where the day of `later` is certainly before that of `earlier`; both are texts.

    Clock times of one day say nothing: a plain day is midnight. Two times of different or unknown
    zones may be a day apart without a contradiction.
    """
    days = [
        pd.to_datetime(texts.str[:10], format="%Y-%m-%d", errors="coerce")
        for texts in (later, earlier)
    ]
    zones = [texts.str.extract(_ZONE, expand=False).fillna("") for texts in (later, earlier)]
    leeway = pd.to_timedelta((zones[0] != zones[1]).astype("int64"), unit="D")
    return (days[0] + leeway < days[1]).fillna(False).astype(bool)


@extensions.register_check_method(
    statistics=["pairs"], check_type="vectorized", supported_types=pd.DataFrame
)
def in_order(rows: pd.DataFrame, *, pairs: tuple[tuple[str, str], ...]) -> pd.Series:
    """True where no pair (earlier, later) of columns contradicts itself."""
    is_good = pd.Series(True, index=rows.index)
    for earlier, later in pairs:
        is_good &= ~is_before(rows[later], rows[earlier])
    return is_good


@extensions.register_check_method(statistics=["end"], check_type="vectorized")
def may_be_open(values: pd.Series, *, end: bool) -> pd.Series:
    """Marks a column of ends, in which OPEN_DAYS are empty; it refuses nothing."""
    return pd.Series(True, index=values.index)


@extensions.register_check_method(statistics=["words"], check_type="vectorized")
def or_other(values: pd.Series, *, words: tuple[str, ...]) -> pd.Series:
    """True for one of the words, or for any text where there are none; else the value is OTHER."""
    return values.isin(list(words)) if words else pd.Series(True, index=values.index)


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
