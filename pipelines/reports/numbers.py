"""The numbers of reports that no page asks for: clinics side by side, and a period beside the one before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd

from pipelines import measures, records
from pipelines.measures import Period
from pipelines.worklist import Filters, Worklist

MONEY = ("uncollected_payments", "refund_request")  # the types whose amount is still to be moved
OLDEST = ["task_id", "title", "facility", "since", "age_days", "active_age_days", "status"]  # nothing that tells whose task it is


def by_facility(listed: Worklist, filters: Filters, period: Period) -> pd.DataFrame:
    """One row a clinic, by name: facility_id, facility, what stands there (open, overdue, deferred, amount, oldest_days) and the period's flow.

    overdue counts pending tasks; overdue_share is of all open ones. came_in, went_out and net are of the period, open_before is its eve.
    """
    flow = measures.flow(listed, filters, period, "facility").set_index("split")
    rows = []
    for facility in listed.facilities().itertuples():
        if filters.facility_ids and facility.facility_id not in filters.facility_ids:
            continue
        here = replace(filters, status="open", facility_ids=(facility.facility_id,))
        standing, first = listed.summary(here), listed.tasks(here, limit=1)
        moved = flow.loc[flow.index == facility.facility_id]
        came, went = (int(moved[name].sum()) for name in ("came_in", "went_out"))
        end = int(moved["open_at_end"].iloc[-1]) if len(moved) else 0
        rows.append(
            {
                "facility_id": facility.facility_id,
                "facility": facility.name,
                "open": int(standing["tasks"]),
                "overdue": int(standing["overdue"]),
                "overdue_share": standing["overdue"] / standing["tasks"] if standing["tasks"] else 0.0,
                "deferred": int(standing["deferred"]),
                "amount": standing["amount"],
                "oldest_days": None if first.empty else int(first["age_days"].iloc[0]),
                "came_in": came,
                "went_out": went,
                "net": came - went,
                "open_before": end - came + went,
                "open_at_end": end,
            }
        )
    return pd.DataFrame(rows)


def beside_the_one_before(listed: Worklist, filters: Filters, period: Period) -> pd.DataFrame:
    """Two rows, the period and the one of the same length before it: first, last, came_in, went_out, net, open_before, open_at_end."""
    rows = []
    for chosen in (period, period.before()):
        flow = measures.flow(listed, filters, chosen)
        came, went = int(flow["came_in"].sum()), int(flow["went_out"].sum())
        end = int(flow["open_at_end"].iloc[-1]) if len(flow) else 0
        rows.append({"first": chosen.first, "last": chosen.last, "came_in": came, "went_out": went, "net": came - went, "open_at_end": end})
    return pd.DataFrame(rows).assign(open_before=lambda found: found["open_at_end"] - found["net"])


def oldest(listed: Worklist, filters: Filters, most: int = 5) -> pd.DataFrame:
    """The oldest open tasks: the columns of OLDEST."""
    return listed.tasks(replace(filters, status="open"), limit=most)[OLDEST]


def history_begins(listed: Worklist) -> dt.date:
    """The day of the first run: what came in on it may have waited long before."""
    return records.runs(listed.con, limit=1_000_000)["as_of"].min().date()
