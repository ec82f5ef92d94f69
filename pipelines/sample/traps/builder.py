"""Write single patients by hand: each method adds a record; days count from facts.ANCHOR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.sample import facts
from pipelines.sample.facts import ANCHOR, SCHEMAS, Facts, Scalar
from pipelines.sample.people import FAMILY, GIVEN
from pipelines.sample.practice import DIRECTOR, FIRST_THERAPIST
from pipelines.sample.traps.records import (
    Authorization,
    Claim,
    Document,
    Payment,
    Policy,
    When,
)

_BLANK = {facts.NUMBER: 0, facts.MOMENT: None, facts.DAY: None, facts.TEXT: None, facts.FLAG: False}


@dataclass(frozen=True)
class Trap:
    """One patient: the edge case, and the facility (the last one if there are fewer)."""

    number: int
    shows: str
    facility: int
    write: Callable[[Patient], None]


TRAPS: dict[int, Trap] = {}


def shows(
    number: int, text: str, *, facility: int = 1
) -> Callable[[Callable[[Patient], None]], Callable[[Patient], None]]:
    """Register a function that writes the patient with that number."""

    def register(write: Callable[[Patient], None]) -> Callable[[Patient], None]:
        TRAPS[number] = Trap(number, text, facility, write)
        return write

    return register


def at(when: When) -> np.datetime64:
    """The local moment."""
    day, time = (when, "09:00") if isinstance(when, int) else when
    return np.datetime64(f"{ANCHOR + day}T{time}:00", "s")


def at_or_never(when: When | None) -> np.datetime64 | None:
    """The local moment, or None."""
    return None if when is None else at(when)


def on(day: int | None) -> np.datetime64 | None:
    """The day, or None."""
    return None if day is None else ANCHOR + day


class Rows:
    """The rows written so far, by fact table."""

    def __init__(self, facilities: int) -> None:
        self.facilities = facilities
        self._rows: dict[str, list[dict[str, Scalar]]] = {table: [] for table in SCHEMAS}

    def add(self, table: str, **row: Scalar) -> None:
        """Add a row; missing columns are blank."""
        unknown = set(row) - set(SCHEMAS[table].names)
        if unknown:
            raise ValueError(f"{table} has no {sorted(unknown)}")
        self._rows[table].append(row)

    def facts(self) -> Facts:
        """All rows as fact tables."""
        return {
            table: facts.table(
                table,
                {
                    f.name: [_filled(row.get(f.name), f.type) for row in rows]
                    for f in SCHEMAS[table]
                },
            )
            for table, rows in self._rows.items()
        }


def _filled(value: Scalar, kind: pa.DataType) -> Scalar:
    return _BLANK[kind] if value is None else value


class Patient:
    """A patient written by hand; Active from 80 days before the anchor by default."""

    def __init__(self, rows: Rows, number: int, facility: int) -> None:
        self.rows, self.number, self.facility = rows, number, min(facility, rows.facilities)
        self.first_name = GIVEN[number % len(GIVEN)]
        self.last_name = FAMILY[number * 5 % len(FAMILY)]
        self.activated: When | None = (-80, "12:00")
        self.inactivated: When | None = None

    def finish(self) -> None:
        """Add the patient's own row."""
        self.rows.add(
            "patients",
            patient_id=self.number,
            facility_id=self.facility,
            phone=self.number,
            registered_at=at((-80, "08:00")),
            activated_at=at_or_never(self.activated),
            inactivated_at=at_or_never(self.inactivated),
            born_on=np.datetime64("1950-01-01", "D") + self.number * 11,
            first_name=self.first_name,
            last_name=self.last_name,
            reminder_channel="Text",
        )

    def case(
        self,
        *,
        nth: int = 1,
        opened: int = -70,
        discharged: When | None = None,
        facility: int | None = None,
        next_visit: int | None = 21,
        ordered: int | None = None,
    ) -> Case:
        """Open a case; its next visit keeps it from being an Unscheduled Patient."""
        case = Case(
            self,
            self.number * 10 + nth,
            min(facility or self.facility, self.rows.facilities),
            opened,
        )
        self.rows.add(
            "cases",
            case_id=case.number,
            patient_id=self.number,
            facility_id=case.facility,
            therapist_id=case.therapist,
            visits_per_week_target=2,
            referring_fax=100,
            opened_at=at((opened, "10:00")),
            discharged_at=at_or_never(discharged),
            order_signed_on=on(ordered),
            referring_provider="Dr. A. Moreau",
        )
        if next_visit is not None:
            case.visit(next_visit, created=-8)
        return case

    def policy(self, policy: Policy, case: Case | None = None) -> int:
        """Add a policy of one case or of the whole patient; returns its number."""
        number = self.number * 10 + policy.nth
        self.rows.add(
            "policies",
            policy_id=number,
            patient_id=self.number,
            case_id=case.number if case else 0,
            facility_id=case.facility if case else self.facility,
            payer_id=policy.payer,
            rank=policy.rank,
            created_at=at(policy.created),
            verification_requested_at=at_or_never(policy.requested),
            verified_at=at_or_never(policy.verified),
            starts_on=on(policy.starts),
            ends_on=on(policy.ends),
            authorization_required=policy.asks,
        )
        return number


