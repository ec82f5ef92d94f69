"""Recognise a delivery: which file is which table, which column is which, what its words mean.

Names and values each give evidence; value sets and parents veto. What comes of it is a proposal
that a person confirms.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
from rapidfuzz import fuzz

from pipelines.extracts import contract, formats
from pipelines.extracts.contract import Column
from pipelines.extracts.unpack import unpacked
from pipelines.sources import delivery
from pipelines.sources.delivery import Catalogue, Relation
from pipelines.sources.profiles import Profile, overlap, profiles
from pipelines.warehouse import snapshots

SYNONYMS = Path(__file__).parent / "synonyms.toml"
LEAST = 0.7  # a match below is not proposed
LEAST_TABLE = 0.5
MOST_OTHER = 0.1  # share of a value set's rows whose word nobody knows, before it is vetoed
FEWEST_PARENTS = 0.5  # share of an id column's values that must be ids of its parent
ID_WORDS = frozenset({"id", "no", "number", "code", "key"})
BY_CONTENT = 0.7  # how sure a match is that only the values show
LOOKS = ("day", "birth_day", "moment")


@dataclass(frozen=True)
class ColumnMatch:
    """A column of an export that seems to be one of ours, how sure that is, and why.

    `values` says what its words mean; None for a word nobody knows.
    """

    table: str
    column: str
    theirs: str
    confidence: float
    proof: str
    values: tuple[tuple[str, str | None], ...] = ()

    @property
    def unknown_words(self) -> list[str]:
        """The words that a person must explain."""
        return [word for word, meaning in self.values if meaning is None]


@dataclass(frozen=True)
class TableMatch:
    """A file that seems to be one of our tables, with its columns and what it lacks."""

    table: str
    relation: str
    file: str
    confidence: float
    columns: tuple[ColumnMatch, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class Recognition:
    """What a delivery seems to hold; `unknown` are files that are no table of ours."""

    tables: tuple[TableMatch, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    column: Column
    profile: Profile
    score: float
    proof: str


def recognise(path: Path) -> Recognition:
    """Match a delivery's files and columns to the contract's; nothing is kept or changed."""
    with unpacked(path) as folder, snapshots.connect() as con:
        catalogue = delivery.load(con, folder, None)
        return recognise_loaded(con, catalogue)


def recognise_loaded(
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    looked: Mapping[str, Sequence[Profile]] | None = None,
    tables: Mapping[str, str | None] | None = None,
) -> Recognition:
    """The same for a delivery that is loaded already, whose columns were `looked` at perhaps.

    `tables` says which table each file is, where a person has decided; None: no table of ours.
    """
    if looked is None:
        looked = {name: list(profiles(con, found)) for name, found in catalogue.relations.items()}
    if tables is None:
        by_table = _tables(catalogue.relations, looked)
        chosen = [(table, *of_table) for table, of_table in by_table.items()]
    else:
        chosen = list(_decided(catalogue.relations, looked, tables))
    keys: dict[str, tuple[str, str]] = {}
    for table, relation, found, _ in chosen:
        of_key = next((one for one in found if one.column.is_key), None)
        if of_key is not None:
            keys.setdefault(table, (relation, of_key.profile.column))
    matches = [
        _Look(con, table, catalogue.relations[relation], looked[relation], keys).match(found, score)
        for table, relation, found, score in chosen
    ]
    used = {match.relation for match in matches}
    return Recognition(
        tuple(sorted(matches, key=lambda match: list(contract.TABLES).index(match.table))),
        tuple(sorted(set(catalogue.relations) - used)),
        catalogue.notes,
    )


@cache
def _synonyms() -> Mapping[str, Mapping]:
    with SYNONYMS.open("rb") as file:
        return tomllib.load(file)


def _words(name: str) -> str:
    """A name as words: patientID, patient_id and Patient-ID are patient id."""
    spaced = "".join(
        f" {letter}" if letter.isupper() and place and not name[place - 1].isupper() else letter
        for place, letter in enumerate(name)
    )
    kept = "".join(letter if letter.isalnum() else " " for letter in spaced.lower())
    return " ".join(kept.split())


def _alike(name: str, wanted: str, synonyms: Sequence[str]) -> float:
    """How alike a foreign name is to ours or one of its synonyms, from 0 to 1."""
    theirs = _words(name)
    own = fuzz.ratio(theirs, _words(wanted))
    others = [0.97 * fuzz.ratio(theirs, _words(other)) for other in synonyms]
    some = [0.85 * fuzz.token_sort_ratio(theirs, _words(other)) for other in (wanted, *synonyms)]
    return max(own, *others, *some, 0.0) / 100


def _tables(
    relations: Mapping[str, Relation], looked: Mapping[str, Sequence[Profile]]
) -> dict[str, tuple[str, list[_Candidate], float]]:
    """The best file for each table, each file once, the surest first."""
    scored: list[tuple[float, str, str, list[_Candidate]]] = []
    for name in relations:
        if not looked[name]:
            continue
        for table in contract.TABLES:
            found = _columns(table, looked[name])
            score = _table_score(table, name, found)
            if score >= LEAST_TABLE:
                scored.append((score, table, name, found))
    chosen: dict[str, tuple[str, list[_Candidate], float]] = {}
    used: set[str] = set()
    for score, table, name, found in sorted(scored, key=lambda one: (-one[0], one[1])):
        if table not in chosen and name not in used:
            chosen[table] = (name, found, score)
            used.add(name)
    return chosen


def _decided(
    relations: Mapping[str, Relation],
    looked: Mapping[str, Sequence[Profile]],
    tables: Mapping[str, str | None],
) -> Iterator[tuple[str, str, list[_Candidate], float]]:
    """The tables that a person chose for the files of a delivery."""
    for name in relations:
        table = tables.get(name)
        if table is not None:
            found = _columns(table, looked[name])
            yield table, name, found, _table_score(table, name, found)


def _table_score(table: str, relation: str, found: Sequence[_Candidate]) -> float:
    """Half the file's name, half the columns that a table must have."""
    name = _alike(relation, table, _synonyms()["tables"].get(table, []))
    needed = [column for column in contract.columns(table) if not column.is_nullable]
    scores = {one.column.name: one.score for one in found}
    columns = sum(scores.get(column.name, 0.0) for column in needed) / len(needed)
    return 0.5 * name + 0.5 * columns


