"""Patients written by hand, one for each edge case, the same in every sample."""

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
    Patient,
    Rows,
    Trap,
)

__all__ = ["TRAPS", "Trap", "trap_facts"]


def trap_facts(facilities: int) -> Facts:
    """All events of the patients written by hand."""
    rows = Rows(facilities)
    for number in sorted(TRAPS):
        patient = Patient(rows, number, TRAPS[number].facility)
        TRAPS[number].write(patient)
        patient.finish()
    return rows.facts()
