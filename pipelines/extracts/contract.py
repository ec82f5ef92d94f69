"""The contract of the extracts: one pandera model for each table.

It is the only statement of columns, types, nullability, keys, value sets and references. Extracts
arrive as text, so it says how each column must be written (`day`, `moment`, `money` …; formats.py).
contract_sql.py derives from it the SQL that flags doubtful rows; validation.py runs the models on
those rows and names line, column and check.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.pandas as pa

from pipelines.extracts.formats import FORMS
from pipelines.vocabulary import PATIENT_STATUSES, ROLES


# These return Any as pa.Field does, so that a model can declare a column's type.
def _key() -> Any:
    return pa.Field(unique=True, written_as={"form": "id"})


def _ref(table: str, *, nullable: bool = False) -> Any:
    return pa.Field(nullable=nullable, written_as={"form": "id"}, refers_to={"table": table})


def _is(form: str, *, nullable: bool = False) -> Any:
    return pa.Field(nullable=nullable, written_as={"form": form})


def _one_of(*values: str, nullable: bool = False) -> Any:
    return pa.Field(nullable=nullable, isin=list(values))


def _end(form: str) -> Any:
    """When something ended or was done; a day such as 9999-12-31 says that it is still open."""
    return pa.Field(nullable=True, written_as={"form": form}, may_be_open={"end": True})


def _described(*words: str) -> Any:
    """A value that only describes: an unknown one is OTHER, with a warning, and refuses no row."""
    return pa.Field(nullable=True, or_other={"words": list(words)}, raise_warning=True)


def _person() -> Any:
    """Somebody of the staff extract; anybody else is nobody, with a warning, and refuses no row."""
    return pa.Field(
        nullable=True,
        written_as={"form": "id"},
        refers_to={"table": "staff"},
        raise_warning=True,
    )


def _never_before(*pairs: tuple[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each (earlier, later): a row whose later day is before its earlier one is refused."""
    return {"pairs": pairs}


class Extract(pa.DataFrameModel):
    """What all tables share: trimmed text, empty values missing, other columns ignored."""

    class Config:
        strict = False
        coerce = False


class Facilities(Extract):
    """A facility. Its time zone decides what "today" is there."""

    facility_id: str = _key()
    name: str = _is("text", nullable=True)
    time_zone: str = _is("zone")


class Staff(Extract):
    """Everybody who works here or worked here."""

    staff_id: str = _key()
    name: str = _is("text", nullable=True)
    email: str = _is("text", nullable=True)
    role: str = _described(*ROLES)
    is_assistant: str = _is("flag", nullable=True)
    facility_id: str = _ref("facilities", nullable=True)
    is_active: str = _is("flag")


class Payers(Extract):
    """A payer: an insurer, a plan, a programme."""

    payer_id: str = _key()
    name: str = _is("text", nullable=True)
    kind: str = _described()


class Patients(Extract):
    """One row for each patient. Rules say which statuses get new tasks: mostly Active."""

    patient_id: str = _key()
    first_name: str = _is("text")
    last_name: str = _is("text")
    birth_date: str = _is("birth_day", nullable=True)
    status: str = _one_of(*PATIENT_STATUSES)
    facility_id: str = _ref("facilities")
    phone: str = _is("text", nullable=True)
    email: str = _is("text", nullable=True)
    reminder_channel: str = _is("text", nullable=True)


class Cases(Extract):
    """One course of care of a patient, from opening to discharge."""

    case_id: str = _key()
    patient_id: str = _ref("patients")
    facility_id: str = _ref("facilities")
    therapist_id: str = _person()
    opened_on: str = _is("day")
    discharged_on: str = _end("day")
    visits_per_week_target: str = _is("count", nullable=True)
    referring_provider: str = _is("text", nullable=True)
    referring_fax: str = _is("text", nullable=True)
    order_signed_on: str = _end("day")

    class Config:
        in_order = _never_before(("opened_on", "discharged_on"))


