"""Who is at the keyboard: sessions begin, are checked at every run, and end here.

Anybody who is not signed in gets a page of sign_in/pages.py and nothing else. Idleness is on the
app's clock, so that a test can let an hour pass; expiry is on the machine's.
"""

from __future__ import annotations

import datetime as dt
from typing import NoReturn

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app_pages.session import browser, clock, workspace
from app_pages.session.logins import RETURNS, SESSIONS, Session
from app_pages.session.markdown import caption
from app_pages.session.workspace import Person
from app_pages.sign_in import active_staff, claims, modes, pages
from app_pages.sign_in.claims import Claim
from app_pages.sign_in.modes import Mode
from pipelines.errors import UserError
from pipelines.ledger import sign_ins

WATCH_SECONDS = 5  # how long a tab may stay as it is after a sign-out in another tab
LEFT = "You signed out."
ENDED = "That sign-in was ended. Sign in again."
RELEASED = "An administrator released your account from the workbench. Sign in again."


def require() -> Person:
    """The member of staff at this browser; for anybody else a page, and the run ends there."""
    is_use = not st.session_state.pop("identity.unattended", False)
    mode = modes.mode()
    claim = claims.read(mode)
    if claim is None:
        _ask(mode, None)
    if claim.person is None:
        _refuse(mode, claim)
    over = _over(claim, claim.person)
    if over is not None:
        _ask(mode, claim, over)
    if is_use:
        SESSIONS.use(claim.login, workspace.now())
    st.session_state["identity.claim"] = claim
    return claim.person


def show(person: Person) -> None:
    """Who is signed in, and the way out; watches for the end of the session meanwhile."""
    is_single_site = modes.mode() is Mode.SINGLE_SITE
    st.text(f"{person.name}\n{person.role}")
    st.button(
        "Not me" if is_single_site else "Sign out",
        icon=":material/switch_account:" if is_single_site else ":material/logout:",
        key="identity.leave",
        width="stretch",
        on_click=_leave,
        args=(person,),
    )
    if is_single_site:
        st.markdown(caption("No sign-in is set up: this computer only."))
    _watch()


def rerun_unattended() -> NoReturn:
    """st.rerun() for code that runs by the clock: it does not count as a use of the session."""
    st.session_state["identity.unattended"] = True
    st.rerun()


@st.fragment(run_every=WATCH_SECONDS)
def _watch() -> None:
    claim: Claim | None = st.session_state.get("identity.claim")
    session = SESSIONS.find(claim.login) if claim else None
    if session is None or _why_over(session):
        rerun_unattended()


def _over(claim: Claim, person: Person) -> str | None:
    """Why the session is over, None while it is not; each change is recorded once."""
    session = SESSIONS.find(claim.login)
    if session is None:
        return _begin(claim, person)
    why = _why_over(session)
    if why is not None and SESSIONS.end(claim.login, why):
        at = min(workspace.now(), session.used_at + workspace.idle())
        _record("timed out", person.staff_id, claim, why, at)
    if why is None and (released_at := _released_at(claim, person)) is not None:
        why = RELEASED
        if SESSIONS.end(claim.login, why):
            _record("signed out", person.staff_id, claim, why, released_at)
    return why


def _released_at(claim: Claim, person: Person) -> dt.datetime | None:
    """When the account was taken from the person after this sign-in; None if it was not."""
    if claim.account is None or claim.is_bound or claim.since is None:
        return None
    at = sign_ins.last_release(workspace.workspace().shared.ledger, person.staff_id)
    return at if at is not None and claim.since <= at else None


def _why_over(session: Session) -> str | None:
    return session.why_over(workspace.now(), clock.machine_now(), workspace.idle())


