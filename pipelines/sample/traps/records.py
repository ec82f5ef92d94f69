"""Records of a patient written by hand: what a case states, with defaults for the rest.

Days count from facts.ANCHOR.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.sample.practice import MEDICARE

When = int | tuple[int, str]  # days from the anchor, at 09:00 or at that time


@dataclass(frozen=True, kw_only=True)
class Policy:
    """An insurance policy; `asks` for authorizations."""

    nth: int = 1
    payer: int = MEDICARE
    rank: int = 1
    starts: int | None = -320
    ends: int | None = None
    created: When = (-70, "11:00")
    asks: bool = False
    requested: When | None = None
    verified: When | None = None


@dataclass(frozen=True)
class Payment:
    """Money for the visit of that day, entered the same evening unless `when` is set."""

    visit: int
    day: int
    cents: int
    when: When | None = None
    kind: str = "payment"
    nth: int = 1
    voided: When | None = None


@dataclass(frozen=True)
class Claim:
    """A bill for the visit of that day; a hold (code, reason) lasts from the next day."""

    visit: int
    day: int
    policy: int
    owed: int = 0
    processed: When | None = None
    hold: tuple[str, str] | None = None
    released: When | None = None


@dataclass(frozen=True)
class Authorization:
    """A payer's approval; limit -1 is an empty cell; `units` a visit uses, 0: it counts visits."""

    policy: int
    nth: int = 1
    starts: int = -60
    ends: int | None = 120
    limit: int = -1
    entered: When = -60
    uploaded: When | None = None
    stub: bool = False
    units: int = 0


@dataclass(frozen=True)
class Document:
    """A document about the visit of that day."""

    visit: int
    day: int
    nth: int = 1
    kind: str = "Daily Note"
    plan: bool = False
    started: When | None = None
    review: When | None = None
    completed: When | None = None
    signed: When | None = None
