"""Saved views: a page's filters under a name of a person's own."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.schema import saved_views
from pipelines.ledger.stored_text import check_storable

LONGEST_NAME = 60  # characters of a view's name: what a menu shows in one line
LONGEST_QUERY = 4_000  # characters of its URL query; mail programs cut longer addresses
MOST_VIEWS = 100  # saved views of one person: what a menu can list
# Control characters, surrogates, line separators and paragraph separators.
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True)
class SavedView:
    """A page's filters under a person's name for them; `query` is the page's URL query."""

    seq: int
    at: dt.datetime
    staff_id: str
    name: str
    page: str
    query: str


_FIELDS = [saved_views.c[name] for name in SavedView.__dataclass_fields__]


def checked_name(name: str) -> str:
    """The name of a saved view without the spaces around it, or UserError."""
    name = name.strip()
    if not name:
        raise UserError("A saved view needs a name.", 1)
    if len(name) > LONGEST_NAME:
        raise UserError(
            f"The name of a saved view has at most {LONGEST_NAME} characters; "
            f"this one has {len(name)}.",
            1,
        )
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in name):
        raise UserError(
            "The name of a saved view is one line of text: it has no line breaks and no control "
            "characters.",
            1,
        )
    return name


def check(staff_id: str, page: str, query: str) -> None:
    """UserError when a saved view could not be found or opened later."""
    if not staff_id or not page:
        raise UserError("A saved view needs a page and the staff member who saves it.")
    if len(query) > LONGEST_QUERY:
        raise UserError(
            f"The filters of a saved view take at most {LONGEST_QUERY:,} characters; "
            f"these take {len(query):,}: choose fewer.",
            1,
        )
    check_storable("saved view", staff_id, page, query)


def read(connection: sa.Connection, staff_id: str) -> list[SavedView]:
    """A person's saved views by name: the last row of each name, unless it says removed."""
    last_rows = (
        sa.select(sa.func.max(saved_views.c.seq))
        .where(saved_views.c.staff_id == staff_id)
        .group_by(saved_views.c.name)
    )
    query = sa.select(*_FIELDS).where(
        saved_views.c.seq.in_(last_rows), saved_views.c.query.is_not(None)
    )
    found = [SavedView(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda view: (view.name.casefold(), view.name))


def save(
    connection: sa.Connection, at: dt.datetime, staff_id: str, name: str, page: str, query: str
) -> SavedView:
    """Save a view; it replaces the person's view of the same name."""
    kept = {view.name for view in read(connection, staff_id)}
    if name not in kept and len(kept) >= MOST_VIEWS:
        raise UserError(
            f"You have {len(kept)} saved views, and {MOST_VIEWS} is the most one person can keep: "
            "remove one first.",
            1,
        )
    row = {"at": at, "staff_id": staff_id, "name": name, "page": page, "query": query}
    return SavedView(*connection.execute(saved_views.insert().returning(*_FIELDS), row).one())


def remove(connection: sa.Connection, at: dt.datetime, staff_id: str, name: str) -> None:
    """Remove a view from a person's list by a further row; UserError when there is none."""
    page = next((view.page for view in read(connection, staff_id) if view.name == name), None)
    if page is None:
        raise UserError(
            f"You have no saved view named {name!r}; it may have been removed in another window.",
            1,
        )
    row = {"at": at, "staff_id": staff_id, "name": name, "page": page, "query": None}
    connection.execute(saved_views.insert(), row)