def _begin(claim: Claim, person: Person) -> str | None:
    """Begin a session, or say why not.

    The sign-in may be new, from before a restart of the server, or from a copied cookie.
    """
    now, this_browser = workspace.now(), browser.this_browser()
    why = _why_over(Session(person.staff_id, this_browser, claim.since or now, claim.until))
    if why is None and claim.since is not None:
        last_end = workspace.workspace().shared.ledger.last_session_end(person.staff_id)
        is_ended = last_end is not None and claim.since <= last_end
        why = ENDED if is_ended else RELEASED if _released_at(claim, person) else None
    if why is None and claim.account is not None and not claim.is_bound:
        ledger = workspace.workspace().shared.ledger
        found = sign_ins.bind(ledger, now, person.staff_id, claim.account)
        why = claims.NOT_YOUR_ACCOUNT.get(found)  # another browser was faster
    if SESSIONS.begin(claim.login, Session(person.staff_id, this_browser, now, claim.until, why)):
        _record("refused" if why else "signed in", person.staff_id, claim, why, now)
    return why


def _record(
    event: str, staff_id: str | None, claim: Claim, why: str | None, at: dt.datetime
) -> None:
    """Put a change on record; a session that cannot be recorded does not begin."""
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


def _ask(mode: Mode, claim: Claim | None, over: str | None = None) -> NoReturn:
    """The page to sign in, with the reason why the last session is over."""
    _empty_tab()
    if mode is Mode.SIGN_IN:
        pages.sign_in(modes.providers(), over, _go_to_sign_in)
    elif mode is Mode.PROXY and claim is not None:
        pages.go_on(claim.shown_as or "", over or ENDED, _go_on)
    else:
        session = SESSIONS.find(claims.login_here())
        pages.who_are_you(active_staff.labels(), session.ended if session else over, _choose)
    st.stop()


def _refuse(mode: Mode, claim: Claim) -> NoReturn:
    """Say why this person is not let in, and end the session that was open."""
    _empty_tab()
    why = claim.refusal or claims.NOBODY_NAMED
    session = SESSIONS.find(claim.login)
    SESSIONS.end(claim.login, why)
    if SESSIONS.is_news(claim.login, why):
        _record("refused", session.staff_id if session else None, claim, why, workspace.now())
    if mode is Mode.SINGLE_SITE:
        pages.who_are_you(active_staff.labels(), why, _choose)
    else:
        other_account = _use_another_account if mode is Mode.SIGN_IN else None
        pages.refused(why, claim.remedy, shown_as=claim.shown_as, other_account=other_account)
    st.stop()


def _go_to_sign_in(provider: str | None) -> None:
    browser.return_here_later()
    try:
        st.login(provider)
    except StreamlitAuthError as error:
        raise UserError(f"Sign-in is not set up correctly: {error}") from None


def _use_another_account() -> None:
    browser.return_here_later()
    st.logout()


def _go_on() -> None:
    """Through the proxy again, which may ask to sign in; only st.logout() leads there."""
    claim = claims.read(Mode.PROXY)
    if claim is not None:
        SESSIONS.forget(claim.login)
    browser.return_here_later()
    st.logout()


def _choose() -> None:
    """Somebody chose their name."""
    person = active_staff.find(st.session_state.get("identity.chosen"))
    if person is None:
        return
    claim, now = Claim(claims.login_here(), None, person), workspace.now()
    if SESSIONS.begin(claim.login, Session(person.staff_id, browser.this_browser(), now)):
        _record("signed in", person.staff_id, claim, None, workspace.now())


def _leave(person: Person) -> None:
    claim: Claim = st.session_state["identity.claim"]
    mode = modes.mode()
    RETURNS.take(browser.this_browser(), clock.machine_now())
    was_open = SESSIONS.end(claim.login, LEFT)
    if mode is not Mode.SINGLE_SITE:
        SESSIONS.end_all(person.staff_id, LEFT)
    _empty_tab()
    if mode is Mode.SIGN_IN:
        st.logout()
    if was_open:
        _record("signed out", person.staff_id, claim, None, workspace.now())


def _empty_tab() -> None:
    """Nothing of the last person stays in this tab: searches, ticks and drafts name patients."""
    if st.session_state.pop("identity.claim", None) is not None:
        for key in list(st.session_state):
            if key != browser.TAB:
                del st.session_state[key]
