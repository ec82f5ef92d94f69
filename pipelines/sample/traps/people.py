"""Edge cases of patients, cases and contacts outside the visit."""

from __future__ import annotations

from pipelines.sample.traps.builder import Patient, shows
from pipelines.sample.traps.records import Document, When


def _with_open_work(
    patient: Patient, *, discharged: When | None = None, next_visit: int | None = 21
) -> None:
    """Add records that open a payment, a document, a survey and an intake task."""
    case = patient.case(discharged=discharged, next_visit=next_visit)
    visit = case.visit(-10, due=3000)
    case.document(Document(visit, -10))
    case.survey(1, (-60, "09:00"))
    case.intake((-15, "20:00"))


@shows(960, "Inactive patient with otherwise matching records: no new tasks")
def inactive(patient: Patient) -> None:
    _with_open_work(patient, next_visit=None)
    patient.inactivated = -30


@shows(961, "Referral patient with otherwise matching records: no tasks")
def referral(patient: Patient) -> None:
    _with_open_work(patient, next_visit=None)
    patient.activated = None


@shows(962, "Turned Inactive on 2026-11-20 at 12:00: open tasks stay, no new ones")
def inactive_today(patient: Patient) -> None:
    _with_open_work(patient)
    patient.inactivated = (0, "12:00")


@shows(
    963,
    "Discharged case: no Unscheduled Patient, no MIPS, no authorization task; the unpaid visit "
    "and the draft stay",
)
def discharged(patient: Patient) -> None:
    _with_open_work(patient, discharged=(-5, "18:00"), next_visit=None)


@shows(964, "Discharged on 2026-11-20 at 17:00: Unscheduled Patient and MIPS clear the next day")
def discharged_today(patient: Patient) -> None:
    case = patient.case(discharged=(0, "17:00"), next_visit=None)
    case.visit(-10)
    case.survey(1, (-60, "09:00"))


@shows(965, "Two cases, the visit ahead is in one of them: not an Unscheduled Patient")
def two_cases(patient: Patient) -> None:
    patient.case(next_visit=None).visit(-10)
    patient.case(nth=2, opened=-30).visit(-3)


@shows(966, "Open case, no visit ahead but a cancelled one: Unscheduled Patient")
def unscheduled(patient: Patient) -> None:
    case = patient.case(next_visit=None)
    case.visit(-20)
    case.visit(6, created=-20, cancelled=-4)


@shows(
    967,
    "No visit ahead; one is booked on 2026-11-20 at 09:30: Unscheduled Patient clears the next day",
)
def scheduled_today(patient: Patient) -> None:
    case = patient.case(next_visit=None)
    case.visit(-20)
    case.visit(4, created=(0, "09:30"))


@shows(968, "The only visit ahead is 45 days away, beyond the horizon of 30: Unscheduled Patient")
def far_away(patient: Patient) -> None:
    patient.case(next_visit=45).visit(-20)


@shows(969, "Name with a comma, quotes, an apostrophe and accents")
def awkward_name(patient: Patient) -> None:
    patient.first_name, patient.last_name = 'Zoë "Zed"', "O'Núñez-Bård, Jr."
    patient.case().visit(-2, due=1500)


@shows(970, "Intake forms sent through the portal: Intake Complete")
def intake(patient: Patient) -> None:
    patient.case().intake((-3, "20:30"))


@shows(971, "Follow-up 30 days after a discharge 35 days ago: Days Since Discharge")
def follow_up(patient: Patient) -> None:
    case = patient.case(discharged=(-35, "18:00"), next_visit=None)
    case.visit(-35)
    case.follow_up(30)


@shows(
    972,
    "Follow-up 30 days after a discharge 29 days before 2026-11-20: Days Since Discharge the "
    "next day",
)
def follow_up_tomorrow(patient: Patient) -> None:
    case = patient.case(discharged=(-29, "18:00"), next_visit=None)
    case.visit(-29)
    case.follow_up(30)


@shows(973, "First MIPS Patient Survey, no second, open case: MIPS")
def surveyed_once(patient: Patient) -> None:
    patient.case().survey(1, (-60, "09:00"))


@shows(974, "Both MIPS surveys: no new MIPS task")
def surveyed_twice(patient: Patient) -> None:
    case = patient.case()
    case.survey(1, (-60, "09:00"))
    case.survey(2, (-5, "09:00"))


@shows(
    975,
    "The second MIPS survey comes on 2026-11-20 at 10:00: an open MIPS task stays, a person "
    "completes it",
)
def surveyed_today(patient: Patient) -> None:
    case = patient.case()
    case.survey(1, (-60, "09:00"))
    case.survey(2, (0, "10:00"))


@shows(976, "Intake forms that were sent and reviewed: no Intake Complete")
def intake_reviewed(patient: Patient) -> None:
    patient.case().intake((-3, "20:30"), reviewed=(-2, "09:00"))
