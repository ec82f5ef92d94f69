"""The mutants of a SQL file: its text with one token changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot.tokens import Token, TokenType

from pipelines.extracts import contract

SWAPS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "=": "<>",
    "<>": "=",
    "+": "-",
    "-": "+",
    "OR": "AND",
    "ASC": "DESC",
    "DESC": "ASC",
    "TRUE": "FALSE",
    "FALSE": "TRUE",
    "MIN": "MAX",
    "MAX": "MIN",
    "GREATEST": "LEAST",
    "LEAST": "GREATEST",
    "MIN_BY": "MAX_BY",
    "MAX_BY": "MIN_BY",
    "ARG_MIN": "ARG_MAX",
    "ARG_MAX": "ARG_MIN",
    "BOOL_OR": "BOOL_AND",
    "BOOL_AND": "BOOL_OR",
    "LEAD": "LAG",
    "LAG": "LEAD",
    "LEFT": "INNER",
    "INNER": "LEFT",
    "SEMI": "ANTI",
    "ANTI": "SEMI",
}
JOINS = ("LEFT", "INNER", "SEMI", "ANTI")
NEGATED = ("IN", "EXISTS", "LIKE", "BETWEEN")
# Calls whose numbers and texts say nothing about the data: the width of an id that is ordered by
# its number, the size of a type, the form of a printed date.
WITHOUT_CONSTANTS = ("LPAD", "DECIMAL", "VARCHAR", "STRFTIME")


# The key of each staged table to which every reference that rules join by is required.
KEYS = {table: contract.key_of(table) for table in contract.TABLES if table != "staff"}
KEYS |= {"authorization_usage": "authorization_id"}


@dataclass(frozen=True)
class Mutant:
    """A change of a file's text; `nth` counts equal changes of equal lines."""

    line: int
    start: int
    end: int
    before: str
    after: str
    line_text: str
    nth: int = 1

    @property
    def change(self) -> str:
        """What becomes what, as the list of equivalent mutants writes it."""
        ordinal = "" if self.nth == 1 else f"{self.nth}. "
        return f"{ordinal}{self.before} → {self.after or 'nothing'}"

    def applied_to(self, text: str) -> str:
        """The file's text with the change."""
        return text[: self.start] + self.after + text[self.end :]


def mutants(text: str) -> list[Mutant]:
    """Every mutant of a SQL text, in its order; comments and a rule's header stay as they are."""
    tokens = sqlglot.tokenize(text, read="duckdb")
    lines, seen, found = text.splitlines(), {}, []
    for start, end, after in _changes(tokens, text):
        line = text.count("\n", 0, start) + 1
        before = " ".join(text[start:end].split())
        if not before:  # an insertion is named by the word that follows it
            before, after_word = _word_at(text, start), after
            after, end = after_word + before, start + len(before)
        line_text = lines[line - 1].strip()
        key = (line_text, before, after)
        seen[key] = seen.get(key, 0) + 1
        found.append(Mutant(line, start, end, before, after, line_text, seen[key]))
    return found


def _word_at(text: str, start: int) -> str:
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[start:end]


def _changes(tokens: Sequence[Token], text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and new text of each change."""
    words = [text[token.start : token.end + 1].upper() for token in tokens]
    betweens, calls = 0, _calls(words)
    for at, token in enumerate(tokens):
        word, start, end = words[at], token.start, token.end + 1
        before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
        if word == "BETWEEN":
            betweens += 1
        if word == "AND" and betweens:
            betweens -= 1
        elif word == "AND":
            yield start, end, "OR"
        elif _is_left_alone(words, at):
            continue
        elif word == "JOIN" and before not in (*JOINS, "CROSS", "RIGHT", "FULL", "OUTER"):
            yield start, end, "LEFT JOIN"
        elif word in SWAPS and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER):
            if word not in ("MIN", "MAX", "LEAD", "LAG") or after == "(":
                yield start, end, SWAPS[word]
        elif word == "NOT":
            yield start, tokens[at + 1].start, ""
        elif word == "IS" and after != "NOT":
            yield start, end, "IS NOT"
        elif word in NEGATED and before != "NOT" and not _is_frame(words, at):
            yield start, start, "NOT "
        elif word == "COALESCE" and after == "(":
            yield from _without_fallback(tokens, words, at + 1)
        elif word == "DISTINCT" and before not in ("IS", "NOT") and after != "ON":
            yield start, tokens[at + 1].start, ""
        elif calls[at] not in WITHOUT_CONSTANTS and words[at - 3 : at] != ["EXISTS", "(", "SELECT"]:
            yield from _constants(token, before, text)


def _is_left_alone(words: Sequence[str], at: int) -> bool:
    """Whether a change of this word says nothing: it is no join, or only decides between equals."""
    word, after = words[at], words[at + 1] if at + 1 < len(words) else ""
    if word in JOINS:
        return after != "JOIN" or (word == "INNER" and _is_with_parent(words[at + 2 : at + 16]))
    # Ids that are equal as numbers, such as 7 and 07, get some order; LPAD(x.id, 64, '0'), x.id.
    is_last_resort = at >= 15 and words[at - 15] == "LPAD" and words[at - 11] == words[at - 1]
    return word in ("ASC", "DESC") and is_last_resort


def _is_with_parent(words: Sequence[str]) -> bool:
    """Whether a join only finds the row that a required reference names.

    Such a row exists, since the contract refuses orphans: an outer join would give the same rows.
    """
    match words:
        case ["STAGING", ".", table, "AS", _, "ON", _, ".", _, "=", _, ".", key, *_]:
            is_all = words[-1] not in ("AND", "OR")
            return is_all and KEYS.get(table.lower()) == key.lower()
    return False


def _is_frame(words: Sequence[str], at: int) -> bool:
    """Whether a BETWEEN gives a window's frame."""
    return words[at - 1] in ("ROWS", "RANGE", "GROUPS")


def _constants(token: Token, before: str, text: str) -> Iterator[tuple[int, int, str]]:
    written = text[token.start : token.end + 1]
    if token.token_type == TokenType.NUMBER and written.isdigit():
        yield token.start, token.end + 1, str(int(written) + 1)
    elif token.token_type == TokenType.STRING and before not in ("DATE", "TIMESTAMP", "INTERVAL"):
        yield token.start, token.end + 1, f"{written[:-1]}~'"


def _calls(words: Sequence[str]) -> list[str]:
    """For each token the name before the innermost parenthesis that it is in."""
    found, open_calls = [], [""]
    for at, word in enumerate(words):
        if word == "(":
            open_calls.append(words[at - 1] if at else "")
        elif word == ")":
            open_calls.pop()
        found.append(open_calls[-1])
    return found


def _without_fallback(
    tokens: Sequence[Token], words: Sequence[str], opening: int
) -> Iterator[tuple[int, int, str]]:
    """Drop everything after the first argument of a call."""
    depth, comma = 0, None
    for at in range(opening, len(tokens)):
        depth += (words[at] in "([") - (words[at] in ")]")
        if depth == 1 and words[at] == "," and comma is None:
            comma = tokens[at].start
        if depth == 0:
            if comma is not None:
                yield comma, tokens[at].start, ""
            return
