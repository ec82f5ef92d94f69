"""The URL is the view: each page names its parameters and reads them; the frame writes them back.

What a page shows is its model, a dictionary that a session keeps for each page. When the query
string is not the one last seen (a bookmark, Back, a link), the model is read from it; when a widget
changes the model, the query string follows at the end of the run, so the browser's history has one
entry per change. A query holds ids only: names and searched text are patients' data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

MOST_VALUES, MOST_CHARACTERS = 50, 100


@dataclass(frozen=True)
class Param:
    """One parameter of the query string; `known` has all values, also without tasks (None: any)."""

    name: str
    label: str
    # many | one | number | evenings (a day or days) | days (2026-11-01..2026-11-07)
    # | moment (a day, or a time with its offset)
    kind: str = "many"
    known: Callable[[], Collection[str]] | None = None
    default: str | int | None = None
    among: str = ""  # what is known, in words, where that is not all there is

    @property
    def empty(self) -> Any:
        """What a URL without it means."""
        return [] if self.kind == "many" else self.default


@dataclass
class View:
    """The part of the URL that one page owns, as this run shows it."""

    scope: str
    params: Mapping[str, Param]
    model: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.model[name]

    def set(self, name: str, value: Any) -> None:
        """Change the view, in a callback; a change in the body of a page shows in the next run."""
        assert name in self.params
        self.model[name] = value

    def key(self, name: str) -> str:
        """The key of the parameter's widget, which then shows what the view says."""
        key = f"{self.scope}.{name}"
        value = self.model[name]
        st.session_state[key] = list(value) if isinstance(value, list) else value
        return key

    def changed(self, name: str, then: Callable[[], None] | None = None) -> Callable[[], None]:
        """The on_change of the parameter's widget."""

        def take() -> None:
            self.set(name, st.session_state[f"{self.scope}.{name}"])
            if then is not None:
                then()

        return touch(take)

    def clear(self) -> None:
        """Back to what a URL without a query means."""
        for name, param in self.params.items():
            self.set(name, param.empty)

    def query(self, **changes: Any) -> dict[str, list[str]]:
        """The query of this view, with some parameters changed: what a link to it holds."""
        return encode(self.params, {**self.model, **changes})


def touch(then: Callable[..., None] | None = None) -> Callable[..., None]:
    """For every widget's callback: marks the run as caused by a widget.

    A click may leave the browser before our last change of the URL has arrived there; its older
    query string is then not a bookmark. Back, forward and links fire no callback. In a fragment,
    st.rerun() must follow.
    """

    def callback(*args: Any, **kwargs: Any) -> None:
        st.session_state["url.touched"] = True
        if then is not None:
            then(*args, **kwargs)

    return callback


def begin() -> None:
    """Once a run, before anything is read: nobody owns a parameter yet."""
    (
        st.session_state["url.read"],
        st.session_state["url.carried"],
        st.session_state["url.is_news"],
    ) = {}, {}, False


def read(scope: str, params: Sequence[Param]) -> View:
    """The page's view: from the URL where that is news, else as the session left it."""
    by_name = {param.name: param for param in params}
    raw = _raw(by_name)
    seen = st.session_state.get(f"url.seen.{scope}")
    if seen is not None and seen != raw and st.session_state.get("url.touched"):
        raw, st.session_state["url.behind"] = seen, True
    view = st.session_state.get(f"url.view.{scope}")
    if view is None or seen != raw:
        model, problems = {}, []
        for param in params:
            model[param.name], found = parse(param, raw.get(param.name, ()))
            problems += found
        view = View(scope, by_name, model, problems)
        st.session_state[f"url.view.{scope}"], st.session_state[f"url.seen.{scope}"] = view, raw
        st.session_state["url.is_news"] = True
    view.params = by_name
    st.session_state["url.read"][scope] = view
    return view


def write() -> list[str]:
    """At the end of a run: write all views into the URL; answers the parameters nobody owns."""
    views: dict[str, View] = st.session_state["url.read"]
    params = {name: param for view in views.values() for name, param in view.params.items()}
    want = {name: values for view in views.values() for name, values in view.query().items()}
    means = encode(
        params,
        {name: parse(param, st.query_params.get_all(name))[0] for name, param in params.items()},
    )
    st.session_state.pop("url.touched", None)
    strangers = [name for name in st.query_params if name not in params]
    if st.session_state.pop("url.behind", False) or want != means:
        st.query_params.from_dict(want)
        for view in views.values():
            view.problems = []
    elif st.session_state["url.is_news"]:
        # A link to the page itself changes the query here, but not in the browser.
        st.query_params.from_dict({name: st.query_params.get_all(name) for name in st.query_params})
    for scope, view in views.items():
        st.session_state[f"url.seen.{scope}"] = _raw(view.params)
    return strangers


