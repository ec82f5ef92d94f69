"""A practice for tests: each row states only what the test is about, the rest has defaults."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

from pipelines.extracts import contract
from tests import logs

LONG_AGO = "2026-01-05T09:00:00"

DEFAULTS: dict[str, dict[str, object]] = {
    "facilities": {"name": "North Clinic", "time_zone": "America/New_York"},
    "staff": {
        "name": "Dana Whitfield",
        "role": "Front Desk",
        "is_assistant": "false",
        "is_active": "true",
    },
    "payers": {"name": "Aetna", "kind": "Commercial"},
    "patients": {"first_name": "Pat", "last_name": "Doe", "status": "Active", "facility_id": "F1"},
    "cases": {"facility_id": "F1", "opened_on": "2026-01-05"},
    "policies": {
        "payer_id": "PAY1",
        "rank": "1",
        "created_at": LONG_AGO,
        "authorization_required": "false",
    },
    "authorizations": {"is_stub": "false", "entered_at": LONG_AGO},
    "appointments": {"facility_id": "F1", "status": "Completed", "created_at": LONG_AGO},
    "payments": {"kind": "payment"},
    "claims": {"status": "Held", "date_of_service": "2026-10-01"},
    "claim_holds": {"reason_code": "CODING", "reason": "Modifier missing"},
    "documents": {
        "kind": "Daily Note",
        "has_plan_of_care": "false",
        "status": "Draft",
        "started_at": LONG_AGO,
    },
    "faxes": {"status": "Queued", "attempts": "1"},
    "intake_submissions": {"form": "Intake"},
    "engagement_actions": {
        "kind": "Days Since Discharge",
        "days_after_discharge": "30",
        "is_active": "true",
    },
    "surveys": {"kind": "MIPS Patient Survey"},
}


class Practice:
    """Rows by table and key; `write` makes the extract folder."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, object]]] = {
            table: {} for table in contract.TABLES
        }
        self.since: dict[str, str] = {}  # how far back the tables reach, for the manifest
        self.add("facilities", "F1")
        self.add("staff", "S1")
        self.add("staff", "S2", name="Omar Reyes", role="Clinical Staff")
        self.add("payers", "PAY1")

    def add(self, table: str, key: str, **values: object) -> Practice:
        """Insert a row with the table's defaults, or change the row with this key."""
        row = self.tables[table].setdefault(key, {**DEFAULTS[table], contract.key_of(table): key})
        row.update(values)
        return self

    def remove(self, table: str, key: str) -> Practice:
        """Delete a record, as some EMRs do."""
        del self.tables[table][key]
        return self

    def patient(self, key: str, **values: object) -> Practice:
        """A patient with one open case C-<key>."""
        self.add("patients", key, **values)
        return self.add("cases", f"C-{key}", patient_id=key)

    def visit(self, key: str, patient: str, starts_at: str, **values: object) -> Practice:
        """A completed visit of the patient's case."""
        return self.add(
            "appointments",
            key,
            patient_id=patient,
            case_id=f"C-{patient}",
            starts_at=starts_at,
            **values,
        )

    def payment(self, key: str, patient: str, day: str, amount: str, **values: object) -> Practice:
        """Money for a date of service."""
        row = {"paid_at": f"{day}T12:00:00", **values}
        return self.add(
            "payments",
            key,
            patient_id=patient,
            case_id=f"C-{patient}",
            date_of_service=day,
            amount=amount,
            **row,
        )

    def document(self, key: str, patient: str, **values: object) -> Practice:
        """A clinical document of the patient's case."""
        return self.add("documents", key, case_id=f"C-{patient}", **values)

    def write(
        self, folder: Path, extracted_at: dt.datetime | None, *, without: tuple[str, ...] = ()
    ) -> Path:
        """Write all tables as CSV, with a manifest when `extracted_at` is given."""
        folder.mkdir(parents=True, exist_ok=True)
        for patient in self.tables["patients"].values():
            logs.know(patient)
        for table, rows in self.tables.items():
            if table not in without:
                names = [column.name for column in contract.columns(table)]
                with open(folder / f"{table}.csv", "w", newline="", encoding="utf-8") as file:
                    writer = csv.DictWriter(file, names, lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(rows.values())
        if extracted_at is not None:
            at = extracted_at.isoformat()
            lines = [
                f"{table},{at},{len(rows)},true,,{self.since.get(table, '')}\n"
                for table, rows in self.tables.items()
            ]
            (folder / "manifest.csv").write_text(
                "table,extracted_at,row_count,complete,horizon_on,since_on\n" + "".join(lines),
                encoding="utf-8",
            )
        return folder
