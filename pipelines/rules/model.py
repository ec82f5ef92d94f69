"""What a rule is: the keys of its header, its parameters, and the columns its SELECT answers."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypedDict, TypeVar

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.settings import AUTHORIZATION_CODES, ROOT
from pipelines.vocabulary import CATEGORIES, PATIENT_STATUSES

Param = bool | int | float | str
Params = Mapping[str, Param]

RULES_FOLDER = ROOT / "rules"
LINKS = ("policies", "payments", "documents", "authorizations", "schedule", "demographics")
ANSWER_TYPES = {
    "subject_id": "VARCHAR",
    "case_id": "VARCHAR",
    "patient_id": "VARCHAR",
    "facility_id": "VARCHAR",
    "staff_id": "VARCHAR",
    "since": "DATE",
    "amount": "DECIMAL(12,2)",
    "reason": "VARCHAR",
}
ANSWER = tuple(ANSWER_TYPES)
MAY_ALSO_ANSWER = ("manual", "episode")  # both VARCHAR
HEADER = re.compile(r"/\* rule\n(.*?)^\*/\n", re.DOTALL | re.MULTILINE)
EVIDENCE_TYPES = {
    "subject_id": "VARCHAR",
    "is_work": "BOOLEAN",
    "record_table": "VARCHAR",
    "record_id": "VARCHAR",
    "happened_on": "DATE",
    "amount": "DECIMAL(12,2)",
    "says": "VARCHAR",
}
# The columns of the table `leaving`, which the SELECT of the evidence reads.
LEAVING_TYPES = {
    "task_id": "VARCHAR",
    "subject_id": "VARCHAR",
    "case_id": "VARCHAR",
    "patient_id": "VARCHAR",
    "facility_id": "VARCHAR",
    "payer_id": "VARCHAR",
    "since": "DATE",
    "opened_at": "TIMESTAMPTZ",
    "amount": "DECIMAL(12, 2)",
    "reason": "VARCHAR",
    "episode": "VARCHAR",
}
# After the SELECT of the candidates, in this order.
UNSEEN = re.compile(r"/\* unseen\b.*?\*/", re.DOTALL)
EVIDENCE = re.compile(r"/\* evidence\b.*?\*/", re.DOTALL)
UNSEEN_TYPES = {"subject_id": "VARCHAR"}

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
OPTIONAL: dict[str, type] = {
    "converts_to": list,
    "period": str,
    "looks_at": str,
    "looks_back": list,
    "may_lack": list,
    "patients": list,
}
CHOICES: dict[str, tuple[str, ...]] = {
    "category": CATEGORIES,
    "clears": ("auto", "manual"),
    "manual": ("allowed", "override"),
    "links": LINKS,
    "reads": tuple(contract.TABLES),
    "looks_back": tuple(contract.TABLES),
    "may_lack": tuple(contract.TABLES),
    "period": ("week", "month"),
    "looks_at": ("case", "patient"),
    "subject_table": tuple(contract.TABLES),
    "patients": PATIENT_STATUSES,
}
TYPE_NAMES: dict[type, str] = {
    str: "text",
    list: "a list of texts",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
    dict: "a table",
}


@dataclass(frozen=True)
class StagedParam:
    """A parameter that staging takes, so that all rules which read the staged table share it."""

    default: str
    reason: str


# By staged table. Values are words separated by commas.
CODE_CONTAINS = "code_contains"
STAGED_PARAMS: dict[str, dict[str, StagedParam]] = {
    "claim_holds": {
        CODE_CONTAINS: StagedParam(
            ", ".join(AUTHORIZATION_CODES),
            "a hold is about authorization if its reason code contains one of these",
        )
    }
}


class Header(TypedDict, total=False):
    """A checked header: REQUIRED and OPTIONAL say which keys it has."""

    title: str
    category: str
    clears: str
    clears_when: str
    manual: str
    purpose: str
    resolve: list[str]
    links: list[str]
    reads: list[str]
    due_days: int
    ends_at_discharge: bool
    subject_table: str
    source: str
    params: dict[str, Param]
    converts_to: list[str]
    period: str
    looks_back: list[str]
    may_lack: list[str]
    looks_at: str
    patients: list[str]


@dataclass(frozen=True)
class Rule:
    """A task type: its header, its parameters, and the SELECT that finds its candidates.

    `params` holds those of the header and STAGED_PARAMS of the tables it reads. Without a table of
    `may_lack` it still answers, as long as the practice has never delivered that table. A rule that
    `looks_at` the patient asks about all of a patient's cases. `patients` are the statuses of
    patients for whom it opens tasks. `evidence` is the SELECT that explains why tasks are no longer
    asked for; `compares` are the staged tables of the run before that it reads. `looks_back` are
    the extracts of which it counts earlier rows, and `unseen` the SELECT of subjects that it cannot
    answer where they do not reach back; `minds` are those of them that its SELECTs allow for.
    """

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
    params: Params
    sql: str
    path: Path
    converts_to: tuple[str, ...] = ()
    period: str | None = None
    may_lack: tuple[str, ...] = ()
    looks_at: str = "case"
    patients: tuple[str, ...] = ("Active",)
    evidence: str | None = None
    compares: frozenset[str] = frozenset()
    looks_back: tuple[str, ...] = ()
    unseen: str | None = None
    minds: frozenset[str] = frozenset()

    @property
    def is_own(self) -> bool:
        """Whether a practice added the rule."""
        return self.path.parent != RULES_FOLDER

    @property
    def version(self) -> str:
        """A short hash of what the rule asks, which changes when its SQL does."""
        return hashlib.md5(self.sql.encode(), usedforsecurity=False).hexdigest()[:12]


class Parts(NamedTuple):
    """The SELECTs of a rule file."""

    sql: str
    unseen: str | None
    evidence: str | None


def parts(body: str) -> Parts:
    """The SELECTs of a rule file below its header; of a part that comes twice, the first."""
    asks, *explains = EVIDENCE.split(body)
    sql, *unseen = UNSEEN.split(asks)
    return Parts(sql, unseen[0] if unseen else None, explains[0] if explains else None)


def since(table: str) -> str:
    """The parameter of a SELECT that has the first day of the table's rows, NULL for all rows."""
    return f"{table}_since"


