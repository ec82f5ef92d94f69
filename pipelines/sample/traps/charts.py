"""Edge cases of documents and faxes."""

from __future__ import annotations

from pipelines.sample.traps.builder import Patient, shows
from pipelines.sample.traps.records import Document, Policy


@shows(
    940,
    "A draft for a day the patient was never seen (no-show): Draft Documents, to be completed "
    "by hand",
)
def never_seen(patient: Patient) -> None:
    case = patient.case()
    case.document(Document(case.visit(-11, outcome="No Show"), -11))


@shows(
    941,
    "An amendment of a completed document is a new draft, the old one stays completed: one "
    "Draft Documents",
)
def amended(patient: Patient) -> None:
    case = patient.case()
    visit = case.visit(-15)
    case.document(Document(visit, -15, completed=(-15, "16:00")))
    case.document(Document(visit, -15, nth=2, kind="Addendum", started=(-4, "12:00")))


@shows(942, "A draft completed on 2026-11-20 at 11:00: Draft Documents clears the next day")
def completed_today(patient: Patient) -> None:
    case = patient.case()
    case.document(Document(case.visit(-2), -2, completed=(0, "11:00")))


@shows(943, "A draft begun before its visit's day: its age counts from the start")
def begun_early(patient: Patient) -> None:
    case = patient.case()
    case.document(Document(case.visit(-3), -3, started=(-9, "12:00")))


@shows(944, "Plan of care completed, no fax: Faxing Required")
def not_faxed(patient: Patient) -> None:
    patient.case().plan_of_care(-7)


@shows(
    945,
    "Fax queued; sent on 2026-11-20 at 14:00: Faxing Required becomes Pending Signature the "
    "next day",
)
def fax_queued(patient: Patient) -> None:
    case = patient.case()
    case.fax(case.plan_of_care(-1), (0, "05:30"), sent=(0, "14:00"))


@shows(946, "Two faxes of one document, both sent: one Pending Signature, of the newest")
def faxed_twice(patient: Patient) -> None:
    case = patient.case()
    document = case.plan_of_care(-39)
    case.fax(document, -38, sent=(-38, "09:05"))
    case.fax(document, -10, nth=2, sent=(-10, "09:05"))


@shows(
    947,
    "Fax failed, then sent again with success: Pending Signature; a Failed Fax opened before "
    "stays until completed",
)
def failed_then_sent(patient: Patient) -> None:
    case = patient.case()
    document = case.plan_of_care(-9)
    case.fax(document, -8, failed=(-8, "12:00"))
    case.fax(document, -5, nth=2, sent=(-5, "09:05"))


@shows(948, "Fax finally failed: Failed Fax")
def failed(patient: Patient) -> None:
    case = patient.case()
    case.fax(case.plan_of_care(-9), -8, failed=(-8, "12:00"))


@shows(
    949,
    "Fax failed; sent again on 2026-11-20 at 09:00: Pending Signature opens the next day "
    "beside the Failed Fax",
)
def sent_again_today(patient: Patient) -> None:
    case = patient.case()
    document = case.plan_of_care(-7)
    case.fax(document, -6, failed=(-6, "12:00"))
    case.fax(document, (0, "09:00"), nth=2, sent=(0, "09:06"))


@shows(950, "Sent 37 days ago, not signed: Pending Signature at risk (Medicare's 30 days)")
def unsigned_for_long(patient: Patient) -> None:
    case = patient.case()
    patient.policy(Policy(), case)
    case.fax(case.plan_of_care(-38), -37, sent=(-37, "09:05"))


@shows(951, "A document sent for review: Review Documents, of the reviewer, and no Draft Documents")
def in_review(patient: Patient) -> None:
    case = patient.case()
    case.document(Document(case.visit(-3), -3, review=(-3, "17:00")))


@shows(
    952,
    "A draft started at 23:45 in a facility on Chicago time, where it is already the next day "
    "in New York",
    facility=2,
)
def late_in_chicago(patient: Patient) -> None:
    case = patient.case()
    case.document(Document(case.visit(-1, "17:30"), -1, started=(-1, "23:45")))


@shows(
    953,
    "Patient of the first facility, treated in the Chicago one: its tasks belong to the case's "
    "facility",
)
def treated_elsewhere(patient: Patient) -> None:
    case = patient.case(facility=2)
    case.document(Document(case.visit(-2), -2))


@shows(
    954,
    "Sent 37 days ago, the referring provider's signed order is on file: Pending Signature, not "
    "at risk",
)
def ordered(patient: Patient) -> None:
    case = patient.case(ordered=-45)
    patient.policy(Policy(), case)
    case.fax(case.plan_of_care(-38), -37, sent=(-37, "09:05"))


@shows(955, "Sent 5 days ago and already recorded as signed: no Pending Signature")
def signed(patient: Patient) -> None:
    case = patient.case()
    patient.policy(Policy(), case)
    case.fax(case.plan_of_care(-6, signed=(-3, "10:00")), -5, sent=(-5, "09:05"))


@shows(956, "A signed order is on file, the plan was never sent: Faxing Required at risk")
def ordered_but_not_faxed(patient: Patient) -> None:
    case = patient.case(ordered=-45)
    patient.policy(Policy(), case)
    case.plan_of_care(-38)