def carry(name: str, values: Sequence[str]) -> None:
    """Let links to other pages take this along, where a page shows more than its URL says."""
    st.session_state["url.carried"] = {name: list(values)}


def carried(name: str) -> dict[str, list[str]]:
    """What a link to another page takes along of a parameter that this page has, too."""
    views: dict[str, View] = st.session_state["url.read"]
    said = next(({name: view.query()[name]} for view in views.values() if name in view.query()), {})
    return said or st.session_state["url.carried"]


def parse(param: Param, raw: Sequence[str]) -> tuple[Any, list[str]]:
    """The value of a parameter's texts, and problems in words for the page; never raises."""
    texts = [_printable(text) for text in raw if text][:MOST_VALUES]
    if not texts:
        return param.empty, []
    if param.kind == "number":
        text = texts[-1]
        is_number = text.isascii() and text.isdecimal() and 1 <= int(text[:8]) <= 1_000_000
        return (
            (int(text), [])
            if is_number
            else (param.empty, [f"{param.label}: “{text}” is not a number"])
        )
    if param.kind in _WRITTEN:
        reads, what = _WRITTEN[param.kind]
        try:
            return reads(texts[-1]), []
        except ValueError:
            return param.empty, [f"{param.label}: “{texts[-1]}” is not {what}"]
    wanted = list(dict.fromkeys(texts if param.kind == "many" else texts[-1:]))
    known = None if param.known is None else set(param.known())
    good = [text for text in wanted if known is None or text in known]
    problems = [
        f"{param.label}: there is no “{text}”{param.among}" for text in wanted if text not in good
    ]
    return (good if param.kind == "many" else good[0] if good else param.empty), problems


def days(text: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of a parameter of days; ValueError when the text is none."""
    first, _, last = text.partition("..")
    found = _day(first), _day(last)
    if found[0] > found[1]:
        raise ValueError("the last day comes before the first")
    return found


def evenings(text: str) -> tuple[dt.date, dt.date]:
    """The first and last evening of a parameter, which may be one; ValueError for other texts."""
    return days(text if ".." in text else f"{text}..{text}")


def moment(text: str) -> dt.date | dt.datetime:
    """The day, or the time in UTC, of a moment parameter; ValueError for other texts."""
    if len(text) == len("2026-11-01"):
        return _day(text)
    at = dt.datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its offset")
    return at.astimezone(dt.UTC)


def _day(text: str) -> dt.date:
    day = dt.date.fromisoformat(text)
    if not 1990 <= day.year <= 2100:
        raise ValueError("no day of a practice")
    return day


def written(found: dt.date | dt.datetime) -> str:
    """A day or moment as the query string has it."""
    return (
        found.strftime("%Y-%m-%dT%H:%M:%SZ")
        if isinstance(found, dt.datetime)
        else found.isoformat()
    )


# Kind → how its texts are read and rewritten, so that a view has one address; its description.
_WRITTEN: Mapping[str, tuple[Callable[[str], str], str]] = {
    "evenings": (
        lambda text: "..".join(map(written, dict.fromkeys(evenings(text)))),
        "a day such as 2026-11-01, or days such as 2026-11-01..2026-11-07",
    ),
    "days": (
        lambda text: "..".join(map(written, days(text))),
        "a span of days such as 2026-11-01..2026-11-07",
    ),
    "moment": (
        lambda text: written(moment(text)),
        "a day such as 2026-11-01, or a moment such as 2026-11-01T18:00Z",
    ),
}


def encode(params: Mapping[str, Param], values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The query that means these values; what a URL without it means is left out."""
    query = {}
    for name, param in params.items():
        value = values[name]
        if value != param.empty:
            query[name] = sorted(value) if param.kind == "many" else [str(value)]
    return query


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:MOST_CHARACTERS]


def _raw(params: Mapping[str, Param]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(st.query_params.get_all(name)) for name in params if name in st.query_params
    }
