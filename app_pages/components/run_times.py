"""Times of runs in tables: in the time zone of the person's own facility."""

from __future__ import annotations

import pandas as pd

from app_pages.session import workspace
from pipelines.worklist.worklist import Worklist


def local(worklist: Worklist, moments: pd.Series) -> pd.Series:
    """Aware moments as the facility's clocks show them, without a zone."""
    return pd.to_datetime(moments, utc=True).dt.tz_convert(_zone(worklist)).dt.tz_localize(None)


def heading(worklist: Worklist, text: str) -> str:
    """The heading of such a column; it names the zone where the facilities are in several."""
    several = worklist.facilities()["time_zone"].nunique() > 1
    return f"{text} ({_zone(worklist)})" if several else text


def _zone(worklist: Worklist) -> str:
    zones = worklist.facilities().set_index("facility_id")["time_zone"]
    if zones.empty:
        return "UTC"
    return str(zones.get(workspace.person().facility_id or "", zones.iloc[0]))
