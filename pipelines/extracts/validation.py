"""Find the invalid rows of a loaded table: SQL flags doubtful rows; pandera validates those.

contract_sql.py has the SQL. Repeated keys and references to nothing are found here, by SQL alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Set

import duckdb
import pandas as pd
import pandera.pandas as pa

from pipelines.extracts import contract, contract_sql, contract_types, formats
from pipelines.sql_files import identifier, literal

CHUNK = 100_000  # rows validated at a time: bounds memory when a whole column is invalid


def refuse(con: duckdb.DuckDBPyConnection, table: str, accepted: Set[str]) -> pd.DataFrame:
    """Delete the rows of extract.<table> that break the contract, and return them.

    The checks run in this order: what a row breaks by itself; repeated keys, of which one row
    stays; references to tables in `accepted`. Columns: row (rowid), column and check (joined by
    '; '), is_duplicate, bad_ids (names of unreadable id columns), and the texts of the contract's.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE refused_now (row BIGINT)")
    found: list[pd.DataFrame] = []
    # Nearly every table is valid, and to know that is cheaper than to select no rows.
    if _has_doubtful_rows(con, table):
        invalid = _invalid_rows(con, table, _doubtful_rows(table), accepted)
        _note(con, found, _without_mere_orphans(invalid))
    _note(con, found, _duplicates(con, table, has_refused=bool(found)))
    if _has_orphans(con, table, accepted):
        _note(con, found, _invalid_rows(con, table, _orphans(table), accepted))
    if found:
        con.execute(
            f"DELETE FROM extract.{table} AS t USING refused_now AS r WHERE t.rowid = r.row"
        )
    con.execute("DROP TABLE refused_now")
    return _frame(table, found)


def mend(con: duckdb.DuckDBPyConnection, table: str, accepted: Set[str]) -> list[str]:
    """Mend values of extract.<table> that need refuse no row; one sentence for each column.

    A reference that went through a data frame (7.0) is the key that the parent has (7), or the
    other way round; NULL is none. Somebody whom the staff extract does not have is nobody. A value
    that only describes is already OTHER, if it is unknown.
    """
    says: list[str] = []
    _empty_null_words(con, table)
    for column in contract.columns(table):
        x = identifier(column.name)
        if column.is_described:
            rows = _count(con, table, f"{x} = {literal(formats.OTHER)}")
            known = f"; known are {', '.join(column.allowed)}" if column.allowed else ""
            if rows:
                says.append(
                    f"{column.name} is empty or unknown in {_rows_read_as(rows)} "
                    f"{formats.OTHER}{known}"
                )
        if column.references is None or column.references not in accepted:
            continue
        key = f"SELECT p.{contract.key_of(column.references)} FROM extract.{column.references} AS p"
        rows = _count(con, table, f"{x} NOT IN ({key})")
        for other in (f"regexp_extract({x}, '^([0-9]+)[.]0+$', 1)", f"{x} || '.0'") if rows else ():
            con.execute(
                f"UPDATE extract.{table} SET {x} = {other} "
                f"WHERE {x} NOT IN ({key}) AND {other} IN ({key})"
            )
        rows = _count(con, table, f"{x} NOT IN ({key})") if rows else 0
        if column.is_person and rows:
            con.execute(f"UPDATE extract.{table} SET {x} = NULL WHERE {x} NOT IN ({key})")
            says.append(
                f"{column.name} names somebody whom the staff extract does not have in "
                f"{_rows_read_as(rows)} nobody's"
            )
    return says


