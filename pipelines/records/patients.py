"""One patient's record, from a published snapshot.

Every function takes a connection on which `staging` resolves, as after `USE snapshot`. Times are
wall times of the facility, without a zone; "today" is the day the snapshot speaks for. An unknown
patient gives None or an empty frame with all columns; frames have the columns of their SQL file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pandas as pd

from pipelines.records import sql
from pipelines.warehouse import snapshots

FACTS = frozenset(
    {"appointments", "documents", "authorizations", "policies", "cases", "patients"}
)  # facts_<table>.sql


@dataclass(frozen=True)
class Patient:
    """A patient: name as "Last, First", age in years on `today`, who pays now or "Self-pay"."""

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
    """The account of each day of service, newest first (balances.sql); dollars.

    `total_open` is what is still to collect, `undated` the money without a date of service.
    """

    days: pd.DataFrame
    total_open: Decimal
    undated: Decimal


def patient(con: duckdb.DuckDBPyConnection, patient_id: str) -> Patient | None:
    """The patient, or None."""
    row = snapshots.row(con, sql("patient"), patient_id=patient_id)
    return None if row is None else Patient(**row)  # type: ignore[arg-type] # as in patient.sql


def cases(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The cases; status is Open or Discharged.

    Columns: case_id, facility, therapist, opened_on, discharged_on, status,
    visits_per_week_target, referring_provider.
    """
    return snapshots.frame(con, sql("cases"), patient_id=patient_id)


def policies(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The policies, those in force first; rank is a word; no case_id means all cases.

    Columns: policy_id, payer, rank, starts_on, ends_on, is_in_force, is_authorization_required,
    verification_requested_on, verified_on, verified_by, case_id.
    """
    return snapshots.frame(con, sql("policies"), patient_id=patient_id)


def authorizations(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The authorizations with visits or units used and left; what nobody counts is missing.

    state is Active (also on its first and last day), Expired, Not yet begun or Placeholder.
    Columns: authorization_id, number, payer, case_id, starts_on, ends_on, visit_limit, limit_unit,
    visits_used, visits_left, is_stub, entered_on, has_document, state.
    """
    return snapshots.frame(con, sql("authorizations"), patient_id=patient_id)


def payments(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The payments in dollars: amount as entered, net_amount negative for money given back.

    Columns: payment_id, paid_on, date_of_service, kind, amount, net_amount, case_id.
    """
    return snapshots.frame(con, sql("payments"), patient_id=patient_id)


def balances(con: duckdb.DuckDBPyConnection, patient_id: str) -> Balances:
    """What was due, left by the payer, paid, refunded and is open, by case and day of service."""
    days = snapshots.frame(con, sql("balances"), patient_id=patient_id)
    ((undated,),) = con.execute(sql("undated_money"), {"patient_id": patient_id}).fetchall()
    return Balances(days, sum(days["open_amount"], Decimal("0.00")), undated)


def documents(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The clinical documents with owner, reviewer and the days of their steps.

    Columns: document_id, kind, date_of_service, status, started_on, submitted_for_review_on,
    completed_on, signed_on, owner, reviewer, has_plan_of_care, case_id.
    """
    return snapshots.frame(con, sql("documents"), patient_id=patient_id)


def faxes(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The faxes; document is the kind of the document, is_newest of the document's faxes.

    Columns: fax_id, document_id, document, date_of_service, recipient, number, status, attempts,
    sent_at, failed_at, is_newest.
    """
    return snapshots.frame(con, sql("faxes"), patient_id=patient_id)


def schedule(con: duckdb.DuckDBPyConnection, patient_id: str) -> pd.DataFrame:
    """The appointments, the coming ones first.

    Columns: appointment_id, is_coming, starts_at, facility, staff, status, amount_due,
    reminder_status, case_id.
    """
    return snapshots.frame(con, sql("schedule"), patient_id=patient_id)


def schedule_week(con: duckdb.DuckDBPyConnection, facility_id: str, first: dt.date) -> pd.DataFrame:
    """The cases open in the week that begins on `first`, the most under-scheduled first."""
    return snapshots.frame(
        con,
        sql("schedule_week"),
        facility_id=facility_id,
        first_on=first,
        last_on=first + dt.timedelta(days=6),
    )


def facts(con: duckdb.DuckDBPyConnection, table: str, subject_id: str) -> dict[str, str]:
    """The facts of the record behind a task, label → text; empty for tables without facts."""
    row = (
        snapshots.row(con, sql(f"facts_{table}"), subject_id=subject_id) if table in FACTS else None
    )
    return {
        name.replace("_", " ").capitalize(): _said(value)
        for name, value in (row or {}).items()
        if value is not None
    }


def _said(value: object) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%B %-d, %Y, %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%B %-d, %Y}"
    return f"${value:,.2f}" if isinstance(value, Decimal) else str(value)
