"""Moments in a facility's own time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from pipelines.worklist.worklist import Worklist


def local_times(worklist: Worklist, facility_ids: Sequence[str], at: dt.datetime) -> str:
    """A moment in the facilities' own time; the zone is named where they differ."""
    rows = worklist.facilities()
    zones = (
        rows.loc[rows["facility_id"].isin(set(facility_ids)), ["time_zone"]]
        .drop_duplicates()["time_zone"]
        .tolist()
    )
    return " / ".join(
        f"{local(at, zone):%A, %B %-d at %H:%M}" + (f" ({zone})" if len(zones) > 1 else "")
        for zone in zones or ["UTC"]
    )


def local(at: dt.datetime, zone: str) -> dt.datetime:
    """A moment as a facility's clocks show it."""
    return at.astimezone(ZoneInfo(zone))
