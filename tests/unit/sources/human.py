"""A practice's tables as people keep them: other file names, other headers, in any order."""

from __future__ import annotations

import csv
from pathlib import Path

# By table: the file's name, and the header of each column that people keep.
HEADERS = {
    "facilities": ("Locations", {"facility_id": "Site ID", "name": "Site", "time_zone": "TZ"}),
    "staff": (
        "Therapists",
        {"staff_id": "User ID", "name": "Full Name", "role": "Position", "is_active": "Enabled"},
    ),
    "patients": (
        "Clients",
        {
            "patient_id": "Chart No",
            "last_name": "Surname",
            "first_name": "Given Name",
            "birth_date": "Date of Birth",
            "status": "State",
            "facility_id": "Home Site",
        },
    ),
    "cases": (
        "Episodes of Care",
        {
            "case_id": "Episode No",
            "patient_id": "Chart No",
            "facility_id": "Site",
            "therapist_id": "Treating Therapist",
            "opened_on": "Start of Care",
            "discharged_on": "Discharge Date",
        },
    ),
    "appointments": (
        "Schedule",
        {
            "appointment_id": "Appt ID",
            "case_id": "Episode",
            "patient_id": "Client",
            "facility_id": "Site",
            "staff_id": "Clinician",
            "starts_at": "Appointment Time",
            "status": "Status",
            "amount_due": "Copay Due",
            "created_at": "Created On",
        },
    ),
    "payments": (
        "Receipts",
        {
            "payment_id": "Receipt Number",
            "patient_id": "Client",
            "case_id": "Episode",
            "date_of_service": "Service Date",
            "kind": "Transaction Type",
            "amount": "Amount Paid",
            "paid_at": "Received On",
        },
    ),
}


def write(extracts: Path, folder: Path, tables: tuple[str, ...] = tuple(HEADERS)) -> Path:
    """Write canonical CSV extracts as people keep them; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        name, headers = HEADERS[table]
        with (extracts / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*headers.values(), "Marital Status"])
            for number, row in enumerate(rows):
                marital = "Single" if number % 2 else "Married"
                writer.writerow([*(row[column] for column in headers), marital])
    return folder
