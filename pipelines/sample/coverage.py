"""Policies and authorizations: who pays for a case, and which visits the payer approved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.sample import facts
from pipelines.sample.facts import Moments, days, minutes, only_if
from pipelines.sample.people import Cases, Patients
from pipelines.sample.practice import PAYERS, SELF_PAY
from pipelines.sample.randomness import Dice, Ints

VERIFIED_SINCE = facts.ANCHOR - 10  # start of benefit verification by the vendor
ASKS = np.array([payer.asks_authorization for payer in PAYERS])
ASKS_LATER = np.array([payer.asks_after_visits for payer in PAYERS])

# The last digit of a policy's number.
MAIN, OF_SECOND_CASE, SECONDARY, FORMER = 1, 2, 3, 4


def policy_of(dice: Dice, cases: Cases) -> Ints:
    """The policy each case is billed to; 0 for self-pay."""
    is_bound = dice.happens("policy of a case", cases.patient_id, 0.6)
    which = np.where(is_bound & (cases.number % 10 == 2), OF_SECOND_CASE, MAIN)
    return np.where(cases.payer == SELF_PAY, 0, cases.patient_id * 10 + which)


def coverage_tables(dice: Dice, patients: Patients, cases: Cases) -> dict[str, pa.Table]:
    """The fact tables policies and authorizations."""
    policy = policy_of(dice, cases)
    return {
        "policies": _policies(dice, patients, cases),
        "authorizations": _authorizations(dice, cases, policy),
    }


class _Policies(NamedTuple):
    """Columns of the policies: position of the patient, case or 0, last digit, and so on.

    `known_at` is when the facility enters the policy, by its clock.
    """

    patient: Ints
    case_id: Ints
    digit: Ints
    facility: Ints
    known_at: Moments


def _policies_of(dice: Dice, patients: Patients, cases: Cases) -> _Policies:
    """Who has which policies; some patients' main policies are of one case each."""
    insured = patients.payer != SELF_PAY
    is_bound = dice.happens("policy of a case", patients.number, 0.6) & ~patients.is_referral
    own = np.flatnonzero(insured & ~is_bound)
    bound = np.flatnonzero((cases.payer != SELF_PAY) & is_bound[cases.patient])
    secondary = np.flatnonzero(insured & dice.happens("secondary", patients.number, 0.15))
    former = np.flatnonzero(insured & dice.happens("former", patients.number, 0.08))
    # (positions of patients, last digit)
    of_patient = [(own, MAIN), (secondary, SECONDARY), (former, FORMER)]
    patient = np.concatenate([cases.patient[bound]] + [positions for positions, _ in of_patient])
    case_id = np.concatenate(
        [cases.number[bound]] + [np.zeros_like(positions) for positions, _ in of_patient]
    )
    digit = np.concatenate(
        [cases.number[bound] % 10]
        + [np.full_like(positions, last) for positions, last in of_patient]
    )
    facility = np.concatenate(
        [cases.facility[bound]] + [patients.facility[positions] for positions, _ in of_patient]
    )
    known_at = np.concatenate(
        [cases.opened_at[bound]]
        + [patients.registered_at[positions] for positions, _ in of_patient]
    ) + minutes(60)
    return _Policies(patient, case_id, digit, facility, known_at)


