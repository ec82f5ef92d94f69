"""The access record: here every look of this app at a patient is written to the ledger.

Pages do not call it: they get patients' data from patient_data.py, which records each look first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from app_pages.session import workspace as session_workspace
from pipelines.errors import UserError
from pipelines.ledger.accesses import Access
from pipelines.ledger.ledger import Ledger
from pipelines.worklist.at import State

EVERY_PATIENT = "*"  # the patient of a look at a list
LONGEST_DETAIL = 2000
PAGE, RUN, LOOKS = "accessed.page", "accessed.run", "accessed"
NOT_RECORDED = "Nothing about patients is shown, because the look at them cannot be recorded."


class Look(NamedTuple):
    """What a person sees at once; of a list also its state, since its rows follow from both."""

    patient_ids: tuple[str, ...]
    kind: str
    detail: str | None
    state: State | None = None


def begin_page(page: str) -> None:
    """Forget the looks of another page: coming back to it is a new look."""
    if st.session_state.get(PAGE) != page:
        st.session_state[PAGE] = page
        st.session_state[LOOKS] = {}


def end_page() -> None:
    """A run of the page is over; what the next run does not look at again is forgotten."""
    run = st.session_state.get(RUN, 0)
    looks: dict[Look, int] = st.session_state.get(LOOKS, {})
    st.session_state[LOOKS] = {look: seen for look, seen in looks.items() if seen >= run}
    st.session_state[RUN] = run + 1


def note_access(patient_id: str, kind: str, detail: str | None = None) -> None:
    """Record that the person at the keyboard looks at a patient; once a look, not once a rerun."""
    note_accesses([patient_id], kind, detail)


def note_accesses(patient_ids: Sequence[str], kind: str, detail: str | None = None) -> None:
    """Record a look at each of several patients, in one transaction."""
    if patient_ids:
        _note(Look(tuple(patient_ids), kind, detail))


def note_list(page: str, query: Mapping[str, Sequence[str]], state: State) -> None:
    """Record a look at a list by its address, from which time travel finds the rows again."""
    address = f"{page}?{urlencode(query, doseq=True)}"
    _note(Look((EVERY_PATIENT,), "list", address[:LONGEST_DETAIL], state))


def note_all(kind: str, detail: str) -> None:
    """Record a look at something that may hold any patient's data, such as a report."""
    _note(Look((EVERY_PATIENT,), kind, detail[:LONGEST_DETAIL]))


def _note(look: Look) -> None:
    """Record a look; of one that is on record only prove that it could be recorded now."""
    looks: dict[Look, int] = st.session_state.setdefault(LOOKS, {})
    at, person = session_workspace.now(), session_workspace.person()
    ledger = session_workspace.workspace().shared.ledger
    if look in looks:
        with _refusing():
            ledger.prove_writable()
    else:
        record(ledger, at, person.staff_id, look.patient_ids, look.kind, look.detail)
    looks[look] = st.session_state.get(RUN, 0)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{NOT_RECORDED} {error}") from None


def record(
    ledger: Ledger,
    at: dt.datetime,
    staff_id: str,
    patient_ids: Iterable[str],
    kind: str,
    detail: str | None,
) -> None:
    """Record looks of a person, from any thread; `at` is aware.

    UserError when that fails: nothing may be shown then.
    """
    with _refusing():
        ledger.record_accesses(
            [Access(at, staff_id, patient_id, kind, detail) for patient_id in patient_ids]
        )
