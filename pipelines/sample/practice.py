"""The facilities, their staff and the payers: small tables, the same at every moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

PLACES = (
    "Harbor Street",
    "Lakeview",
    "Mill Pond",
    "North Gate",
    "Orchard Hill",
    "Riverside",
    "St. Anne's",
    "Union Square",
)
TIME_ZONES = ("America/New_York", "America/Chicago", "America/New_York")
FIRST_NAMES = (
    "Alice",
    "Bruno",
    "Chloé",
    "Dana",
    "Emeka",
    "Farah",
    "Grace",
    "Hiro",
    "Inés",
    "Jonas",
    "Kofi",
    "Lena",
    "Marek",
    "Nadia",
    "Omar",
    "Priya",
)
LAST_NAMES = (
    "Abbott",
    "Bélanger",
    "Castillo",
    "D'Amico",
    "Eriksen",
    "Fofanah",
    "Goldberg",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
)

# Staff numbers within a facility; its number times 1000 is added. The owner has no facility.
OWNER, FRONT_DESK, DIRECTOR, ADMINISTRATOR, FORMER, FIRST_THERAPIST, FIRST_ASSISTANT = (
    1,
    1,
    3,
    4,
    5,
    11,
    501,
)


@dataclass(frozen=True)
class Payer:
    """A payer: its share of patients, copays a visit (cents), and demand for authorizations."""

    name: str
    kind: str
    weight: float
    copays: tuple[int, int, int]
    asks_authorization: bool = False
    asks_after_visits: bool = False


# The first entry is for patients without insurance; it is not written as a payer.
PAYERS = (
    Payer("Self-pay", "Self-pay", 0.08, (9500, 11000, 12500)),
    Payer("Medicare Part B", "Medicare", 0.24, (0, 0, 2210)),
    Payer("Commonwealth Medicaid", "Medicaid", 0.10, (0, 0, 300), asks_authorization=True),
    Payer("Blue Harbor PPO", "Commercial", 0.22, (2500, 3000, 4000)),
    Payer("Keystone Health HMO", "Commercial", 0.14, (2000, 3500, 5000), asks_authorization=True),
    Payer(
        'Tri-County "Choice" Plan',
        "Commercial",
        0.10,
        (1500, 2500, 4500),
        asks_authorization=True,
        asks_after_visits=True,
    ),
    Payer(
        "Workers' Comp, State Fund",
        "Workers Compensation",
        0.07,
        (0, 0, 0),
        asks_authorization=True,
    ),
    Payer("O'Hara & Sons Auto", "Auto", 0.05, (0, 0, 2500)),
)

SELF_PAY, MEDICARE = 0, 1  # a payer's number is its position in PAYERS


@dataclass(frozen=True)
class Practice:
    """The size of the practice: facilities, and staff of each."""

    facilities: int
    therapists: int
    assistants: int


def practice_for(patients: int, facilities: int) -> Practice:
    """A therapist for 40 patients, at least 5 a facility; an assistant for four therapists."""
    therapists = min(max(patients // facilities // 40, 5), FIRST_ASSISTANT - FIRST_THERAPIST)
    return Practice(facilities, therapists, therapists // 4 + 1)


def facilities_table(practice: Practice, as_of: datetime) -> pa.Table:
    """The facilities, with `now_at`: the local wall time of as_of there."""
    numbers = range(1, practice.facilities + 1)
    zones = [TIME_ZONES[(number - 1) % len(TIME_ZONES)] for number in numbers]
    names = [
        PLACES[(n - 1) % len(PLACES)]
        + (f" {(n - 1) // len(PLACES) + 1}" if n > len(PLACES) else "")
        for n in numbers
    ]
    clocks = [
        as_of.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0) for zone in zones
    ]
    return pa.table(
        {
            "facility_id": pa.array(numbers, type=pa.int64()),
            "name": [f"{name} Physical Therapy" for name in names],
            "time_zone": zones,
            "now_at": pa.array(clocks, type=pa.timestamp("s")),
        }
    )


def staff_table(practice: Practice) -> pa.Table:
    """All staff: the owner, then facility by facility."""
    roles = [
        (FRONT_DESK, "Front Desk"),
        (FRONT_DESK + 1, "Front Desk"),
        (DIRECTOR, "Therapy Director"),
    ]
    roles += [(ADMINISTRATOR, "Practice Administrator"), (FORMER, "Front Desk")]
    roles += [(FIRST_THERAPIST + i, "Clinical Staff") for i in range(practice.therapists)]
    roles += [(FIRST_ASSISTANT + i, "Clinical Staff") for i in range(practice.assistants)]
    rows = [_member(OWNER, 0, "Business Owner")]
    rows += [
        _member(facility * 1000 + number, facility, role)
        for facility in range(1, practice.facilities + 1)
        for number, role in roles
    ]
    return pa.Table.from_pylist(rows)


def _member(staff_id: int, facility_id: int, role: str) -> dict[str, int | str | bool]:
    number = staff_id % 1000
    first, last = (
        FIRST_NAMES[staff_id * 7 % len(FIRST_NAMES)],
        LAST_NAMES[(staff_id * 3 + facility_id) % len(LAST_NAMES)],
    )
    title = (
        ", PTA"
        if number >= FIRST_ASSISTANT
        else ", PT"
        if number >= FIRST_THERAPIST or number == DIRECTOR
        else ""
    )
    return {
        "staff_id": staff_id,
        "name": f"{first} {last}{title}",
        "email": f"staff{staff_id:06d}@example.com",
        "role": role,
        "is_assistant": number >= FIRST_ASSISTANT,
        "facility_id": facility_id,
        "is_active": not (facility_id and number == FORMER),
    }


def payers_table() -> pa.Table:
    """The payers of the practice."""
    return pa.Table.from_pylist(
        [
            {"payer_id": i, "name": payer.name, "kind": payer.kind}
            for i, payer in enumerate(PAYERS)
            if i > 0
        ]
    )
