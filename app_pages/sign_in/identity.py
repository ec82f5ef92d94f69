"""Who is at the keyboard, in each of the three ways of access.py; whoever it is not gets a page of doors.py and nothing else.

Times: a sign-in's expiry is on the machine's clock, as its provider set it. Idleness is on the app's clock, which differs from
the machine's only in the demo and in tests, so that a test can let an hour pass.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app_pages.session import clock, workspace
from app_pages.session.browser import browser_of
from app_pages.session.logins import RETURNS, SESSIONS, Session
from app_pages.session.markdown import caption
from app_pages.session.workspace import Person
from app_pages.sign_in import modes, pages
from app_pages.sign_in.modes import Mode
from pipelines.errors import UserError
from pipelines.warehouse import snapshots

WATCH_SECONDS = 5  # how long a tab may go on showing what somebody signed out of in another
LEFT = "You signed out."
ENDED = "That sign-in was ended. Sign in anew."
NO_HEADER = "The sign-on proxy did not say who you are."
BY_ITS_ADDRESS = "Open the workbench by the address your practice gave you, not past the proxy."
ASK_THE_PRACTICE = "Ask the practice to enter this address in the EMR’s staff list, in your own active record; the next run reads it."
ASK_SIGN_IN = "Ask who looks after your practice’s sign-in to let it tell the workbench your e-mail address, and when the sign-in began and ends."
CONFIRM = "Confirm it with the sign-in service, then sign in again."


@dataclass(frozen=True)
class Claim:
    """Who a browser says is there: `person` when that is one of the active staff, else why not in `refusal`."""

    login: str
    shown_as: str | None
    person: Person | None = None
    refusal: str | None = None
    remedy: str = ""
    since: dt.datetime | None = None  # of a sign-in that says so, on the app's clock
    until: dt.datetime | None = None  # the same, on the machine's


def require() -> Person:
    """The member of staff at this browser; for anybody else a page that says what to do, and the run ends there."""
    is_use = not st.session_state.pop("identity.unattended", False)
    known_by = modes.mode()
    claim = _claim(known_by)
    if claim is None:
        _ask(known_by, None)
    if claim.person is None:
        _refuse(known_by, claim)
    over = _over(claim, claim.person)
    if over is not None:
        _ask(known_by, claim, over)
    if is_use:
        SESSIONS.use(claim.login, workspace.now())
    st.session_state["identity.claim"] = claim
    return claim.person


def show(person: Person) -> None:
    """Who is signed in, and the way out; watches for the end of the session while the page is open."""
    known_by = modes.mode()
    st.text(f"{person.name}\n{person.role}")
    label, icon = (
        ("Not me", ":material/switch_account:")
        if known_by is Mode.SINGLE_SITE
        else ("Sign out", ":material/logout:")
    )
    st.button(label, icon=icon, key="identity.leave", width="stretch", on_click=_leave)
    if known_by is Mode.SINGLE_SITE:
        st.markdown(caption("No sign-in is set up: this computer only."))
    _watch()


def rerun_unattended() -> NoReturn:
    """st.rerun() for what runs by the clock: it does not count as a use of the session."""
    st.session_state["identity.unattended"] = True
    st.rerun()


@st.fragment(run_every=WATCH_SECONDS)
def _watch() -> None:
    claim: Claim | None = st.session_state.get("identity.claim")
    session = SESSIONS.find(claim.login) if claim else None
    if session is None or _why_over(session):
        rerun_unattended()


def _claim(known_by: Mode) -> Claim | None:
    """What this browser brings; None when it brings nothing and has to be asked."""
    if known_by is Mode.SIGN_IN:
        return _signed_in(st.user.to_dict()) if st.user.get("is_logged_in") else None
    if known_by is Mode.PROXY:
        email = st.user.get("email")
        login = f"proxy {_browser()} {email}"
        return (
            _by_email(login, str(email))
            if email
            else Claim(login, None, refusal=NO_HEADER, remedy=BY_ITS_ADDRESS)
        )
    login = _here_login()
    session = SESSIONS.find(login)
    if session is None or session.ended is not None:
        return None
    person = next((person for person in _staff() if person.staff_id == session.staff_id), None)
    return Claim(
        login,
        None,
        person,
        refusal=None if person else "You are no longer on the list of active staff.",
    )


def _signed_in(claims: Mapping[str, object]) -> Claim:
    """The claims of an OpenID Connect token, whose signature Streamlit has checked."""
    parts = "\n".join(str(claims.get(name)) for name in ("iss", "sub", "iat", "nonce", "at_hash"))
    login = f"token {hashlib.sha256(parts.encode()).hexdigest()}"
    email, since, until = (
        claims.get("email"),
        _moment(claims.get("iat")),
        _moment(claims.get("exp")),
    )
    if not isinstance(email, str) or not email.strip():
        return Claim(
            login,
            "somebody without an e-mail address",
            refusal="The sign-in did not pass on your e-mail address.",
            remedy=ASK_SIGN_IN,
        )
    if since is None or until is None:
        return Claim(
            login,
            _printable(email),
            refusal="The sign-in does not say when it began and ends.",
            remedy=ASK_SIGN_IN,
        )
    if str(claims.get("email_verified", True)).lower() == "false":
        return Claim(
            login,
            _printable(email),
            refusal="The sign-in says that nobody has confirmed this address to be yours.",
            remedy=CONFIRM,
        )
    return _by_email(login, email, since + _clock_moved_by(), until)


def _by_email(
    login: str, email: str, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> Claim:
    matches = [
        person for person in _staff() if person.email and _folded(person.email) == _folded(email)
    ]
    if len(matches) == 1:
        return Claim(login, _printable(email), matches[0], since=since, until=until)
    number = "more than one active member" if matches else "no active member"
    return Claim(
        login,
        _printable(email),
        refusal=f"This e-mail address belongs to {number} of the practice’s staff.",
        remedy=ASK_THE_PRACTICE,
    )


def _folded(email: str) -> bytes:
    # ASCII only: in Unicode the Kelvin sign would fold to a k, and somebody else's address to yours.
    return email.strip().encode("utf-8", "replace").lower()


def _over(claim: Claim, person: Person) -> str | None:
    """Why this session is over, None while it is not. It begins when first seen; the ledger hears of each change once."""
    session = SESSIONS.find(claim.login)
    if session is None:
        return _begin(claim, person)
    why = _why_over(session)
    if why is not None and SESSIONS.end(claim.login, why):
        at = min(workspace.now(), session.used_at + workspace.idle())
        _note("timed out", person.staff_id, claim, why, at)
    return why


def _why_over(session: Session) -> str | None:
    return session.why_over(workspace.now(), clock.machine_now(), workspace.idle())


def _begin(claim: Claim, person: Person) -> str | None:
    """A sign-in this server has not seen: a new one, or one from before a restart or out of a copied cookie."""
    now = workspace.now()
    why = _why_over(Session(person.staff_id, _browser(), claim.since or now, claim.until))
    if why is None and claim.since is not None:
        last_end = workspace.workspace().shared.ledger.last_session_end(person.staff_id)
        why = ENDED if last_end is not None and claim.since <= last_end else None
    if SESSIONS.begin(claim.login, Session(person.staff_id, _browser(), now, claim.until, why)):
        _note("refused" if why else "signed in", person.staff_id, claim, why, now)
    return why


def _note(event: str, staff_id: str | None, claim: Claim, why: str | None, at: dt.datetime) -> None:
    """Put it on record; a session that cannot be recorded does not begin."""
    try:
        workspace.workspace().shared.ledger.record_session(
            at=at,
            staff_id=staff_id,
            event=event,
            login=claim.shown_as or "without sign-in",
            detail=why,
        )
    except UserError:
        if event == "signed in":
            SESSIONS.forget(claim.login)
        raise


def _ask(known_by: Mode, claim: Claim | None, over: str | None = None) -> NoReturn:
    """The page to come in by, with the reason why the last session is over."""
    _empty_tab()
    if known_by is Mode.SIGN_IN:
        pages.sign_in(_providers(), over, _go_to_sign_in)
    elif known_by is Mode.PROXY and claim is not None:
        pages.go_on(claim.shown_as or "", over or ENDED, _go_on)
    else:
        session = SESSIONS.find(_here_login())
        pages.who_are_you(_labels(_staff()), session.ended if session else over, _choose)
    st.stop()


def _refuse(known_by: Mode, claim: Claim) -> NoReturn:
    """Say why this is nobody of the staff; a session of theirs that was open is over."""
    _empty_tab()
    why = claim.refusal or NO_HEADER
    session = SESSIONS.find(claim.login)
    SESSIONS.end(claim.login, why)
    if SESSIONS.is_news(claim.login, why):
        _note("refused", session.staff_id if session else None, claim, why, workspace.now())
    if known_by is Mode.SINGLE_SITE:
        pages.who_are_you(_labels(_staff()), why, _choose)
    else:
        pages.refused(
            why,
            claim.remedy,
            shown_as=claim.shown_as,
            other_account=_use_another_account if known_by is Mode.SIGN_IN else None,
        )
    st.stop()


def _go_to_sign_in(provider: str | None) -> None:
    _come_back_here()
    try:
        st.login(provider)
    except StreamlitAuthError as error:
        raise UserError(f"Sign-in is not set up correctly: {error}") from None


def _use_another_account() -> None:
    _come_back_here()
    st.logout()


def _go_on() -> None:
    """Through the proxy again, which may ask for more than a click: the one way to send this tab there is Streamlit's way out."""
    claim = _claim(Mode.PROXY)
    if claim is not None:
        SESSIONS.forget(claim.login)
    _come_back_here()
    st.logout()