def _columns(table: str, looked: Sequence[Profile]) -> list[_Candidate]:
    """The best foreign column for each of ours, each once, the surest first."""
    candidates = [
        candidate
        for column in contract.columns(table)
        for profile in looked
        if (candidate := _candidate(table, column, profile)).score >= LEAST
    ]
    found: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (-one.score, one.column.is_nullable)):
        ours = {one.column.name for one in found}
        theirs = {one.profile.column for one in found}
        if candidate.column.name not in ours and candidate.profile.column not in theirs:
            found.append(candidate)
    return found


def _candidate(table: str, column: Column, profile: Profile) -> _Candidate:
    """How likely a foreign column is one of ours: its name, and whether its values can be."""
    names = [*_synonyms()["columns"].get(column.name, []), *_own_names(table, column)]
    bare = _bare(table, profile.column)
    name = max(_alike(profile.column, column.name, names), 0.97 * _alike(bare, column.name, names))
    own_id = f"{table.removesuffix('s')} id"
    if column.is_key and _words(profile.column) == "id":
        name = max(name, 0.95)
    elif column.is_key:
        name = max(name, _alike(profile.column, own_id, []))
        name *= 1.0 if ID_WORDS & set(_words(profile.column).split()) else 0.95
    fits, proof = _fits(table, column, profile)
    return _Candidate(column, profile, name * fits, f"the name is {name:.0%} alike; {proof}")


def _own_names(table: str, column: Column) -> list[str]:
    """Of a name: what its table is called in the singular, as in Site beside Site ID."""
    if column.name != "name":
        return []
    return [other.removesuffix("s") for other in (table, *_synonyms()["tables"].get(table, []))]


def _bare(table: str, name: str) -> str:
    """A column's name without its table's: Clinic Name and Facility Name are the name."""
    words = _words(name)
    for other in (table, *_synonyms()["tables"].get(table, [])):
        one = _words(other).removesuffix("s").removesuffix("ie")
        if words.startswith(one) and " " in words:
            return words.partition(" ")[2]
    return name


def _fits(table: str, column: Column, profile: Profile) -> tuple[float, str]:
    """From 0 (a veto) to 1: whether the values can be the column's."""
    if profile.filled == 0:
        return (0.8 if column.is_nullable else 0.0), "no value is filled"
    if column.is_key:
        share = profile.distinct / profile.filled
        return (1.0 if share > 0.95 else 0.3), f"{share:.1%} of the values are different"
    if column.allowed is not None and not column.is_described:
        known = _known_rows(table, column, profile)
        if not profile.words or known < 1 - MOST_OTHER - 0.4:
            return 0.0, "its words are not those of the column"
        return 0.6 + 0.4 * known, f"{known:.1%} of the rows have a word that is known"
    if column.form in LOOKS:
        share = profile.share("day")
        return (share if share > 0.5 else 0.0), f"{share:.1%} of the values are days"
    if column.form == "money":
        share = profile.share("money")
        has_cents = profile.share("decimals")
        fits = share * (1.0 if has_cents > 0.2 else 0.75)
        return (fits if share > 0.5 else 0.0), f"{share:.1%} of the values are amounts"
    if column.form == "count":
        share = profile.share("whole")
        return (share if share > 0.5 else 0.0), f"{share:.1%} of the values are whole numbers"
    if column.form == "flag":
        share = profile.share("flag")
        return (share if share > 0.5 else 0.0), f"{share:.1%} of the values are yes or no"
    if column.name == "email":
        share = profile.share("mail")
        return (1.0 if share > 0.3 else 0.0), f"{share:.1%} of the values are addresses"
    if column.name == "phone" or column.name.endswith("fax"):
        share = profile.share("phone")
        return (1.0 if share > 0.3 else 0.2), f"{share:.1%} of the values are numbers to call"
    if column.references is None and column.form == "text" and profile.share("day") > 0.9:
        return 0.3, "its values are days"
    return 1.0, f"{profile.filled / max(1, profile.rows):.1%} of the rows are filled"


