"""Labels of ids: constant and unique, since a select box sends back its label, not the id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from app_pages.session import workspace
from pipelines.vocabulary import ME, SELF_PAY, UNASSIGNED
from pipelines.worklist.filters import Filter
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist


def of_filter(worklist: Worklist, one: Filter) -> Mapping[str, str] | None:
    """The labels of the values of a filter that exist; None where any id may be asked for."""
    if one.choices is not None:
        return one.choices
    named = _OF_IDS.get(one.name)
    return None if named is None else named(worklist)


def facilities(worklist: Worklist) -> Mapping[str, str]:
    """Facility id → name, by name."""
    return _names("facilities", worklist.state.run_id, worklist.state.facility_ids, worklist)


def types(worklist: Worklist) -> Mapping[str, str]:
    """Task type id → title, by title."""
    return _names("rules", worklist.state.run_id, None, worklist)


def payers(worklist: Worklist) -> Mapping[str, str]:
    """Payer id → name, by name, and who pays themselves."""
    return {**_names("payers", worklist.state.run_id, None, worklist), SELF_PAY: "Self-pay"}


def staff(worklist: Worklist) -> Mapping[str, str]:
    """Me, Unassigned, then staff id → name by name; also former staff, who may own tasks."""
    return {
        ME: "Me",
        UNASSIGNED: "Unassigned",
        **_names("staff", worklist.state.run_id, None, worklist),
    }


# The filters whose values are ids, and the labels of these.
_OF_IDS: Mapping[str, Callable[[Worklist], Mapping[str, str]]] = {
    "facility": facilities,
    "type": types,
    "payer": payers,
    "staff": staff,
}


def active_staff(worklist: Worklist) -> Mapping[str, str]:
    """Staff id → name of those a task can be given to, by name."""
    return _active_staff(worklist.state.run_id, worklist)


def unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Id → label; the id is added where two would be called the same."""
    found = dict(pairs)
    often = Counter(found.values())
    return {key: name if often[name] == 1 else f"{name} ({key})" for key, name in found.items()}


@st.cache_data(max_entries=40, show_spinner=False)
def _names(
    question: str, run_id: str, facility_ids: Facilities, _worklist: Worklist
) -> dict[str, str]:
    rows = getattr(_worklist, question)()
    key = {
        "facilities": "facility_id",
        "rules": "rule_id",
        "payers": "payer_id",
        "staff": "staff_id",
    }[question]
    return unique(zip(rows[key], rows["title" if question == "rules" else "name"], strict=True))


@st.cache_data(max_entries=10, show_spinner=False)
def _active_staff(run_id: str, _worklist: Worklist) -> dict[str, str]:
    rows = _worklist.staff()
    rows = rows[rows["is_active"].fillna(False)]
    return unique(zip(rows["staff_id"], rows["name"], strict=True))


def me() -> str:
    """The staff id behind Me."""
    return workspace.person().staff_id
