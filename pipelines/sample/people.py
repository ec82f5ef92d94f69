"""Patients and their cases: arrival, number of visits, and discharge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.sample import facts
from pipelines.sample.facts import Moments, days, minutes, only_if, to_days
from pipelines.sample.practice import FIRST_THERAPIST, MEDICARE, PAYERS, Practice
from pipelines.sample.randomness import Dice, Flags, Ints

GIVEN = (
    "Ada",
    "Ben",
    "Carmen",
    "Dmitri",
    "Elena",
    "Femi",
    "Gwen",
    "Hassan",
    "Ivy",
    "José",
    "Keiko",
    "Liam",
    "Mónica",
    "Noah",
    "Olga",
    "Pavel",
    "Quinn",
    "Rosa",
    "Søren",
    "Tara",
    "Uma",
    "Viktor",
    "Wanda",
    "Xavier",
    "Yara",
    "Zoë",
    "Anne-Marie",
    "Bo",
    "Chidi",
    "Deborah",
)
FAMILY = (
    "Adams",
    "Brown",
    "Chen",
    "Diaz",
    "Edwards",
    "Fischer",
    "García",
    "Hughes",
    "Ivanov",
    "Johnson",
    "Kim",
    "Lopez",
    "Müller",
    "Nguyen",
    "O'Brien",
    "Patel",
    "Quist",
    "Rossi",
    "Smith",
    "Tran",
    "Underwood",
    "Vasquez",
    "Williams",
    "Xu",
    "Young",
    "Ziegler",
    "Reed, Jr.",
    "Walker",
)
PHYSICIANS = (
    "Dr. A. Moreau",
    "Dr. L. Svensson",
    "Dr. P. O'Connor",
    "Dr. R. Banerjee",
    "Dr. S. Lindqvist, MD",
    "Dr. T. Nakamura",
)

# Weekdays of visits, by visits per week less one, by habit, by visit of the week.
WEEKDAYS = np.array(
    [
        [[0, 0, 0], [2, 0, 0], [4, 0, 0]],
        [[0, 2, 0], [1, 3, 0], [1, 4, 0]],
        [[0, 2, 4], [0, 1, 3], [1, 3, 4]],
    ]
)


@dataclass(frozen=True)
class Patients:
    """Columns of the patients, by their numbers; `facility` is the home facility."""

    number: Ints
    facility: Ints
    payer: Ints
    is_referral: Flags
    registered_at: Moments


@dataclass(frozen=True)
class Cases:
    """Columns of the cases, by their numbers; `patient` is a position in Patients."""

    number: Ints
    patient: Ints
    patient_id: Ints
    facility: Ints
    therapist: Ints
    payer: Ints
    start: Moments  # the Monday of the first visit's week
    weekly: Ints
    habit: Ints
    visits: Ints
    kept: Ints  # visits before the patient stays away; `visits` where they do not
    opened_at: Moments
    discharged_at: Moments


@dataclass(frozen=True)
class Arrivals:
    """Columns of the cases to open: numbers, patients, home facilities, payers, first days."""

    number: Ints
    patient_id: Ints
    home: Ints
    payer: Ints
    day: Moments


def patients_and_cases(
    dice: Dice, practice: Practice, numbers: Ints
) -> tuple[Patients, Cases, dict[str, pa.Table]]:
    """The patients with those numbers, their cases, and both fact tables."""
    key = numbers
    facility = dice.between("home", key, 1, practice.facilities)
    payer = dice.pick("payer", key, [payer.weight for payer in PAYERS])
    first_day = dice.graded("first day", key, (0.63, -400, -95), (0.33, -94, 3), (0.04, 4, 60))
    first = _cases(
        dice,
        practice,
        Arrivals(numbers * 10 + 1, numbers, facility, payer, facts.ANCHOR + days(first_day)),
    )
    again = dice.happens("comes back", key, 0.14)
    second_day = to_days(first.discharged_at) + dice.between("pause", key, 20, 200)
    again &= second_day <= facts.ANCHOR + 60
    is_referral = dice.happens("referral only", key, 0.03)
    again &= ~is_referral
    second = _cases(
        dice,
        practice,
        Arrivals(
            numbers[again] * 10 + 2,
            numbers[again],
            facility[again],
            payer[again],
            second_day[again],
        ),
    )
    registered_at = (
        first.opened_at
        - days(dice.graded("registered", key, (0.7, 0, 6), (0.3, 7, 40)))
        - minutes(180)
    )
    patients = Patients(numbers, facility, payer, is_referral, registered_at)
    cases = _joined(first, second, ~is_referral, np.flatnonzero(again))
    last_end = first.discharged_at.copy()
    last_end[again] = second.discharged_at
    leaves = dice.happens("turns inactive", key, 0.75) & ~is_referral
    inactivated_at = only_if(leaves, last_end + days(dice.between("inactive after", key, 20, 75)))
    tables = {
        "patients": _patients_table(
            dice, patients, only_if(~is_referral, first.opened_at), inactivated_at
        ),
        "cases": _cases_table(dice, cases),
    }
    return patients, cases, tables


def _cases(dice: Dice, practice: Practice, arrivals: Arrivals) -> Cases:
    """One case for each arrival, its first visit in the week of that day."""
    key = arrivals.number
    weekly = dice.pick("visits a week", key, [0.2, 0.6, 0.2]) + 1
    habit = dice.between("habit", key, 0, 2)
    visits = dice.between("visits", key, 12, 32)
    stays_away = dice.happens("stays away", key, 0.10)
    kept = np.where(stays_away, dice.between("kept", key, 2, visits - 2), visits)
    start = _monday_of(arrivals.day)
    opened_at = (start + WEEKDAYS[weekly - 1, habit, 0]).astype("datetime64[s]") - days(
        dice.between("opened", key, 1, 9)
    )
    opened_at += minutes(600 + dice.between("opened minute", key, 0, 59))
    last_day = start + (kept - 1) // weekly * 7 + WEEKDAYS[weekly - 1, habit, (kept - 1) % weekly]
    tidy = dice.graded("discharged", key, (0.62, 0, 0), (0.28, 1, 7), (0.10, 10, 35))
    untidy = dice.between("discharged at last", key, 25, 80)
    discharged_at = (last_day + np.where(stays_away, untidy, tidy)).astype(
        "datetime64[s]"
    ) + minutes(18 * 60 + 30)
    elsewhere = dice.happens("elsewhere", key, 0.03)
    facility = np.where(
        elsewhere, dice.between("facility", key, 1, practice.facilities), arrivals.home
    )
    therapist = (
        facility * 1000
        + FIRST_THERAPIST
        + dice.between("therapist", key, 0, practice.therapists - 1)
    )
    unknown = np.zeros(len(key), dtype=np.int64)  # set by _joined
    return Cases(
        key,
        unknown,
        arrivals.patient_id,
        facility,
        therapist,
        arrivals.payer,
        start,
        weekly,
        habit,
        visits,
        kept,
        opened_at,
        discharged_at,
    )


def _monday_of(moments: Moments) -> Moments:
    """The Monday of the week of each moment."""
    day_number = to_days(moments).astype(np.int64)
    monday = (day_number + 3) // 7 * 7 - 3  # day 0, 1970-01-01, was a Thursday
    return monday.astype("datetime64[D]")


def _joined(first: Cases, second: Cases, has_first: Flags, second_patient: Ints) -> Cases:
    """First and second cases together, by their numbers."""
    order = np.argsort(np.concatenate([first.number[has_first], second.number]), kind="stable")
    columns = {
        name: np.concatenate([getattr(first, name)[has_first], getattr(second, name)])[order]
        for name in Cases.__dataclass_fields__
        if name != "patient"
    }
    return Cases(
        patient=np.concatenate([np.flatnonzero(has_first), second_patient])[order], **columns
    )


def _patients_table(
    dice: Dice, patients: Patients, activated_at: Moments, inactivated_at: Moments
) -> pa.Table:
    key = patients.number
    age = np.where(
        patients.payer == MEDICARE,
        dice.between("age", key, 66 * 365, 90 * 365),
        dice.between("age", key, 12 * 365, 66 * 365),
    )
    return facts.table(
        "patients",
        {
            "patient_id": key,
            "facility_id": patients.facility,
            "phone": dice.between("phone", key, 0, 9999),
            "registered_at": patients.registered_at,
            "activated_at": activated_at,
            "inactivated_at": inactivated_at,
            "born_on": facts.ANCHOR - age,
            "first_name": facts.texts(dice.between("first name", key, 0, len(GIVEN) - 1), GIVEN),
            "last_name": facts.texts(dice.between("last name", key, 0, len(FAMILY) - 1), FAMILY),
            "reminder_channel": facts.texts(
                dice.pick("channel", key, [0.5, 0.3, 0.1, 0.1]), ("Text", "Email", "Phone", None)
            ),
        },
    )


def _cases_table(dice: Dice, cases: Cases) -> pa.Table:
    key = cases.number
    physician = dice.between("physician", key, 0, len(PHYSICIANS))
    is_ordered = (physician < len(PHYSICIANS)) & dice.happens("signed order", key, 0.6)
    order_signed_at = cases.opened_at - days(dice.between("ordered", key, 0, 9))
    return facts.table(
        "cases",
        {
            "case_id": key,
            "patient_id": cases.patient_id,
            "facility_id": cases.facility,
            "therapist_id": np.where(dice.happens("no therapist", key, 0.01), 0, cases.therapist),
            "visits_per_week_target": np.where(
                dice.happens("no target", key, 0.06), 0, cases.weekly
            ),
            "referring_fax": np.where(physician == len(PHYSICIANS), -1, 100 + physician),
            "opened_at": cases.opened_at,
            "discharged_at": cases.discharged_at,
            "order_signed_on": to_days(only_if(is_ordered, order_signed_at)),
            "referring_provider": facts.texts(physician, (*PHYSICIANS, None)),
        },
    )
