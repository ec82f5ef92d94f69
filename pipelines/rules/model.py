"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.settings import ROOT
from pipelines.vocabulary import CATEGORIES

RULES_FOLDER = ROOT / "rules"
LINKS = ("policies", "payments", "documents", "authorizations", "schedule", "demographics")
ANSWER = (
    "subject_id",
    "case_id",
    "patient_id",
    "facility_id",
    "staff_id",
    "since",
    "amount",
    "reason",
)
ANSWER_TYPES = {"since": "DATE", "amount": "DECIMAL(12,2)"}  # all others are text
MAY_ALSO_ANSWER = ("manual", "episode")
HEADER = re.compile(r"/\* rule\n(.*?)^\*/\n", re.DOTALL | re.MULTILINE)

REQUIRED: dict[str, type] = {
    "title": str,
    "category": str,
    "clears": str,
    "clears_when": str,
    "manual": str,
    "purpose": str,
    "resolve": list,
    "links": list,
    "reads": list,
    "due_days": int,
    "ends_at_discharge": bool,
    "subject_table": str,
    "source": str,
    "params": dict,
}
OPTIONAL: dict[str, type] = {"converts_to": list, "period": str}
CHOICES: dict[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "clears": ("auto", "manual"),
    "manual": ("allowed", "override"),
    "links": LINKS,
    "reads": tuple(contract.TABLES),
    "period": ("week", "month"),
    "subject_table": tuple(contract.TABLES),
}
TYPE_NAMES = {
    str: "text",
    list: "a list of texts",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
    dict: "a table",
}


@dataclass(frozen=True)
class Rule:
    """A task type: its header as written, its parameters by name, and the SELECT that answers who needs one."""

    rule_id: str
    title: str
    category: str
    clears: str
    clears_when: str
    manual: str
    purpose: str
    resolve: tuple[str, ...]
    links: tuple[str, ...]
    reads: tuple[str, ...]
    due_days: int
    ends_at_discharge: bool
    subject_table: str
    source: str
    params: Mapping[str, object]
    sql: str
    path: Path
    converts_to: tuple[str, ...] = ()
    period: str | None = None


@dataclass(frozen=True)
class Applied:
    """The rules under a practice's settings; payers is {rule_id: {payer_id: {parameter: value}}}, disabled are rule ids."""

    rules: dict[str, Rule]
    payers: dict[str, dict[str, dict[str, object]]]
    disabled: frozenset[str]


def matched(value: object, kind: type, where: str) -> object:
    """The value if it is of that kind (a whole number will do for a number); UserError if not."""
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind or (
        kind is list and not all(isinstance(item, str) for item in value)
    ):
        raise UserError(f"{where}: must be {TYPE_NAMES[kind]}")
    return value


def not_negative(value: float, where: str) -> float:
    if not 0 <= value < 1_000_000:
        raise UserError(f"{where}: must be 0 or more, and below a million")
    return value
