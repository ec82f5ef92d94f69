"""Nights of a WebPT Standard Extract, made from the sample practice, so that the tasks are known.

Ids are the sample's as integers. The first night holds everything, the others what changed, with
export_flag 1 new, 2 modified, 3 removed; the appointments are a window of 14 days either way.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.sample import DEFAULT_SEED, write_sample
from tests.bhsim import rows_of
from tests.webpt_files import FILES, Row, Tables, appointment, is_without_appointment

NIGHTS = tuple(
    dt.datetime(2026, 11, day, 23, tzinfo=ZoneInfo("America/New_York")) for day in (18, 19, 20)
)
WINDOW = dt.timedelta(days=14)
REMOVED_PATIENT = "990001"  # registered twice, and the second chart is deleted the next day


def sample_nights(folder: Path, patients: int = 250) -> list[Path]:
    """The canonical extracts of the three nights, one folder each."""
    made = [folder / f"{night:%Y-%m-%d}" for night in NIGHTS]
    for path, night in zip(made, NIGHTS, strict=True):
        write_sample(
            path, patients=patients, facilities=3, as_of=night, seed=DEFAULT_SEED, format="csv"
        )
    return made


def write_nights(canonical: list[Path], out: Path) -> list[Path]:
    """The deliveries of WebPT: a folder named MMDDYYYY for each night."""
    before: dict[str, list[Row]] = {}
    made = []
    for place, (path, night) in enumerate(zip(canonical, NIGHTS, strict=True)):
        tables = tables_of(path)
        now = {name: list(rows(tables)) for name, (_, rows) in FILES.items()}
        if place == 0:
            now["Patients"].append(_second_chart(now["Patients"][0]))
        folder = out / f"{night:%m%d%Y}"
        for name, rows in now.items():
            key, _ = FILES[name]
            changed = _changes(before.get(name, []), rows, key)
            _write(folder / f"{name}.csv", rows, changed, night)
        _write(folder / "Appointments.csv", *_window(tables, night), night)
        before = now
        made.append(folder)
    return made


def write_everything(canonical: Path, out: Path, night: dt.datetime) -> Path:
    """A delivery that holds all of one night, as a practice asks for after a lost one."""
    tables = tables_of(canonical)
    for name, (_, make) in FILES.items():
        rows = list(make(tables))
        _write(out / f"{name}.csv", rows, [row | {"export_flag": "1"} for row in rows], night)
    _write(out / "Appointments.csv", *_window(tables, night), night)
    return out


def tables_of(canonical: Path) -> Tables:
    """The rows of each canonical table; ids as WebPT has them, integers."""
    tables = {}
    for path in canonical.glob("*.csv"):
        tables[path.stem] = [
            {key: number(value) if key.endswith("_id") else value for key, value in row.items()}
            for row in rows_of(canonical, path.stem)
        ]
    return tables


def number(text: str) -> str:
    """An id without its leading zeros."""
    return str(int(text)) if text.isdigit() else text


def _changes(before: list[Row], now: list[Row], key: str) -> list[Row]:
    """The rows of a night with their export_flag."""
    earlier = {row[key]: row for row in before}
    current = {row[key]: row for row in now}
    changed = [
        row | {"export_flag": "2" if row[key] in earlier else "1"}
        for row in now
        if earlier.get(row[key]) != row
    ]
    removed = [row | {"export_flag": "3"} for id_, row in earlier.items() if id_ not in current]
    return changed + removed


def _write(path: Path, like: list[Row], rows: list[Row], night: dt.datetime) -> None:
    """The file of a night; one without a change has the header only."""
    write_file(path, rows, night, list((rows or [like[0] | {"export_flag": ""}])[0]))


def write_file(
    path: Path, rows: list[Row], night: dt.datetime, names: list[str] | None = None
) -> None:
    """Write rows in Windows-1252 with CRLF, as of the night."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().replace("D'", "D’").encode("cp1252"))
    os.utime(path, (night.timestamp(), night.timestamp()))


def _second_chart(patient: Row) -> Row:
    return patient | {"patient_id": REMOVED_PATIENT, "patient_account_number": "1690001"}


def _window(tables: Tables, night: dt.datetime) -> tuple[list[Row], list[Row]]:
    """The appointments of 14 days back and 14 ahead; a visit checked in may also stand as booked.

    Every 13th completed visit that costs the patient nothing was cancelled before it took place:
    its note has no appointment.
    """
    first, last = (night - WINDOW).date().isoformat(), (night + WINDOW).date().isoformat()
    rows: list[Row] = []
    for visit in tables["appointments"]:
        if not first <= visit["starts_at"][:10] <= last or is_without_appointment(visit):
            continue
        row = appointment(visit)
        if not row["appointmnet_id"].startswith("-") and int(visit["appointment_id"]) % 9 == 0:
            booked = {"appointmnet_id": f"-{visit['appointment_id']}", "check_in_time": ""}
            rows.append(row | booked | {"check_out_time": ""})
        rows.append(row)
    return rows, rows
