"""Clinical documents of the visits, from draft to completed, and faxes of plans of care."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.sample import facts
from pipelines.sample.facts import NEVER, Moments, days, minutes, only_if
from pipelines.sample.people import PHYSICIANS, Cases
from pipelines.sample.practice import DIRECTOR, FIRST_ASSISTANT, FIRST_THERAPIST, Practice
from pipelines.sample.randomness import Dice, Ints
from pipelines.sample.visits import COMPLETED, NO_SHOW, Visits

PLANS_SINCE = facts.ANCHOR - 50  # earlier plans of care are on paper
KINDS = ("Initial Evaluation", "Daily Note", "Progress Note", "Discharge Summary", "Addendum")
EVALUATION, DAILY, PROGRESS, DISCHARGE, ADDENDUM = range(5)
FAXED, FAX_FAILS = 0.92, 0.08  # shares


def chart_tables(
    dice: Dice, practice: Practice, cases: Cases, visits: Visits
) -> dict[str, pa.Table]:
    """The fact tables documents and faxes."""
    note = _notes(dice, practice, cases, visits)
    visit, completed_at = note["visit"], note["completed_at"]
    # An amendment of a completed document is a document of its own.
    amended = np.flatnonzero(
        dice.happens("amended", note["number"], 0.002) & ~np.isnat(completed_at)
    )
    begun_at = completed_at[amended] + days(
        dice.between("amended after", note["number"][amended], 1, 12)
    )
    done_at = (
        begun_at
        + days(dice.graded("amendment takes", note["number"][amended], (0.6, 0, 1), (0.4, 2, 10)))
        + minutes(25)
    )
    amendment = {
        "visit": visit[amended],
        "number": note["number"][amended] + 1,
        "kind": np.full(len(amended), ADDENDUM),
        "started_at": begun_at,
        "submitted_at": np.full(len(amended), NEVER),
        "completed_at": done_at,
        "editor": note["editor"][amended],
        "has_plan": np.zeros(len(amended), dtype=bool),
    }
    all_notes = {name: np.concatenate([note[name], amendment[name]]) for name in note}
    case = visits.case[all_notes["visit"]]
    documents = {
        "document_id": all_notes["number"],
        "case_id": cases.number[case],
        "appointment_id": visits.number[all_notes["visit"]],
        "facility_id": cases.facility[case],
        "last_editor_id": all_notes["editor"],
        "reviewer_id": np.where(
            np.isnat(all_notes["submitted_at"]), 0, cases.facility[case] * 1000 + DIRECTOR
        ),
        "started_at": all_notes["started_at"],
        "submitted_for_review_at": all_notes["submitted_at"],
        "completed_at": all_notes["completed_at"],
        "signed_at": _signed_at(dice, all_notes),
        "date_of_service": visits.starts_at[all_notes["visit"]].astype("datetime64[D]"),
        "kind": facts.texts(all_notes["kind"], KINDS),
        "has_plan_of_care": all_notes["has_plan"],
    }
    plans = np.flatnonzero(note["has_plan"] & ~np.isnat(completed_at))
    faxes = _faxes(
        dice, cases, visits.case[visit[plans]], note["number"][plans], completed_at[plans]
    )
    return {"documents": facts.table("documents", documents), "faxes": faxes}


def _notes(dice: Dice, practice: Practice, cases: Cases, visits: Visits) -> dict[str, NDArray]:
    """A document for each completed visit and for some no-shows; a few stay drafts."""
    mistaken = (visits.outcome == NO_SHOW) & dice.happens("draft of a no-show", visits.number, 0.04)
    visit = np.flatnonzero((visits.outcome == COMPLETED) | mistaken)
    number = visits.number[visit] * 10 + 1
    nth, case = visits.nth[visit], visits.case[visit]
    last = nth == cases.kept[case] - 1
    kind = np.select([nth == 0, last, nth % 10 == 9], [EVALUATION, DISCHARGE, PROGRESS], DAILY)
    started_at = visits.settled_at[visit] - minutes(dice.between("note begun", number, 0, 20))
    done_at = _done_at(dice, number, started_at)
    is_never = dice.happens("note forgotten", number, np.where(mistaken[visit], 0.1, 0.001))
    is_reviewed = (visits.staff[visit] % 1000 >= FIRST_ASSISTANT) & dice.happens(
        "reviewed", number, 0.5
    )
    review = dice.graded("review takes", number, (0.6, 0, 1), (0.36, 2, 5), (0.04, 8, 20))
    completed_at = np.where(is_reviewed, done_at + days(review) + minutes(95), done_at)
    colleague = (
        cases.facility[case] * 1000
        + FIRST_THERAPIST
        + dice.between("editor", number, 0, practice.therapists - 1)
    )
    editor = np.choose(
        dice.pick("edited by", number, [0.7, 0.27, 0.03]),
        [np.zeros_like(case), visits.staff[visit], colleague],
    )
    return {
        "visit": visit,
        "number": number,
        "kind": kind,
        "started_at": started_at,
        "submitted_at": only_if(is_reviewed & ~is_never, done_at),
        "completed_at": only_if(~is_never, completed_at),
        "editor": editor,
        "has_plan": (kind == EVALUATION) & (started_at >= PLANS_SINCE),
    }


def _done_at(dice: Dice, number: Ints, started_at: Moments) -> Moments:
    """Most notes are completed within hours, some within days, a few much later."""
    late = dice.graded("note days", number, (0.92, 0, 0), (0.06, 1, 3), (0.02, 4, 12))
    return started_at + days(late) + minutes(dice.between("note minutes", number, 10, 300))


def _signed_at(dice: Dice, notes: dict[str, NDArray]) -> Moments:
    """Most plans of care that arrived come back signed; of some, nobody enters the signature."""
    number = notes["number"]
    arrives = dice.happens("faxed", number, FAXED) & ~dice.happens("fax fails", number, FAX_FAILS)
    is_entered = notes["has_plan"] & arrives & dice.happens("signature entered", number, 0.9)
    after = dice.graded("signed after", number, (0.7, 8, 12), (0.3, 13, 22))
    completed_at: Moments = notes["completed_at"]
    return only_if(is_entered, completed_at + days(after))


def _faxes(dice: Dice, cases: Cases, case: Ints, document: Ints, completed_at: Moments) -> pa.Table:
    """Plans of care are faxed within days. Some faxes fail, most of these are sent again."""
    first = np.flatnonzero(dice.happens("faxed", document, FAXED))
    queued_at = (
        completed_at
        + days(dice.graded("fax after", document, (0.7, 0, 1), (0.3, 2, 7)))
        + minutes(15)
    )
    fails = dice.happens("fax fails", document, FAX_FAILS)
    again = first[(fails & dice.happens("fax again", document, 0.7))[first]]
    over_at = queued_at + minutes(np.where(fails, 190, dice.between("fax takes", document, 2, 40)))
    again_at = over_at[again] + days(dice.between("fax again after", document[again], 1, 6))
    rows = np.concatenate([first, again])
    sent = np.concatenate([only_if(~fails[first], over_at[first]), again_at + minutes(6)])
    failed = np.concatenate([only_if(fails[first], over_at[first]), np.full(len(again), NEVER)])
    physician = dice.between("physician", cases.number[case[rows]], 0, len(PHYSICIANS))
    columns = {
        "fax_id": document[rows] * 10 + np.repeat([1, 2], [len(first), len(again)]),
        "document_id": document[rows],
        "facility_id": cases.facility[case[rows]],
        "number": 100 + physician,
        "queued_at": np.concatenate([queued_at[first], again_at]),
        "sent_at": sent,
        "failed_at": failed,
        "recipient": facts.texts(physician, (*PHYSICIANS, None)),
    }
    return facts.table("faxes", columns)
