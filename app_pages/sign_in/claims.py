"""Who a browser says is there: a sign-in's token, the proxy's header, or a choice made here.

An account of the sign-in service is known by its issuer and subject, not by its address: the
address finds the member of staff, and the ledger knows which account is theirs.

Times: `since` is on the app's clock, `until` on the machine's, as the provider set it. The two
clocks differ only in the demo and in tests.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from app_pages.session import clock, workspace
from app_pages.session.browser import this_browser
from app_pages.session.logins import SESSIONS
from app_pages.session.workspace import Person
from app_pages.sign_in import active_staff
from app_pages.sign_in.modes import Mode
from pipelines.ledger import sign_ins
from pipelines.ledger.sign_ins import LONGEST, Account, Standing

NOBODY_NAMED = "Your sign-on did not say who you are."
USE_THE_ADDRESS = "Open the workbench at the address your practice gave you."
ASK_THE_PRACTICE = (
    "Ask the practice to enter this address in the EMR’s staff list, in your own active record; "
    "the workbench knows it after its next update."
)
NO_STAFF = "The workbench knows no active staff of the practice yet."
NAME_SOMEBODY = (
    "Whoever looks after the workbench delivers the staff table, or writes administrator and "
    "administrator_email below [practice] in the settings file, and runs the pipeline again."
)
ASK_SIGN_IN = (
    "Ask the person who looks after your practice’s sign-in to let it tell the workbench your "
    "e-mail address, and when the sign-in began and ends."
)
CONFIRM = "Confirm it with the sign-in service, then sign in again."
NOT_CONFIRMED = "The sign-in says that nobody has confirmed this address to be yours."
SAYS_NOTHING = "The sign-in does not say whether this address has been confirmed to be yours."
ASK_VERIFIED = (
    "Ask the person who looks after your practice’s sign-in to let it tell the workbench so. "
    "docs/sign-in.md says what to do when it cannot."
)
NO_ACCOUNT = "The sign-in does not say which account is yours."
ASK_RELEASE = (
    "If the account was replaced, ask an administrator of the workbench to release the earlier "
    "one; then sign in again."
)
NOT_YOUR_ACCOUNT = {
    Standing.STAFF_HAS_ANOTHER: "You signed in with another account before, and it is the one "
    "that the workbench knows you by.",
    Standing.OF_ANOTHER: "The workbench knows this account as that of another member of staff.",
}
NOT_ACTIVE = "You are no longer on the list of active staff."


@dataclass(frozen=True)
class Claim:
    """Who a browser says is there: `person` if they are active staff, else a `refusal`."""

    login: str  # the same in all tabs of a browser, another with each sign-in
    shown_as: str | None
    person: Person | None = None
    refusal: str | None = None
    remedy: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    account: Account | None = None  # only a sign-in has one
    is_bound: bool = False  # to `person`, by an earlier sign-in


def read(mode: Mode) -> Claim | None:
    """What this browser claims; None when it claims nothing and must be asked."""
    if mode is Mode.SIGN_IN:
        return _of_token(st.user.to_dict()) if st.user.get("is_logged_in") else None
    if mode is Mode.PROXY:
        email = st.user.get("email")
        login = f"proxy {this_browser()} {email}"
        if not email:
            return Claim(login, None, refusal=NOBODY_NAMED, remedy=USE_THE_ADDRESS)
        return _of_email(login, str(email))
    session = SESSIONS.find(login_here())
    if session is None or session.ended is not None:
        return None
    person = active_staff.find(session.staff_id)
    return Claim(login_here(), None, person, refusal=None if person else NOT_ACTIVE)


def login_here() -> str:
    """The login of a person who chose their name at this browser."""
    return f"here {this_browser()}"


def _of_token(token: Mapping[str, object]) -> Claim:
    """The claim of an OpenID Connect token, whose signature Streamlit has checked."""
    parts = "\n".join(str(token.get(name)) for name in ("iss", "sub", "iat", "nonce", "at_hash"))
    login = f"token {hashlib.sha256(parts.encode()).hexdigest()}"
    email, since, until = token.get("email"), _moment(token.get("iat")), _moment(token.get("exp"))
    if not isinstance(email, str) or not email.strip():
        refusal = "The sign-in did not pass on your e-mail address."
        nobody = "somebody without an e-mail address"
        return Claim(login, nobody, refusal=refusal, remedy=ASK_SIGN_IN)
    if since is None or until is None:
        refusal = "The sign-in does not say when it began and ends."
        return Claim(login, _printable(email), refusal=refusal, remedy=ASK_SIGN_IN)
    if (doubt := _doubt(token)) is not None:
        return Claim(login, _printable(email), refusal=doubt[0], remedy=doubt[1])
    account = _account(token)
    if account is None:
        return Claim(login, _printable(email), refusal=NO_ACCOUNT, remedy=ASK_SIGN_IN)
    return _bound(_of_email(login, email, since + _clock_offset(), until), account)


def _doubt(token: Mapping[str, object]) -> tuple[str, str] | None:
    """Why the address may be another person's, and what to do; None for a confirmed one.

    Only the boolean counts, as OpenID Connect has it: a text may come from a field that people
    fill in themselves.
    """
    if "email_verified" not in token:
        may_be_absent = workspace.workspace().settings.access.email_verified_may_be_absent
        return None if may_be_absent else (SAYS_NOTHING, ASK_VERIFIED)
    return None if token["email_verified"] is True else (NOT_CONFIRMED, CONFIRM)


def _account(token: Mapping[str, object]) -> Account | None:
    issuer, subject = token.get("iss"), token.get("sub")
    if not isinstance(issuer, str) or not isinstance(subject, str):
        return None
    is_known = issuer and subject and max(len(issuer), len(subject)) <= LONGEST
    return Account(issuer, subject) if is_known else None


def _bound(claim: Claim, account: Account) -> Claim:
    """The claim, refused where the account is not that person's."""
    if claim.person is None:
        return claim
    ledger = workspace.workspace().shared.ledger
    found = sign_ins.standing(ledger, claim.person.staff_id, account)
    if found in NOT_YOUR_ACCOUNT:
        why = NOT_YOUR_ACCOUNT[found]
        return Claim(claim.login, claim.shown_as, refusal=why, remedy=ASK_RELEASE)
    return replace(claim, account=account, is_bound=found is Standing.OWN)


def _of_email(
    login: str, email: str, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> Claim:
    matches = [
        person
        for person in active_staff.people()
        if person.email and _folded(person.email) == _folded(email)
    ]
    if len(matches) == 1:
        return Claim(login, _printable(email), matches[0], since=since, until=until)
    if not active_staff.people():
        return Claim(login, _printable(email), refusal=NO_STAFF, remedy=NAME_SOMEBODY)
    number = "more than one active member" if matches else "no active member"
    refusal = f"This e-mail address belongs to {number} of the practice’s staff."
    return Claim(login, _printable(email), refusal=refusal, remedy=ASK_THE_PRACTICE)


def _folded(email: str) -> bytes:
    # ASCII only: Unicode folds the Kelvin sign to a k, and so another person's address to yours.
    return email.strip().encode("utf-8", "replace").lower()


def _moment(seconds: object) -> dt.datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _clock_offset() -> dt.timedelta:
    file = workspace.workspace().moved_by
    return clock.offset(file if file is not None and file.exists() else None)


def _printable(text: str) -> str:
    return "".join(character for character in text.strip() if character.isprintable())[:200]
