"""Make the records of a FHIR delivery one another's: one copy of each, and references that resolve.

A reference may be Patient/12, an address that ends with it, urn:uuid:… of a bundle's entry,
Patient?identifier=system|value, or #a2 of a contained resource. All become Patient/12; a contained
resource has the id of its parent before its own: 12#a2.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from pipelines.sql_files import identifier

ALL = "fhir_resources"
# Types that stand for each other: a table made of either is held only where all of them are absent.
TOGETHER = {
    "fhir_episodes": ("episodeofcare", "careplan"),
    "fhir_visits": ("appointment", "encounter"),
}
ODD = ("urn:", "?identifier=", '"#')  # in references that are not Type/id


def settle(con: duckdb.DuckDBPyConnection, relations: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Settle the tables `source.NAME` of resources, which have the columns json, full_url, parent.

    Makes source.fhir_resources (kind, id, json) of all of them and those of TOGETHER; returns the
    tables that each is made of. Nothing where there are no resources.
    """
    kinds = [name for name in relations if _is_of_resources(con, name)]
    if not kinds:
        return {}
    aliases: dict[str, str] = {}
    for name in kinds:
        _name_records(con, name, aliases)
    for name in kinds:
        _resolve(con, name, aliases)
    made: dict[str, tuple[str, ...]] = {}
    for table, wanted in {ALL: tuple(kinds), **TOGETHER}.items():
        found = tuple(name for name in wanted if name in kinds)
        if not found:
            continue
        parts = " UNION ALL ".join(
            f"SELECT '{name}' AS kind, JSON_EXTRACT_STRING(r.json, '$.id') AS id, r.json, "
            f"r._line, r._file FROM source.{identifier(name)} AS r"
            for name in found
        )
        con.execute(f"CREATE TABLE source.{table} AS {parts}")
        made[table] = found
    return made


def _is_of_resources(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    sql = (
        f"SELECT COUNT(*) FROM source.{identifier(name)} AS r "
        "WHERE LOWER(JSON_EXTRACT_STRING(r.json, '$.resourceType')) = $name"
    )
    return bool(con.execute(sql, {"name": name}).fetchall()[0][0])


def _name_records(con: duckdb.DuckDBPyConnection, name: str, aliases: dict[str, str]) -> None:
    """Give each record its id, delete other copies of it, and note what else it is called."""
    table = f"source.{identifier(name)}"
    own = "JSON_EXTRACT_STRING(r.json, '$.id')"
    con.execute(
        f"UPDATE {table} AS r SET json = JSON_MERGE_PATCH(r.json, JSON_OBJECT('id', "
        f"CASE WHEN r.parent IS NOT NULL THEN r.parent || '#' || COALESCE({own}, '') "
        f"ELSE REGEXP_EXTRACT(r.full_url, '[^/:]+$') END)) "
        f"WHERE r.parent IS NOT NULL OR ({own} IS NULL AND r.full_url IS NOT NULL)"
    )
    rows = con.execute(
        f"SELECT JSON_EXTRACT_STRING(r.json, '$.resourceType'), {own}, r.full_url, "
        "CAST(JSON_EXTRACT(r.json, '$.identifier') AS VARCHAR) "
        f"FROM {table} AS r WHERE r.parent IS NULL AND {own} IS NOT NULL"
    ).fetchall()
    for kind, key, full_url, identifiers in rows:
        target = f"{kind}/{key}"
        if full_url:
            aliases[full_url] = target
        for system, value in _identifiers(identifiers):
            aliases[f"{kind}?identifier={system}|{value}"] = target
            aliases.setdefault(f"{kind}?identifier={value}", target)
    con.execute(
        f"DELETE FROM {table} AS d WHERE d.rowid NOT IN (SELECT r.rowid FROM {table} AS r QUALIFY "
        f"ROW_NUMBER() OVER (PARTITION BY COALESCE({own}, CAST(r.rowid AS VARCHAR)) ORDER BY "
        "JSON_EXTRACT_STRING(r.json, '$.meta.lastUpdated') DESC NULLS LAST, r.rowid DESC) = 1)"
    )


def _identifiers(text: str | None) -> Iterator[tuple[str, str]]:
    found = json.loads(text) if text else []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield str(one.get("system") or ""), one["value"]


def _resolve(con: duckdb.DuckDBPyConnection, name: str, aliases: dict[str, str]) -> None:
    """Write the references of a table's records as Type/id."""
    table = f"source.{identifier(name)}"
    marks = " OR ".join(f"CONTAINS(CAST(r.json AS VARCHAR), '{mark}')" for mark in ODD)
    rows = con.execute(
        f"SELECT r.rowid, CAST(r.json AS VARCHAR), r.parent FROM {table} AS r WHERE {marks}"
    ).fetchall()
    if not rows:
        return
    texts = []
    for _, text, parent in rows:
        record = json.loads(text)
        own = parent or record.get("id")
        local = {
            f"#{one['id']}": f"{one.get('resourceType')}/{own}#{one['id']}"
            for one in record.get("contained", [])
            if isinstance(one, dict) and "id" in one
        }
        _rewrite(record, ChainMap(local, aliases))
        texts.append(json.dumps(record, ensure_ascii=False))
    con.register("fhir_rewritten", pa.table({"place": [row[0] for row in rows], "text": texts}))
    con.execute(
        f"UPDATE {table} AS r SET json = CAST(w.text AS JSON) FROM fhir_rewritten AS w "
        "WHERE r.rowid = w.place"
    )
    con.unregister("fhir_rewritten")


def _rewrite(value: object, aliases: Mapping[str, str]) -> None:
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and reference in aliases:
            value["reference"] = aliases[reference]
        for inner in value.values():
            _rewrite(inner, aliases)
    elif isinstance(value, list):
        for inner in value:
            _rewrite(inner, aliases)
