"""Patients written by hand, one for each trap, the same in every sample whatever its size and seed."""

from __future__ import annotations

from pipelines.sample.facts import Facts
from pipelines.sample.traps import (
    charts,  # noqa: F401
    coverage,  # noqa: F401
    money,  # noqa: F401
    people,  # noqa: F401
)
from pipelines.sample.traps.builder import (
    TRAPS,
    Book,
    Patient,
    Trap,
)

__all__ = ["TRAPS", "Trap", "trap_facts"]


def trap_facts(facilities: int) -> Facts:
    """All that ever happens with the written patients."""
    book = Book(facilities)
    for number in sorted(TRAPS):
        patient = Patient(book, number, TRAPS[number].facility)
        TRAPS[number].write(patient)
        patient.finish()
    return book.facts()
