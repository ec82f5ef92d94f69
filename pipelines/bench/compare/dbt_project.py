"""The comparison's second contender: a dbt project on DuckDB with our staging and rule SELECTs.

A dbt snapshot keeps the history. The project is written to a scratch folder: its models are the
files of pipelines/staging and rules, with dbt's names for the tables they read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pipelines import staging
from pipelines.extracts import contract
from pipelines.rules import loading

HISTORY, DATABASE = "task_history", "history.duckdb"
# Candidates of one day that may be open; see lifecycle/decisions.sql. `is_later`: from day two on.
ASKED = """
WITH asked AS (
{candidates}
)
SELECT a.* EXCLUDE (ends_at_discharge), a.rule_id || '|' || a.subject_id AS task_key
FROM asked AS a
INNER JOIN {{{{ ref('patients') }}}} AS p ON a.patient_id = p.patient_id
LEFT JOIN {{{{ ref('cases') }}}} AS c ON a.case_id = c.case_id
{{% if var('is_later') %}}
LEFT JOIN history.main.{history} AS h
    ON a.rule_id || '|' || a.subject_id = h.task_key AND h.dbt_valid_to IS NULL
{{% endif %}}
WHERE (p.status = 'Active'{{% if var('is_later') %}} OR h.task_key IS NOT NULL{{% endif %}})
AND NOT (a.ends_at_discharge AND COALESCE(c.is_discharged, FALSE))
"""
PROFILE = """
compared:
  target: dev
  outputs:
    dev: {{type: duckdb, path: '{path}', threads: 2, settings: {{TimeZone: UTC}}}}
"""
SNAPSHOT = """
snapshots:
  - name: {history}
    relation: ref('asked')
    config:
      unique_key: task_key
      strategy: check
      check_cols: [staff_id, amount, reason]
      hard_deletes: invalidate
"""


def write(folder: Path, rule_ids: tuple[str, ...]) -> None:
    """Write the project; `dbt build --vars` takes what `variables` returns."""
    found = loading.load_rules()
    chosen = [found[rule_id] for rule_id in rule_ids]
    files = {
        "dbt_project.yml": "name: compared\nversion: '1.0'\nconfig-version: 2\nprofile: compared\n"
        "models:\n  +materialized: table\n",
        "profiles.yml": PROFILE.format(path=folder / DATABASE),
        "snapshots/history.yml": SNAPSHOT.format(history=HISTORY),
    }
    for table in _needed(
        {table for rule in chosen for table in _staged(rule.sql)}
        | {"cases", "patients", "facilities"}
    ):
        files[f"models/staging/{table}.sql"] = _model(
            _from_files(table, staging.staging_sql()[table]), {}
        )
    for rule in chosen:
        files[f"models/rules/{rule.rule_id}.sql"] = _model(rule.sql, rule.params)
    candidates = "\nUNION ALL\n".join(
        f"SELECT '{rule.rule_id}' AS rule_id, "
        f"{str(rule.ends_at_discharge).upper()} AS ends_at_discharge, "
        "t.subject_id, t.case_id, t.patient_id, t.facility_id, t.staff_id, t.since, t.amount, "
        f"t.reason FROM {{{{ ref('{rule.rule_id}') }}}} AS t"
        for rule in chosen
    )
    files["models/asked.sql"] = ASKED.format(candidates=candidates, history=HISTORY)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def variables(extracts: Path, as_of: str, *, is_later: bool) -> str:
    """What --vars takes."""
    return json.dumps({"extracts": str(extracts), "as_of": as_of, "is_later": is_later})


def _needed(tables: set[str]) -> list[str]:
    """These tables and all that their staging reads."""
    waiting, found = list(tables), set()
    while waiting:
        table = waiting.pop()
        if table not in found:
            found.add(table)
            waiting.extend(_staged(staging.staging_sql()[table]))
    return sorted(found)


def _staged(sql: str) -> list[str]:
    """The staged tables that a SELECT reads."""
    return re.findall(r"\bstaging\.(\w+)", sql)


def _from_files(table: str, sql: str) -> str:
    """The SELECT on the extract's Parquet file; times are local, as in the sample."""
    if table in staging.DERIVED:
        return sql
    flags = "".join(
        f", FALSE AS {column.name}_is_utc"
        for column in contract.columns(table)
        if column.form == "moment"
    )
    return sql.replace(
        f"extract.{table}",
        f"(SELECT *{flags} FROM read_parquet('{{{{ var(\"extracts\") }}}}/{table}.parquet'))",
    )


def _model(sql: str, params: Mapping[str, object]) -> str:
    sql = re.sub(r";\s*$", "", sql)  # a rule's SELECT ends so where its evidence begins
    sql = re.sub(
        r"\bstaging\.(\w+)", r"{{ ref('\1') }}", re.sub(r"/\*.*?\*/", "", sql, flags=re.DOTALL)
    )
    for name, value in params.items():
        sql = re.sub(rf"\${name}\b", str(value), sql)
    sql = re.sub(r"\$\w+_since\b", "NULL", sql)  # every table has all its rows
    return sql.replace("$as_of", "'{{ var(\"as_of\") }}'")
