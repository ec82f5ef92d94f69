"""SQL made from the contract: typed values of a table's rows, and a test that flags doubtful rows.

The test may flag a valid row but never passes an invalid one, so only doubtful rows go through
pandera: seconds instead of minutes at two million rows. tests/property/test_validation.py
checks on random damage that both together accept what pandera alone accepts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.extracts import contract, formats
from pipelines.extracts.contract import Column
from pipelines.extracts.contract_types import TIME_FORMS, Expressions, from_value, needs_no_text
from pipelines.sql_files import identifier, literal

TRUE_PATTERN = "(?i)" + "|".join(formats.TRUE_TEXTS)


class SourceColumn(NamedTuple):
    """A column of a file: its name there and its DuckDB type."""

    name: str
    sql_type: str


@dataclass(frozen=True)
class Source:
    """A file as SQL reads it: the relation after FROM, and where each contract column is found.

    A nullable column that the file does not have is absent from `columns`; its values are NULL.
    """

    relation: str
    columns: Mapping[str, SourceColumn]


class _ColumnSql(NamedTuple):
    """SQL of one column, by the step that uses it."""

    read: str
    trimmed: str
    values: list[str]
    text: str
    doubt: str  # condition for any row
    plain_doubt: str | None  # condition for rows whose texts match the patterns already


class _TableSql(NamedTuple):
    values: list[str]
    texts: list[str]
    doubt: str
    relation: str


def table_sql(table: str) -> str:
    """CREATE TABLE extract.<table> with the contract's columns and X_is_utc for each moment X.

    `_text` holds the texts of a doubtful row as they were written; it is NULL for a valid row.
    """
    columns = [f"{identifier(name)} {sql_type}" for name, sql_type in _typed_columns(table)]
    return f"CREATE OR REPLACE TABLE extract.{table} ({', '.join(columns)}, _text VARCHAR[])"


def view_sql(table: str, sql: str) -> str:
    """CREATE VIEW extract.<table> over `valid_select`: the columns of `table_sql` but `_text`."""
    names = ", ".join(identifier(name) for name, _ in _typed_columns(table))
    return f"CREATE VIEW extract.{table} ({names}) AS {sql}"


def _typed_columns(table: str) -> Iterator[tuple[str, str]]:
    for column in contract.columns(table):
        yield column.name, column.sql_type
        if column.form == "moment":
            yield f"{column.name}_is_utc", "BOOLEAN"


def typed_select(table: str, source: Source) -> str:
    """SELECT of the typed columns and `_text`, in the order of `table_sql`."""
    sql = _table_sql(table, source, frozenset(), takes_other=True)
    text = f"CASE WHEN {sql.doubt} THEN [{', '.join(sql.texts)}] END"
    return f"SELECT {', '.join(sql.values)}, {text} FROM {sql.relation}"


def valid_select(table: str, source: Source, accepted: Set[str]) -> str:
    """SELECT of the typed columns; it fails at the first doubtful row.

    The caller checks that keys are unique and that references to tables in `accepted` exist. An id
    found among the keys of such a table is valid, so its text is not checked here. A value that
    only describes and that nobody knows is doubtful, too, so that a warning can count it.
    """
    sql = _table_sql(table, source, accepted, takes_other=False)
    check = f"CASE WHEN {sql.doubt} THEN error('a doubtful row') ELSE true END"
    return f"SELECT {', '.join(sql.values)} FROM {sql.relation} WHERE {check}"


def as_text(table: str) -> str:
    """Select list that writes the typed values as text again."""
    return ", ".join(
        f"CAST({identifier(c.name)} AS VARCHAR)"
        + (f" || CASE WHEN {c.name}_is_utc THEN 'Z' ELSE '' END" if c.form == "moment" else "")
        + f" AS {identifier(c.name)}"
        for c in contract.columns(table)
    )


def _table_sql(table: str, source: Source, accepted: Set[str], *, takes_other: bool) -> _TableSql:
    columns = contract.columns(table)
    parts = [
        _column_sql(column, source.columns.get(column.name), accepted, takes_other=takes_other)
        for column in columns
    ]
    disorder = [
        _is_out_of_order(table, source, *pair)
        for pair in contract.in_order(table)
        if set(pair) <= source.columns.keys()
    ]
    every = [*(part.doubt for part in parts), *disorder]
    doubt = " OR ".join(f"coalesce(({condition}), false)" for condition in every)
    plain = [*(part.plain_doubt for part in parts if part.plain_doubt is not None), *disorder]
    plain_doubt = " OR ".join(f"coalesce(({condition}), false)" for condition in plain) or "false"
    read = f"SELECT {', '.join(part.read for part in parts)} FROM {source.relation}"
    marked = f"SELECT *, {_is_plain(columns, source, accepted)} AS is_plain FROM ({read})"
    trimmed = ", ".join(part.trimmed for part in parts)
    return _TableSql(
        [value for part in parts for value in part.values],
        [part.text for part in parts],
        f"CASE WHEN is_plain THEN {plain_doubt} ELSE {doubt} END",
        f"(SELECT is_plain, {trimmed} FROM ({marked}))",
    )


def _column_sql(
    column: Column, source: SourceColumn | None, accepted: Set[str], *, takes_other: bool
) -> _ColumnSql:
    x = identifier(column.name)
    if source is None:
        read = f"CAST(NULL AS {column.sql_type}) AS {x}"
        values = [x, "CAST(NULL AS BOOLEAN)"] if column.form == "moment" else [x]
        return _ColumnSql(read, x, values, "CAST(NULL AS VARCHAR)", "false", None)
    if needs_no_text(column, source.sql_type):
        typed = from_value(column, source.sql_type)
        doubt = typed.doubt if column.is_nullable else f"({typed.doubt}) OR {x} IS NULL"
        read = f"{identifier(source.name)} AS {x}"
        return _ColumnSql(read, x, typed.values, typed.text, doubt, doubt)
    read = f"CAST({identifier(source.name)} AS VARCHAR) AS {x}"
    is_null = f"WHEN {_is_word(f'trim({x})', column)} THEN NULL " if column.is_nullable else ""
    trimmed = f"nullif(CASE WHEN is_plain THEN {x} {is_null}ELSE trim({x}) END, '') AS {x}"
    typed = _from_text(column)
    doubt, plain_doubt = typed.doubt, None
    if column.form in TIME_FORMS:
        plain_doubt = f"{x} IS NOT NULL AND TRY_CAST({x} AS {column.sql_type}) IS NULL"
    if column.is_described:
        is_other = f"({typed.values[0]}) = {literal(formats.OTHER)}"
        doubt, plain_doubt = ("false", None) if takes_other else (is_other, is_other)
    if column.references in accepted:
        doubt = "false"
        plain_doubt = "false" if column.is_nullable else f"{x} IS NULL"
    if not column.is_nullable:
        doubt = f"({doubt}) OR {x} IS NULL"
    return _ColumnSql(read, trimmed, typed.values, typed.text, doubt, plain_doubt)


def _is_plain(columns: tuple[Column, ...], source: Source, accepted: Set[str]) -> str:
    """Condition for rows whose texts all match and are trimmed; other rows get exact conditions.

    One regular expression over all texts costs a quarter of one for each column.
    """
    texts = [
        column
        for column in columns
        if column.name in source.columns
        and not needs_no_text(column, source.columns[column.name].sql_type)
        and column.references not in accepted
    ]
    simple = [column for column in texts if column.allowed is not None or column.form == "text"]
    matched = [column for column in texts if column not in simple]
    conditions = [
        f"({identifier(column.name)} IS NULL OR {_is_plain_text(column)})"
        if column.is_nullable
        else _is_plain_text(column)
        for column in simple
    ]
    if matched:
        pattern = r"\x1f".join(
            f"(?:{_plain_pattern(column)}){'?' if column.is_nullable else ''}" for column in matched
        )
        names = ", chr(31), ".join(identifier(column.name) for column in matched)
        text = f"concat({names})" if len(matched) > 1 else names
        conditions.append(f"regexp_full_match({text}, {literal(pattern)})")
    return f"({' AND '.join(conditions)})" if conditions else "true"


def _is_plain_text(column: Column) -> str:
    """Condition without a pattern: an allowed value, or a text without blanks at its ends."""
    x = identifier(column.name)
    if column.allowed is not None:  # not IN: see _from_text
        return "(" + " OR ".join(f"{x} = {literal(value)}" for value in column.allowed) + ")"
    longest = max(map(len, formats.NULL_TEXTS))
    is_null = f"strlen({x}) <= {longest} AND {is_null_word(column)}"  # the length costs less
    return (
        f"({x} <> '' AND NOT starts_with({x}, ' ') AND NOT ends_with({x}, ' ') "
        f"AND NOT contains({x}, chr(0)){f' AND NOT ({is_null})' if column.is_nullable else ''})"
    )


def _plain_pattern(column: Column) -> str:
    """Pattern of some valid texts of a column: never empty, never with the separator \\x1f."""
    if column.form == "id":
        rest = r"(?:[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f ])?"
        # Leaves out 9.37E+12 and 9E12: after a digit, E needs a later character that is no digit.
        return (
            rf"[^\x00-\x1f\x7f 0-9]{rest}|[0-9](?:[^\x00-\x1f\x7f .Ee]{rest})?"
            rf"|[0-9][Ee][0-9]*[^\x00-\x1f\x7f 0-9+]{rest}"
        )
    if column.form == "zone":
        return r"[^\x00-\x{10ffff}]"
    pattern = formats.FORMS[column.form].pattern
    if column.form in TIME_FORMS:  # in years without a day for "none" and without an open end
        first = "0[1-9]|[1-9][0-9]" if column.form == "birth_day" else "7[1-9]|[89][0-9]"
        years = f"(?:19(?:{first})|20(?:[0-8][0-9]|9[0-8]))"
        return years + pattern.removeprefix("[0-9]{4}")
    return pattern


def _from_text(column: Column) -> Expressions:
    """Expressions for a column that comes as text; a NULL `doubt` means no doubt."""
    x = identifier(column.name)
    if column.allowed is not None or column.is_described:
        word = f"CASE WHEN is_plain THEN {x} ELSE {_word(column, x)} END" if column.allowed else x
        if column.is_described:
            return Expressions([f"coalesce({word}, {literal(formats.OTHER)})"], x, "false")
        return Expressions([word], x, f"{x} IS NOT NULL AND ({word}) IS NULL")
    if column.form == "zone":
        return Expressions([x], x, f"{x} IS NOT NULL")  # only Python has the list of zones
    doubt = f"NOT regexp_full_match({x}, {literal(formats.FORMS[column.form].pattern)})"
    if column.form == "id":
        damaged = f"regexp_full_match({x}, {literal(formats.DAMAGED_ID)})"
        return Expressions([x], x, f"{doubt} OR {damaged}")
    if column.form == "text":
        return Expressions([x], x, doubt)
    if column.form == "flag":
        return Expressions([f"regexp_full_match({x}, {literal(TRUE_PATTERN)})"], x, doubt)
    value = f"TRY_CAST({x} AS {column.sql_type})"
    if column.form == "money":
        value = f"coalesce({value}, TRY_CAST({_plain_money(x)} AS {column.sql_type}))"
        pattern = formats.FORMS["money"].pattern
        doubt = f"NOT regexp_full_match({_plain_money(x)}, {literal(pattern)})"
    if column.form not in TIME_FORMS:
        return Expressions([value], x, f"{doubt} OR ({x} IS NOT NULL AND {value} IS NULL)")
    is_none = f"(NOT is_plain AND {_is_no_time(column, x)})"
    value = f"CASE WHEN {is_none} THEN NULL ELSE {value} END"
    # What stands for an empty value is as good as one, but also as bad where one is required.
    doubt = f"(({doubt}) AND NOT {_is_no_time(column, x)}) OR {_is_impossible_time(column, value)}"
    if column.form != "moment":
        return Expressions([value], x, doubt)
    # After the 16th character only an offset has Z, + or -; 2026-11-03T09:15:00 needs no search.
    is_utc = (
        f"CASE WHEN strlen({x}) = 19 AND {x}[17] = ':' THEN false "
        f"ELSE regexp_matches(substr({x}, 17), '[Z+-]') END"
    )
    in_utc = f"TRY_CAST({x} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    value = f"CASE WHEN NOT {is_none} AND {is_utc} THEN {in_utc} ELSE {value} END"
    is_utc = f"CASE WHEN NOT {is_none} THEN {is_utc} END"
    return Expressions([value, is_utc], x, doubt)


def is_null_word(column: Column) -> str:
    """Condition for a word that stands for an empty value in the column."""
    return _is_word(identifier(column.name), column)


def _is_word(x: str, column: Column) -> str:
    # Not IN: DuckDB joins a list of more than a few words, and a join may reorder the rows.
    words = formats.null_words(column.form)
    return "(" + " OR ".join(f"{x} = {literal(word)}" for word in words) + ")"


def _plain_money(x: str) -> str:
    """The amount as formats.plain_money writes it."""
    sign = f"CASE WHEN regexp_matches({x}, {literal(formats.NEGATIVE)}) THEN '-' ELSE '' END"
    digits = f"regexp_replace({x}, {literal(formats.NO_AMOUNT)}, '', 'g')"
    return (
        f"CASE WHEN regexp_full_match({x}, {literal(formats.DRESSED_MONEY)}) "
        f"THEN {sign} || {digits} ELSE {x} END"
    )


def _word(column: Column, x: str) -> str:
    """The word of the value set that a text is, however it is written; NULL for any other."""
    words = formats.words(column.allowed or ())
    squeezed = (
        f"lower(regexp_replace(regexp_replace({x}, {literal(formats.DECIMALS)}, ''), "
        f"{literal(formats.NO_LETTER)}, '', 'g'))"
    )
    cases = " ".join(f"WHEN {literal(text)} THEN {literal(word)}" for text, word in words.items())
    return f"CASE {squeezed} {cases} END"


def _is_no_time(column: Column, x: str) -> str:
    """Condition for a text that stands for an empty time."""
    pattern = formats.no_time(column.form, is_end=column.is_end)
    return f"coalesce(regexp_full_match({x}, {literal(pattern)}), false)"


def _is_out_of_order(table: str, source: Source, earlier: str, later: str) -> str:
    """Condition for a later day before an earlier one, also where it is no contradiction."""
    days, conditions = [], []
    for column in contract.columns(table):
        if column.name not in (earlier, later):
            continue
        x, sql_type = identifier(column.name), source.columns[column.name].sql_type
        if needs_no_text(column, sql_type):
            value = f"CAST({from_value(column, sql_type).values[0]} AS VARCHAR)"
        else:
            value = x
            conditions.append(f"(is_plain OR NOT {_is_no_time(column, x)})")
        days.append((column.name == earlier, value))
    (_, of_later), (_, of_earlier) = sorted(days)
    conditions = [f"{of_later}[1:10] < {of_earlier}[1:10]", *conditions]
    # Whole texts first: a CASE, unlike an AND, then leaves out the other conditions.
    return f"CASE WHEN {of_later} < {of_earlier} THEN {' AND '.join(conditions)} ELSE false END"


def _is_impossible_time(column: Column, value: str) -> str:
    """Condition for the text of a day no calendar has or one out of range."""
    x = identifier(column.name)
    condition = (
        f"({x} IS NOT NULL AND ({value}) IS NULL) "
        f"OR {x} < '{formats.EARLIEST}' OR {x} >= '{formats.LATEST}'"
    )
    return f"({condition}) AND NOT {_is_no_time(column, x)}" if column.is_nullable else condition
