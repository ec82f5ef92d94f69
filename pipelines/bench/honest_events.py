"""What happens once in an honest year and looks like damage: done to a sample's extracts."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipelines.extracts import contract

Tables = dict[str, pd.DataFrame]
LATER_BY = dt.timedelta(days=10)  # how long work was entered late before it came at once
QUIET_DAYS = 4  # without a delivery: a long weekend


@dataclass(frozen=True)
class Year:
    """When each event happens: its name, and the first day (as_of) on which it is delivered."""

    days: Mapping[str, dt.datetime]

    def is_quiet(self, at: dt.datetime) -> bool:
        """Whether nothing is delivered on this day."""
        since = at - self.days["long weekend"]
        return dt.timedelta(0) <= since < dt.timedelta(days=QUIET_DAYS)

    def is_go_live(self, at: dt.datetime) -> bool:
        """Whether the practice begins to work with the list on this day."""
        return at == self.days["go-live"]

    def deliver(self, folder: Path, at: dt.datetime) -> None:
        """Change a delivery of the sample, as of that day, to what the practice would deliver."""
        tables = {
            table: pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
            for table in contract.TABLES
        }
        for name, change in CHANGES.items():
            change(tables, at, self.days[name])
        for table, rows in tables.items():
            rows.to_csv(folder / f"{table}.csv", index=False, quoting=csv.QUOTE_MINIMAL)
        manifest = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
        manifest["row_count"] = [str(len(tables[table])) for table in manifest["table"]]
        manifest.to_csv(folder / "manifest.csv", index=False)


def year_of(first: dt.datetime, days: int) -> Year:
    """The events spread over so many days."""
    names = ("go-live", *CHANGES, "long weekend")
    return Year(
        {
            name: first + dt.timedelta(days=round((place + 1) * days / (len(names) + 1)))
            for place, name in enumerate(names)
        }
    )


def _payer_renamed(tables: Tables, at: dt.datetime, on: dt.datetime) -> None:
    if at >= on:
        tables["payers"].loc[0, "name"] = "Renamed Health Plan"


def _payments_posted_at_once(tables: Tables, at: dt.datetime, on: dt.datetime) -> None:
    """The payments of ten days were entered in the evening of the last one."""
    if on - LATER_BY <= at < on:
        rows = tables["payments"]
        late = rows["paid_at"] >= (on - LATER_BY).strftime("%Y-%m-%dT%H:%M:%S")
        tables["payments"] = rows[~late]


def _claims_processed_at_once(tables: Tables, at: dt.datetime, on: dt.datetime) -> None:
    """The payer answered the claims of ten days on the last one."""
    if on - LATER_BY <= at < on:
        rows = tables["claims"]
        late = rows["processed_at"] >= (on - LATER_BY).strftime("%Y-%m-%dT%H:%M:%S")
        rows.loc[late, "status"] = "Submitted"
        rows.loc[late, ["processed_at", "patient_responsibility"]] = ""


def _facility_opened(tables: Tables, at: dt.datetime, on: dt.datetime) -> None:
    """The last facility, with its patients and staff, was not there before."""
    if at < on:
        last = tables["facilities"]["facility_id"].max()
        rows = tables["facilities"]
        tables["facilities"] = rows[rows["facility_id"] != last]
        _drop_orphans(tables)


def _facility_sold(tables: Tables, at: dt.datetime, on: dt.datetime) -> None:
    """The patients of the second facility are discharged, their next visits cancelled."""
    if at < on:
        return
    sold = sorted(tables["facilities"]["facility_id"])[1]
    day = on.strftime("%Y-%m-%d")
    patients, cases, visits = (tables[name] for name in ("patients", "cases", "appointments"))
    patients.loc[patients["facility_id"] == sold, "status"] = "Inactive"
    is_open = (cases["facility_id"] == sold) & (cases["discharged_on"] == "")
    cases.loc[is_open & (cases["opened_on"] <= day), "discharged_on"] = day
    is_ahead = (visits["facility_id"] == sold) & (visits["starts_at"] >= day)
    visits.loc[is_ahead & (visits["status"] == "Scheduled"), "status"] = "Cancelled"


def _drop_orphans(tables: Tables) -> None:
    """Drop the rows that refer to a row that is not there; parents come before their children."""
    for table in contract.TABLES:
        rows = tables[table]
        for column in contract.columns(table):
            if column.references is None or column.name not in rows:
                continue
            parent = tables[column.references]
            known = {"", *parent[contract.key_of(column.references)]}
            rows = rows[rows[column.name].isin(known)]
        tables[table] = rows.copy()


CHANGES: dict[str, Callable[[Tables, dt.datetime, dt.datetime], None]] = {
    "a payer renamed": _payer_renamed,
    "payments posted at once": _payments_posted_at_once,
    "claims processed at once": _claims_processed_at_once,
    "a facility opened": _facility_opened,
    "a facility sold": _facility_sold,
}
