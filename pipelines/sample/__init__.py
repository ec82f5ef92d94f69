"""A made-up physical-therapy practice, as its extracts stood at a given moment.

All events with their times follow from (patients, facilities, seed) alone, around one fixed day,
facts.ANCHOR. `as_of` only decides what was known by then, so two days give consistent extracts.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sample.billing import billing_tables
from pipelines.sample.charts import chart_tables
from pipelines.sample.coverage import coverage_tables, policy_of
from pipelines.sample.facts import SCHEMAS, Facts
from pipelines.sample.files import ExtractWriter
from pipelines.sample.outreach import outreach_tables
from pipelines.sample.people import patients_and_cases
from pipelines.sample.practice import (
    Practice,
    facilities_table,
    payers_table,
    practice_for,
    staff_table,
)
from pipelines.sample.randomness import Dice, Ints
from pipelines.sample.traps import TRAPS, trap_facts
from pipelines.sample.visits import visits_and_table

__all__ = [
    "DEFAULT_AS_OF",
    "DEFAULT_FACILITIES",
    "DEFAULT_PATIENTS",
    "DEFAULT_SEED",
    "write_sample",
]

DEFAULT_PATIENTS = 250
DEFAULT_FACILITIES = 3
DEFAULT_AS_OF = datetime.fromisoformat("2026-11-20T06:00:00-05:00")
DEFAULT_SEED = 1

FIRST_NUMBER = 10_001  # of a random patient; the patients of traps/ have lower numbers
MOST_PATIENTS, MOST_FACILITIES = 5_000_000, 900  # limited by the width of the ids
BATCH = 20_000  # patients generated at once: about 400,000 appointments, some hundred MB


def write_sample(
    out: Path, *, patients: int, facilities: int, as_of: datetime, seed: int, format: str
) -> dict[str, int]:
    """Write the extracts of the practice as known at as_of (tz-aware); returns rows by table.

    `patients` includes the patients of traps/, which are always there. Extracts that are already
    in the folder are replaced; format is csv or parquet.
    """
    _check(patients, facilities, as_of, format)
    practice = practice_for(patients, facilities)
    _clear(out)
    fixed = {
        "facility_list": facilities_table(practice, as_of),
        "staff_members": staff_table(practice),
        "payer_list": payers_table(),
    }
    dice = Dice(seed)
    end = FIRST_NUMBER + max(patients - len(TRAPS), 0)
    with ExtractWriter(out, as_of, format, fixed) as writer:
        writer.write(trap_facts(facilities))
        for start in range(FIRST_NUMBER, end, BATCH):
            writer.write(
                _random_facts(
                    dice, practice, np.arange(start, min(start + BATCH, end), dtype=np.int64)
                )
            )
        writer.write_manifest()
    return writer.rows


def _random_facts(dice: Dice, practice: Practice, numbers: Ints) -> Facts:
    """All events of the patients with those numbers."""
    patients, cases, tables = patients_and_cases(dice, practice, numbers)
    visits, tables["appointments"] = visits_and_table(dice, practice, cases)
    tables |= coverage_tables(dice, patients, cases)
    tables |= billing_tables(dice, cases, visits, policy_of(dice, cases), tables["authorizations"])
    tables |= chart_tables(dice, practice, cases, visits)
    tables |= outreach_tables(dice, cases, visits)
    return {name: tables[name] for name in SCHEMAS}


def _check(patients: int, facilities: int, as_of: datetime, format: str) -> None:
    if not 1 <= patients <= MOST_PATIENTS:
        raise UserError(f"--patients must be from 1 to {MOST_PATIENTS}, not {patients}.")
    if not 1 <= facilities <= MOST_FACILITIES:
        raise UserError(f"--facilities must be from 1 to {MOST_FACILITIES}, not {facilities}.")
    if as_of.tzinfo is None:
        raise UserError(f"--as-of needs an offset, such as {DEFAULT_AS_OF.isoformat()}.")
    if format not in ("csv", "parquet"):
        raise UserError(f"--format must be csv or parquet, not {format}.")


def _clear(out: Path) -> None:
    """Create the folder and remove earlier extracts of both formats; other files stay."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for table in (*contract.TABLES, "manifest"):
            for path in (out / f"{table}.csv", out / f"{table}.parquet"):
                path.unlink(missing_ok=True)
    except OSError as problem:
        raise UserError(f"Cannot write the sample to {out}: {problem.strerror}.") from problem
