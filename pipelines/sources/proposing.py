"""Write what was recognised in a delivery as a mapping file, for a person to confirm."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import UserError
from pipelines.sources.mapping import FILE, NAME
from pipelines.sources.recognising import ColumnMatch, Recognition, TableMatch


def write(found: Recognition, home: Path, name: str) -> Path:
    """Write the proposal as a new source of the practice; UserError if the name is taken or bad."""
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a source: small letters, digits, - and _")
    path = home / name / FILE
    if path.exists():
        raise UserError(f"{path}: is there already; choose another name, or move it away")
    text = "\n".join(proposal(found)) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f".{FILE}.building")
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None
    return path


def proposal(found: Recognition) -> Iterator[str]:
    """The lines of the mapping file."""
    yield "# Recognised from a delivery: a proposal. Correct what is wrong, then delete this line:"
    yield "unconfirmed = true"
    yield '# time_zone = "America/New_York"   # of facilities that state none'
    for match in found.tables:
        yield from _table(match)
    for relation in found.unknown:
        yield f"\n# {relation}: no table of ours"


def _table(match: TableMatch) -> Iterator[str]:
    yield f"\n# {match.confidence:.0%} sure, by its name and its columns"
    yield f"[tables.{match.table}]"
    yield f"from = {quoted(match.relation)}"
    yield f"[tables.{match.table}.columns]"
    for column in match.columns:
        yield f"{column.column} = {_spec(column)}  # {column.confidence:.0%}: {column.proof}"
        if column.unknown_words:
            listed = ", ".join(column.unknown_words)
            yield f"# what do these words of {column.theirs} mean? {listed}"
    for name in match.missing:
        yield f"# {name} = ?   # must be there, and no column was found for it"
    if match.unused:
        yield f"# not used: {', '.join(match.unused)}"


def _spec(column: ColumnMatch) -> str:
    known = {word: value for word, value in column.values if value is not None and word != value}
    if not known:
        return quoted(column.theirs)
    words = ", ".join(f"{quoted(word)} = {quoted(value)}" for word, value in known.items())
    return f"{{ column = {quoted(column.theirs)}, values = {{ {words} }} }}"


def quoted(text: str) -> str:
    """A TOML string; JSON escapes it the same way."""
    return json.dumps(text, ensure_ascii=False)
