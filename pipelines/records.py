"""What the Patient page and the Runs page ask of a published snapshot: one patient's record, and what each run read, asked and refused.

Every function takes a connection on which `staging` and the run tables of a snapshot resolve, as after `USE snapshot`. Times of
staged rows are wall times of their facility, without a zone; times of runs and extracts are UTC. "Today" is the day the snapshot speaks for.
A patient or run that does not exist gives None or an empty frame with all its columns.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pandas as pd

from pipelines import queries

LONGEST_SEARCH = 80  # characters; no name, number or date is longer
MOST_WORDS = 4  # a name of more words is found by its four longest
SHORTEST_PHONE_END = 4  # digits; fewer would find a tenth of a practice
COMMON, COMMON_PLAIN = "áàâäãåçéèêëíîïñóòôöõøúùûü", "aaaaaaceeeeiiinoooooouuuu"
RARE, RARE_PLAIN = "āăąćčďđēėęěğģìīįıķłļľńņňōőŕřśşšșţťțūůűųýÿźżž", "aaaccddeeeeggiiiiklllnnnoorrsssstttuuuuyyzzz"
DROPPED = "\u0300\u0301\u0302\u0303\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328’ʼ“”"  # accents as letters of their own, apostrophes, quotes
WRITTEN_OUT = {"ß": "ss", "æ": "ae", "œ": "oe"}  # as in queries/find_patients.sql
FOLD = str.maketrans({**dict(zip(COMMON + RARE, COMMON_PLAIN + RARE_PLAIN, strict=True)), **dict.fromkeys(DROPPED + "'", ""), **WRITTEN_OUT})
MAY_BE_ACCENTED = frozenset(COMMON_PLAIN + RARE_PLAIN).union(*WRITTEN_OUT.values())
BETWEEN_WORDS = re.compile(r'[\s,;()"-]+')
AROUND_WORDS = "".join(chr(n) for n in range(33, 127) if not chr(n).isalnum())
DAYS = re.compile(r"(?<!\S)(?:(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)|(?P<us_m>\d\d?)/(?P<us_d>\d\d?)/(?P<us_y>\d{4}))(?!\S)", re.ASCII)


FACTS = frozenset({"appointments", "documents", "authorizations", "policies", "cases", "patients"})  # queries/facts_<table>.sql


@dataclass(frozen=True)
class Patient:
    """Who a patient is: name as "Last, First", age in whole years on `today` (the facility's day), and who pays now, "Self-pay" if nobody does."""

    patient_id: str
    name: str
    born_on: dt.date | None
    age_years: int | None
    status: str
    facility_id: str
    facility: str
    today: dt.date | None
    phone: str | None
    email: str | None
    reminder_channel: str | None
    payer_id: str | None
    payer: str


@dataclass(frozen=True)
class Balances:
    """What each day of visits left open: visit_on, case_id, visits, due, paid, open_amount, newest day first; and the sum of what is open."""

    days: pd.DataFrame
    total_open: Decimal


@dataclass(frozen=True)
class Freshness:
    """How old the list is, in UTC; not_accepted has table_name, status, reason and kept_from, the as_of of the run whose rows are shown instead."""

    run_no: int
    run_id: str
    as_of: dt.datetime
    oldest_extracted_at: dt.datetime | None
    tables_undated: int
    not_accepted: pd.DataFrame


def find_patients(con: duckdb.DuckDBPyConnection, text: str, limit: int = 20) -> pd.DataFrame:
    """patient_id, name, born_on, status, facility of whom a search text means, an exact id first, then by name.

    Words are beginnings of first or last names in any order, whatever their case and accents. A date is the birth date, digits are an id
    (leading zeros may be left out) or the last four or more of a phone. Of several of these, all must fit.
    """
    folds = {"common": COMMON, "common_plain": COMMON_PLAIN, "rare": RARE + DROPPED, "rare_plain": RARE_PLAIN}
    return _ask(con, "find_patients", limit=limit, **folds, **_search(text))


def patient(con: duckdb.DuckDBPyConnection, patient_id: str) -> Patient | None:
    """The patient, or None."""
    row = _row(con, "patient", patient_id=patient_id)
    return None if row is None else Patient(**row)


def cases(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """case_id, facility, therapist, opened_on, discharged_on, status (Open or Discharged), visits_per_week_target, referring_provider."""
    return _ask(con, "cases", patient_id=patient_id)


def policies(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """policy_id, payer, rank, starts_on, ends_on, is_in_force, is_authorization_required, and further:

    verification_requested_on, verified_on, verified_by, case_id. rank is a word; the first and the last day are in force; no case: it is for all.
    """
    return _ask(con, "policies", patient_id=patient_id)


def authorizations(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """authorization_id, number, payer, case_id, starts_on, ends_on, visit_limit, visits_used, visits_left, is_stub, entered_on, has_document, state.

    state is Active (its first and last day too), Expired, Not yet begun or Placeholder; visits_left is missing where nobody counts.
    """
    return _ask(con, "authorizations", patient_id=patient_id)


def payments(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """payment_id, paid_on, date_of_service, kind, amount as entered, net_amount (negative for money given back), case_id; dollars."""
    return _ask(con, "payments", patient_id=patient_id)


def balances(con: duckdb.DuckDBPyConnection, patient_id: str) -> Balances:
    """What is open for visits that happened, by case and day; dollars."""
    days = _ask(con, "balances", patient_id=patient_id)
    return Balances(days, sum(days["open_amount"], Decimal("0.00")))


def documents(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """document_id, kind, date_of_service, status, started_on, submitted_for_review_on, completed_on, owner, reviewer, has_plan_of_care, case_id."""
    return _ask(con, "documents", patient_id=patient_id)


def faxes(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """fax_id, document_id, document (its kind), date_of_service, recipient, number, status, attempts, sent_at, failed_at, is_newest."""
    return _ask(con, "faxes", patient_id=patient_id)


def schedule(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """appointment_id, is_coming, starts_at, facility, staff, status, amount_due, reminder_status, case_id; the coming visits first."""
    return _ask(con, "schedule", patient_id=patient_id)


def schedule_week(con: duckdb.DuckDBPyConnection, facility_id: str, first: dt.date) -> pd.DataFrame:
    """One row a case open in the week that begins on `first`, the most under-scheduled first: the columns of queries/schedule_week.sql."""
    return _ask(con, "schedule_week", facility_id=facility_id, first_on=first, last_on=first + dt.timedelta(days=6))


def facts(con: duckdb.DuckDBPyConnection, table: str, subject_id: str) -> dict[str, str]:
    """What the record behind a task says, label → text, empty ones left out; nothing for tables the snapshot does not keep."""
    row = _row(con, f"facts_{table}", subject_id=subject_id) if table in FACTS else None
    return {name.replace("_", " ").capitalize(): _said(value) for name, value in (row or {}).items() if value is not None}


def runs(con: duckdb.DuckDBPyConnection, limit: int = 50) -> pd.DataFrame:
    """run_no, run_id, as_of, rows_read, rows_staged, rows_refused, tables_not_accepted, opened, closed, withheld (rules), newest first."""
    return _ask(con, "runs", limit=limit)


def extracts_folder(con: duckdb.DuckDBPyConnection) -> str | None:
    """Where the newest run found its extracts; None in a snapshot from before this was recorded."""
    found = con.execute("SELECT r.* FROM runs AS r ORDER BY r.run_no DESC LIMIT 1")
    names = [column[0] for column in found.description]
    return next((dict(zip(names, row, strict=True)).get("extracts") for row in found.fetchall()), None)


def run_tables(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """table_name, status, reason, files and warnings (lines), rows_read, rows_staged, rows_refused, extracted_at, horizon_on."""
    return _ask(con, "run_tables", run_no=run_no)


def run_rules(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """rule_id, title, category, is_withheld, reason, candidates, opened, cleared, converted, discharged, source_gone, held; withheld ones first."""
    return _ask(con, "run_rules", run_no=run_no)


def rule_runs(con: duckdb.DuckDBPyConnection, rule_id: str, limit: int = 50) -> pd.DataFrame:
    """What one rule did in each run, newest first: run_no, run_id, as_of, is_withheld, reason, and the counts of run_rules."""
    return _ask(con, "rule_runs", rule_id=rule_id, limit=limit)


def withheld(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """rule_id, title, category, reason of the rules withheld in the newest run."""
    return _ask(con, "withheld")


def freshness(con: duckdb.DuckDBPyConnection) -> Freshness | None:
    """The newest run and what it could not accept; None before the first."""
    row = _row(con, "freshness")
    return None if row is None else Freshness(**row, not_accepted=_ask(con, "not_accepted"))


def refusals(con: duckdb.DuckDBPyConnection, run_no: int) -> pd.DataFrame:
    """table_name, column_name, check_name, refused_rows, without values; a snapshot knows only those of its own run, the newest."""
    return _ask(con, "refusals", run_no=run_no)


def _search(text: str) -> dict[str, object]:
    """The parameters of queries/find_patients.sql for a text as typed."""
    text = unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in text[:LONGEST_SEARCH])).strip()
    day = DAYS.search(text)
    born_on = _day(day) if day else None
    rest = text.replace(day[0], " ") if day and born_on else text
    # What is left inside a word, as in J.R. or Smith/Jones, stands in the name as well.
    parts = [part for part in (part.strip(AROUND_WORDS) for part in BETWEEN_WORDS.split(rest.lower().translate(FOLD))) if part]
    numbers = {part: number for part in parts if (number := "".join(filter(str.isalnum, part))).isdecimal()}
    digits = "".join(numbers[part] for part in parts if part in numbers)
    if len(digits) < SHORTEST_PHONE_END and not numbers.keys() >= set(parts):  # a name, as in Test Patient 2
        numbers, digits = {}, ""
    words = sorted((part for part in parts if part not in numbers), key=len, reverse=True)[:MOST_WORDS]
    longest = words[0] if words else ""
    phone_end = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits  # +1 555 …: the country is seldom stored
    is_phone_end = len(phone_end) >= SHORTEST_PHONE_END
    return {
        "id": text,
        "short_id": (text.lstrip("0") or None) if text.isdecimal() else None,
        "is_description": bool(parts or born_on),
        "born_on": born_on,
        "short_digits": digits.lstrip("0") if digits else None,
        "phone_end": phone_end if is_phone_end else None,
        "phone_sketch": _sketch(phone_end) if is_phone_end else None,
        "sketch": _sketch(longest) if len(longest) > 1 else None,  # nearly every name has any one letter
        "bare_sketch": _sketch(c for c in longest if c not in MAY_BE_ACCENTED),
        **{f"word_{n + 1}": f" {words[n]}" if n < len(words) else None for n in range(MOST_WORDS)},
    }


def _sketch(letters: Iterable[str]) -> str:
    """A LIKE pattern of what has these letters or digits in this order, whatever stands between."""
    return "%".join(["", *(c for c in letters if c.isalnum()), ""])


def _day(found: re.Match[str]) -> dt.date | None:
    """The day of a match of DAYS, None for 2026-02-30."""
    year, month, day = (int(found[name] or found[f"us_{name}"]) for name in "ymd")
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _said(value: object) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%B %-d, %Y, %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%B %-d, %Y}"
    return f"${value:,.2f}" if isinstance(value, Decimal) else str(value)


def _ask(con: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> pd.DataFrame:
    return con.sql(queries.sql(query), params=parameters).to_arrow_table().to_pandas(integer_object_nulls=True)


def _row(con: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> dict[str, object] | None:
    found = con.execute(queries.sql(query), parameters)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None
