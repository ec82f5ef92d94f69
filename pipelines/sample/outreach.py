"""Contacts outside the visit: intake forms, follow-ups after discharge, surveys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.sample import facts
from pipelines.sample.facts import days, minutes
from pipelines.sample.people import Cases
from pipelines.sample.practice import MEDICARE
from pipelines.sample.randomness import Dice
from pipelines.sample.visits import Visits

PORTAL_SINCE = facts.ANCHOR - 30  # start of intake forms in the portal
CALLED_UNTIL = facts.ANCHOR - 10  # earlier follow-ups after discharge are done
MIPS = "MIPS Patient Survey"


def outreach_tables(dice: Dice, cases: Cases, visits: Visits) -> dict[str, pa.Table]:
    """The fact tables intake_submissions, engagement_actions and surveys."""
    return {
        "intake_submissions": _intake(dice, cases),
        "engagement_actions": _actions(dice, cases),
        "surveys": _surveys(dice, cases, visits),
    }


def _intake(dice: Dice, cases: Cases) -> pa.Table:
    sends = np.flatnonzero(
        (cases.opened_at >= PORTAL_SINCE)
        & (cases.number % 10 == 1)
        & dice.happens("intake", cases.number, 0.5)
    )
    number = cases.patient_id[sends] * 10 + 1
    submitted_at = cases.opened_at[sends] + minutes(dice.between("intake after", number, 200, 1200))
    columns = {
        "submission_id": number,
        "patient_id": cases.patient_id[sends],
        "case_id": np.where(dice.happens("intake of a case", number, 0.6), cases.number[sends], 0),
        "facility_id": cases.facility[sends],
        "submitted_at": submitted_at,
        "reviewed_at": facts.only_if(
            dice.happens("intake reviewed", number, 0.9),
            submitted_at + minutes(dice.between("reviewed after", number, 30, 2800)),
        ),
        "form": facts.texts(
            dice.pick("form", number, [0.8, 0.2]), ("New Patient Packet", "Medical History")
        ),
    }
    return facts.table("intake_submissions", columns)


def _actions(dice: Dice, cases: Cases) -> pa.Table:
    follows = np.flatnonzero(dice.happens("follow-up", cases.number, 0.3))
    number = cases.number[follows] * 10 + 1
    after = np.array([30, 60, 90])[dice.between("follow-up days", number, 0, 2)]
    # Whoever was called is ticked off.
    is_called = (cases.discharged_at[follows] + days(after) < CALLED_UNTIL) & dice.happens(
        "follow-up called", number, 0.9
    )
    columns = {
        "action_id": number,
        "case_id": cases.number[follows],
        "facility_id": cases.facility[follows],
        "days_after_discharge": after,
        "set_at": cases.opened_at[follows] + minutes(45),
        "is_active": dice.happens("follow-up active", number, 0.95) & ~is_called,
    }
    return facts.table("engagement_actions", columns)


def _surveys(dice: Dice, cases: Cases, visits: Visits) -> pa.Table:
    """MIPS surveys at the evaluation and the discharge, and a few of satisfaction."""
    first_visit = np.flatnonzero(visits.nth == 0)
    case = visits.case[first_visit]
    asked = dice.happens(
        "surveyed", cases.number[case], np.where(cases.payer[case] == MEDICARE, 0.6, 0.1)
    )
    first, first_at = case[asked], visits.starts_at[first_visit[asked]] - minutes(10)
    answers_again = dice.happens("surveyed again", cases.number[first], 0.85)
    second, second_at = (
        first[answers_again],
        cases.discharged_at[first[answers_again]] - minutes(60),
    )
    pleased = np.flatnonzero(dice.happens("satisfaction", cases.number, 0.05))
    rows = np.concatenate([first, second, pleased])
    which = np.repeat([1, 2, 3], [len(first), len(second), len(pleased)])
    columns = {
        "survey_id": cases.number[rows] * 10 + which,
        "case_id": cases.number[rows],
        "facility_id": cases.facility[rows],
        "completed_at": np.concatenate(
            [first_at, second_at, cases.discharged_at[pleased] + days(3)]
        ),
        "kind": facts.texts((which == 3).astype(np.int64), (MIPS, "Satisfaction Survey")),
    }
    return facts.table("surveys", columns)
