"""Patients' data for the pages: each look is on record before its rows are returned.

The only door: `tests/lint/test_patient_data.py` finds a page that asks for them elsewhere. Each
function raises UserError when the look cannot be recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs

import pandas as pd

from app_pages.session import access_record, cached, typed_rows, workspace
from pipelines.analytics.backtest import Comparison
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.views import SavedView
from pipelines.operations.source_check import FirstTask, SourceCheck
from pipelines.records import patient_search, patients
from pipelines.records.patients import Balances, Patient
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import Held, Worklist

WITHOUT_PATIENTS = ["task_id", "title", "facility_id", "manual"]


class FoundPatient(NamedTuple):
    """Whom a searched text may mean: a row of patient_search.find_patients."""

    patient_id: str
    name: str
    born_on: dt.date | None
    facility: str | None
    status: str


class Ask(Protocol):
    """How a list asks its worklist: through the cache, or at once."""

    def __call__(
        self, question: Callable[..., pd.DataFrame], worklist: Worklist, *args: object
    ) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Listed:
    """The rows of a list whose look is on record; made in this module only."""

    worklist: Worklist
    _ask: Ask = cached.ask

    def rows(
        self,
        filters: Filters,
        order: Order | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """The rows of Worklist.tasks."""
        return self._ask(Worklist.tasks, self.worklist, filters, order, limit, offset)

    def first_rows(self, filters: Filters, most: int) -> pd.DataFrame:
        """The rows of Worklist.first_tasks."""
        return self._ask(Worklist.first_tasks, self.worklist, filters, most)

    def week(self, facility_id: str, first: dt.date) -> pd.DataFrame:
        """The rows of patients.schedule_week."""
        return self._ask(_week, self.worklist, facility_id, first)


def _week(worklist: Worklist, facility_id: str, first: dt.date) -> pd.DataFrame:
    return patients.schedule_week(worklist.con, facility_id, first)


def _at_once(
    question: Callable[..., pd.DataFrame], worklist: Worklist, *args: object
) -> pd.DataFrame:
    return question(worklist, *args)


def look_at_list(worklist: Worklist, page: str, query: Mapping[str, Sequence[str]]) -> Listed:
    """The list of a page at its address."""
    access_record.note_list(page, query, worklist.state)
    return Listed(worklist)


class Exporter(NamedTuple):
    """Who exports when (aware), and the ledger: for threads without a session."""

    ledger: Ledger
    staff_id: str
    at: dt.datetime


def export(
    by: Exporter, worklist: Worklist, ask: Callable[[Listed], pd.DataFrame], kind: str, file: str
) -> pd.DataFrame:
    """The rows of an exported file, each of its patients on record."""
    rows = ask(Listed(worklist, _at_once))
    detail = f"{file}, {len(rows):,} {kind}"
    patient_ids = sorted(set(rows["patient_id"]))
    access_record.record(by.ledger, by.at, by.staff_id, patient_ids, "export", detail)
    return rows


def oldest(worklist: Worklist, filters: Filters, most: int) -> pd.DataFrame:
    """The oldest tasks that match, as Worklist.tasks."""
    rows = cached.ask(Worklist.tasks, worklist, filters, Order(), most, 0)
    access_record.note_accesses(sorted(set(rows["patient_id"])), "oldest tasks")
    return rows


def without_patients(worklist: Worklist, task_ids: Iterable[str]) -> pd.DataFrame:
    """What a confirmation says of the chosen tasks, whose list is on record: WITHOUT_PATIENTS."""
    return worklist.tasks(Filters(status="all", task_ids=tuple(task_ids)))[WITHOUT_PATIENTS]


def find(worklist: Worklist, text: str, most: int) -> tuple[list[FoundPatient], bool]:
    """Whom a text may mean, at most so many, and whether there are more."""
    rows = patient_search.find_patients(worklist.con, text, limit=most + 1)
    found = typed_rows.read(FoundPatient, rows.head(most))
    access_record.note_accesses([match.patient_id for match in found], "search")
    return found, len(rows) > most


def name_in_filter(worklist: Worklist, patient_id: str) -> str | None:
    """The name of the patient that a list is filtered by; None where there is none."""
    found = patients.patient(worklist.con, patient_id)
    if found is None:
        return None
    access_record.note_access(found.patient_id, "filter")
    return found.name


@dataclass(frozen=True)
class OpenedTask:
    """One task whose look is on record: its row of Worklist.tasks."""

    row: pd.Series
    worklist: Worklist

    def steps(self) -> pd.DataFrame:
        """The rows of Worklist.history of its patient."""
        return self.worklist.history(self.row["patient_id"])

    def facts(self, subject_table: str) -> dict[str, str]:
        """The facts of the record behind it."""
        return patients.facts(self.worklist.con, subject_table, self.row["subject_id"])

    def held(self) -> Held:
        """Worklist.held_runs of it."""
        return self.worklist.held_runs(self.row["task_id"])


def open_task(worklist: Worklist, task_id: str) -> OpenedTask | None:
    """One task; None where there is none."""
    row = worklist.task(task_id)
    if row is None:
        return None
    access_record.note_access(row["patient_id"], "task", row["task_id"])
    return OpenedTask(row, worklist)


@dataclass(frozen=True)
class OpenedPatient:
    """One patient, whose look is on record; `moved_from` is the chart asked for, if it is gone."""

    patient: Patient
    moved_from: str | None
    _worklist: Worklist

    def pending(self) -> pd.DataFrame:
        """The patient's open tasks, as Worklist.tasks."""
        return self._worklist.tasks(Filters(status="open", patient_id=self.patient.patient_id))

    def steps(self, *, people_only: bool) -> pd.DataFrame:
        """The rows of Worklist.history."""
        return self._worklist.history(self.patient.patient_id, people_only=people_only)

    def cases(self) -> pd.DataFrame:
        """The rows of patients.cases."""
        return patients.cases(self._worklist.con, self.patient.patient_id)

    def policies(self) -> pd.DataFrame:
        """The rows of patients.policies."""
        return patients.policies(self._worklist.con, self.patient.patient_id)

    def authorizations(self) -> pd.DataFrame:
        """The rows of patients.authorizations."""
        return patients.authorizations(self._worklist.con, self.patient.patient_id)

    def balances(self) -> Balances:
        """What patients.balances says."""
        return patients.balances(self._worklist.con, self.patient.patient_id)

    def payments(self) -> pd.DataFrame:
        """The rows of patients.payments."""
        return patients.payments(self._worklist.con, self.patient.patient_id)

    def documents(self) -> pd.DataFrame:
        """The rows of patients.documents."""
        return patients.documents(self._worklist.con, self.patient.patient_id)

    def faxes(self) -> pd.DataFrame:
        """The rows of patients.faxes."""
        return patients.faxes(self._worklist.con, self.patient.patient_id)

    def schedule(self) -> pd.DataFrame:
        """The rows of patients.schedule."""
        return patients.schedule(self._worklist.con, self.patient.patient_id)


