"""The tables of a snapshot that record its runs: their columns, as SQL definitions."""

from __future__ import annotations

from pipelines.vocabulary import CLOSED_BY_RUN

RUN_TABLES = {
    "runs": (
        "run_no INTEGER, run_id VARCHAR, as_of TIMESTAMPTZ, folded_seq BIGINT, "
        "parameters VARCHAR, extracts VARCHAR, go_live DATE, history_days INTEGER, "
        "proposed_go_live DATE, old_tasks BIGINT, ledger_id VARCHAR"
    ),
    "run_tables": (
        "run_no INTEGER, table_name VARCHAR, status VARCHAR, reason VARCHAR, files VARCHAR, "
        "rows_read BIGINT, rows_staged BIGINT, rows_refused BIGINT, extracted_at TIMESTAMPTZ, "
        "horizon_on DATE, warnings VARCHAR, since_on DATE"
    ),
    "run_rules": (
        "run_no INTEGER, rule_id VARCHAR, is_answered BOOLEAN, reason VARCHAR, candidates BIGINT, "
        f"opened BIGINT, {', '.join(f'{kind} BIGINT' for kind in CLOSED_BY_RUN)}, held BIGINT, "
        "set_aside BIGINT, is_connected BOOLEAN, unseen BIGINT"
    ),
    "rejected_rows": (
        "run_no INTEGER, table_name VARCHAR, file VARCHAR, line BIGINT, column_name VARCHAR, "
        "check_name VARCHAR"
    ),
    # Guards that tripped; `accepted_by` NULL: what they are about was held.
    "guards": (
        "run_no INTEGER, guard VARCHAR, kind VARCHAR, table_name VARCHAR, rule_id VARCHAR, "
        "facility_id VARCHAR, concerned BIGINT, total BIGINT, says VARCHAR, runs BIGINT, "
        "held_from TIMESTAMPTZ, accepted_by VARCHAR, accepted_reason VARCHAR"
    ),
    # Of the newest run.
    "set_aside": "rule_id VARCHAR, facility_id VARCHAR, tasks BIGINT, oldest_on DATE",
    "rules": (
        "rule_id VARCHAR, title VARCHAR, category VARCHAR, clears VARCHAR, clears_when VARCHAR, "
        "purpose VARCHAR, due_days INTEGER, version VARCHAR"
    ),
    "waiting_actions": "seq BIGINT",
}
