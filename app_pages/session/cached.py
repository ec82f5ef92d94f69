"""The worklist's answers, kept for as long as the list stays the same: a click that changes nothing asks nothing."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from pipelines.worklist.at import State
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.worklist import Worklist


def tasks(
    worklist: Worklist, filters: Filters, order: Order, limit: int, offset: int
) -> pd.DataFrame:
    """One page of the list."""
    return _tasks(worklist.state, filters, order, limit, offset, worklist)


def summary(worklist: Worklist, filters: Filters) -> dict[str, object]:
    """The numbers above a list."""
    return _summary(worklist.state, filters, worklist)


def options(worklist: Worklist, filters: Filters) -> dict[str, dict[str, int]]:
    """What each filter offers."""
    return _options(worklist.state, filters, worklist)


def counts(worklist: Worklist, filters: Filters) -> pd.DataFrame:
    """Tasks by category and type."""
    return _counts(worklist.state, filters, worklist)


def first_tasks(worklist: Worklist, filters: Filters, most: int) -> pd.DataFrame:
    """The oldest tasks of each type."""
    return _first_tasks(worklist.state, filters, most, worklist)


def movements(worklist: Worklist, since: dt.datetime, facility_id: str) -> dict[str, int]:
    """How many tasks of a facility each event happened to after a moment."""
    return _movements(worklist.state, since, facility_id, worklist)


@st.cache_data(max_entries=300, show_spinner=False)
def _tasks(
    state: State, filters: Filters, order: Order, limit: int, offset: int, _worklist: Worklist
) -> pd.DataFrame:
    return _worklist.tasks(filters, order, limit, offset)


@st.cache_data(max_entries=300, show_spinner=False)
def _summary(state: State, filters: Filters, _worklist: Worklist) -> dict[str, object]:
    return _worklist.summary(filters)


@st.cache_data(max_entries=300, show_spinner=False)
def _options(state: State, filters: Filters, _worklist: Worklist) -> dict[str, dict[str, int]]:
    return _worklist.options(filters)


@st.cache_data(max_entries=300, show_spinner=False)
def _counts(state: State, filters: Filters, _worklist: Worklist) -> pd.DataFrame:
    return _worklist.counts(filters)


@st.cache_data(max_entries=100, show_spinner=False)
def _first_tasks(state: State, filters: Filters, most: int, _worklist: Worklist) -> pd.DataFrame:
    return _worklist.first_tasks(filters, most)


@st.cache_data(max_entries=100, show_spinner=False)
def _movements(
    state: State, since: dt.datetime, facility_id: str, _worklist: Worklist
) -> dict[str, int]:
    return dict(_worklist.movements(since, facility_id).itertuples(index=False))
