"""The values that the texts and options of a command line mean."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import UserError
from pipelines.vocabulary import UNASSIGNED

if TYPE_CHECKING:
    from pipelines.worklist.actions import ActionRequest
    from pipelines.worklist.filters import Filters


def time(text: str) -> dt.datetime:
    """An ISO time; without an offset it is the wall clock of this machine."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time such as 2026-11-20T06:00:00-05:00"
        ) from None
    return found if found.tzinfo else found.astimezone()


def day(text: str) -> dt.date:
    """An ISO day."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None


def time_of_day(text: str) -> dt.time:
    """A time of day such as 06:00."""
    try:
        found = dt.time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time of day such as 06:00") from None
    return found.replace(tzinfo=None)


def positive(text: str) -> int:
    """A whole number from 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def filters(options: argparse.Namespace) -> Filters:
    """The filters that the options of `tasks` name."""
    from pipelines.worklist.filters import OPTIONS, Filters, narrowed

    found = Filters()
    for option in OPTIONS:
        if (value := getattr(options, option.name)) is not None:
            found = narrowed(found, option.name, value)
    return found


def action_request(options: argparse.Namespace, at: dt.datetime) -> ActionRequest:
    """The action that the options of `act` ask for at this time; UserError when they contradict."""
    from pipelines.ledger import deferral
    from pipelines.worklist.actions import ActionRequest

    if options.action == "defer" and (options.span is None) == (options.until is None):
        raise UserError(
            "Say either --for SPAN or --until TS: a task can be deferred for 1 day to 14 days", 1
        )
    if options.action != "defer" and (options.span or options.until):
        raise UserError("--for and --until belong to defer", 1)
    if options.action == "assign" and options.to is None:
        raise UserError("Say whom to assign to: --to STAFF, or --to unassigned", 1)
    return ActionRequest(
        options.task_id,
        options.action,
        at + deferral.parse_span(options.span) if options.span else options.until,
        None if options.to == UNASSIGNED else options.to,
        options.reason,
        options.seen,
    )


def notebooks(options: argparse.Namespace, known: Sequence[str]) -> list[str]:
    """The notebooks that the options of `report` name; UserError when one does not exist."""
    names = list(dict.fromkeys(options.notebook or known))
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"There is no notebook {unknown[0]}; there are {', '.join(known)}", 1)
    return names