def _policies(dice: Dice, patients: Patients, cases: Cases) -> pa.Table:
    patient, case_id, digit, facility, known_at = _policies_of(dice, patients, cases)
    number = patients.number[patient] * 10 + digit
    payer = np.where(
        digit >= SECONDARY,
        (patients.payer[patient] + digit) % (len(PAYERS) - 1) + 1,
        patients.payer[patient],
    )
    asks = (
        (known_at >= VERIFIED_SINCE)
        & (digit <= OF_SECOND_CASE)
        & dice.happens("verification", number, 0.6)
    )
    requested_at = only_if(
        asks, known_at + minutes(dice.between("verification asked", number, 5, 90))
    )
    verified_at = requested_at + days(
        dice.graded("verified", number, (0.85, 1, 4), (0.10, 5, 20), (0.05, 300, 400))
    )
    begins = known_at.astype("datetime64[Y]").astype("datetime64[D]") - np.where(
        digit == FORMER, 1096, 0
    )
    end = np.where(
        digit == FORMER, begins + 700, begins + dice.between("policy days", number, 500, 900)
    )
    has_end = (digit == FORMER) | dice.happens("policy ends", number, 0.3)
    columns = {
        "policy_id": number,
        "patient_id": patients.number[patient],
        "case_id": case_id,
        "facility_id": facility,
        "payer_id": payer,
        "rank": np.where(digit == SECONDARY, 2, 1),
        "created_at": known_at,
        "verification_requested_at": requested_at,
        "verified_at": verified_at,
        "starts_on": begins,
        "ends_on": np.where(has_end, end, np.datetime64("NaT")),
        "authorization_required": ASKS[payer] & (digit <= OF_SECOND_CASE),
    }
    return facts.table("policies", columns)


def _authorizations(dice: Dice, cases: Cases, policy: Ints) -> pa.Table:
    """Approvals of 60 or 90 days, one after another while the case lasts."""
    asking = np.flatnonzero((policy > 0) & ASKS[cases.payer])
    span = np.where(dice.happens("span", cases.number[asking], 0.5), 60, 90)
    weeks = (cases.kept[asking] - 1) // cases.weekly[asking] + 1
    spans = np.minimum((weeks * 7 - 1) // span + 1, 8)
    case = np.repeat(asking, spans)
    of_case = np.repeat(np.arange(len(asking)), spans)
    nth = np.arange(len(case)) - np.repeat(np.cumsum(spans) - spans, spans)
    number = cases.number[case] * 10 + nth + 1
    begins = cases.start[case] + nth * span[of_case]
    ends = begins + span[of_case] - 1
    first_at = (
        cases.opened_at[case]
        + minutes(150)
        + days(dice.graded("entered", number, (0.8, 0, 2), (0.2, 4, 12)))
    )
    renewal = dice.graded("renewed", number, (0.80, -20, -4), (0.12, 3, 15), (0.08, 400, 500))
    later_at = (begins + renewal).astype("datetime64[s]") + minutes(
        600 + dice.between("entered minute", number, 0, 400)
    )
    entered_at = np.where(nth == 0, first_at, np.maximum(later_at, cases.opened_at[case] + days(1)))
    upload = dice.graded("uploaded", number, (0.9, 0, 1), (0.1, 8, 45))
    planned = -(-span[of_case] * cases.weekly[case] // 7)
    slack = dice.graded("visit slack", number, (0.90, 4, 8), (0.10, -4, 1))
    limit = np.select(
        [dice.happens("no limit", number, 0.08), dice.happens("limit 0", number, 0.05)],
        [-1, 0],
        planned + slack,
    )
    stub = np.flatnonzero((policy > 0) & ASKS_LATER[cases.payer])
    columns = {
        "authorization_id": (cases.number[stub] * 10, number),
        "policy_id": (policy[stub], policy[case]),
        "case_id": (cases.number[stub], cases.number[case]),
        "facility_id": (cases.facility[stub], cases.facility[case]),
        "visit_limit": (np.full(len(stub), 12), limit),
        "units_a_visit": (np.zeros_like(stub), np.zeros_like(case)),
        "entered_at": (cases.opened_at[stub] + minutes(75), entered_at),
        "document_uploaded_at": (
            np.full(len(stub), facts.NEVER),
            entered_at + days(upload) + minutes(20),
        ),
        "starts_on": (cases.start[stub], begins),
        "ends_on": (np.full(len(stub), np.datetime64("NaT", "D")), ends),
        "is_stub": (np.ones(len(stub), dtype=bool), np.zeros(len(case), dtype=bool)),
        "is_counted": (np.zeros(len(stub), dtype=bool), dice.happens("counted", number, 0.3)),
    }
    return facts.table(
        "authorizations", {name: np.concatenate(parts) for name, parts in columns.items()}
    )
