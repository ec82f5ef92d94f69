"""What the Connect page works on: the folder, the source at hand, its choices and its delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app_pages.session import workspace
from app_pages.url import view as url_view
from app_pages.url.view import View
from pipelines.errors import UserError
from pipelines.operations import source_drop
from pipelines.operations.source_watch import Found
from pipelines.settings import Settings
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices
from pipelines.sources.looking import Seen

PROBLEM, DONE = "connect.problem", "connect.done"


@dataclass(frozen=True)
class Place:
    """The practice's settings, the folder of deliveries, and the part of the address."""

    settings: Settings
    drop: Path
    view: View

    @property
    def home(self) -> Path:
        """The folder of the practice's own sources."""
        return self.settings.sources


def place(view: View) -> Place | None:
    """Where the page works; None where nobody has named the folder of deliveries."""
    settings = workspace.workspace().practice
    return None if settings.drop is None else Place(settings, settings.drop, view)


def seen(at: Place, choices: Choices, *, decided: bool = True) -> Seen:
    """The chosen delivery as this source reads it; UserError when it is gone or unreadable."""
    found = source_drop.chosen(at.drop, choices.delivery)
    tables = tuple(choices.files.items()) if decided and choices.files else None
    return _look(at.drop, found.name, found.state, tables, choices.dates)


@st.cache_data(max_entries=6, show_spinner="Reading the delivery …")
def _look(
    drop: Path,
    name: str,
    state: str,
    tables: tuple[tuple[str, str | None], ...] | None,
    order: str | None,
) -> Seen:
    return source_drop.look(drop, name, None if tables is None else dict(tables), order)


def deliveries(at: Place) -> list[Found]:
    """What can be chosen, the newest first."""
    return source_drop.offered(at.drop)


def keep(at: Place, choices: Choices) -> None:
    """Keep the choices beside the source."""
    choices_module.keep(at.home, choices)


def action(then: Callable[..., None]) -> Callable[..., None]:
    """A button's callback; what it refuses is shown on the page as a sentence."""

    def callback(*args: Any, **kwargs: Any) -> None:
        try:
            then(*args, **kwargs)
        except UserError as error:
            st.session_state[PROBLEM] = str(error)

    return url_view.touch(callback)


def widget(choices: Choices, *parts: str) -> str:
    """The key of a widget of one source."""
    return ".".join(("connect", choices.name, *parts))


def value(key: str, default: Any = None) -> Any:
    """What a widget of the page says now."""
    return st.session_state.get(key, default)


def changed(before: Mapping[str, str], key: str, answer: str | None) -> dict[str, str]:
    """A mapping with one answer; without the key where there is none."""
    after = {name: one for name, one in before.items() if name != key}
    return after if answer is None else {**after, key: answer}
