"""A source of five patients, in files as an EMR would name them, and its mapping file."""

from __future__ import annotations

from pathlib import Path

MAPPING = """
title = "Small EMR"
time_zone = "America/New_York"
cases = "one a patient"
absent = ["surveys"]

[tables.facilities]
from = "Sites"
[tables.facilities.columns]
facility_id = "Site ID"
name = "Site"

[tables.patients]
from = "Patients"
[tables.patients.columns]
patient_id = "MRN"
first_name = "First"
last_name = "Last"
status = { column = "State", values = { A = "Active", I = "Inactive" } }
facility_id = "Site ID"

[tables.appointments]
from = "Visits"
[tables.appointments.columns]
appointment_id = "Visit ID"
patient_id = "MRN"
facility_id = "Site ID"
starts_at = "Start"
status = { column = "State", values = { S = "Scheduled", C = "Completed" } }
amount_due = "Copay"
created_at = "Booked"

[tables.payments]
from = "Receipts"
[tables.payments.columns]
payment_id = "Receipt"
patient_id = "MRN"
date_of_service = "DOS"
kind = { constant = "payment" }
amount = "Amount"
paid_at = "Paid"
"""
FILES = {
    "Sites": ["Site ID,Site", "1,Harbor"],
    "Patients": [
        "MRN,First,Last,State,Site ID",
        *(f"00{n},Ann,Lee{n},A,1" for n in range(1, 6)),
    ],
    "Visits": [
        "Visit ID,MRN,Site ID,Start,State,Copay,Booked",
        *(f"{n},00{n},1,11/2{n}/2026 9:00 AM,C,25.00,11/1/2026" for n in range(1, 6)),
        *(f"{10 + n},00{n},1,12/2{n}/2026 9:00 AM,S,25.00,11/1/2026" for n in range(1, 6)),
    ],
    "Receipts": [
        "Receipt,MRN,DOS,Amount,Paid",
        *(f"{n},00{n},11/2{n}/2026,25.00,11/2{n}/2026 9:30 AM" for n in range(1, 4)),
    ],
}


def write_mapping(home: Path, text: str = MAPPING) -> Path:
    """Write the mapping file as the source `small`."""
    path = home / "small" / "source.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_files(folder: Path, day: str = "", **changed: list[str]) -> Path:
    """Write one delivery; a file given as None is left out. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in {**FILES, **changed}.items():
        if lines is not None:
            text = "\r\n".join(lines) + "\r\n"
            (folder / f"{name}{day}.csv").write_text(text, encoding="utf-8", newline="")
    return folder