class Case:
    """A case of a patient written by hand."""

    def __init__(self, patient: Patient, number: int, facility: int, opened: int) -> None:
        self.patient, self.number, self.facility, self.opened = patient, number, facility, opened
        self.therapist = facility * 1000 + FIRST_THERAPIST
        self._visits = 0

    def _add(self, table: str, **row: Scalar) -> None:
        self.patient.rows.add(table, facility_id=self.facility, case_id=self.number, **row)

    def visit(
        self,
        day: int,
        time: str = "10:00",
        *,
        outcome: str = "Completed",
        due: int = -1,
        created: When | None = None,
        cancelled: When | None = None,
    ) -> int:
        """Book a visit of 45 minutes; `due` is in cents, -1 is empty. Returns its number."""
        self._visits += 1
        number = self.number * 1000 + self._visits
        starts_at = at((day, time))
        self._add(
            "appointments",
            appointment_id=number,
            patient_id=self.patient.number,
            staff_id=self.therapist,
            amount_due=due,
            starts_at=starts_at,
            created_at=at(max(self.opened + 1, -60) if created is None else created),
            cancelled_at=at_or_never(cancelled),
            settled_at=starts_at + np.timedelta64(45, "m"),
            outcome=outcome,
        )
        return number

    def visits(self, days: list[int], *, created: When | None = None) -> list[int]:
        """Book several visits."""
        return [self.visit(day, created=created) for day in days]

    def pay(self, payment: Payment) -> None:
        """Enter money for the visit of that day, by default the same evening."""
        moment = at((payment.day, "17:00") if payment.when is None else payment.when)
        self._add(
            "payments",
            payment_id=payment.visit * 10 + payment.nth,
            patient_id=self.patient.number,
            amount=payment.cents,
            paid_at=moment,
            voided_at=at_or_never(payment.voided),
            # A refund pays out the credit of the case, so it has no date of service.
            date_of_service=None if payment.kind == "refund" else on(payment.day),
            kind=payment.kind,
        )

    def claim(self, claim: Claim) -> None:
        """Bill the visit of that day; a hold (code, reason) lasts from the next day."""
        held = (claim.day + 1, "20:00") if claim.hold else None
        sent = claim.released if claim.hold else (claim.day + 1, "20:00")
        self._add(
            "claims",
            claim_id=claim.visit,
            policy_id=claim.policy,
            appointment_id=claim.visit,
            patient_responsibility=claim.owed,
            created_at=at((claim.day, "20:00")),
            held_at=at_or_never(held),
            released_at=at_or_never(claim.released),
            submitted_at=at_or_never(sent),
            processed_at=at_or_never(claim.processed),
            date_of_service=on(claim.day),
        )
        if claim.hold:
            self.patient.rows.add(
                "claim_holds",
                hold_id=claim.visit * 10 + 1,
                claim_id=claim.visit,
                facility_id=self.facility,
                held_at=at_or_never(held),
                released_at=at_or_never(claim.released),
                reason_code=claim.hold[0],
                reason=claim.hold[1],
            )

    def authorization(self, authorization: Authorization) -> None:
        """Add a payer's approval; limit -1 is an empty cell."""
        self._add(
            "authorizations",
            authorization_id=self.number * 10 + authorization.nth,
            policy_id=authorization.policy,
            visit_limit=authorization.limit,
            units_a_visit=authorization.units,
            entered_at=at(authorization.entered),
            document_uploaded_at=at_or_never(authorization.uploaded),
            starts_on=on(authorization.starts),
            ends_on=on(authorization.ends),
            is_stub=authorization.stub,
        )

    def document(self, document: Document) -> int:
        """Start a document about the visit of that day; returns its number."""
        number = document.visit * 10 + document.nth
        self._add(
            "documents",
            document_id=number,
            appointment_id=document.visit,
            reviewer_id=self.facility * 1000 + DIRECTOR if document.review else 0,
            started_at=at(
                (document.day, "11:00") if document.started is None else document.started
            ),
            submitted_for_review_at=at_or_never(document.review),
            completed_at=at_or_never(document.completed),
            signed_at=at_or_never(document.signed),
            date_of_service=on(document.day),
            kind=document.kind,
            has_plan_of_care=document.plan,
        )
        return number

    def plan_of_care(self, day: int, *, signed: When | None = None) -> int:
        """Complete an evaluation with a plan of care; returns the document's number."""
        return self.document(
            Document(
                self.visit(day),
                day,
                kind="Initial Evaluation",
                plan=True,
                completed=(day, "16:00"),
                signed=signed,
            )
        )

    def fax(
        self,
        document: int,
        queued: When,
        *,
        nth: int = 1,
        sent: When | None = None,
        failed: When | None = None,
    ) -> None:
        """Send a document to the physician."""
        self.patient.rows.add(
            "faxes",
            fax_id=document * 10 + nth,
            document_id=document,
            facility_id=self.facility,
            number=100,
            queued_at=at(queued),
            sent_at=at_or_never(sent),
            failed_at=at_or_never(failed),
            recipient="Dr. A. Moreau",
        )

    def survey(self, nth: int, when: When) -> None:
        """Add a MIPS survey that the patient answered."""
        self._add(
            "surveys",
            survey_id=self.number * 10 + nth,
            completed_at=at(when),
            kind="MIPS Patient Survey",
        )

    def follow_up(self, days_after_discharge: int) -> None:
        """Add a Patient Engagement action that is due this many days after discharge."""
        self._add(
            "engagement_actions",
            action_id=self.number * 10 + 1,
            days_after_discharge=days_after_discharge,
            set_at=at((-69, "09:00")),
            is_active=True,
        )

    def intake(self, when: When, *, reviewed: When | None = None) -> None:
        """Add digital intake forms that the patient sent."""
        self._add(
            "intake_submissions",
            submission_id=self.patient.number * 10 + 1,
            patient_id=self.patient.number,
            submitted_at=at(when),
            reviewed_at=at_or_never(reviewed),
            form="New Patient Packet",
        )
