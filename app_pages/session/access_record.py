"""What every page stands on: the practice's settings, the app's clock, the list all sessions share, and who is looking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from app_pages.session import workspace as session_workspace
from pipelines.ledger.accesses import Access

EVERY_PATIENT = "*"  # in the access record: of a list
LONGEST_DETAIL = 2000


def note_access(patient_id: str, kind: str, detail: str | None = None) -> None:
    """Write to the access record that the person at the keyboard looks at a patient; once for each look, not each rerun."""
    note_accesses([patient_id], kind, detail)


def note_list(page: str, query: Mapping[str, Sequence[str]]) -> None:
    """The same for a list of many patients: by its address, which time travel turns into the rows again."""
    note_accesses(
        [EVERY_PATIENT], "list", f"{page}?{urlencode(query, doseq=True)}"[:LONGEST_DETAIL]
    )


def note_accesses(patient_ids: Sequence[str], kind: str, detail: str | None = None) -> None:
    """The same for each of several patients, in one transaction."""
    looks: dict[str, tuple[Sequence[str], str | None]] = st.session_state.setdefault("accessed", {})
    if not patient_ids or looks.get(kind) == (patient_ids, detail):
        return
    at, staff_id = session_workspace.now(), session_workspace.person().staff_id
    session_workspace.workspace().shared.ledger.record_accesses(
        [Access(at, staff_id, patient_id, kind, detail) for patient_id in patient_ids]
    )
    looks[kind] = (patient_ids, detail)
