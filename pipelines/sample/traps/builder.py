"""Write single patients by hand: each method adds a record of one patient, days counted from the anchor day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.sample import facts
from pipelines.sample.facts import ANCHOR, SCHEMAS, Facts
from pipelines.sample.people import FAMILY, GIVEN
from pipelines.sample.practice import DIRECTOR, FIRST_THERAPIST, MEDICARE

When = int | tuple[int, str]  # days from the anchor, at 09:00 or at the time given
_BLANK = {facts.NUMBER: 0, facts.MOMENT: None, facts.DAY: None, facts.TEXT: None, facts.FLAG: False}


@dataclass(frozen=True)
class Trap:
    """One written patient: what it shows, in a clinic (the last one, in a practice that has fewer)."""

    number: int
    shows: str
    facility: int
    write: Callable[[Patient], None]


TRAPS: dict[int, Trap] = {}


def shows(
    number: int, text: str, *, facility: int = 1
) -> Callable[[Callable[[Patient], None]], Callable[[Patient], None]]:
    """Register a function as the one that writes the patient of that number."""

    def register(write: Callable[[Patient], None]) -> Callable[[Patient], None]:
        TRAPS[number] = Trap(number, text, facility, write)
        return write

    return register


def at(when: When | None) -> np.datetime64 | None:
    """The local moment, or None."""
    if when is None:
        return None
    day, time = (when, "09:00") if isinstance(when, int) else when
    return np.datetime64(f"{ANCHOR + day}T{time}:00", "s")


def on(day: int | None) -> np.datetime64 | None:
    """The day, or None."""
    return None if day is None else ANCHOR + day


class Book:
    """The rows written so far, by fact table."""

    def __init__(self, facilities: int) -> None:
        self.facilities = facilities
        self._rows: dict[str, list[dict[str, object]]] = {table: [] for table in SCHEMAS}

    def add(self, table: str, **row: object) -> None:
        """Add a row; columns not named are blank."""
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


def _filled(value: object, kind: object) -> object:
    return _BLANK[kind] if value is None else value


class Patient:
    """A written patient: Active since 80 days before the anchor unless said otherwise."""

    def __init__(self, book: Book, number: int, facility: int) -> None:
        self.book, self.number, self.facility = book, number, min(facility, book.facilities)
        self.first_name, self.last_name = (
            GIVEN[number % len(GIVEN)],
            FAMILY[number * 5 % len(FAMILY)],
        )
        self.activated: When | None = (-80, "12:00")
        self.inactivated: When | None = None

    def finish(self) -> None:
        """Add the patient's own row."""
        self.book.add(
            "patients",
            patient_id=self.number,
            facility_id=self.facility,
            phone=self.number,
            registered_at=at((-80, "08:00")),
            activated_at=at(self.activated),
            inactivated_at=at(self.inactivated),
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
    ) -> Case:
        """Open a case, with a visit ahead that keeps it off the list of unscheduled patients."""
        case = Case(
            self,
            self.number * 10 + nth,
            min(facility or self.facility, self.book.facilities),
            opened,
        )
        self.book.add(
            "cases",
            case_id=case.number,
            patient_id=self.number,
            facility_id=case.facility,
            therapist_id=case.therapist,
            visits_per_week_target=2,
            referring_fax=100,
            opened_at=at((opened, "10:00")),
            discharged_at=at(discharged),
            referring_provider="Dr. A. Moreau",
        )
        if next_visit is not None:
            case.visit(next_visit, created=-8)
        return case

    def policy(
        self,
        *,
        case: Case | None = None,
        nth: int = 1,
        payer: int = MEDICARE,
        rank: int = 1,
        starts: int | None = -320,
        ends: int | None = None,
        created: When = (-70, "11:00"),
        asks: bool = False,
        requested: When | None = None,
        verified: When | None = None,
    ) -> int:
        """Add a policy, of one case or of the whole patient; answers its number."""
        number = self.number * 10 + nth
        self.book.add(
            "policies",
            policy_id=number,
            patient_id=self.number,
            case_id=case.number if case else 0,
            facility_id=case.facility if case else self.facility,
            payer_id=payer,
            rank=rank,
            created_at=at(created),
            verification_requested_at=at(requested),
            verified_at=at(verified),
            starts_on=on(starts),
            ends_on=on(ends),
            authorization_required=asks,
        )
        return number


