"""What the values of a column of an export look like, as far as recognition needs it.

Nothing here holds a value of a patient but the few words of a column with few words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from pipelines.extracts import formats
from pipelines.sources.delivery import Relation
from pipelines.sql_files import identifier, literal

FEWEST_ROWS, MOST_WORDS = 1, 30
SAMPLE = 20_000  # rows that are looked at
_DAY = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}.*"
    r"|[0-9]{1,2}[ -][A-Za-z]{3,9}[ -,]+[0-9]{2,4}.*|(?:19|20)[0-9]{6}"
)
_PATTERNS = {
    "day": _DAY,
    "time": r".*[0-9]{1,2}:[0-9]{2}.*",
    "money": r"-?\(?[$]?-?[0-9][0-9,]*(?:\.[0-9]{1,2})?\)?-?",
    "decimals": r".*[.][0-9]{2}\)?-?|.*[$].*",
    "whole": r"[0-9]+(?:\.0+)?",
    "flag": formats.FORMS["flag"].pattern,
    "mail": r"[^@ ]+@[^@ ]+\.[^@ ]+",
    "phone": r"[+(]?[0-9][0-9 ().+-]{6,20}(?: ?x[0-9]+)?",
    "letters": r".*[A-Za-z].*",
}

# What no column is called: a number, a day, an amount, an address of mail.
_VALUE = re.compile(r"[-+$(]?[0-9][0-9.,/: -]*\)?|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Profile:
    """A column: its values, how many differ, the share of each kind, and its words if few.

    `words` has each word with its number of rows, the commonest first.
    """

    relation: str
    column: str
    filled: int
    rows: int
    distinct: int
    shares: dict[str, float]
    words: tuple[tuple[str, int], ...]

    @property
    def is_unique(self) -> bool:
        """Whether every row has its own value."""
        return self.rows > 0 and self.filled == self.rows == self.distinct

    def share(self, kind: str) -> float:
        """The share of filled values of this kind, 0 for an empty column."""
        return self.shares.get(kind, 0.0)


def is_value(name: str) -> bool:
    """Whether the name of a column is a value: its file then has no line of names."""
    return _VALUE.fullmatch(name) is not None


def profiles(con: duckdb.DuckDBPyConnection, relation: Relation) -> Iterator[Profile]:
    """The profile of each column of a loaded file."""
    if "json" in relation.columns:
        return
    for column in relation.columns:
        x = f"NULLIF(TRIM(s.{identifier(column)}), '')"
        kinds = ", ".join(
            f"COUNT(*) FILTER (WHERE REGEXP_FULL_MATCH(x, {literal(pattern)}))"
            for pattern in _PATTERNS.values()
        )
        sample = f"SELECT {x} AS x FROM source.{identifier(relation.name)} AS s LIMIT {SAMPLE}"
        rows, filled, distinct, *counts = con.execute(
            f"SELECT COUNT(*), COUNT(x), COUNT(DISTINCT x), {kinds} FROM ({sample}) AS v"
        ).fetchall()[0]
        words: list[tuple[str, int]] = []
        if 0 < distinct <= MOST_WORDS:
            words = con.execute(
                f"SELECT x, COUNT(*) FROM (SELECT {x} AS x "
                f"FROM source.{identifier(relation.name)} AS s) AS v "
                "WHERE x IS NOT NULL GROUP BY x ORDER BY COUNT(*) DESC, x LIMIT 50"
            ).fetchall()
        yield Profile(
            relation.name,
            column,
            filled,
            rows,
            distinct,
            {kind: count / max(1, filled) for kind, count in zip(_PATTERNS, counts, strict=True)},
            tuple((str(word), int(count)) for word, count in words),
        )


def overlap(
    con: duckdb.DuckDBPyConnection, child: tuple[str, str], parent: tuple[str, str]
) -> float:
    """The share of a column's values that are values of another one; columns as (file, column)."""
    texts = [f"TRIM(s.{identifier(column)})" for _, column in (child, parent)]
    found = con.execute(
        f"WITH parents AS (SELECT DISTINCT REGEXP_REPLACE({texts[1]}, '[.]0+$', '') AS x "
        f"FROM source.{identifier(parent[0])} AS s), "
        f"children AS (SELECT REGEXP_REPLACE({texts[0]}, '[.]0+$', '') AS x "
        f"FROM source.{identifier(child[0])} AS s WHERE {texts[0]} <> '' LIMIT {SAMPLE}) "
        "SELECT COUNT(*), COUNT(p.x) FROM children AS c LEFT JOIN parents AS p ON c.x = p.x"
    ).fetchall()[0]
    return found[1] / found[0] if found[0] else 0.0
