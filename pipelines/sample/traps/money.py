"""Edge cases of payments and claims."""

from __future__ import annotations

from pipelines.sample.traps.builder import Patient, shows
from pipelines.sample.traps.records import Authorization, Claim, Payment, Policy

HMO, BLUE = 4, 3  # payers, by their position in practice.PAYERS
PAPERWORK = ("AUTH_DOCS", "Authorization paperwork is missing")
CODING = ("CODING", "Diagnosis does not support the billed code")


@shows(
    920,
    "Two visits on one date share one payment of $40: the first is covered, the second is $20 "
    "short",
)
def two_visits_one_date(patient: Patient) -> None:
    case = patient.case()
    first = case.visit(-8, "09:00", due=3000)
    case.visit(-8, "14:00", due=3000)
    case.pay(Payment(first, -8, 4000))


@shows(921, "Paid, then taken back by a void: Uncollected Payments")
def voided(patient: Patient) -> None:
    case = patient.case()
    visit = case.visit(-8, due=2500)
    case.pay(Payment(visit, -8, 2500))
    case.pay(Payment(visit, -8, 2500, when=(-6, "10:00"), kind="void", nth=2))


@shows(
    922, "An EMR that turns the payment row itself into a void one; paid again later: nothing due"
)
def voided_in_place(patient: Patient) -> None:
    case = patient.case()
    visit = case.visit(-8, due=2500)
    case.pay(Payment(visit, -8, 2500, voided=(-7, "10:00")))
    case.pay(Payment(visit, -8, 2500, when=(-5, "10:00"), nth=2))


@shows(923, "Paid too much and refunded: no Refund Request")
def refunded(patient: Patient) -> None:
    case = patient.case()
    policy = patient.policy(Policy(payer=BLUE), case)
    visit = case.visit(-67, due=4000, created=-68)
    case.pay(Payment(visit, -67, 4000))
    case.claim(Claim(visit, -67, policy, owed=1500, processed=-55))
    case.pay(Payment(visit, -67, 2500, when=-20, kind="refund", nth=2))


@shows(924, "Paid too much, every claim processed 55 days ago: Refund Request of $25")
def overpaid(patient: Patient) -> None:
    case = patient.case()
    policy = patient.policy(Policy(payer=BLUE), case)
    visit = case.visit(-67, due=4000, created=-68)
    case.pay(Payment(visit, -67, 4000))
    case.claim(Claim(visit, -67, policy, owed=1500, processed=-55))


@shows(
    925,
    "Paid too much; the last claim was processed 44 days before 2026-11-20: Refund Request the "
    "next day",
)
def overpaid_tomorrow(patient: Patient) -> None:
    case = patient.case()
    policy = patient.policy(Policy(payer=BLUE), case)
    visit = case.visit(-63, due=4000)
    case.pay(Payment(visit, -63, 4000))
    case.claim(Claim(visit, -63, policy, owed=1000, processed=-44))


@shows(926, "Self-pay: no policy at all, a visit unpaid: Uncollected Payments with payer Self-pay")
def self_pay(patient: Patient) -> None:
    patient.case().visit(-3, due=11000)


@shows(927, "$25.00 of $40.00 paid: Uncollected Payments of $15")
def part_paid(patient: Patient) -> None:
    case = patient.case()
    case.pay(Payment(case.visit(-3, due=4000), -3, 2500))


@shows(
    928,
    "Visit unpaid for days; the payment is entered on 2026-11-20 at 10:00: Uncollected "
    "Payments clears the next day",
)
def paid_today(patient: Patient) -> None:
    case = patient.case()
    case.pay(Payment(case.visit(-4, due=3500), -4, 3500, when=(0, "10:00")))


@shows(929, "A cancelled visit and a no-show with amounts due: nothing to collect")
def never_happened(patient: Patient) -> None:
    case = patient.case()
    case.visit(-9, due=3500, outcome="No Show")
    case.visit(-7, due=3500, cancelled=-8)


@shows(
    930,
    "A visit in progress at 06:00 on 2026-11-20 with an amount due, not paid: Uncollected "
    "Payments at once",
)
def in_progress(patient: Patient) -> None:
    patient.case().visit(0, "05:45", due=2000)


@shows(931, "Claim held for authorization paperwork: Authorization Required Documents")
def lacks_paperwork(patient: Patient) -> None:
    case = patient.case()
    policy = patient.policy(Policy(payer=HMO, asks=True), case)
    case.claim(Claim(case.visit(-11), -11, policy, hold=PAPERWORK))


@shows(
    932,
    "Held for paperwork, hold not released, but a real authorization with its document covers "
    "the date: resolved",
)
def paperwork_came(patient: Patient) -> None:
    case = patient.case()
    policy = patient.policy(Policy(payer=HMO, asks=True), case)
    case.claim(Claim(case.visit(-11), -11, policy, hold=PAPERWORK))
    case.authorization(Authorization(policy, starts=-30, entered=-5, uploaded=-5))


@shows(933, "Claim held for coding, not released: Claim Submission Hold")
def held(patient: Patient) -> None:
    case = patient.case()
    case.claim(Claim(case.visit(-11), -11, patient.policy(Policy(), case), hold=CODING))


@shows(
    934,
    "Claim held for coding; released on 2026-11-20 at 15:00: Claim Submission Hold clears the "
    "next day",
)
def released_today(patient: Patient) -> None:
    case = patient.case()
    case.claim(
        Claim(
            case.visit(-11), -11, patient.policy(Policy(), case), hold=CODING, released=(0, "15:00")
        )
    )
