"""Who is signed in at which browser, in the server's memory: a restart signs everybody out.

A session is known by its `login`: the same in all tabs of a browser, another with each sign-in.
Streamlit's own sessions are single tabs.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, replace

Return = tuple[str, dt.datetime]  # a page, and when it was asked for
MOST = 10_000  # entries of each kind; drops the oldest, so that the memory cannot be filled
RETURN_WITHIN = dt.timedelta(minutes=10)  # longer than any sign-in takes
EXPIRED = "Your sign-in has expired."


@dataclass(frozen=True)
class Session:
    """One sign-in; `used_at` is on the app's clock, `until` on the machine's, both aware."""

    staff_id: str
    browser: str
    used_at: dt.datetime
    until: dt.datetime | None = None
    ended: str | None = None

    def why_over(
        self, now: dt.datetime, machine_now: dt.datetime, idle: dt.timedelta
    ) -> str | None:
        """Why it is over, None while it is not; `now` is of the app's clock."""
        if self.ended is not None:
            return self.ended
        if self.until is not None and self.until <= machine_now:
            return EXPIRED
        if now - self.used_at < idle:
            return None
        minutes = idle // dt.timedelta(minutes=1)
        unit = "minute" if minutes == 1 else "minutes"
        return (
            f"You were signed out because nobody had used the workbench here for {minutes} {unit}."
        )


class Sessions:
    """All sign-ins of this server by login; every method is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_login: dict[str, Session] = {}
        self._refused: dict[str, str] = {}

    def find(self, login: str) -> Session | None:
        """The session of a login, over or not; None when this server has not seen it."""
        with self._lock:
            return self._by_login.get(login)

    def begin(self, login: str, session: Session) -> bool:
        """Remember a session that begins (again); False when another tab was first."""
        with self._lock:
            known = self._by_login.get(login)
            if known is not None and known.ended is None:
                return False
            self._by_login[login] = session
            _keep_newest(self._by_login)
            return True

    def use(self, login: str, at: dt.datetime) -> None:
        """Somebody clicked in one of its tabs."""
        with self._lock:
            session = self._by_login.get(login)
            if session is not None and session.ended is None:
                self._by_login[login] = replace(session, used_at=max(at, session.used_at))

    def end(self, login: str, why: str) -> bool:
        """End a session in all its tabs; False when it was over already."""
        with self._lock:
            session = self._by_login.get(login)
            if session is None or session.ended is not None:
                return False
            self._by_login[login] = replace(session, ended=why)
            return True

    def end_all(self, staff_id: str, why: str) -> None:
        """End every session of a person: who signs out is out everywhere."""
        with self._lock:
            for login, session in self._by_login.items():
                if session.staff_id == staff_id and session.ended is None:
                    self._by_login[login] = replace(session, ended=why)

    def forget(self, login: str) -> None:
        """Drop a session as if it had never begun."""
        with self._lock:
            self._by_login.pop(login, None)

    def is_open_in(self, browser: str) -> bool:
        """Whether somebody is signed in at this browser."""
        with self._lock:
            return any(
                session.browser == browser and session.ended is None
                for session in self._by_login.values()
            )

    def is_news(self, login: str, refusal: str) -> bool:
        """Whether this login has not been refused for this reason before."""
        with self._lock:
            is_news = self._refused.get(login) != refusal
            self._refused[login] = refusal
            _keep_newest(self._refused)
            return is_news


class Returns:
    """The page a browser asked for before signing in; handed out once, within RETURN_WITHIN."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_browser: dict[str, Return] = {}

    def put(self, browser: str, target: str, at: dt.datetime) -> None:
        """Remember where to go; a newer page replaces an older one."""
        with self._lock:
            self._by_browser.pop(browser, None)
            self._by_browser[browser] = (target, at)
            _keep_newest(self._by_browser)

    def take(self, browser: str, at: dt.datetime) -> str | None:
        """Where to go, None if that is too long ago or unknown; it is then forgotten."""
        with self._lock:
            found = self._by_browser.pop(browser, None)
        return found[0] if found is not None and at - found[1] <= RETURN_WITHIN else None


def _keep_newest(entries: dict[str, Session] | dict[str, str] | dict[str, Return]) -> None:
    for key in list(entries)[: max(0, len(entries) - MOST)]:
        del entries[key]


SESSIONS, RETURNS = Sessions(), Returns()
