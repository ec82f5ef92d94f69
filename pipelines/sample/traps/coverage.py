"""Edge cases of policies and authorizations."""

from __future__ import annotations

from pipelines.sample.traps.builder import Case, Patient, shows
from pipelines.sample.traps.records import Authorization, Policy

HMO, CHOICE, BLUE, MEDICAID = 4, 5, 3, 2  # payers, by their position in practice.PAYERS


def _asking(patient: Patient) -> tuple[Case, int]:
    """A case whose policy asks for an authorization; its next visit is within all periods."""
    case = patient.case(next_visit=5)
    return case, patient.policy(Policy(payer=HMO, asks=True), case)


@shows(
    901,
    "Only a stub authorization, though it ends soon and few visits are left: no authorization task",
)
def stub_only(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-21, -14])
    case.authorization(Authorization(policy, nth=0, limit=4, ends=7, stub=True))


@shows(902, "Visit limit 0 is not tracked: no visit-based task however many visits")
def limit_zero(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-21, -14, -7])
    case.authorization(Authorization(policy, limit=0))


@shows(903, "Visit limit empty is not tracked either")
def limit_empty(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-21, -14, -7])
    case.authorization(Authorization(policy, limit=-1))


@shows(904, "Overbooked: 4 of 6 visits used, 3 scheduled ahead: Authorization Limit, not Expiring")
def overbooked(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28, -21, -14])
    case.visits([7, 12], created=-5)
    case.authorization(Authorization(policy, limit=6))


@shows(905, "None remaining: 4 of 4 visits used: Authorization Limit, not Expiring")
def used_up(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28, -21, -14])
    case.authorization(Authorization(policy, limit=4))


@shows(906, "2 of 6 visits left, end far away: Authorization Expiring by visits")
def few_left(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28, -21, -14])
    case.authorization(Authorization(policy, limit=6))


@shows(907, "Past its end and none newer: Authorization Expiring stays open")
def past_end(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28])
    case.authorization(Authorization(policy, ends=-10, limit=20))


@shows(908, "Past its end with a newer one entered: no authorization task")
def renewed(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28])
    case.authorization(Authorization(policy, ends=-10, limit=20))
    case.authorization(Authorization(policy, nth=2, starts=-9, entered=-12, limit=20))


@shows(
    909,
    "Ends in 10 days; the newer one is entered on 2026-11-20 at 13:00: Authorization Expiring "
    "clears the next day",
)
def renewed_today(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28])
    case.authorization(Authorization(policy, ends=10, limit=20))
    case.authorization(Authorization(policy, nth=2, starts=11, entered=(0, "13:00"), limit=20))


@shows(
    910,
    "A policy without a case serves the case, beside a secondary and an expired primary one: "
    "payer Blue Harbor PPO",
)
def three_policies(patient: Patient) -> None:
    case = patient.case()
    patient.policy(Policy(payer=BLUE))
    patient.policy(Policy(nth=3, payer=MEDICAID, rank=2))
    patient.policy(Policy(nth=4, payer=HMO, starts=-900, ends=-75))
    case.visit(-8, due=3000)


@shows(911, "Verification of a policy asked for, not done: Benefit Verification Required")
def unverified(patient: Patient) -> None:
    patient.policy(Policy(created=(-5, "11:00"), requested=(-5, "11:30")), patient.case())


@shows(912, "Verification done: Benefit Verification Complete and no Required")
def verified(patient: Patient) -> None:
    patient.policy(
        Policy(created=(-9, "11:00"), requested=(-9, "11:30"), verified=(-6, "15:00")),
        patient.case(),
    )


@shows(
    913,
    "Verification asked for; it is done on 2026-11-20 at 14:00: Benefit Verification Complete "
    "the next day",
)
def verified_today(patient: Patient) -> None:
    patient.policy(
        Policy(created=(-4, "11:00"), requested=(-4, "11:30"), verified=(0, "14:00")),
        patient.case(),
    )


@shows(
    914,
    "A stub beside a real authorization that ends within 14 days: Authorization Expiring for "
    "the real one only",
)
def stub_and_real(patient: Patient) -> None:
    case = patient.case(next_visit=5)
    policy = patient.policy(Policy(payer=CHOICE, asks=True), case)
    case.authorization(Authorization(policy, nth=0, limit=12, ends=9, stub=True))
    case.authorization(Authorization(policy, ends=8, limit=20))


@shows(915, "46 of 48 units used: Authorization Expiring by units, though visits are counted, too")
def units(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([*range(-46, 0, 2)])
    case.authorization(Authorization(policy, limit=48, units=2))


@shows(
    916,
    "Ends in 3 days and the newer one starts in 8, but a visit is booked in 5: Authorization "
    "Expiring",
)
def gap(patient: Patient) -> None:
    case, policy = _asking(patient)
    case.visits([-35, -28])
    case.authorization(Authorization(policy, ends=3, limit=20))
    case.authorization(Authorization(policy, nth=2, starts=8, entered=-4, limit=20))


@shows(917, "Ends in 7 days, but its policy ended yesterday: no authorization task")
def policy_ended(patient: Patient) -> None:
    case = patient.case(next_visit=5)
    policy = patient.policy(Policy(payer=HMO, asks=True, ends=-1), case)
    case.authorization(Authorization(policy, ends=7, limit=20))
