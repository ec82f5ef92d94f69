"""A practice's workbook: a sheet for each table, with the headers that people write."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import xlsxwriter

from pipelines.extracts import contract
from tests.bhsim import rows_of

# By table: the sheet, and the header of each column that people keep.
SHEETS = {
    "facilities": (
        "Locations",
        {"facility_id": "Location ID", "name": "Location Name", "time_zone": "Time Zone"},
    ),
    "patients": (
        "Patients",
        {
            "patient_id": "Patient ID",
            "last_name": "Last Name",
            "first_name": "First Name",
            "birth_date": "Date of Birth",
            "status": "Status",
            "facility_id": "Home Facility",
            "phone": "Phone Number",
            "email": "E-mail Address",
        },
    ),
    "cases": (
        "Cases",
        {
            "case_id": "Case No",
            "patient_id": "Patient ID",
            "facility_id": "Location",
            "therapist_id": "Treating Therapist",
            "opened_on": "Start of Care",
            "discharged_on": "Discharge Date",
            "visits_per_week_target": "Visits per Week",
        },
    ),
    "appointments": (
        "Schedule",
        {
            "appointment_id": "Appointment ID",
            "case_id": "Case No",
            "patient_id": "Patient ID",
            "facility_id": "Location",
            "staff_id": "Therapist",
            "starts_at": "Starts",
            "status": "Status",
            "amount_due": "Amount Due",
            "created_at": "Booked On",
        },
    ),
    "payments": (
        "Receipts",
        {
            "payment_id": "Receipt No",
            "patient_id": "Patient ID",
            "case_id": "Case No",
            "date_of_service": "DOS",
            "kind": "Type",
            "amount": "Amount Paid",
            "paid_at": "Received",
        },
    ),
    "documents": (
        "Clinical Notes",
        {
            "document_id": "Note ID",
            "case_id": "Case No",
            "appointment_id": "Appointment ID",
            "kind": "Note Type",
            "status": "Note Status",
            "started_at": "Started",
            "date_of_service": "Date of Service",
            "last_editor_id": "Author",
            "completed_at": "Finalized On",
            "reviewer_id": "Reviewer",
            "submitted_for_review_at": "Sent for Review",
        },
    ),
}


def write_workbook(extracts: Path, path: Path) -> Path:
    """Write canonical extracts as a workbook: days as days, amounts as numbers, ids as texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "m/d/yyyy"})
        time = book.add_format({"num_format": "m/d/yyyy h:mm AM/PM"})
        for table, (sheet, headers) in SHEETS.items():
            forms = {column.name: column.form for column in contract.columns(table)}
            page = book.add_worksheet(sheet)
            page.write_row(0, 0, list(headers.values()))
            for line, row in enumerate(rows_of(extracts, table), 1):
                for place, name in enumerate(headers):
                    value, form = row[name], forms[name]
                    if not value:
                        continue
                    if form == "money":
                        page.write_number(line, place, float(value))
                    elif form == "moment":
                        page.write_datetime(line, place, dt.datetime.fromisoformat(value), time)
                    elif form in ("day", "birth_day"):
                        page.write_datetime(line, place, dt.datetime.fromisoformat(value), day)
                    else:
                        page.write_string(line, place, value)
    return path
