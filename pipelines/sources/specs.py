"""How a mapping file says where a column's values come from, and how its keys are checked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import UserError


@dataclass(frozen=True)
class Named:
    """The first of these columns that the file has; `values` says what its words mean here.

    A name that begins with $ is a path in a record of JSON; `is_reference`: only the id that ends
    it. Words that `values` does not have stay as they are, so that the contract refuses them;
    `empty` is what an empty value means.
    """

    names: tuple[str, ...]
    values: Mapping[str, str] | None = None
    is_reference: bool = False
    is_optional: bool = False
    empty: str | None = None


@dataclass(frozen=True)
class Moment:
    """A date and a time of day from two columns; `time` empty is midnight."""

    date: tuple[str, ...]
    time: tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """The first of these columns that is not empty in the row; those that are absent are empty.

    Without any of them the table is held, unless `is_optional`.
    """

    names: tuple[str, ...]
    is_optional: bool = False


@dataclass(frozen=True)
class Joined:
    """Several columns' texts behind each other."""

    names: tuple[str, ...]
    separator: str = " "


@dataclass(frozen=True)
class Lookup:
    """A column of another file: of the row whose `there` is our `here`. Two rows refuse the row.

    `also` are further pairs (here, there) that must be the same.
    """

    file: str
    here: str
    there: str
    give: str
    values: Mapping[str, str] | None = None
    also: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All pairs (here, there)."""
        return ((self.here, self.there), *self.also)


@dataclass(frozen=True)
class Constant:
    """The same text in every row."""

    text: str


@dataclass(frozen=True)
class Expression:
    """SQL over the row `s` of the file; the way out where nothing else can say it.

    `is_optional`: empty where a column, file or step that it reads is absent.
    """

    sql: str
    is_optional: bool = False


ColumnSpec = Named | Moment | Filled | Joined | Lookup | Constant | Expression
KINDS = ("column", "date", "first_filled", "join", "lookup", "constant", "sql")


@dataclass(frozen=True)
class Spec:
    """A section of a mapping file whose keys are read one by one; errors name file and key."""

    path: Path
    place: str
    document: Mapping[str, object]

    def wrong(self, key: str, problem: str) -> UserError:
        """The error about one key of this section."""
        section = f" [{self.place.strip('.')}]" if self.place.strip(".") else ""
        return UserError(f"{self.path}:{section} {key}: {problem}")

    def only_keys(self, known: Sequence[str]) -> None:
        """UserError for a key that is not one of these."""
        for key in self.document:
            if key not in known:
                raise self.wrong(key, f"is not known here; known are {', '.join(known)}")

    def under(self, key: str) -> Spec:
        """A section of this section, empty where there is none."""
        value = self.document.get(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, "must be a section")
        return Spec(self.path, f"{self.place}.{key}", value)

    def text(self, key: str, allowed: Sequence[str] = ()) -> str | None:
        """A text, one of `allowed` where there are any."""
        value = self.document.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a text in quotes")
        if allowed and value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = self.document.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
            raise self.wrong(key, "must be a list of texts in quotes")
        return tuple(values)

    def number(self, key: str, *, may_be_0: bool = False) -> float | None:
        """A positive number, or 0 where that is allowed."""
        value: Any = self.document.get(key)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < 0 or (value == 0 and not may_be_0):
            raise self.wrong(key, "must be 0 or more" if may_be_0 else "must be a positive number")
        return float(value)

    def word(self, key: str) -> str | None:
        """A text, also an empty one, or a number, true or false without quotes, as text."""
        value = self.document.get(key)
        if value is None:
            return None
        if not isinstance(value, str | bool | int | float | dt.date):
            raise self.wrong(key, "must be a text in quotes")
        return _word(value)

    def flag(self, key: str) -> bool:
        """true or false; false where the key is absent."""
        value = self.document.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value


def column(told: Spec, name: str, value: object) -> ColumnSpec:
    """What a mapping file says of one column."""
    if isinstance(value, str | list):
        return Named(_names(told, name))
    if not isinstance(value, Mapping):
        raise told.wrong(name, "must be a column's name, a list of names, or a section")
    spec = told.under(name)
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        raise told.wrong(name, f"needs one of {', '.join(KINDS)}")
    return _READERS[kinds[0]](spec)


def _names(told: Spec, key: str) -> tuple[str, ...]:
    names = told.texts(key)
    if not names or not all(names):
        raise told.wrong(key, "names no column")
    return names


def _words(told: Spec) -> Mapping[str, str] | None:
    """The values of a column by the words of the export; true and 1 may stand without quotes."""
    if "values" not in told.document:
        return None
    words = told.under("values").document
    if not all(isinstance(word, str | bool | int | float) for word in words.values()):
        raise told.wrong("values", "must give a text for each word")
    return {key: _word(word) for key, word in words.items()}


def _word(word: object) -> str:
    return str(word).lower() if isinstance(word, bool) else str(word)


def _named(told: Spec) -> Named:
    told.only_keys(("column", "values", "reference", "optional", "empty"))
    return Named(
        _names(told, "column"),
        _words(told),
        told.flag("reference"),
        told.flag("optional"),
        told.word("empty"),
    )


def _moment(told: Spec) -> Moment:
    told.only_keys(("date", "time"))
    return Moment(_names(told, "date"), _names(told, "time"))


def _filled(told: Spec) -> Filled:
    told.only_keys(("first_filled", "optional"))
    return Filled(_names(told, "first_filled"), told.flag("optional"))


def _joined(told: Spec) -> Joined:
    told.only_keys(("join", "separator"))
    separator = told.word("separator")
    return Joined(_names(told, "join"), " " if separator is None else separator)


def _lookup(told: Spec) -> Lookup:
    told.only_keys(("lookup", "match", "give", "values"))
    file, give = told.text("lookup"), told.text("give")
    pairs = _pairs(told)
    if file is None or give is None or not pairs:
        raise told.wrong("lookup", "needs match (a column, or ours and theirs) and give")
    (here, there), *also = pairs
    return Lookup(file, here, there, give, _words(told), tuple(also))


def _pairs(told: Spec) -> list[tuple[str, str]]:
    """The columns (ours, theirs) of `match`: one name, two, or a section of several pairs."""
    if isinstance(told.document.get("match"), Mapping):
        section = told.under("match")
        return [(ours, section.text(ours) or ours) for ours in section.document]
    match = told.texts("match")
    return [(match[0], match[-1])] if len(match) in (1, 2) else []


def _constant(told: Spec) -> Constant:
    told.only_keys(("constant",))
    return Constant(told.word("constant") or "")


def _expression(told: Spec) -> Expression:
    told.only_keys(("sql", "optional"))
    sql = told.text("sql")
    if sql is None:
        raise told.wrong("sql", "is empty")
    return Expression(sql, told.flag("optional"))


_READERS: dict[str, Callable[[Spec], ColumnSpec]] = {
    "column": _named,
    "date": _moment,
    "first_filled": _filled,
    "join": _joined,
    "lookup": _lookup,
    "constant": _constant,
    "sql": _expression,
}
