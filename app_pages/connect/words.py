"""What the Connect page calls tables, columns and reasons: words of a practice administrator."""

from __future__ import annotations

import re

TABLES = {
    "facilities": "Facilities",
    "staff": "Staff",
    "payers": "Payers",
    "patients": "Patients",
    "cases": "Cases (episodes of care)",
    "policies": "Insurance policies",
    "authorizations": "Authorizations",
    "appointments": "Appointments",
    "payments": "Patient payments",
    "claims": "Claims",
    "claim_holds": "Claim holds",
    "documents": "Clinical documents",
    "faxes": "Faxes",
    "intake_submissions": "Intake forms",
    "engagement_actions": "Follow-ups",
    "surveys": "Surveys",
}
CHECKS = {
    "unique": "appears twice",
    "not_nullable": "is empty",
    "isin": "is a word that nobody explained",
    "refers_to": "names a record that is not there",
    "written_as": "is not written as it must be",
    "in_order": "ends before it begins",
}
_PLAIN = (
    (r"; say which in the mapping:.*", "; answer it under “What cannot be told”"),
    (r"the mapping names no", "nothing names a"),
    (r"nothing is mapped to (\w+)", r"no column was chosen for \1"),
    (r"its SQL fails.*", "it cannot be made from these columns"),
)


def table(name: str) -> str:
    """A table as the screen calls it."""
    return TABLES.get(name, name)


def column(name: str) -> str:
    """A column of ours as the screen calls it: patient_id is Patient ID."""
    text = re.sub(r"\bid\b", "ID", name.replace("_", " "))
    return text[:1].upper() + text[1:]


def check(name: str) -> str:
    """What is wrong with a refused row."""
    return CHECKS.get(name, name.replace("_", " "))


def reason(text: str) -> str:
    """Why something is held, without the words of whoever installs the workbench."""
    for pattern, plain in _PLAIN:
        text = re.sub(pattern, plain, text)
    return text