def _choose() -> None:
    """Somebody said who they are."""
    person = next(
        (
            person
            for person in _staff()
            if person.staff_id == st.session_state.get("identity.chosen")
        ),
        None,
    )
    if person is None:
        return
    claim = Claim(_here_login(), None, person)
    if SESSIONS.begin(claim.login, Session(person.staff_id, _browser(), workspace.now())):
        _note("signed in", person.staff_id, claim, None, workspace.now())


def _leave() -> None:
    claim: Claim = st.session_state["identity.claim"]
    known_by = modes.mode()
    RETURNS.take(_browser(), clock.machine_now())
    was_open = SESSIONS.end(claim.login, LEFT)
    if known_by is not Mode.SINGLE_SITE:
        SESSIONS.end_all(claim.person.staff_id, LEFT)
    _empty_tab()
    if known_by is Mode.SIGN_IN:
        st.logout()
    if was_open:
        _note("signed out", claim.person.staff_id, claim, None, workspace.now())


def _empty_tab() -> None:
    """Nothing of the last person stays in this tab: searches, ticks and drafts are about patients."""
    if st.session_state.pop("identity.claim", None) is not None:
        for key in list(st.session_state):
            if key != "identity.tab":
                del st.session_state[key]


def _come_back_here() -> None:
    path = urlsplit(st.context.url or "/").path or "/"
    query = urlencode(
        [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    )
    RETURNS.put(_browser(), f"{path}?{query}" if query else path, clock.machine_now())


def _browser() -> str:
    """This browser, the same in all its tabs; a browser that keeps no cookies is another one in each tab."""
    if "identity.tab" not in st.session_state:
        st.session_state["identity.tab"] = secrets.token_urlsafe(32)
    return browser_of(st.context.headers.get("Cookie")) or st.session_state["identity.tab"]


def _here_login() -> str:
    return f"here {_browser()}"


def _providers() -> dict[str | None, str]:
    """The names under which secrets.toml describes sign-in providers, None for one that stands in [auth] itself."""
    section = modes.auth_section() or {}
    named = {
        name: f"Sign in with {name}"
        for name, value in section.items()
        if isinstance(value, Mapping) and "client_id" in value
    }
    return named if named and "client_id" not in section else {None: "Sign in", **named}


def _staff() -> tuple[Person, ...]:
    return _active_staff(snapshots.current(workspace.workspace().settings.warehouse))


@lru_cache(maxsize=2)
def _active_staff(snapshot: Path | None) -> tuple[Person, ...]:
    """The active staff of a published snapshot, by name; snapshots never change."""
    frame = workspace.staff()
    rows = frame.astype(object).where(frame.notna(), None).itertuples()
    return tuple(
        Person(row.staff_id, row.name, row.role or "", row.email, row.facility_id)
        for row in rows
        if row.is_active
    )


def _labels(people: tuple[Person, ...]) -> list[tuple[str, str]]:
    """Name and role, with the id where two have the same: the browser sends the label back."""
    labels = {
        person.staff_id: " – ".join(filter(None, (person.name, person.role))) for person in people
    }
    count = Counter(labels.values())
    return [
        (staff_id, label if count[label] == 1 else f"{label} ({staff_id})")
        for staff_id, label in labels.items()
    ]


def _clock_moved_by() -> dt.timedelta:
    file = workspace.workspace().moved_by
    return clock.offset(file if file is not None and file.exists() else None)


def _moment(seconds: object) -> dt.datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _printable(text: str) -> str:
    return "".join(character for character in text.strip() if character.isprintable())[:200]
