"""Load records of JSON: lines of records, a list of them, or bundles of FHIR.

Each record becomes a row of `source.<type>` with the column `json`; the type is its resourceType
or, where it has none, the file's name. Contained resources are rows of their own.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.extracts.records import FileRefused
from pipelines.sql_files import identifier, literal

SUFFIXES = (".ndjson", ".jsonl", ".json", ".ndjson.gz", ".jsonl.gz", ".json.gz")
COLUMNS = ("json", "full_url", "parent")
LARGEST = 2**30  # bytes of one record: a bundle is one


def load(con: duckdb.DuckDBPyConnection, path: Path, name: str, number: int = 1) -> dict[str, int]:
    """Append the records of a file to the tables of their types; the number of rows by table.

    `number` tells the files of one name apart, in the column `_file`.
    FileRefused for a file that is not JSON.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE read_json_records (json JSON)")
    try:
        con.execute(
            "INSERT INTO read_json_records SELECT j.json FROM "
            f"read_json_objects({literal(path)}, maximum_object_size = {LARGEST}) AS j"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE json_resources AS "
            "WITH RECURSIVE resources AS ("
            "SELECT CAST(NULL AS VARCHAR) AS full_url, CAST(NULL AS VARCHAR) AS parent, r.json "
            "FROM read_json_records AS r UNION ALL "
            "SELECT u.full_url, u.parent, u.json FROM resources AS b, LATERAL ("
            "SELECT JSON_EXTRACT_STRING(e.entry, '$.fullUrl') AS full_url, "
            "CAST(NULL AS VARCHAR) AS parent, JSON_EXTRACT(e.entry, '$.resource') AS json "
            "FROM (SELECT UNNEST(JSON_EXTRACT(b.json, '$.entry[*]')) AS entry) AS e "
            "UNION ALL SELECT CAST(NULL AS VARCHAR), "
            "COALESCE(JSON_EXTRACT_STRING(b.json, '$.id'), REGEXP_EXTRACT(b.full_url, "
            "'[^/:]+$')), c.json "
            "FROM (SELECT UNNEST(JSON_EXTRACT(b.json, '$.contained[*]')) AS json) AS c"
            ") AS u) "
            "SELECT COALESCE(LOWER(JSON_EXTRACT_STRING(r.json, '$.resourceType')), "
            f"{literal(name)}) AS kind, r.full_url, r.parent, r.json FROM resources AS r "
            "WHERE COALESCE(JSON_EXTRACT_STRING(r.json, '$.resourceType'), '') <> 'Bundle'"
        )
    except duckdb.Error:  # its message quotes the record
        raise FileRefused("is not JSON: lines of records, a list of records, or a bundle") from None
    counts = dict(
        con.execute(
            "SELECT j.kind, COUNT(*) FROM json_resources AS j GROUP BY j.kind ORDER BY j.kind"
        ).fetchall()
    )
    for kind in counts:
        table = f"source.{identifier(kind)}"
        con.execute(
            f"CREATE TABLE IF NOT EXISTS {table} "
            "(json JSON, full_url VARCHAR, parent VARCHAR, _line BIGINT, _file INTEGER)"
        )
        con.execute(
            f"INSERT INTO {table} "
            "SELECT j.json, j.full_url, j.parent, ROW_NUMBER() OVER (), $number "
            "FROM json_resources AS j WHERE j.kind = $kind",
            {"kind": kind, "number": number},
        )
    con.execute("DROP TABLE json_resources")
    con.execute("DROP TABLE read_json_records")
    return counts
