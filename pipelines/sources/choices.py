"""What a person confirmed of a source, step by step, and the mapping file that says it.

The choices are kept in WORKBENCH_DATA/sources/NAME/progress.json (mode 0600): names of files,
columns and words of value sets, never a patient's value.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts import contract, formats
from pipelines.extracts.contract import Column
from pipelines.sources import mapping, recognising
from pipelines.sources.differences import COLUMN, DAYS, Difference, write_private
from pipelines.sources.looking import Seen, SeenFile
from pipelines.sources.mapping import SourceMapping
from pipelines.sources.proposing import quoted
from pipelines.sources.specs import Named
from pipelines.vocabulary import MAY_BE_ABSENT

FILE = "progress.json"
STEPS = ("delivery", "files", "columns", "words", "gaps", "report", "tasks")
REFUSE = ""  # the answer for a word whose rows are to be refused
CONSTANT, FROM_COLUMN = "constant", "column"
Nested = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Choices:
    """The choices for one source; `done` are the confirmed steps.

    `files` says the table of each file, `columns` by file ours of each of theirs, `words` by
    "table.column" the meaning of each word (REFUSE: none), `fills` by file what stands in a column
    of ours that the file lacks, as "constant:text" or "column:name". `confirmed` and `days` are the
    columns and the formats of days that were seen when it was saved.
    """

    name: str
    delivery: str = ""
    preset: str | None = None
    files: Mapping[str, str | None] = field(default_factory=dict)
    columns: Nested = field(default_factory=dict)
    words: Nested = field(default_factory=dict)
    fills: Nested = field(default_factory=dict)
    time_zone: str | None = None
    dates: str | None = None
    one_case: bool = False
    absent: tuple[str, ...] = ()
    confirmed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    days: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    done: tuple[str, ...] = ()

    @property
    def tables(self) -> list[str]:
        """The tables that the files are, parents first; a preset's own."""
        if self.preset is not None:
            return mapping.load(self.preset).provided()
        return [table for table in contract.TABLES if table in self.files.values()]

    @property
    def step(self) -> str | None:
        """The first step that is not confirmed; None when all are."""
        return next((step for step in STEPS if step not in self.done), None)

    def with_done(self, step: str) -> Choices:
        """The same with this step confirmed; later ones have to be confirmed again."""
        return replace(self, done=STEPS[: STEPS.index(step) + 1])

    def back_to(self, step: str) -> Choices:
        """The same with this step and all later ones open again."""
        return replace(self, done=STEPS[: STEPS.index(step)])


@dataclass(frozen=True)
class Gap:
    """A column of ours that must be there and that a file lacks; `constants` may stand in it."""

    relation: str
    table: str
    column: str
    constants: tuple[str, ...]


def keep(home: Path, choices: Choices) -> None:
    """Save the choices; UserError when that fails."""
    text = json.dumps(asdict(choices), ensure_ascii=False, indent=1)
    write_private(home / choices.name / FILE, text + "\n")


def load(home: Path, name: str) -> Choices | None:
    """The kept choices of a source; None where there are none. UserError for a damaged file."""
    path = home / name / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(Choices)}
        given = {key: value for key, value in document.items() if key in known}
        for key in ("absent", "done"):
            given[key] = tuple(given.get(key, ()))
        return replace(Choices(**given), name=name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, AttributeError):
        raise UserError(f"{path}: is damaged; move it away to begin this source anew") from None


def begun(home: Path) -> list[str]:
    """The sources that somebody began to connect, sorted."""
    return sorted(path.parent.name for path in home.glob(f"*/{FILE}"))


def with_delivery(choices: Choices, delivery: str) -> Choices:
    """What was chosen, to be confirmed again with another delivery."""
    return replace(choices, delivery=delivery, done=())


def proposed_columns(choices: Choices, seen: Seen) -> Choices:
    """The choices with the recognised columns, where the person chose nothing for a file yet."""
    columns = dict(choices.columns)
    for one in seen.files:
        before = set(columns.get(one.relation, {}).values())
        known = {column.name for column in contract.columns(one.match.table)} if one.match else {}
        if one.match is not None and (not before or not before <= set(known)):
            columns[one.relation] = {match.theirs: match.column for match in one.match.columns}
    kept = {name: of_file for name, of_file in columns.items() if choices.files.get(name)}
    return replace(choices, columns=kept)


