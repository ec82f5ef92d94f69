"""Judge the rows of a table: SQL made from the contract types them and finds the suspects, pandera convicts or acquits.

The SQL may suspect a good row but never passes a bad one, so only suspects go through pandera: seconds instead of minutes
at two million rows. tests/pipelines/test_judging.py proves on random damage that both together accept what pandera alone accepts.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.extracts import contract, formats
from pipelines.extracts.contract import Column
from pipelines.sql_files import identifier, literal

TRUE_PATTERN = "(?i)" + "|".join(formats.TRUE_TEXTS)
FITS = {
    "day": ("DATE",),
    "birth_day": ("DATE",),
    "moment": (
        "TIMESTAMP",
        "TIMESTAMP_S",
        "TIMESTAMP_MS",
        "TIMESTAMP_NS",
        "TIMESTAMP WITH TIME ZONE",
    ),
    "count": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    "flag": ("BOOLEAN",),
}


def table_sql(table: str) -> str:
    """CREATE TABLE extract.<table> with the agreed columns, X_is_utc behind each moment X, and `_text`: a suspect row as it was written."""
    lines = ", ".join(f"{identifier(name)} {sql_type}" for name, sql_type in _typed_columns(table))
    return f"CREATE OR REPLACE TABLE extract.{table} ({lines}, _text VARCHAR[])"


def view_sql(table: str, sql: str) -> str:
    """CREATE VIEW extract.<table> with the same columns but `_text`, of what `sound` gives."""
    return f"CREATE VIEW extract.{table} ({', '.join(identifier(name) for name, _ in _typed_columns(table))}) AS {sql}"


def _typed_columns(table: str) -> Iterator[tuple[str, str]]:
    for column in contract.columns(table):
        yield column.name, column.sql_type
        if column.form == "moment":
            yield f"{column.name}_is_utc", "BOOLEAN"


def typed(table: str, sources: dict[str, tuple[str, str]], rows: str) -> str:
    """The SELECT that types the rows of a source; sources gives, by agreed column, its name there and its DuckDB type."""
    values, texts, doubt, read = _typing(table, sources, rows, set())
    return (
        f"SELECT {', '.join(values)}, CASE WHEN {doubt} THEN [{', '.join(texts)}] END FROM {read}"
    )


def sound(table: str, sources: dict[str, tuple[str, str]], rows: str, readable: set[str]) -> str:
    """The same without `_text`, failing at the first suspect row; who uses it must see to keys, and to references to tables in `readable`.

    An id that is found among the keys of such a table is written as they are, so it is not looked at here.
    """
    values, _, doubt, read = _typing(table, sources, rows, readable)
    return f"SELECT {', '.join(values)} FROM {read} WHERE CASE WHEN {doubt} THEN error('a suspect row') ELSE true END"


def _typing(
    table: str, sources: dict[str, tuple[str, str]], rows: str, readable: set[str]
) -> tuple[list[str], list[str], str, str]:
    """Typed values, texts, the question whether a row is suspect, and what to ask it of."""
    columns = contract.columns(table)
    inner, trimmed, values, texts, suspects, odd = (
        [],
        [],
        [],
        [],
        [],
        [],
    )  # odd: what no pattern of a text can tell
    for column in columns:
        name, sql_type = sources[column.name]
        x = identifier(column.name)
        if _fits(column, sql_type):
            inner.append(f"{identifier(name)} AS {x}")
            trimmed.append(x)
            value, text, suspect = _from_value(column, sql_type)
            odd.append(suspect if column.is_nullable else f"({suspect}) OR {x} IS NULL")
        else:
            inner.append(f"CAST({identifier(name)} AS VARCHAR) AS {x}")
            trimmed.append(f"nullif(CASE WHEN is_plain THEN {x} ELSE trim({x}) END, '') AS {x}")
            value, text, suspect = _from_text(column)
            if column.form in ("day", "birth_day", "moment"):
                odd.append(_odd_text_time(column, value[0]))
            if column.references in readable:
                suspect = "false"
                odd.append("false" if column.is_nullable else f"{x} IS NULL")
        values += value
        texts.append(text)
        suspects.append(f"({suspect}) OR {x} IS NULL" if not column.is_nullable else suspect)
    is_suspect = " OR ".join(f"coalesce(({suspect}), false)" for suspect in suspects)
    is_odd = " OR ".join(f"coalesce(({question}), false)" for question in odd) or "false"
    read = f"SELECT {', '.join(inner)} FROM {rows}"
    marked = f"SELECT *, {_is_plain(columns, sources, readable)} AS is_plain FROM ({read})"
    doubt = f"CASE WHEN is_plain THEN {is_odd} ELSE {is_suspect} END"
    return values, texts, doubt, f"(SELECT is_plain, {', '.join(trimmed)} FROM ({marked}))"


def _is_plain(
    columns: tuple[Column, ...], sources: dict[str, tuple[str, str]], readable: set[str]
) -> str:
    """True for a row whose texts are all proved well written and trimmed, at little cost; the others get the exact questions, one by one.

    A regular expression a column costs four times as much as one over all the texts that need one, and nearly all rows are plain.
    """
    texts = [
        column
        for column in columns
        if not _fits(column, sources[column.name][1]) and column.references not in readable
    ]
    quick = [column for column in texts if column.allowed is not None or column.form == "text"]
    slow = [column for column in texts if column not in quick]
    questions = [
        f"({identifier(column.name)} IS NULL OR {_is_quick(column)})"
        if column.is_nullable
        else _is_quick(column)
        for column in quick
    ]
    if slow:
        pattern = r"\x1f".join(
            f"(?:{_plain_pattern(column)}){'?' if column.is_nullable else ''}" for column in slow
        )
        text = (
            f"concat({', chr(31), '.join(identifier(column.name) for column in slow)})"
            if len(slow) > 1
            else identifier(slow[0].name)
        )
        questions.append(f"regexp_full_match({text}, {literal(pattern)})")
    return f"({' AND '.join(questions)})" if questions else "true"


def _is_quick(column: Column) -> str:
    """What needs no pattern: one of the allowed values, or a text with something at both ends."""
    x = identifier(column.name)
    if column.allowed is not None:
        return (
            "(" + " OR ".join(f"{x} = {literal(value)}" for value in column.allowed) + ")"
        )  # not IN: see _from_text
    return f"({x} <> '' AND NOT starts_with({x}, ' ') AND NOT ends_with({x}, ' ') AND NOT contains({x}, chr(0)))"


def _plain_pattern(column: Column) -> str:
    """A pattern for some of the good texts of a column, never empty and never with the separator \\x1f."""
    if column.form == "id":
        rest = r"(?:[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f ])?"
        # Not 9.37E+12 or 9E12: a digit may be followed by a full stop or an E only where a later character is no digit (as in many a UUID).
        return rf"[^\x00-\x1f\x7f 0-9]{rest}|[0-9](?:[^\x00-\x1f\x7f .Ee]{rest})?|[0-9][Ee][0-9]*[^\x00-\x1f\x7f 0-9+]{rest}"
    return r"[^\x00-\x{10ffff}]" if column.form == "zone" else formats.FORMS[column.form].pattern


def _from_text(column: Column) -> tuple[list[str], str, str]:
    """Typed values, text and suspicion of a column that comes as text; a NULL suspicion is none."""
    x = identifier(column.name)
    if column.allowed is not None:
        # DuckDB makes a long IN a join, and a join may change the order of the rows, which is all that ties a row to its line.
        return [x], x, " AND ".join(f"{x} <> {literal(value)}" for value in column.allowed)
    if column.form == "zone":
        return [x], x, f"{x} IS NOT NULL"  # only Python's list of zones can tell
    suspect = f"NOT regexp_full_match({x}, {literal(formats.FORMS[column.form].pattern)})"
    if column.form == "id":
        return [x], x, f"{suspect} OR regexp_full_match({x}, {literal(formats.DAMAGED_ID)})"
    if column.form == "text":
        return [x], x, suspect
    if column.form == "flag":
        return [f"regexp_full_match({x}, {literal(TRUE_PATTERN)})"], x, suspect
    value = f"TRY_CAST({x} AS {column.sql_type})"
    suspect += f" OR ({x} IS NOT NULL AND {value} IS NULL)"
    if column.form in ("day", "birth_day", "moment"):
        suspect += f" OR {_odd_text_time(column, value)}"
    if column.form == "moment":
        # No time is written with Z, + or - behind its sixteenth character except for its offset; the usual 2026-11-03T09:15:00 needs no search.
        is_utc = f"CASE WHEN strlen({x}) = 19 AND {x}[17] = ':' THEN false ELSE regexp_matches(substr({x}, 17), '[Z+-]') END"
        value = f"CASE WHEN {is_utc} THEN TRY_CAST({x} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' ELSE {value} END"
        return [value, is_utc], x, suspect
    return [value], x, suspect


def _odd_text_time(column: Column, value: str) -> str:
    """A day no calendar has, one too far away, or the day that means none."""
    x = identifier(column.name)
    odd = f"({x} IS NOT NULL AND {value} IS NULL) OR {x} < '{formats.EARLIEST}' OR {x} >= '{formats.LATEST}'"
    return odd if column.form == "birth_day" else f"{odd} OR starts_with({x}, '{formats.NONE_DAY}')"


def _fits(column: Column, sql_type: str) -> bool:
    """True where a Parquet column has the very type, so that no detour through text is needed."""
    if column.form == "money":
        scale = (
            sql_type.removeprefix("DECIMAL(").removesuffix(")").split(",")
            if sql_type.startswith("DECIMAL(")
            else ()
        )
        return len(scale) == 2 and int(scale[1]) <= 2 and int(scale[0]) - int(scale[1]) <= 10
    return column.allowed is None and sql_type in FITS.get(column.form, ())


def _from_value(column: Column, sql_type: str) -> tuple[list[str], str, str]:
    """The same for a column that has its type already."""
    x = identifier(column.name)
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        utc = f"({x} AT TIME ZONE 'UTC')"
        return [utc, f"{x} IS NOT NULL"], f"CAST({utc} AS VARCHAR) || 'Z'", _odd_time(utc)
    value = f"CAST({x} AS {column.sql_type})"
    text = f"CAST({x} AS VARCHAR)"
    if column.form == "moment":
        return [value, f"CASE WHEN {x} IS NOT NULL THEN false END"], text, _odd_time(value)
    if column.form == "count":
        return [f"TRY_CAST({x} AS INTEGER)"], text, f"{x} < 0 OR {x} > 999999999"
    if column.form == "birth_day":
        return [value], text, _beyond(x)
    return [value], text, _odd_time(x) if column.form == "day" else "false"


def _odd_time(value: str) -> str:
    return f"{_beyond(value)} OR CAST({value} AS DATE) = '{formats.NONE_DAY}'"


def _beyond(value: str) -> str:
    return f"{value} < '{formats.EARLIEST}' OR {value} >= DATE '{formats.LATEST}' OR NOT isfinite({value})"


def written(table: str) -> str:
    """Select list that writes typed values as text again."""
    return ", ".join(
        f"CAST({identifier(c.name)} AS VARCHAR)"
        + (f" || CASE WHEN {c.name}_is_utc THEN 'Z' ELSE '' END" if c.form == "moment" else "")
        + f" AS {identifier(c.name)}"
        for c in contract.columns(table)
    )