def _known_rows(table: str, column: Column, profile: Profile) -> float:
    """The share of rows whose word is one of the value set, or a synonym of one."""
    rows = sum(count for _, count in profile.words)
    known = sum(
        count for word, count in profile.words if meaning(table, column.name, word) is not None
    )
    return known / rows if rows else 0.0


def meaning(table: str, column: str, word: str) -> str | None:
    """What a word of an export means in a column with a value set; None if nobody knows."""
    of_column = next(one for one in contract.columns(table) if one.name == column)
    squeezed = formats.squeezed(word)
    own = formats.words(of_column.allowed or ())
    if squeezed in own:
        return own[squeezed]
    synonyms = _synonyms()["values"].get(table, {}).get(column, {})
    for value, others in synonyms.items():
        if squeezed in [formats.squeezed(other) for other in others]:
            return str(value)
    return None


@dataclass(frozen=True)
class _Look:
    """A table beside its file: what its columns are checked with. `keys` are the parents' ids."""

    con: duckdb.DuckDBPyConnection
    table: str
    relation: Relation
    looked: Sequence[Profile]
    keys: Mapping[str, tuple[str, str]]

    def match(self, found: Sequence[_Candidate], score: float) -> TableMatch:
        """The table with those columns whose ids are those of their parents."""
        columns: dict[str, ColumnMatch] = {}
        for one in found:
            checked = self._with_parents(one)
            if checked is not None:
                columns[one.column.name] = checked
        for column in contract.columns(self.table):  # ids that their name does not tell
            if column.name not in columns and column.references in self.keys and not column.is_key:
                by_content = self._by_parents(column, {one.theirs for one in columns.values()})
                if by_content is not None:
                    columns[column.name] = by_content
        ordered = [columns[c.name] for c in contract.columns(self.table) if c.name in columns]
        used = {match.theirs for match in ordered}
        return TableMatch(
            self.table,
            self.relation.name,
            self.relation.files[0],
            score,
            tuple(ordered),
            tuple(
                column.name
                for column in contract.columns(self.table)
                if not column.is_nullable and column.name not in columns
            ),
            tuple(column for column in self.relation.columns if column not in used),
        )

    def _with_parents(self, one: _Candidate) -> ColumnMatch | None:
        """The match, unless its ids are not those of its parents."""
        confidence, proof = one.score, one.proof
        theirs = one.profile.column
        parent = self.keys.get(one.column.references or "")
        if parent is not None and one.profile.filled:
            share = overlap(self.con, (self.relation.name, theirs), parent)
            if share < FEWEST_PARENTS:
                return None
            confidence = min(1.0, 0.5 * confidence + 0.5 * share)
            proof = f"{share:.1%} of the values are ids of {one.column.references}"
        values: tuple[tuple[str, str | None], ...] = ()
        if one.column.allowed is not None and not one.column.is_described:
            values = tuple(
                (word, meaning(self.table, one.column.name, word)) for word, _ in one.profile.words
            )
        return ColumnMatch(self.table, one.column.name, theirs, confidence, proof, values)

    def _by_parents(self, column: Column, used: set[str]) -> ColumnMatch | None:
        """A column whose values are nearly all ids of the parent, whatever it is called."""
        best: ColumnMatch | None = None
        for profile in self.looked:
            if profile.column in used or profile.filled < 5 or profile.distinct < 3:
                continue
            parent = self.keys[column.references or ""]
            share = overlap(self.con, (self.relation.name, profile.column), parent)
            if share < 0.98 or (best is not None and best.confidence >= BY_CONTENT * share):
                continue
            proof = f"{share:.1%} of the values are ids of {column.references}, by content only"
            best = ColumnMatch(self.table, column.name, profile.column, BY_CONTENT * share, proof)
        return best


def report(found: Recognition) -> Iterator[str]:
    """The recognition, one line for each file, column and word."""
    for match in found.tables:
        yield f"{match.file} is {match.table} ({match.confidence:.0%})"
        for column in match.columns:
            yield f"  {column.column:26}{column.theirs:28}{column.confidence:>5.0%}  {column.proof}"
            for word, value in column.values:
                yield f"    {word} → {value or '?'}"
        if match.missing:
            yield f"  not found, and must be there: {', '.join(match.missing)}"
        if match.unused:
            yield f"  not used: {', '.join(match.unused)}"
    if found.unknown:
        yield f"no table of ours: {', '.join(found.unknown)}"
    yield from (f"note: {note}" for note in found.notes)
