"""What every page uses: settings, the app's clock, the shared list, and the person who looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app_pages.session import clock
from app_pages.session.logins import SESSIONS
from pipelines import settings as settings_module
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.ledger import belonging
from pipelines.operations import permissions
from pipelines.rules import overrides, own
from pipelines.rules.model import Applied
from pipelines.rules.own import OwnRules
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.visibility import Facilities
from pipelines.worklist.worklist import Worklist


@dataclass(frozen=True)
class Workspace:
    """The practice of this server: settings, whether it is the demo, clock file, shared list.

    `practice` has the settings as they are set up, also while the demo is shown.
    """

    settings: Settings
    is_demo: bool
    moved_by: Path | None
    shared: LiveWorklist
    practice: Settings


@dataclass(frozen=True)
class Person:
    """The member of staff at the keyboard; facility_id is their home facility, None for several."""

    staff_id: str
    name: str
    role: str
    email: str | None = None
    facility_id: str | None = None


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The practice of this server, or the demo while it has neither extracts, list nor actions."""
    settings = practice = settings_module.load()
    # With actions but no list, its lists are gone: the first look says so.
    is_demo = (
        settings.extracts is None
        and snapshots.current(settings.warehouse) is None
        and not belonging.has_actions(settings)
    )
    if is_demo:
        settings = build.settings_for(settings)
    permissions.restrict(settings)
    moved_by = settings.clock_file or (build.clock_file(settings) if is_demo else None)
    return Workspace(settings, is_demo, moved_by, LiveWorklist(settings), practice)


def now() -> dt.datetime:
    """The app's time, to the second, in UTC; the machine's until the demo's clock file exists."""
    moved_by = workspace().moved_by
    return clock.now(moved_by if moved_by is not None and moved_by.exists() else None)


def visible_facilities() -> Facilities:
    """The facilities that the person at the keyboard is limited to, None for all."""
    person: Person = st.session_state["person"]
    return workspace().settings.access.facilities_of(
        person.staff_id, person.role, person.facility_id
    )


def worklist() -> Worklist:
    """The list as it is now, as far as this person may see it; each call opens its own reader."""
    return workspace().shared.at(now(), visible_facilities())


def staff() -> pd.DataFrame:
    """Worklist.staff, to find out who is there; holds nothing about patients."""
    with workspace().shared.at(now()) as everything:
        return everything.staff()


def idle() -> dt.timedelta:
    """How long a session may be idle."""
    return dt.timedelta(minutes=workspace().settings.idle_minutes)


def person() -> Person:
    """Who is at the keyboard, as the frame has found out before any page runs.

    UserError for a click after the end of the session: callbacks and dialogs run before the frame.
    """
    session = (
        SESSIONS.find(st.session_state["identity.claim"].login)
        if "identity.claim" in st.session_state
        else None
    )
    why = (
        session.why_over(now(), clock.machine_now(), idle())
        if session
        else "Nobody is signed in here any more."
    )
    if why is not None:
        raise UserError(f"{why} Your last click was not applied. Reload the page.")
    return st.session_state["person"]


def pages() -> Mapping[str, StreamlitPage]:
    """The pages to link to, by name."""
    return st.session_state["pages"]


@dataclass(frozen=True)
class RulesInForce:
    """The rules as the practice has set them, and as their files say."""

    applied: Applied
    written: OwnRules


def rules() -> RulesInForce:
    """The rules; a changed file of the practice's own applies at once, settings at the next start.

    Until then, settings of a rule that was taken away leave the rules as they were.
    """
    last = _last_rules()
    files = own.signature(workspace().settings.own_rules)
    found = last.get(files)
    if found is None:
        earlier = list(last.values())
        try:
            found = _read_rules()
        except UserError:
            if not earlier:
                raise
            found = earlier[-1]
        last.clear()
        last[files] = found
    return found


@st.cache_resource(show_spinner=False)
def _last_rules() -> dict[str, RulesInForce]:
    """The rules as last read, by the state of the files they were read from."""
    return {}


def _read_rules() -> RulesInForce:
    settings = workspace().settings
    written = overrides.written_rules(settings)
    return RulesInForce(overrides.apply_to(written, settings), written)
