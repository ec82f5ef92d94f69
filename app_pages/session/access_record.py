"""The access record: here every look of this app at a patient is written to the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from app_pages.session import workspace as session_workspace
from pipelines.ledger.accesses import Access
from pipelines.ledger.ledger import Ledger

EVERY_PATIENT = "*"  # the patient of a look at a list
LONGEST_DETAIL = 2000


def note_access(patient_id: str, kind: str, detail: str | None = None) -> None:
    """Record that the person at the keyboard looks at a patient; once a look, not once a rerun."""
    note_accesses([patient_id], kind, detail)


def note_list(page: str, query: Mapping[str, Sequence[str]]) -> None:
    """Record a look at a list by its address, from which time travel finds the rows again."""
    address = f"{page}?{urlencode(query, doseq=True)}"
    note_accesses([EVERY_PATIENT], "list", address[:LONGEST_DETAIL])


def note_accesses(patient_ids: Sequence[str], kind: str, detail: str | None = None) -> None:
    """Record a look at each of several patients, in one transaction."""
    looks: dict[str, tuple[Sequence[str], str | None]] = st.session_state.setdefault("accessed", {})
    if not patient_ids or looks.get(kind) == (patient_ids, detail):
        return
    at, person = session_workspace.now(), session_workspace.person()
    ledger = session_workspace.workspace().shared.ledger
    record(ledger, at, person.staff_id, patient_ids, kind, detail)
    looks[kind] = (patient_ids, detail)


def record(
    ledger: Ledger,
    at: dt.datetime,
    staff_id: str,
    patient_ids: Iterable[str],
    kind: str,
    detail: str | None,
) -> None:
    """Record looks of a person, from any thread; `at` is aware."""
    ledger.record_accesses(
        [Access(at, staff_id, patient_id, kind, detail) for patient_id in patient_ids]
    )