class Policies(Extract):
    """A patient's insurance. Rank 1 is primary; a policy without a case covers all cases."""

    policy_id: str = _key()
    patient_id: str = _ref("patients")
    case_id: str = _ref("cases", nullable=True)
    payer_id: str = _ref("payers")
    rank: str = _described("1", "2", "3", "4", "Primary", "Secondary", "Tertiary")
    starts_on: str = _is("day", nullable=True)
    ends_on: str = _end("day")
    created_at: str = _is("moment")
    authorization_required: str = _is("flag")
    verification_requested_at: str = _end("moment")
    verified_at: str = _end("moment")
    verified_by: str = _is("text", nullable=True)

    class Config:
        in_order = _never_before(("starts_on", "ends_on"))


class Authorizations(Extract):
    """A payer's approval of a number of visits or a period; a stub is the EMR's placeholder."""

    authorization_id: str = _key()
    policy_id: str = _ref("policies")
    case_id: str = _ref("cases")
    number: str = _is("text", nullable=True)
    starts_on: str = _is("day", nullable=True)
    ends_on: str = _end("day")
    visit_limit: str = _is("count", nullable=True)
    visits_used: str = _is("count", nullable=True)
    limit_unit: str = _one_of("visits", "units", nullable=True)
    is_stub: str = _is("flag")
    entered_at: str = _is("moment")
    document_uploaded_at: str = _end("moment")

    class Config:
        in_order = _never_before(("starts_on", "ends_on"))


class Appointments(Extract):
    """One visit, planned or past. amount_due is what the patient owes at the visit."""

    appointment_id: str = _key()
    case_id: str = _ref("cases")
    patient_id: str = _ref("patients")
    facility_id: str = _ref("facilities")
    staff_id: str = _person()
    starts_at: str = _is("moment")
    status: str = _one_of(
        "Scheduled", "Confirmed", "Arrived", "In Progress", "Completed", "Cancelled", "No Show"
    )
    amount_due: str = _is("money", nullable=True)
    reminder_status: str = _is("text", nullable=True)
    created_at: str = _is("moment")


class Payments(Extract):
    """Money from a patient (payment), back to a patient (refund), or a reversed entry (void)."""

    payment_id: str = _key()
    patient_id: str = _ref("patients")
    case_id: str = _ref("cases")
    date_of_service: str = _is("day", nullable=True)
    kind: str = _one_of("payment", "refund", "void")
    amount: str = _is("money")
    paid_at: str = _is("moment")


class Claims(Extract):
    """A bill to a payer; processed once the payer has stated what the patient owes."""

    claim_id: str = _key()
    case_id: str = _ref("cases")
    policy_id: str = _ref("policies", nullable=True)
    appointment_id: str = _ref("appointments", nullable=True)
    date_of_service: str = _is("day")
    status: str = _is("text")
    patient_responsibility: str = _is("money", nullable=True)
    processed_at: str = _end("moment")

    class Config:
        in_order = _never_before(("date_of_service", "processed_at"))


class ClaimHolds(Extract):
    """The reason a claim is held back from submission, until released."""

    hold_id: str = _key()
    claim_id: str = _ref("claims")
    reason_code: str = _is("text")
    reason: str = _is("text")
    held_at: str = _is("moment")
    released_at: str = _end("moment")

    class Config:
        in_order = _never_before(("held_at", "released_at"))


class Documents(Extract):
    """A clinical document, from draft to completed."""

    document_id: str = _key()
    case_id: str = _ref("cases")
    appointment_id: str = _ref("appointments", nullable=True)
    kind: str = _is("text")
    has_plan_of_care: str = _is("flag")
    status: str = _one_of("Draft", "Review", "Completed")
    started_at: str = _is("moment")
    date_of_service: str = _is("day", nullable=True)
    last_editor_id: str = _person()
    completed_at: str = _end("moment")
    reviewer_id: str = _person()
    submitted_for_review_at: str = _end("moment")
    signed_at: str = _end("moment")

    class Config:
        in_order = _never_before(
            ("started_at", "completed_at"),
            ("started_at", "submitted_for_review_at"),
        )


