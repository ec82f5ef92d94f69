"""Fact tables: all events with their times, whatever was known of them at some moment.

Ids are numbers (0: none), amounts are cents, and times are local wall times of the row's facility,
by which a row becomes known. NaT means never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Moments = NDArray[np.datetime64]
Spans = NDArray[np.timedelta64]
Scalar = int | str | bool | np.datetime64 | None
Column: TypeAlias = NDArray | pa.DictionaryArray | Sequence[Scalar]
Facts = dict[str, pa.Table]

ANCHOR = np.datetime64("2026-11-20", "D")  # the day around which all events take place
NEVER = np.datetime64("NaT", "s")

NUMBER, MOMENT, DAY, FLAG = pa.int64(), pa.timestamp("s"), pa.date32(), pa.bool_()
TEXT = pa.dictionary(pa.int32(), pa.string())


def _fields(
    numbers: str = "", moments: str = "", days: str = "", texts: str = "", flags: str = ""
) -> pa.Schema:
    kinds = ((numbers, NUMBER), (moments, MOMENT), (days, DAY), (texts, TEXT), (flags, FLAG))
    return pa.schema([(name, kind) for names, kind in kinds for name in names.split()])


SCHEMAS: dict[str, pa.Schema] = {
    "patients": _fields(
        "patient_id facility_id phone",
        "registered_at activated_at inactivated_at",
        "born_on",
        "first_name last_name reminder_channel",
    ),
    "cases": _fields(
        "case_id patient_id facility_id therapist_id visits_per_week_target referring_fax",
        "opened_at discharged_at",
        "order_signed_on",
        "referring_provider",
    ),
    "policies": _fields(
        "policy_id patient_id case_id facility_id payer_id rank",
        "created_at verification_requested_at verified_at",
        "starts_on ends_on",
        flags="authorization_required",
    ),
    # visit_limit -1: an empty cell. is_counted: the EMR fills visits_used itself. units_a_visit 0:
    # it counts visits.
    "authorizations": _fields(
        "authorization_id policy_id case_id facility_id visit_limit units_a_visit",
        "entered_at document_uploaded_at",
        "starts_on ends_on",
        flags="is_stub is_counted",
    ),
    # outcome holds from settled_at, unless the visit is cancelled. amount_due -1: an empty cell.
    "appointments": _fields(
        "appointment_id case_id patient_id facility_id staff_id amount_due",
        "starts_at created_at confirmed_at cancelled_at settled_at reminded_at",
        texts="outcome",
    ),
    # voided_at: when the EMR turned the payment row itself into a void one.
    "payments": _fields(
        "payment_id patient_id case_id facility_id amount",
        "paid_at voided_at",
        "date_of_service",
        "kind",
    ),
    "claims": _fields(
        "claim_id case_id policy_id appointment_id facility_id patient_responsibility",
        "created_at held_at released_at submitted_at processed_at",
        "date_of_service",
    ),
    "claim_holds": _fields(
        "hold_id claim_id facility_id", "held_at released_at", texts="reason_code reason"
    ),
    "documents": _fields(
        "document_id case_id appointment_id facility_id last_editor_id reviewer_id",
        "started_at submitted_for_review_at completed_at signed_at",
        "date_of_service",
        "kind",
        "has_plan_of_care",
    ),
    "faxes": _fields(
        "fax_id document_id facility_id number", "queued_at sent_at failed_at", texts="recipient"
    ),
    "intake_submissions": _fields(
        "submission_id patient_id case_id facility_id", "submitted_at reviewed_at", texts="form"
    ),
    "engagement_actions": _fields(
        "action_id case_id facility_id days_after_discharge", "set_at", flags="is_active"
    ),
    "surveys": _fields("survey_id case_id facility_id", "completed_at", texts="kind"),
}


def table(name: str, columns: Mapping[str, Column]) -> pa.Table:
    """A fact table; ValueError for a missing or unknown column."""
    schema = SCHEMAS[name]
    if set(columns) != set(schema.names):
        raise ValueError(
            f"facts of {name}: {sorted(set(columns) ^ set(schema.names))} are missing or unknown"
        )
    return pa.table([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(values: Column, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if kind == MOMENT:
        return pa.array(np.asarray(values, dtype="datetime64[s]"))
    if kind == DAY:
        return pa.array(np.asarray(values, dtype="datetime64[D]"))
    if kind == TEXT:
        return pa.array(values, type=pa.string()).dictionary_encode()
    return pa.array(values, type=kind)


def texts(positions: NDArray[np.int64], choices: Sequence[str | None]) -> pa.DictionaryArray:
    """A text column: for each row, the choice at that position."""
    known = [choice for choice in choices if choice is not None]
    moved = np.array(
        [known.index(choice) if choice is not None else -1 for choice in choices], dtype=np.int32
    )[positions]
    return pa.DictionaryArray.from_arrays(
        pa.array(moved, mask=moved < 0), pa.array(known, type=pa.string())
    )


def same(text: str | None, length: int) -> pa.DictionaryArray:
    """A text column with one text in every row."""
    return texts(np.zeros(length, dtype=np.int64), [text])


def days(counts: NDArray[np.int64] | int) -> Spans:
    """Time spans of whole days."""
    return np.asarray(counts).astype("timedelta64[D]").astype("timedelta64[s]")


def minutes(counts: NDArray[np.int64] | int) -> Spans:
    """Time spans of minutes."""
    return np.asarray(counts).astype("timedelta64[m]").astype("timedelta64[s]")


def to_days(moments: Moments) -> Moments:
    """The days of the moments."""
    return moments.astype("datetime64[D]")


def to_seconds(days: Moments) -> Moments:
    """The moments at the start of the days."""
    return days.astype("datetime64[s]")


def only_if(condition: NDArray[np.bool_], moments: Moments) -> Moments:
    """The moment where the condition holds, else NEVER."""
    return np.where(condition, moments.astype("datetime64[s]"), NEVER)
