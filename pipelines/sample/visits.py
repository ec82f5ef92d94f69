"""Appointments: booked some weeks ahead, kept, missed or cancelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.sample import facts
from pipelines.sample.facts import Moments, days, minutes, only_if
from pipelines.sample.people import WEEKDAYS, Cases
from pipelines.sample.practice import FIRST_ASSISTANT, FIRST_THERAPIST, PAYERS, Practice
from pipelines.sample.randomness import Dice, Ints

COMPLETED, NO_SHOW, CANCELLED = 0, 1, 2
OUTCOMES = ("Completed", "No Show", "Cancelled")
COPAYS = np.array([payer.copays for payer in PAYERS])


@dataclass(frozen=True)
class Visits:
    """Columns of the appointments, by number; `case` is a position in Cases, `nth` is from 0."""

    number: Ints
    case: Ints
    nth: Ints
    staff: Ints
    starts_at: Moments
    settled_at: Moments
    outcome: Ints
    amount_due: Ints


def visits_and_table(dice: Dice, practice: Practice, cases: Cases) -> tuple[Visits, pa.Table]:
    """All visits ever booked in these cases, and the fact table appointments."""
    case = np.repeat(np.arange(len(cases.number)), cases.visits)
    nth = np.arange(len(case)) - np.repeat(np.cumsum(cases.visits) - cases.visits, cases.visits)
    number = cases.number[case] * 1000 + nth + 1
    starts_at = _start(dice, cases, case, nth)
    created_at, away_at = _booked(dice, cases, case, nth, number, starts_at)
    is_booked = (nth < cases.kept[case]) | (created_at < away_at)
    case, nth, number = case[is_booked], nth[is_booked], number[is_booked]
    starts_at, created_at, away_at = (
        starts_at[is_booked],
        created_at[is_booked],
        away_at[is_booked],
    )
    outcome = np.where(nth == 0, COMPLETED, dice.pick("outcome", number, [0.90, 0.035, 0.065]))
    is_away = nth >= cases.kept[case]
    outcome[is_away] = CANCELLED
    called_at = np.maximum(
        starts_at - minutes(dice.between("cancelled before", number, 60, 4000)),
        created_at + minutes(5),
    )
    cancelled_at = only_if(outcome == CANCELLED, np.where(is_away, away_at, called_at))
    settled_at = starts_at + minutes(
        np.where(outcome == NO_SHOW, 25, dice.between("visit minutes", number, 40, 60))
    )
    visits = Visits(
        number,
        case,
        nth,
        _treating(dice, practice, cases, case, nth, number),
        starts_at,
        settled_at,
        outcome,
        _due(dice, cases, case),
    )
    return visits, _appointments(dice, cases, visits, created_at, cancelled_at)


def _appointments(
    dice: Dice, cases: Cases, visits: Visits, created_at: Moments, cancelled_at: Moments
) -> pa.Table:
    number, case, starts_at = visits.number, visits.case, visits.starts_at
    confirms = dice.happens("confirms", number, 0.7) & (visits.outcome != NO_SHOW)
    confirmed_at = starts_at - minutes(dice.between("confirmed before", number, 600, 2600))
    is_reminded = dice.happens("reminded", number, 0.9)
    columns = {
        "appointment_id": number,
        "case_id": cases.number[case],
        "patient_id": cases.patient_id[case],
        "facility_id": cases.facility[case],
        "staff_id": visits.staff,
        "amount_due": visits.amount_due,
        "starts_at": starts_at,
        "created_at": created_at,
        "confirmed_at": only_if(confirms, np.maximum(confirmed_at, created_at)),
        "cancelled_at": cancelled_at,
        "settled_at": visits.settled_at,
        "reminded_at": only_if(is_reminded, np.maximum(starts_at - days(2), created_at)),
        "outcome": facts.texts(visits.outcome, OUTCOMES),
    }
    return facts.table("appointments", columns)


def _start(dice: Dice, cases: Cases, case: Ints, nth: Ints) -> Moments:
    """When the nth visit of a case starts: near the case's usual half hour, 8:00 to 17:30."""
    weekly = cases.weekly[case]
    day = (
        cases.start[case]
        + nth // weekly * 7
        + WEEKDAYS[weekly - 1, cases.habit[case], nth % weekly]
    )
    usual = dice.between("half hour", cases.number, 1, 18)[case]
    half_hour = usual + dice.between("moved", cases.number[case] * 1000 + nth + 1, -1, 1)
    return day.astype("datetime64[s]") + minutes(480 + 30 * half_hour)


def _booked(
    dice: Dice, cases: Cases, case: Ints, nth: Ints, number: Ints, starts_at: Moments
) -> tuple[Moments, Moments]:
    """When each visit is booked, and when its case is cancelled as the patient stays away."""
    first_at = _start(dice, cases, np.arange(len(cases.number)), np.zeros_like(cases.number))
    last_kept_at = _start(dice, cases, np.arange(len(cases.number)), cases.kept - 1)
    away_at = (last_kept_at + days(3) + minutes(75))[case]
    ahead = (
        starts_at
        - days(dice.between("booked ahead", number, 18, 26))
        + minutes(dice.between("booked minute", number, -90, 90))
    )
    at_once = dice.happens("books at once", cases.number, 0.2)[case]
    opening = cases.opened_at[case] + minutes(30)
    later = np.where(
        at_once, first_at[case] + minutes(70), np.maximum(first_at[case] + minutes(70), ahead)
    )
    return np.where(nth == 0, opening, later), away_at


def _due(dice: Dice, cases: Cases, case: Ints) -> Ints:
    """What the patient owes at each visit, in cents."""
    return COPAYS[cases.payer, dice.between("copay", cases.patient_id, 0, 2)][case]


def _treating(
    dice: Dice, practice: Practice, cases: Cases, case: Ints, nth: Ints, number: Ints
) -> Ints:
    """Staff ids: mostly the case's therapist, later also an assistant or a colleague."""
    who = np.where(nth == 0, 0, dice.pick("who treats", number, [0.86, 0.10, 0.035, 0.005]))
    base = cases.facility[case] * 1000
    assistant = (
        base + FIRST_ASSISTANT + dice.between("assistant", number, 0, practice.assistants - 1)
    )
    colleague = (
        base + FIRST_THERAPIST + dice.between("colleague", number, 0, practice.therapists - 1)
    )
    return np.choose(who, [cases.therapist[case], assistant, colleague, np.zeros_like(base)])
