"""The values of a table that is printed, shown or exported."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd

Cell = str | int | float | Decimal | dt.date | np.generic | None


def is_missing(value: Cell) -> bool:
    """Whether it is None, NA, NaN or NaT; the last two differ from themselves."""
    return value is None or value is pd.NA or bool(value != value)