class Case:
    """A case of a written patient."""

    def __init__(self, patient: Patient, number: int, facility: int, opened: int) -> None:
        self.patient, self.number, self.facility, self.opened = patient, number, facility, opened
        self.therapist = facility * 1000 + FIRST_THERAPIST
        self._visits = 0

    def _add(self, table: str, **row: object) -> None:
        self.patient.book.add(table, facility_id=self.facility, case_id=self.number, **row)

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
        """Book a visit of 45 minutes; `due` in cents, -1 leaves the cell empty. Answers its number."""
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
            cancelled_at=at(cancelled),
            settled_at=starts_at + np.timedelta64(45, "m"),
            outcome=outcome,
        )
        return number

    def visits(self, days: list[int], **details: object) -> list[int]:
        """Book several visits."""
        return [self.visit(day, **details) for day in days]

    def pay(
        self,
        visit: int,
        day: int,
        cents: int,
        *,
        when: When | None = None,
        kind: str = "payment",
        nth: int = 1,
        voided: When | None = None,
    ) -> None:
        """Enter money for the visit of that day, the same evening unless said otherwise."""
        moment = at((day, "17:00") if when is None else when)
        self._add(
            "payments",
            payment_id=visit * 10 + nth,
            patient_id=self.patient.number,
            amount=cents,
            paid_at=moment,
            voided_at=at(voided),
            date_of_service=None
            if kind == "refund"
            else on(day),  # a refund pays out the credit of the case
            kind=kind,
        )

    def claim(
        self,
        visit: int,
        day: int,
        policy: int,
        *,
        owed: int = 0,
        processed: When | None = None,
        hold: tuple[str, str] | None = None,
        released: When | None = None,
    ) -> None:
        """Bill the visit of that day; with a hold (code, reason) it is kept from the next day until released."""
        held = (day + 1, "20:00") if hold else None
        sent = released if hold else (day + 1, "20:00")
        self._add(
            "claims",
            claim_id=visit,
            policy_id=policy,
            appointment_id=visit,
            patient_responsibility=owed,
            created_at=at((day, "20:00")),
            held_at=at(held),
            released_at=at(released),
            submitted_at=at(sent),
            processed_at=at(processed),
            date_of_service=on(day),
        )
        if hold:
            self.patient.book.add(
                "claim_holds",
                hold_id=visit * 10 + 1,
                claim_id=visit,
                facility_id=self.facility,
                held_at=at(held),
                released_at=at(released),
                reason_code=hold[0],
                reason=hold[1],
            )

    def authorization(
        self,
        policy: int,
        *,
        nth: int = 1,
        starts: int = -60,
        ends: int | None = 120,
        limit: int = -1,
        entered: When = -60,
        uploaded: When | None = None,
        stub: bool = False,
    ) -> None:
        """Add a payer's leave; limit -1 leaves the cell empty."""
        self._add(
            "authorizations",
            authorization_id=self.number * 10 + nth,
            policy_id=policy,
            visit_limit=limit,
            entered_at=at(entered),
            document_uploaded_at=at(uploaded),
            starts_on=on(starts),
            ends_on=on(ends),
            is_stub=stub,
        )

    def document(
        self,
        visit: int,
        day: int,
        *,
        nth: int = 1,
        kind: str = "Daily Note",
        plan: bool = False,
        started: When | None = None,
        review: When | None = None,
        completed: When | None = None,
    ) -> int:
        """Start a document about the visit of that day; answers its number."""
        number = visit * 10 + nth
        self._add(
            "documents",
            document_id=number,
            appointment_id=visit,
            reviewer_id=self.facility * 1000 + DIRECTOR if review else 0,
            started_at=at((day, "11:00") if started is None else started),
            submitted_for_review_at=at(review),
            completed_at=at(completed),
            date_of_service=None
            if kind == "refund"
            else on(day),  # a refund pays out the credit of the case
            kind=kind,
            has_plan_of_care=plan,
        )
        return number

    def plan_of_care(self, day: int) -> int:
        """A completed evaluation with a plan of care, to be faxed; answers the document's number."""
        return self.document(
            self.visit(day), day, kind="Initial Evaluation", plan=True, completed=(day, "16:00")
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
        self.patient.book.add(
            "faxes",
            fax_id=document * 10 + nth,
            document_id=document,
            facility_id=self.facility,
            number=100,
            queued_at=at(queued),
            sent_at=at(sent),
            failed_at=at(failed),
            recipient="Dr. A. Moreau",
        )

    def survey(self, nth: int, when: When) -> None:
        """A MIPS survey the patient answered."""
        self._add(
            "surveys",
            survey_id=self.number * 10 + nth,
            completed_at=at(when),
            kind="MIPS Patient Survey",
        )

    def follow_up(self, days_after_discharge: int) -> None:
        """A Patient Engagement action so many days after discharge."""
        self._add(
            "engagement_actions",
            action_id=self.number * 10 + 1,
            days_after_discharge=days_after_discharge,
            set_at=at((-69, "09:00")),
            is_active=True,
        )

    def intake(self, when: When) -> None:
        """Digital intake forms the patient sent."""
        row = {
            "submission_id": self.patient.number * 10 + 1,
            "patient_id": self.patient.number,
            "submitted_at": at(when),
            "form": "New Patient Packet",
        }
        self._add("intake_submissions", **row)
