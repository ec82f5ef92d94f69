"""Judge the rows of a table: SQL made from the contract types them and finds the suspects, pandera convicts or acquits.

The SQL may suspect a good row but never passes a bad one, so only suspects go through pandera: seconds instead of minutes
at two million rows. tests/pipelines/test_judging.py proves on random damage that both together accept what pandera alone accepts.
"""

from __future__ import annotations

import duckdb
import pandas as pd
import pandera.pandas as pa

from pipelines.extracts import contract, contract_sql, formats
from pipelines.sql_files import identifier

CHUNK = 100_000  # suspect rows judged at a time: bounds memory when a whole column is bad


def refuse(con: duckdb.DuckDBPyConnection, table: str, readable: set[str]) -> pd.DataFrame:
    """Take the rows that break the contract out of extract.<table> and give them back.

    The order is stated: what a row breaks by itself, then all but one of a key, then references to tables in `readable`.
    Columns: row (rowid), column and check (joined by '; '), is_duplicate, bad_ids (names of id columns that cannot be read), the texts.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE refused_now (row BIGINT)")
    found: list[pd.DataFrame] = []
    # Nearly every table is sound, and to be told so takes less than to look at no rows.
    if has_doubtful(con, table):
        _take(con, found, invalid_rows(con, table, doubtful_rows(table), readable, is_alone=True))
    _take(con, found, _duplicates(con, table, has_refused=bool(found)))
    if _has_orphans(con, table, readable):
        _take(con, found, invalid_rows(con, table, _orphans(table), readable, is_alone=False))
    if found:
        con.execute(
            f"DELETE FROM extract.{table} AS t USING refused_now AS r WHERE t.rowid = r.row"
        )
    con.execute("DROP TABLE refused_now")
    return (
        pd.concat(found, ignore_index=True)
        if found
        else _frame([], [column.name for column in contract.columns(table)])
    )


def _take(con: duckdb.DuckDBPyConnection, found: list[pd.DataFrame], refused: pd.DataFrame) -> None:
    """Keep the refused rows, and their ids where SQL can leave them out; they go only at the end, so that row ids stay what they are."""
    if len(refused):
        found.append(refused)
        con.register("refused_frame", refused[["row"]].astype("int64"))
        con.execute("INSERT INTO refused_now SELECT row FROM refused_frame")
        con.unregister("refused_frame")


def has_doubtful(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return con.execute(f"SELECT count(_text) > 0 FROM extract.{table}").fetchone()[0]


def doubtful_rows(table: str) -> str:
    texts = ", ".join(
        f"_text[{i}] AS {identifier(column.name)}"
        for i, column in enumerate(contract.columns(table), 1)
    )
    return f"SELECT rowid AS row, {texts} FROM extract.{table} WHERE _text IS NOT NULL"


def _has_orphans(con: duckdb.DuckDBPyConnection, table: str, readable: set[str]) -> bool:
    """Note in orphans_now the rows that refer to nothing in a table that could be read."""
    con.execute("CREATE OR REPLACE TEMP TABLE orphans_now (row BIGINT)")
    noted = [
        con.execute(
            f"INSERT INTO orphans_now SELECT t.rowid FROM extract.{table} AS t ANTI JOIN extract.{c.references} AS p"
            f" ON t.{c.name} = p.{contract.key_of(c.references)} WHERE t.{c.name} IS NOT NULL"
        ).fetchone()[0]
        for c in contract.columns(table)
        if c.references in readable
    ]
    return any(noted)


def _orphans(table: str) -> str:
    wanted = "rowid IN (SELECT row FROM orphans_now ANTI JOIN refused_now USING (row))"
    return f"SELECT rowid AS row, {contract_sql.written(table)} FROM extract.{table} WHERE {wanted}"


def _duplicates(con: duckdb.DuckDBPyConnection, table: str, *, has_refused: bool) -> pd.DataFrame:
    """All rows of a key but the one with the latest day or moment in any column, or, of several, the last one in text order."""
    key = identifier(contract.key_of(table))
    names = [column.name for column in contract.columns(table)]
    left = f"extract.{table} AS t" + (
        " ANTI JOIN refused_now AS r ON t.rowid = r.row" if has_refused else ""
    )
    if not con.execute(f"SELECT count(*) > count(DISTINCT {key}) FROM {left}").fetchone()[0]:
        return _frame([], names)
    times = [
        f"CAST({column.name} AS TIMESTAMP)"
        for column in contract.columns(table)
        if column.form in ("day", "moment")
    ]
    latest = f"greatest({', '.join(times)})" if times else "0"
    text = ", ".join(f"coalesce({identifier(name)}, '')" for name in names)
    losers = con.execute(
        f"WITH again AS (SELECT t.{key} AS id FROM {left} GROUP BY 1 HAVING count(*) > 1),"
        f" written AS (SELECT t.rowid AS row, {latest} AS latest, {contract_sql.written(table)} FROM {left} SEMI JOIN again ON t.{key} = again.id)"
        f" SELECT row, {', '.join(map(identifier, names))} FROM written"
        f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY latest DESC NULLS LAST, concat_ws(chr(31), {text}) DESC, row) > 1"
    ).df()
    return _frame(
        [
            losers.assign(
                column=contract.key_of(table),
                check="duplicate_key",
                is_duplicate=True,
                bad_ids=[()] * len(losers),
            )
        ],
        names,
    )


def invalid_rows(
    con: duckdb.DuckDBPyConnection, table: str, suspects: str, readable: set[str], *, is_alone: bool
) -> pd.DataFrame:
    """Let pandera judge the suspects; with is_alone, a row is convicted only for what it breaks by itself, whatever it refers to."""
    names = [column.name for column in contract.columns(table)]
    convicted, last = [], -1
    while len(
        texts := con.execute(
            f"FROM ({suspects}) WHERE row > {last} ORDER BY row LIMIT {CHUNK}"
        ).df()
    ):
        last = int(texts["row"].iloc[-1])
        texts = texts.set_index("row")[names].astype("str")
        broken = failures(table, texts, _known(con, table, texts, readable))
        if is_alone:
            broken = broken[broken["row"].isin(broken.loc[broken["check"] != "reference", "row"])]
        if len(broken):
            convicted.append(_joined(broken).join(texts, on="row"))
    return _frame(convicted, names)


def _known(
    con: duckdb.DuckDBPyConnection, table: str, texts: pd.DataFrame, readable: set[str]
) -> dict[str, set[str]]:
    """The keys of the parents, as far as these rows ask for them."""
    known: dict[str, set[str]] = {}
    for column in contract.columns(table):
        if column.references in readable:
            con.register(
                "asked_frame",
                pd.DataFrame({"id": texts[column.name].dropna().unique()}, dtype="str"),
            )
            key = contract.key_of(column.references)
            rows = con.execute(
                f"SELECT p.{key} FROM extract.{column.references} AS p SEMI JOIN asked_frame AS a ON p.{key} = a.id"
            ).fetchall()
            con.unregister("asked_frame")
            known.setdefault(column.references, set()).update(row[0] for row in rows)
    return known


def failures(table: str, texts: pd.DataFrame, known: dict[str, set[str]]) -> pd.DataFrame:
    """What pandera finds wrong with rows of text, except for repeated keys: row (the frame's index), column, check."""
    model = contract.Manifest if table == "manifest" else contract.TABLES[table]
    token = formats.KNOWN_KEYS.set(known)
    try:
        model.validate(texts, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.loc[
            lambda cases: cases["check"] != "field_uniqueness", ["index", "column", "check"]
        ]
        names = {check: _check_name(str(check)) for check in cases["check"].unique()}
        return pd.DataFrame(
            {
                "row": cases["index"].astype("int64"),
                "column": cases["column"].astype("str"),
                "check": cases["check"].map(names),
            }
        )
    finally:
        formats.KNOWN_KEYS.reset(token)
    return pd.DataFrame(
        {
            "row": pd.Series(dtype="int64"),
            "column": pd.Series(dtype="str"),
            "check": pd.Series(dtype="str"),
        }
    )


def _check_name(check: str) -> str:
    """The name people see for what pandera calls not_nullable, written_as(form=day), isin([…]) and refers_to(…)."""
    if check.startswith("written_as("):
        return check.removeprefix("written_as(form=").removesuffix(")")
    return {"not_nullable": "required", "isin": "value_set", "refers_to": "reference"}.get(
        check.partition("(")[0], check
    )


def _joined(broken: pd.DataFrame) -> pd.DataFrame:
    """One line a row: its columns and checks in the order of the contract, and the id columns that cannot be read."""
    groups = broken.groupby("row", sort=True)
    joined = groups.agg({"column": "; ".join, "check": "; ".join})
    bad = broken[broken["check"].isin(["id", "required"])].groupby("row")["column"].agg(tuple)
    joined["bad_ids"] = bad.reindex(joined.index)
    joined["bad_ids"] = [names if isinstance(names, tuple) else () for names in joined["bad_ids"]]
    return joined.assign(is_duplicate=False).reset_index()


def _frame(frames: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    columns = ["row", "column", "check", "is_duplicate", "bad_ids", *names]
    return (
        pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)
    )