def _empty_null_words(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Empty the references that say NULL; an id of letters looks as plain as a word."""
    columns = [
        column
        for column in contract.columns(table)
        if column.references is not None and column.is_nullable
    ]
    are_null = {column.name: contract_sql.is_null_word(column) for column in columns}
    if are_null and _count(con, table, " OR ".join(are_null.values())):
        for name, is_null in are_null.items():
            x = identifier(name)
            con.execute(f"UPDATE extract.{table} SET {x} = NULL WHERE {is_null}")


def _rows_read_as(rows: int) -> str:
    return "1 row, which is read as" if rows == 1 else f"{rows:,} rows, which are read as"


def _count(con: duckdb.DuckDBPyConnection, table: str, condition: str) -> int:
    return con.execute(f"SELECT count(*) FROM extract.{table} WHERE {condition}").fetchall()[0][0]


def failures(table: str, texts: pd.DataFrame, known: dict[str, set[str]]) -> pd.DataFrame:
    """What pandera finds invalid in rows of text, without repeated keys.

    `known` has the keys of the parents by table; a table that is absent is not checked. Columns:
    row (the frame's index), column, check.
    """
    model = contract.Manifest if table == "manifest" else contract.TABLES[table]
    texts = _as_meant(table, texts)
    token = formats.KNOWN_KEYS.set(known)
    try:
        with warnings.catch_warnings(action="ignore", category=pa.errors.SchemaWarning):
            model.validate(texts, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases[["index", "column", "check"]]
        is_of_rows = cases["check"].str.startswith("in_order").astype(bool)
        cases = cases[(cases["check"] != "field_uniqueness") & ~is_of_rows]
        names = {check: _check_name(str(check)) for check in cases["check"].unique()}
        found = pd.DataFrame(
            {
                "row": cases["index"].astype("int64"),
                "column": cases["column"].astype("str"),
                "check": cases["check"].map(names),
            }
        )
        return pd.concat([found, *_out_of_order(table, texts)], ignore_index=True)
    finally:
        formats.KNOWN_KEYS.reset(token)
    return pd.DataFrame({"row": [], "column": [], "check": []}).astype(
        {"row": "int64", "column": "str", "check": "str"}
    )


def _as_meant(table: str, texts: pd.DataFrame) -> pd.DataFrame:
    """The texts as the contract writes them: words of value sets, amounts, and empty values."""
    meant = texts.copy()
    for column in contract.columns(table):
        values = meant[column.name]
        if column.is_nullable:
            words = formats.null_words(column.form)
            meant[column.name] = values = values.mask(values.isin(words), None)
        if column.form == "money":
            meant[column.name] = values.map(formats.plain_money, na_action="ignore")
        if column.allowed is not None:
            known = values.dropna().map(formats.squeezed).map(formats.words(column.allowed))
            meant[column.name] = known.reindex(values.index).fillna(values)
        elif column.form in contract_types.TIME_FORMS:
            pattern = formats.no_time(column.form, is_end=column.is_end)
            is_none = values.str.fullmatch(pattern).fillna(False).astype(bool)
            meant[column.name] = values.mask(is_none, None)
    return meant.astype("str")


def _out_of_order(table: str, texts: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows whose days contradict each other, named by the later column, as `failures` does."""
    for earlier, later in contract.in_order(table):
        is_bad = formats.is_before(texts[later], texts[earlier])
        rows = pd.Series(texts.index[is_bad], dtype="int64")
        yield pd.DataFrame({"row": rows, "column": later, "check": f"before {earlier}"})


def _check_name(check: str) -> str:
    """The name on screen for pandera's not_nullable, written_as(form=day), isin([…]) and so on."""
    if check.startswith("written_as("):
        return check.removeprefix("written_as(form=").removesuffix(")")
    names = {"not_nullable": "required", "isin": "value_set", "refers_to": "reference"}
    return names.get(check.partition("(")[0], check)


def _note(con: duckdb.DuckDBPyConnection, found: list[pd.DataFrame], rows: pd.DataFrame) -> None:
    """Add the rows to `found` and refused_now; they are deleted last, so that rowids stay."""
    if len(rows):
        found.append(rows)
        con.register("refused_frame", rows[["row"]].astype("int64"))
        con.execute("INSERT INTO refused_now SELECT row FROM refused_frame")
        con.unregister("refused_frame")


def _has_doubtful_rows(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return con.execute(f"SELECT count(_text) > 0 FROM extract.{table}").fetchall()[0][0]


def _doubtful_rows(table: str) -> str:
    texts = ", ".join(
        f"_text[{i}] AS {identifier(column.name)}"
        for i, column in enumerate(contract.columns(table), 1)
    )
    return f"SELECT rowid AS row, {texts} FROM extract.{table} WHERE _text IS NOT NULL"


def _has_orphans(con: duckdb.DuckDBPyConnection, table: str, accepted: Set[str]) -> bool:
    """Write to orphans_now the rows that reference nothing in an accepted table."""
    con.execute("CREATE OR REPLACE TEMP TABLE orphans_now (row BIGINT)")
    found = [
        con.execute(
            f"INSERT INTO orphans_now SELECT t.rowid FROM extract.{table} AS t "
            f"ANTI JOIN extract.{column.references} AS p "
            f"ON t.{column.name} = p.{contract.key_of(column.references)} "
            f"WHERE t.{column.name} IS NOT NULL"
        ).fetchall()[0][0]
        for column in contract.columns(table)
        if column.references is not None and column.references in accepted
    ]
    return any(found)


def _orphans(table: str) -> str:
    left = "SELECT row FROM orphans_now ANTI JOIN refused_now USING (row)"
    texts = contract_sql.as_text(table)
    return f"SELECT rowid AS row, {texts} FROM extract.{table} WHERE rowid IN ({left})"


def _duplicates(con: duckdb.DuckDBPyConnection, table: str, *, has_refused: bool) -> pd.DataFrame:
    """All rows of a repeated key but one.

    The row with the latest day or moment in any column stays; of several, the last in text order.
    """
    columns = contract.columns(table)
    key = identifier(contract.key_of(table))
    rows = f"extract.{table} AS t"
    if has_refused:
        rows += " ANTI JOIN refused_now AS r ON t.rowid = r.row"
    is_repeated = con.execute(f"SELECT count(*) > count(DISTINCT {key}) FROM {rows}").fetchall()
    if not is_repeated[0][0]:
        return _frame(table, [])
    times = [f"CAST({c.name} AS TIMESTAMP)" for c in columns if c.form in ("day", "moment")]
    latest = f"greatest({', '.join(times)})" if times else "0"
    names = ", ".join(identifier(column.name) for column in columns)
    text = ", ".join(f"coalesce({identifier(column.name)}, '')" for column in columns)
    duplicates = con.execute(
        f"""WITH repeated AS (SELECT t.{key} AS id FROM {rows} GROUP BY 1 HAVING count(*) > 1),
        texts AS (
            SELECT t.rowid AS row, {latest} AS latest, {contract_sql.as_text(table)}
            FROM {rows} SEMI JOIN repeated ON t.{key} = repeated.id
        )
        SELECT row, {names} FROM texts
        QUALIFY row_number() OVER (
            PARTITION BY {key}
            ORDER BY latest DESC NULLS LAST, concat_ws(chr(31), {text}) DESC, row
        ) > 1"""
    ).df()
    bad_ids = pd.Series([()] * len(duplicates), index=duplicates.index, dtype=object)
    return duplicates.assign(
        column=contract.key_of(table), check="duplicate_key", is_duplicate=True, bad_ids=bad_ids
    )[_column_names(table)]


def _invalid_rows(
    con: duckdb.DuckDBPyConnection, table: str, rows: str, accepted: Set[str]
) -> pd.DataFrame:
    """The rows of a SELECT (row and texts) that pandera finds invalid, one row for each."""
    names = [column.name for column in contract.columns(table)]
    found: list[pd.DataFrame] = []
    last = -1
    while True:
        texts = con.execute(f"FROM ({rows}) WHERE row > {last} ORDER BY row LIMIT {CHUNK}").df()
        if texts.empty:
            return _frame(table, found)
        last = int(texts["row"].iloc[-1])
        texts = texts.set_index("row")[names].astype("str")
        broken = failures(table, texts, _known_keys(con, table, texts, accepted))
        if len(broken):
            found.append(_one_row_each(broken).join(texts, on="row"))


def _without_mere_orphans(invalid: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows that break nothing but references: `refuse` checks these after duplicates."""
    is_orphan = invalid["check"].str.fullmatch(r"reference(; reference)*").astype(bool)
    return invalid[~is_orphan]


def _known_keys(
    con: duckdb.DuckDBPyConnection, table: str, texts: pd.DataFrame, accepted: Set[str]
) -> dict[str, set[str]]:
    """The keys of accepted parents, by table, that these rows reference."""
    known: dict[str, set[str]] = {}
    for column in contract.columns(table):
        if column.references is None or column.references not in accepted:
            continue
        asked = pd.DataFrame({"id": texts[column.name].dropna().unique()}, dtype="str")
        con.register("asked_frame", asked)
        key = contract.key_of(column.references)
        rows = con.execute(
            f"SELECT p.{key} FROM extract.{column.references} AS p "
            f"SEMI JOIN asked_frame AS a ON p.{key} = a.id"
        ).fetchall()
        con.unregister("asked_frame")
        known.setdefault(column.references, set()).update(row[0] for row in rows)
    return known


def _one_row_each(broken: pd.DataFrame) -> pd.DataFrame:
    """One line for each row: columns and checks in the contract's order, and bad_ids."""
    joined = broken.groupby("row", sort=True).agg({"column": "; ".join, "check": "; ".join})
    bad = broken[broken["check"].isin(["id", "required"])].groupby("row")["column"].agg(tuple)
    bad = bad.reindex(joined.index)
    joined["bad_ids"] = [names if isinstance(names, tuple) else () for names in bad]
    return joined.assign(is_duplicate=False).reset_index()


def _column_names(table: str) -> list[str]:
    names = [column.name for column in contract.columns(table)]
    return ["row", "column", "check", "is_duplicate", "bad_ids", *names]


def _frame(table: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame(columns=_column_names(table))
    return pd.concat(frames, ignore_index=True)[_column_names(table)]