@dataclass(frozen=True)
class Applied:
    """The rules with the practice's settings applied.

    `payers` is {rule_id: {payer_id: parameters}}; `disabled` holds the ids of rules switched off;
    a hold whose reason code contains one of `authorization_codes` is about authorization; `go_live`
    has the days of rules that the practice began to work with on a day of their own; `broken` says
    what is wrong with the practice's own rule files that could not be loaded, by rule id.
    """

    rules: Mapping[str, Rule]
    payers: Mapping[str, Mapping[str, Params]]
    disabled: frozenset[str]
    authorization_codes: tuple[str, ...] = AUTHORIZATION_CODES
    go_live: Mapping[str, dt.date] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def find(self, rule_id: str) -> Rule:
        """The rule of this id; UserError says why there is none."""
        if rule_id in self.broken:
            raise UserError(self.broken[rule_id], 1)
        if rule_id not in self.rules:
            raise UserError(f"There is no rule {rule_id}; the rules are {', '.join(self.rules)}", 1)
        return self.rules[rule_id]


T = TypeVar("T")
Number = TypeVar("Number", int, float)


def matched(value: object, kind: type[T], where: str) -> T:
    """The value if it is of that type (a list: of texts); UserError if it is not."""
    is_kind = isinstance(value, kind) and isinstance(value, bool) is (kind is bool)
    if not is_kind or (isinstance(value, list) and not all(isinstance(x, str) for x in value)):
        raise UserError(f"{where}: must be {TYPE_NAMES[kind]}")
    assert isinstance(value, kind)
    return value


def not_negative(value: Number, where: str) -> Number:
    """The number if it is at least 0 and below a million; UserError if it is not."""
    if not 0 <= value < 1_000_000:
        raise UserError(f"{where}: must be 0 or more, and below a million")
    return value
