"""A patient found by a search: a row of patient_search.find_patients."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple


class FoundPatient(NamedTuple):
    """Whom the searched text may mean."""

    patient_id: str
    name: str
    born_on: dt.date | None
    facility: str | None
    status: str
