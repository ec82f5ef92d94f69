"""Rows of a DataFrame as values of a NamedTuple, so that pages know the types of their columns."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import pandas as pd

Row = TypeVar("Row", bound=NamedTuple)


def read(kind: type[Row], frame: pd.DataFrame) -> list[Row]:
    """The frame's columns named by the fields of `kind`, row by row; missing values are None."""
    values = frame[list(kind._fields)].astype(object)
    rows: list[tuple[Any, ...]] = list(
        values.where(values.notna(), None).itertuples(index=False, name=None)
    )
    return [kind(*row) for row in rows]