class Faxes(Extract):
    """One transmission of a document; Failed means that all retries failed."""

    fax_id: str = _key()
    document_id: str = _ref("documents")
    recipient: str = _is("text", nullable=True)
    number: str = _is("text", nullable=True)
    status: str = _one_of("Queued", "Sent", "Failed")
    attempts: str = _is("count")
    sent_at: str = _end("moment")
    failed_at: str = _end("moment")


class IntakeSubmissions(Extract):
    """Digital intake forms that a patient sent through the portal."""

    submission_id: str = _key()
    patient_id: str = _ref("patients")
    case_id: str = _ref("cases", nullable=True)
    form: str = _is("text")
    submitted_at: str = _is("moment")
    reviewed_at: str = _end("moment")


class EngagementActions(Extract):
    """A follow-up planned for a number of days after a case's discharge."""

    action_id: str = _key()
    case_id: str = _ref("cases")
    kind: str = _is("text")
    days_after_discharge: str = _is("count")
    is_active: str = _is("flag")


class Surveys(Extract):
    """A survey that a patient answered."""

    survey_id: str = _key()
    case_id: str = _ref("cases")
    kind: str = _is("text")
    completed_at: str = _is("moment")


class Manifest(Extract):
    """What the source states about its files: one row for each table."""

    table: str = _key()
    extracted_at: str = _is("moment")
    row_count: str = _is("count", nullable=True)
    complete: str = _is("flag", nullable=True)
    horizon_on: str = _end("day")
    since_on: str = _is("day", nullable=True)
    note: str = _is("text", nullable=True)
    connected: str = _is("flag", nullable=True)


# Every table comes after the tables it references, so parents are read first.
TABLES: dict[str, type[Extract]] = {
    "facilities": Facilities,
    "staff": Staff,
    "payers": Payers,
    "patients": Patients,
    "cases": Cases,
    "policies": Policies,
    "authorizations": Authorizations,
    "appointments": Appointments,
    "payments": Payments,
    "claims": Claims,
    "claim_holds": ClaimHolds,
    "documents": Documents,
    "faxes": Faxes,
    "intake_submissions": IntakeSubmissions,
    "engagement_actions": EngagementActions,
    "surveys": Surveys,
}


@dataclass(frozen=True)
class Column:
    """One column of a table's contract.

    `is_end`: OPEN_DAYS are empty here. `is_described`: an unknown value is OTHER. `is_person`: an
    unknown id is nobody.
    """

    name: str
    form: str
    is_nullable: bool
    is_key: bool
    references: str | None
    allowed: tuple[str, ...] | None
    is_end: bool = False
    is_described: bool = False
    is_person: bool = False

    @property
    def may_be_absent(self) -> bool:
        """True where a file without this column is read as if it were empty."""
        return self.is_nullable and not self.is_described

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the typed column."""
        return FORMS[self.form].sql_type


@cache
def columns(table: str) -> tuple[Column, ...]:
    """The columns of a table's contract, in order; `manifest` counts as a table here."""
    schema = (Manifest if table == "manifest" else TABLES[table]).to_schema()
    return tuple(_column(name, column) for name, column in schema.columns.items())


def _column(name: str, column: pa.Column) -> Column:
    found = {check.name: check.statistics for check in column.checks}
    words = found.get("isin", {}).get("allowed_values") or found.get("or_other", {}).get("words")
    return Column(
        name=name,
        form=found["written_as"]["form"] if "written_as" in found else "text",
        is_nullable=column.nullable,
        is_key=bool(column.unique),
        references=found["refers_to"]["table"] if "refers_to" in found else None,
        allowed=tuple(words) if words else None,
        is_end="may_be_open" in found,
        is_described="or_other" in found,
        is_person="refers_to" in found and column.checks[0].raise_warning,
    )


@cache
def in_order(table: str) -> tuple[tuple[str, str], ...]:
    """The pairs (earlier, later) of columns whose days may not contradict each other."""
    schema = (Manifest if table == "manifest" else TABLES[table]).to_schema()
    return tuple(
        (earlier, later)
        for check in schema.checks
        if check.name == "in_order"
        for earlier, later in check.statistics["pairs"]
    )


@cache
def key_of(table: str) -> str:
    """The name of the table's key column."""
    return next(column.name for column in columns(table) if column.is_key)
