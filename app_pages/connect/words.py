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
CHECKS = {  # what the contract's checks mean; those of a form have its name
    "required": "is empty",
    "value_set": "has a word that is not explained",
    "reference": "names a record that is not there",
    "duplicate_key": "is there more than once",
    "id": "is no number of a record",
    "day": "is no date",
    "birth_day": "is no date",
    "moment": "is no date with a time",
    "money": "is no amount",
    "count": "is no whole number",
    "flag": "is neither yes nor no",
    "zone": "is no time zone",
    "text": "cannot be read",
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


def columns(names: str) -> str:
    """The columns of a refused row, which are several where several are wrong."""
    return ", ".join(column(name) for name in names.split("; "))


def check(names: str) -> str:
    """What is wrong with a refused row."""
    return ", ".join(dict.fromkeys(_check(name) for name in names.split("; ")))


def _check(name: str) -> str:
    if name.startswith("before "):
        return f"is before {column(name.removeprefix('before '))}"
    return CHECKS.get(name, name.replace("_", " "))


def reason(text: str) -> str:
    """Why something is held, without the words of whoever installs the workbench."""
    for pattern, plain in _PLAIN:
        text = re.sub(pattern, plain, text)
    return text
