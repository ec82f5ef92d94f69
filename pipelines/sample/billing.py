"""Payments of patients, claims of the visits, and holds that keep a claim from being sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.sample import facts
from pipelines.sample.facts import NEVER, Moments, days, minutes, only_if, to_days, to_seconds
from pipelines.sample.people import Cases
from pipelines.sample.randomness import Dice, Flags, Ints
from pipelines.sample.visits import COMPLETED, Visits

HOLDS = (
    ("AUTH_DOCS", "Authorization paperwork is missing"),
    ("CODING", "Diagnosis does not support the billed code"),
    ("DEMOGRAPHICS", "Date of birth differs from the payer's"),
    ("PAYER_ID", "Payer id is missing or no longer valid"),
)
KINDS = ("payment", "refund", "void")
PAYMENT, REFUND, VOID = range(3)
ON_THE_DAY, LATER, IN_PARTS, NEVER_PAID, VOIDED = range(5)


def billing_tables(
    dice: Dice, cases: Cases, visits: Visits, policy: Ints, authorizations: pa.Table
) -> dict[str, pa.Table]:
    """The fact tables payments, claims and claim_holds."""
    claims, holds = _claims(dice, cases, visits, policy, _first_paperwork(cases, authorizations))
    return {"payments": _payments(dice, cases, visits), "claims": claims, "claim_holds": holds}


class _Entry(NamedTuple):
    """Payment rows of the owing visits where `which` holds."""

    which: Flags
    digit: int  # the last one of the payment's number
    kind: int  # position in KINDS
    cents: Ints
    paid_at: Moments


def _entries(dice: Dice, cases: Cases, visits: Visits, owing: Ints) -> list[_Entry]:
    """What is paid for the visits at the positions `owing`, and what is voided or refunded."""
    number, due = visits.number[owing], visits.amount_due[owing]
    how = dice.pick("pays", number, [0.945, 0.040, 0.010, 0.001, 0.004])
    at_desk = visits.settled_at[owing] + minutes(dice.between("at the desk", number, 1, 9))
    part = due // 200 * 100
    late = at_desk + days(dice.graded("pays late", number, (0.8, 1, 6), (0.2, 7, 14)))
    pays_rest = dice.happens("pays the rest", number, 0.95)
    # Some overpayments are refunded, weeks after the payer processed the claim.
    gives_back = (
        _is_overcharged(dice, cases, visits, owing)
        & np.isin(how, (ON_THE_DAY, LATER))
        & dice.happens("gives back", cases.number, 0.9)[visits.case[owing]]
    )
    refunded_at = visits.settled_at[owing] + days(dice.between("gives back after", number, 60, 110))
    return [
        _Entry(np.isin(how, (ON_THE_DAY, VOIDED)), 1, PAYMENT, due, at_desk),
        _Entry(how == LATER, 1, PAYMENT, due, late),
        _Entry(how == IN_PARTS, 1, PAYMENT, part, at_desk),
        _Entry((how == IN_PARTS) & pays_rest, 2, PAYMENT, due - part, late),
        _Entry(how == VOIDED, 2, VOID, due, at_desk + days(1)),
        _Entry((how == VOIDED) & pays_rest, 3, PAYMENT, due, late + days(2)),
        _Entry(gives_back, 4, REFUND, due, refunded_at),
    ]


def _payments(dice: Dice, cases: Cases, visits: Visits) -> pa.Table:
    owing = np.flatnonzero((visits.outcome == COMPLETED) & (visits.amount_due > 0))
    entries = _entries(dice, cases, visits, owing)
    visit = owing[np.concatenate([np.flatnonzero(entry.which) for entry in entries])]
    rows = [np.count_nonzero(entry.which) for entry in entries]
    digit = np.repeat([entry.digit for entry in entries], rows)
    kind = np.repeat([entry.kind for entry in entries], rows)
    columns = {
        "payment_id": visits.number[visit] * 10 + digit,
        "patient_id": cases.patient_id[visits.case[visit]],
        "case_id": cases.number[visits.case[visit]],
        "facility_id": cases.facility[visits.case[visit]],
        "amount": np.concatenate([entry.cents[entry.which] for entry in entries]),
        "paid_at": np.concatenate([entry.paid_at[entry.which] for entry in entries]),
        "voided_at": np.full(len(visit), NEVER),
        # A refund pays out the credit of a case, so it has no date of service.
        "date_of_service": np.where(
            kind == REFUND,
            np.datetime64("NaT", "D"),
            visits.starts_at[visit].astype("datetime64[D]"),
        ),
        "kind": facts.texts(kind, KINDS),
    }
    return facts.table("payments", columns)


def _is_overcharged(dice: Dice, cases: Cases, visits: Visits, visit: Ints) -> Flags:
    """Visits for which the payer later states that the patient owed nothing."""
    return dice.happens("overcharged", cases.number, 0.06)[visits.case[visit]] & dice.happens(
        "owes nothing", visits.number[visit], 0.3
    )


def _first_paperwork(cases: Cases, authorizations: pa.Table) -> Moments:
    """For each case, when its first authorization was uploaded; NEVER where it has none."""
    column = {
        name: authorizations[name].to_numpy()
        for name in ("authorization_id", "case_id", "document_uploaded_at")
    }
    first = np.flatnonzero(column["authorization_id"] % 10 == 1)
    uploaded_at = np.full(len(cases.number), NEVER)
    uploaded_at[np.searchsorted(cases.number, column["case_id"][first])] = column[
        "document_uploaded_at"
    ][first]
    return uploaded_at


def _claims(
    dice: Dice, cases: Cases, visits: Visits, policy: Ints, paperwork_at: Moments
) -> tuple[pa.Table, pa.Table]:
    """Claims are created on the visit's evening, sent in days unless held, processed in weeks."""
    billed = np.flatnonzero((visits.outcome == COMPLETED) & (policy[visits.case] > 0))
    number, case = visits.number[billed], visits.case[billed]
    day = to_days(visits.starts_at[billed])
    created_at = to_seconds(day) + minutes(20 * 60 + 15)
    send_at = created_at + days(dice.between("sent after", number, 1, 3))
    lacks_paperwork = (visits.nth[billed] < 2) & (paperwork_at[case] > send_at)
    is_held = lacks_paperwork | dice.happens("held", number, 0.012)
    release = (
        send_at
        + days(dice.graded("released", number, (0.7, 1, 9), (0.2, 10, 40), (0.1, 100, 400)))
        + minutes(300)
    )
    released_at = only_if(is_held, np.where(lacks_paperwork, paperwork_at[case] + days(1), release))
    held_at = only_if(is_held, send_at)
    submitted_at = np.where(is_held, released_at + minutes(60), send_at)
    processed_at = (
        submitted_at
        + days(dice.graded("processed", number, (0.9, 9, 24), (0.1, 25, 50)))
        + minutes(120)
    )
    owed = np.where(_is_overcharged(dice, cases, visits, billed), 0, visits.amount_due[billed])
    claims = {
        "claim_id": number,
        "case_id": cases.number[case],
        "policy_id": policy[case],
        "appointment_id": number,
        "facility_id": cases.facility[case],
        "patient_responsibility": owed,
        "created_at": created_at,
        "held_at": held_at,
        "released_at": released_at,
        "submitted_at": submitted_at,
        "processed_at": processed_at,
        "date_of_service": day,
    }
    causes = dice.between("cause", number, 1, len(HOLDS) - 1)
    cause = np.where(lacks_paperwork, 0, causes)
    return facts.table("claims", claims), _holds(claims, np.flatnonzero(is_held), cause)


def _holds(claims: Mapping[str, NDArray], held: Ints, cause: Ints) -> pa.Table:
    """The holds of the claims at the positions `held`; `cause` is a position in HOLDS by claim."""
    number = claims["claim_id"][held]
    columns = {
        "hold_id": number * 10 + 1,
        "claim_id": number,
        "facility_id": claims["facility_id"][held],
        "held_at": claims["held_at"][held],
        "released_at": claims["released_at"][held],
        "reason_code": facts.texts(cause[held], [code for code, _ in HOLDS]),
        "reason": facts.texts(cause[held], [reason for _, reason in HOLDS]),
    }
    return facts.table("claim_holds", columns)
