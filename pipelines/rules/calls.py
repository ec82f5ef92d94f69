"""Find calls by which a SELECT would read something else than tables, such as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import duckdb

# These make rows from their arguments alone; others read files, settings or run other SQL.
HARMLESS = frozenset({"unnest", "range", "generate_series"})


class Call(NamedTuple):
    """What a SELECT calls, and how many lines of the SELECT stand before it."""

    what: str
    line: int


def not_allowed(con: duckdb.DuckDBPyConnection, sql: str) -> Call | None:
    """The first call of this SELECT that a rule may not make; None when all are allowed.

    DuckDB's own parser finds them, so that no quotes, comments or schema names can hide one. A
    SELECT that it cannot take apart raises NotImplementedException.
    """
    ((text,),) = con.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()
    parsed = json.loads(text)
    if parsed["error"]:
        raise duckdb.NotImplementedException(f"Not implemented: {parsed['error_message']}")
    written = sql.encode()
    for place, what in sorted(_calls(parsed["statements"])):
        # DuckDB counts bytes; what it made up itself is beyond the end.
        before = written[:place] if place < len(written) else b""
        return Call(what, before.count(b"\n"))
    return None


def _calls(node: object) -> Iterator[tuple[int, str]]:
    """Place and name of every call below a node of the parsed SELECT that is not harmless."""
    if isinstance(node, dict):
        if node.get("type") == "TABLE_FUNCTION":
            name = node["function"]["function_name"]
            if name.lower() not in HARMLESS:
                yield node["query_location"], f"{name}()"
        elif node.get("type") == "SHOW_REF":
            yield node["query_location"], "DESCRIBE, SHOW or SUMMARIZE"
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _calls(child)