def word_columns(choices: Choices, seen: Seen) -> Iterator[tuple[str, Column, list[str]]]:
    """The columns with a value set and the words the files have for them, as (table, ...)."""
    found: dict[tuple[str, str], tuple[Column, dict[str, None]]] = {}
    for relation, of_file in choices.columns.items():
        table, file = choices.files.get(relation), seen.file(relation)
        if table is None or file is None:
            continue
        for theirs, ours in of_file.items():
            column = of_contract(table, ours)
            seen_column = file.column(theirs)
            if column is None or seen_column is None:
                continue
            if column.allowed is not None and not column.is_described:
                words = found.setdefault((table, ours), (column, {}))[1]
                words.update(dict.fromkeys(word for word, _ in seen_column.words))
    for (table, _), (column, words) in found.items():
        yield table, column, list(words)


def proposed_words(choices: Choices, seen: Seen) -> Choices:
    """The choices with the meaning of each word that is known; the others stay unanswered.

    What a word of an earlier delivery means is kept.
    """
    words: dict[str, dict[str, str]] = {}
    for table, column, found in word_columns(choices, seen):
        key = f"{table}.{column.name}"
        before = choices.words.get(key, {})
        for word in found:
            meaning = before.get(word, recognising.meaning(table, column.name, word))
            if meaning is not None:
                words.setdefault(key, dict(before))[word] = meaning
    return replace(choices, words=words)


def unanswered(choices: Choices, seen: Seen) -> int:
    """How many words nobody has explained."""
    return sum(
        word not in choices.words.get(f"{table}.{column.name}", {})
        for table, column, words in word_columns(choices, seen)
        for word in words
    )


def gaps(choices: Choices) -> Iterator[Gap]:
    """What the files lack and must have, as far as nothing else of the choices says it."""
    for relation, table in choices.files.items():
        if table is None:
            continue
        mapped = set(choices.columns.get(relation, {}).values())
        for column in contract.columns(table):
            if column.is_nullable or column.name in mapped:
                continue
            if column.name == "time_zone" or (column.name == "case_id" and choices.one_case):
                continue
            yield Gap(relation, table, column.name, _constants(column))


def proposed_gaps(choices: Choices) -> Choices:
    """The choices with what can be supposed of the tables that no file is."""
    given = choices.tables
    never = tuple(table for table in MAY_BE_ABSENT if table not in given)
    return replace(choices, one_case="cases" not in given, absent=choices.absent or never)


def needs_time_zone(choices: Choices) -> bool:
    """Whether no file says in which time zone a facility is."""
    of_facilities = [name for name, table in choices.files.items() if table == "facilities"]
    return any(
        "time_zone" not in choices.columns.get(name, {}).values() for name in of_facilities
    ) or (choices.preset is not None)


def of_contract(table: str, name: str) -> Column | None:
    """The column of a table of the contract."""
    return next((one for one in contract.columns(table) if one.name == name), None)


def as_seen(choices: Choices, seen: Seen) -> Choices:
    """The choices with the columns and days of this delivery as those that were confirmed."""
    return replace(
        choices,
        confirmed={
            **choices.confirmed,
            **{one.relation: tuple(col.name for col in one.columns) for one in seen.files},
        },
        days={**choices.days, **{one.relation: _days(one) for one in seen.files if _days(one)}},
    )


def accept(choices: Choices, new: Difference, answer: str = "") -> Choices:
    """The choices with one difference of a later delivery confirmed; `answer` is a word's."""
    if new.kind == COLUMN:
        columns = tuple(dict.fromkeys((*choices.confirmed.get(new.relation, ()), new.column)))
        return replace(choices, confirmed={**choices.confirmed, new.relation: columns})
    if new.kind == DAYS:
        of_file = {**choices.days.get(new.relation, {}), new.column: new.formats}
        return replace(choices, days={**choices.days, new.relation: of_file})
    key = f"{new.table}.{new.column}"
    of_column = {**choices.words.get(key, {}), new.what: answer}
    return replace(choices, words={**choices.words, key: of_column})


def as_mapping(home: Path, choices: Choices) -> SourceMapping:
    """The mapping that the choices mean; UserError names what it lacks."""
    path = home / choices.name / mapping.FILE
    return mapping.from_document(choices.name, path, tomllib.loads(text(choices)))