def open_patient(worklist: Worklist, patient_id: str, section: str) -> OpenedPatient | None:
    """One patient, or the one whose chart took over this id; None where there is none."""
    found, moved_from = patients.patient(worklist.con, patient_id), None
    if found is None and (moved_to := worklist.moved_to(patient_id)) is not None:
        found, moved_from = patients.patient(worklist.con, moved_to), patient_id
    if found is None:
        return None
    access_record.note_access(found.patient_id, "patient page", section)
    return OpenedPatient(found, moved_from, worklist)


@dataclass(frozen=True)
class Replayed:
    """The tasks that differ between the two replays of a backtest, by kind; on record."""

    only_changed: pd.DataFrame
    only_now: pd.DataFrame
    earlier: pd.DataFrame


def replayed(found: Comparison) -> Replayed:
    """The tasks of a backtest."""
    kinds = Replayed(found.only_changed, found.only_now, found.earlier)
    ids = {one for rows in vars(kinds).values() for one in rows["patient_id"]}
    access_record.note_accesses(sorted(ids), "backtest", found.rule_id)
    return kinds


@dataclass(frozen=True)
class Said:
    """A sentence that may name a patient: an action of this session that was refused."""

    text: str
    patient_id: str = ""


def sentences(said: Sequence[Said]) -> list[str]:
    """The texts, once whom they name is on record."""
    named = sorted({each.patient_id for each in said if each.patient_id})
    access_record.note_accesses(named, "refused action")
    return [each.text for each in said]


def saved_views(saved: Sequence[SavedView]) -> Sequence[SavedView]:
    """A person's saved views, once the patients they are filtered by are on record."""
    queries = [parse_qs(view.query or "") for view in saved]
    named = sorted({one for query in queries for one in query.get("patient", [])})
    access_record.note_accesses(named, "saved view")
    return saved


def report(files: Mapping[str, bytes], detail: str) -> Mapping[str, bytes]:
    """The files of a report, which name no patient but list tasks."""
    access_record.note_all("report", detail)
    return files


def tried_tasks(found: SourceCheck, source: str) -> list[FirstTask]:
    """The first tasks of a delivery that was tried, at the facilities that the person may see."""
    visible = workspace.visible_facilities()
    tasks = [one for one in found.first_tasks if visible is None or one.facility_id in visible]
    access_record.note_accesses(sorted({one.patient_id for one in tasks}), "first tasks", source)
    return tasks


def export_all(by: Exporter, detail: str) -> None:
    """Put the download of a file that may name any patient on record, before it is made."""
    every = [access_record.EVERY_PATIENT]
    access_record.record(by.ledger, by.at, by.staff_id, every, "export", detail)
