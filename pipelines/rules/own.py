"""A practice's own rules: each file is loaded by itself, so that a broken one is withheld alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.errors import UserError
from pipelines.rules import loading, places
from pipelines.rules.model import Rule
from pipelines.warehouse import snapshots

RULE_ID = re.compile(r"[a-z][a-z0-9_]*")


class OwnRules(NamedTuple):
    """The rules that could be loaded, by id, and what is wrong with the other files.

    `broken` has the id a file would have, or the name of a file that can have none.
    """

    rules: Mapping[str, Rule]
    broken: Mapping[str, str]


def load(folder: Path | None, shipped: Mapping[str, Rule], also: Sequence[Path] = ()) -> OwnRules:
    """The rules of a folder, ordered by id, and of files that replace those of their names."""
    paths, broken = _paths(folder)
    paths |= {path.stem: path for path in also}
    texts: dict[Path, str] = {}
    for name, path in sorted(paths.items()):
        try:
            _check_name(path, shipped)
            texts[path] = places.read_text(path)
        except UserError as error:
            broken[path.name if name in shipped else name] = str(error)
    rules: dict[str, Rule] = {}
    for path, rule in zip(texts, _loaded(tuple(texts.items())), strict=True):
        if isinstance(rule, str):
            broken[path.stem] = rule
        else:
            rules[path.stem] = rule
    _set_apart_conversions(rules, shipped, broken)
    return OwnRules(rules, broken)


def signature(folder: Path | None) -> str:
    """A text that changes when a rule file comes, goes or is written again."""
    found = []
    for path in _paths(folder)[0].values():
        try:
            stat = path.stat()
        except OSError:  # it went meanwhile, or cannot be looked at
            continue
        found.append(f"{path.name} {stat.st_mtime_ns} {stat.st_size}")
    return "\n".join(found)


def _paths(folder: Path | None) -> tuple[dict[str, Path], dict[str, str]]:
    """The files of the folder by id, and what is wrong with a folder that cannot be read."""
    if folder is None:
        return {}, {}
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return {}, {}
    except OSError as error:
        return {}, {f"{folder.name}/": f"{folder}: cannot be read ({error.strerror})"}
    # A name with a dot in front is a file that a system or an editor keeps beside the others.
    files = [path for path in found if path.suffix == ".sql" and not path.name.startswith(".")]
    return {path.stem: path for path in files}, {}


def _check_name(path: Path, shipped: Mapping[str, Rule]) -> None:
    if path.stem in shipped:
        raise UserError(
            f"{path}: {path.stem} is a rule of the workbench: change it in the settings file, "
            "or give your own rule another file name"
        )
    if path.suffix != ".sql" or not RULE_ID.fullmatch(path.stem):
        raise UserError(
            f"{path}: the file name must be small letters, digits and _ with the ending .sql, "
            "as in no_reminder_channel.sql"
        )


@lru_cache(maxsize=8)  # the app loads the rules again and again; check them once per content
def _loaded(files: tuple[tuple[Path, str], ...]) -> tuple[Rule | str, ...]:
    """The rule of each file, or what is wrong with it."""
    if not files:
        return ()
    with snapshots.connect() as con:
        loading.stage_nothing(con)
        return tuple(_load(con, path, text) for path, text in files)


def _load(con: duckdb.DuckDBPyConnection, path: Path, text: str) -> Rule | str:
    try:
        return loading.load_checked(con, path, text)
    except UserError as error:
        return str(error)


def _set_apart_conversions(
    rules: dict[str, Rule], shipped: Mapping[str, Rule], broken: dict[str, str]
) -> None:
    """Move rules to `broken` that convert to a rule that is not there, or is broken itself."""
    is_changed = True
    while is_changed:
        is_changed = False
        for name, rule in list(rules.items()):
            try:
                loading.check_conversions(rule, {**shipped, **rules})
            except UserError as error:
                broken[name] = str(error)
                del rules[name]
                is_changed = True