def save(home: Path, choices: Choices) -> Path:
    """Replace the source's mapping file once it is proved to be one; UserError when it is not."""
    as_mapping(home, choices)
    path = home / choices.name / mapping.FILE
    write_private(path, text(choices))
    return path


def text(choices: Choices) -> str:
    """The mapping file of the choices."""
    return "\n".join(_lines(choices)) + "\n"


def _lines(choices: Choices) -> Iterator[str]:
    yield "# Confirmed on the Connect page, which writes this file anew; see docs/sources.md."
    if choices.preset is not None:
        yield f"preset = {quoted(choices.preset)}"
    if choices.time_zone is not None:
        yield f"time_zone = {quoted(choices.time_zone)}"
    if choices.dates is not None:
        yield f"dates = {quoted(choices.dates)}"
    if choices.one_case:
        yield 'cases = "one a patient"'
    if choices.absent:
        yield f"absent = {_list(choices.absent)}"
    if choices.confirmed:
        yield "\n[confirmed]"
        for relation, columns in choices.confirmed.items():
            yield f"{quoted(relation)} = {_list(columns)}"
    for relation, of_file in choices.days.items():
        yield f"\n[days.{quoted(relation)}]"
        for column, written in of_file.items():
            yield f"{quoted(column)} = {_list(written)}"
    if choices.preset is not None:
        yield from _overrides(choices, mapping.load(choices.preset))
        return
    for table in choices.tables:
        relations = [name for name, one in choices.files.items() if one == table]
        for relation in relations:
            head = f"[tables.{table}]"
            yield f"\n{head if len(relations) == 1 else f'[{head}]'}"
            yield f"from = {quoted(relation)}"
            yield f"[tables.{table}.columns]"
            yield from _columns(choices, relation, table)


def _columns(choices: Choices, relation: str, table: str) -> Iterator[str]:
    ours = {name: theirs for theirs, name in choices.columns.get(relation, {}).items()}
    for column in contract.columns(table):
        filled = choices.fills.get(relation, {}).get(column.name)
        if column.name in ours:
            words = choices.words.get(f"{table}.{column.name}", {})
            yield f"{column.name} = {_spec(ours[column.name], words)}"
        elif filled is not None:
            kind, _, what = filled.partition(":")
            value = f"{{ constant = {quoted(what)} }}" if kind == CONSTANT else quoted(what)
            yield f"{column.name} = {value}"


def _spec(theirs: str, words: Mapping[str, str]) -> str:
    if not words:
        return quoted(theirs)
    return f"{{ column = {quoted(theirs)}, values = {_values(words)} }}"


def _values(words: Mapping[str, str]) -> str:
    """A word without a meaning stands for itself, so that the contract refuses its rows."""
    listed = ", ".join(f"{quoted(word)} = {quoted(value or word)}" for word, value in words.items())
    return f"{{ {listed} }}"


def _overrides(choices: Choices, preset: SourceMapping) -> Iterator[str]:
    """The columns of a preset whose words the person explained, with the preset's words."""
    for key, words in choices.words.items():
        table, _, column = key.partition(".")
        rules = preset.tables.get(table, ())
        spec = rules[0].columns.get(column) if len(rules) == 1 else None
        if not isinstance(spec, Named):
            continue  # a column that is made otherwise has no words to add to
        parts = [
            f"column = {_list(spec.names)}",
            f"values = {_values({**(spec.values or {}), **words})}",
        ]
        if spec.is_reference:
            parts.append("reference = true")
        if spec.is_optional:
            parts.append("optional = true")
        if spec.empty is not None:
            parts.append(f"empty = {quoted(spec.empty)}")
        yield f"\n[tables.{table}.columns.{column}]"
        yield from parts


def _list(texts: tuple[str, ...] | list[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def _days(file: SeenFile) -> dict[str, tuple[str, ...]]:
    return {one.name: one.days for one in file.columns if one.days}


def _constants(column: Column) -> tuple[str, ...]:
    """What may sensibly stand in every row of a column."""
    if column.form == "flag":
        return ("false", "true")
    if column.allowed is not None and not column.is_described:
        return column.allowed
    if column.form == "count":
        return ("0", "1")
    if column.form == "text" and column.references is None and not column.is_key:
        return (formats.OTHER,)
    return ()
