"""One run: read → check → stage → rules → lifecycle → publish. Either all of it is published or nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import candidates, extracts, ledger, lifecycle, queries, rules, warehouse
from pipelines.candidates import Answer
from pipelines.errors import UserError
from pipelines.extracts import TableRead
from pipelines.folding import fold
from pipelines.settings import Settings
from pipelines.stager import Stager

CLOSINGS = ("cleared", "converted", "discharged", "source_gone")
ROWS_AT_ONCE = 200  # of a small table, in one INSERT


@dataclass(frozen=True)
class RunReport:
    """What a run did, for the console and the run page: tables read, rules asked, counts of decisions by rule."""

    run_id: str
    as_of: dt.datetime
    reads: tuple[TableRead, ...]
    answers: tuple[Answer, ...]
    decisions: Mapping[str, Mapping[str, int]]
    folded: int
    notes: tuple[str, ...]
    refused: tuple[tuple[str, str, str, int, int], ...]


@dataclass(frozen=True)
class Before:
    """What the previous snapshot says that this run must know."""

    run_no: int
    as_of: dt.datetime | None
    folded_seq: int
    waiting: tuple[int, ...]
    last_event_no: int
    tables: Mapping[str, extracts.Previous]


def run(settings: Settings, folder: Path, as_of: dt.datetime, tell: Callable[[str], None] = lambda stage: None) -> RunReport:
    """Run once over a folder of extracts at a moment (aware) and publish; UserError when nothing could be published."""
    found_rules, overrides, disabled = load_rules(settings)
    with warehouse.one_run_at_a_time(settings.warehouse):
        con = warehouse.connect()
        try:
            return _run(con, settings, folder, as_of, found_rules, overrides, disabled, tell)
        except duckdb.Error as error:
            # DuckDB quotes what it was working on; only its kind is safe to show, except where the disk speaks.
            is_of_disk = isinstance(error, duckdb.IOException) or (isinstance(error, duckdb.FatalException) and "fsync" in str(error))
            says = " ".join(str(error).split()).rstrip("!.") + "." if is_of_disk else ""  # the cause may be in its last line
            previous = warehouse.current(settings.warehouse)
            if previous is not None and previous.name in says:
                raise UserError(warehouse.damaged(previous, error)) from None
            raise UserError(
                f"The run could not be finished ({type(error).__name__}). {says} The previous list stays live.".replace("  ", " ")
            ) from error
        except OSError as error:
            raise UserError(
                f"The run could not be finished: {error.strerror}: {error.filename or settings.data}. The previous list stays live."
            ) from error
        finally:
            con.close()
            for left in settings.warehouse.glob(".*.building*"):
                left.unlink(missing_ok=True)


def load_rules(settings: Settings) -> tuple[dict[str, rules.Rule], dict[str, dict[str, dict[str, object]]], frozenset[str]]:
    """The rules with the practice's settings applied: rules, payer overrides by rule, and the ids switched off."""
    applied = rules.apply_settings(rules.load_rules(), dict(settings.rules), str(settings.settings_file))
    return applied.rules, applied.payers, applied.disabled


def _run(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    as_of: dt.datetime,
    found_rules: dict[str, rules.Rule],
    overrides: dict[str, dict[str, dict[str, object]]],
    disabled: frozenset[str],
    tell: Callable[[str], None],
) -> RunReport:
    before = _before(con, warehouse.current(settings.warehouse))
    if before.as_of is not None and as_of < before.as_of:
        raise UserError(
            f"The published list already speaks for {before.as_of:%Y-%m-%d %H:%M:%S %Z}; a run for {as_of:%Y-%m-%d %H:%M:%S %Z} would go back in time"
        )
    run_no = before.run_no + 1
    run_id = f"{run_no:06d}-{as_of.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"

    tell("reading and staging")
    found = extracts.find(folder)
    warehouse.attach_new(con, warehouse.building(settings.warehouse, run_id))
    reads = extracts.read(con, found, dict(before.tables), settings.rejected / run_id, settings.max_loss, _stager(con, as_of))
    by_table = {read.table: read for read in reads}

    tell("asking the rules")
    if by_table["payers"].status == "accepted":
        candidates.check_payers(con, overrides, str(settings.settings_file))
    answers = candidates.ask(con, found_rules, overrides, disabled, by_table, as_of)

    tell("bringing tasks up to date")
    with ledger.open_ledger(settings.ledger_url) as book:
        known = book.actions(after=before.folded_seq, also=before.waiting)
    # What is dated later than this run has not happened yet for it; it waits by its number, and holds up no other action.
    acted = [action for action in known if action.at <= as_of]
    waiting = [action.seq for action in known if action.at > as_of]
    folded_seq = max([before.folded_seq, *(action.seq for action in known)])
    _table(con, "snapshot.waiting_actions", "seq BIGINT", [(seq,) for seq in waiting])
    _fold(con, acted, before.last_event_no)
    decisions = _decide(con, before, found_rules, answers, by_table, as_of)

    tell("publishing")
    _record(con, run_no, run_id, as_of, folded_seq, folder, found_rules, overrides, reads, answers, decisions)
    _make_quick_to_read(con, as_of)
    warehouse.publish(con, settings.warehouse, run_id)
    return RunReport(run_id, as_of, tuple(reads), tuple(answers), decisions, len(acted), found.notes, tuple(extracts.refused_kinds(con)))


def _before(con: duckdb.DuckDBPyConnection, path: Path | None) -> Before:
    """Attach the previous snapshot as `previous`, or an empty stand-in before the first run."""
    if path is None:
        con.execute("ATTACH ':memory:' AS previous")
        con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
        con.execute("CREATE TABLE previous.events AS " + lifecycle.sql("empty_events"))
        return Before(0, None, 0, (), 0, {})
    warehouse.attach(con, path, "previous", oldest=warehouse.OLDEST)
    run_no, as_of, folded_seq = warehouse.one(con, "SELECT run_no, as_of, folded_seq FROM previous.runs ORDER BY run_no DESC LIMIT 1")
    (last_event_no,) = warehouse.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM previous.events")
    # A manifest dated in the future must not make every later extract "older than the one before".
    tables = con.execute(
        """SELECT r.table_name, ARG_MAX(r.rows_read, r.run_no), ARG_MAX(LEAST(r.extracted_at, u.as_of), r.run_no),
            ARG_MAX(r.rows_refused, r.run_no)
        FROM previous.run_tables AS r
        INNER JOIN previous.runs AS u ON r.run_no = u.run_no
        WHERE r.status = 'accepted' GROUP BY r.table_name"""
    ).fetchall()
    previous = {table: extracts.Previous(*rest) for table, *rest in tables}
    waiting = tuple(row[0] for row in con.execute("SELECT w.seq FROM previous.waiting_actions AS w ORDER BY w.seq").fetchall())
    return Before(run_no, as_of, folded_seq, waiting, last_event_no, previous)


def _stager(con: duckdb.DuckDBPyConnection, as_of: dt.datetime) -> Stager:
    rows = con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'previous' AND schema_name = 'staging'").fetchall()
    con.execute("CREATE SCHEMA staging")  # where the SQL looks; what pages show lies in the snapshot
    return Stager(con, as_of, frozenset(row[0] for row in rows))


def _fold(con: duckdb.DuckDBPyConnection, acted: list[ledger.Action], last_event_no: int) -> None:
    fold(con, "previous.tasks", acted, "folded_tasks")
    con.execute("CREATE TABLE snapshot.events AS " + lifecycle.sql("empty_events"))  # with the columns of this software, if the last was older
    con.execute("INSERT INTO snapshot.events BY NAME FROM previous.events")
    con.execute("INSERT INTO snapshot.events BY NAME " + lifecycle.sql("folded_events"), {"last_event_no": last_event_no})


def _decide(
    con: duckdb.DuckDBPyConnection,
    before: Before,
    found_rules: Mapping[str, rules.Rule],
    answers: list[Answer],
    reads: Mapping[str, TableRead],
    as_of: dt.datetime,
) -> dict[str, dict[str, int]]:
    answered = {answer.rule_id: answer.is_answered for answer in answers}
    _table(
        con,
        "rules",
        "rule_id VARCHAR, clears VARCHAR, clears_when VARCHAR, ends_at_discharge BOOLEAN, subject_table VARCHAR, period VARCHAR, is_answered BOOLEAN",
        [(r.rule_id, r.clears, r.clears_when, r.ends_at_discharge, r.subject_table, r.period, answered[r.rule_id]) for r in found_rules.values()],
    )
    _table(
        con,
        "conversion_rules",
        "rule_id VARCHAR, target_rule_id VARCHAR, position INTEGER",
        [(r.rule_id, target, n) for r in found_rules.values() for n, target in enumerate(r.converts_to)],
    )
    # A refused parent takes its children with it as orphans, so the rows that count are in all the tables a rule needs.
    needed = [(r.rule_id, table, table in r.reads) for r in found_rules.values() for table in sorted(candidates.needed_tables(r))]
    _table(con, "rule_reads", "rule_id VARCHAR, table_name VARCHAR, is_read BOOLEAN", needed)
    con.execute("CREATE OR REPLACE TEMP TABLE refused_ids AS FROM extract.refused_ids")
    con.execute("CREATE OR REPLACE TEMP TABLE refused_unnamed AS FROM extract.refused_unattributable")
    con.execute("CREATE OR REPLACE TEMP VIEW subjects AS " + lifecycle.sql("subjects"))
    con.execute("CREATE OR REPLACE TEMP TABLE decisions AS " + lifecycle.sql("decisions"))
    has_payers = all(reads[table].status == "accepted" for table in ("policies", "payers"))
    con.execute("CREATE TABLE snapshot.tasks AS " + lifecycle.sql("tasks"), {"as_of": as_of, "has_payers": has_payers})
    (last_event_no,) = warehouse.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM snapshot.events")
    con.execute(
        "INSERT INTO snapshot.events BY NAME " + lifecycle.sql("events"), {"as_of": as_of, "last_event_no": last_event_no, "has_payers": has_payers}
    )
    _stay(con, before)
    counts: dict[str, dict[str, int]] = {}
    for rule_id, decision, count in con.execute(
        "SELECT rule_id, decision, COUNT(*) FROM decisions WHERE decision NOT IN ('none', 'away', 'refresh') GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        counts.setdefault(rule_id, {})[decision] = count
    return counts


def _stay(con: duckdb.DuckDBPyConnection, before: Before) -> None:
    """Keep when each task was on the list; only those this run or somebody touched since the last run can have changed."""
    con.execute("CREATE OR REPLACE TEMP VIEW current_tasks AS FROM snapshot.tasks")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved AS SELECT DISTINCT e.task_id FROM snapshot.events AS e WHERE e.event_no > ?", [before.last_event_no]
    )
    is_kept = warehouse.one(con, "SELECT 1 FROM duckdb_tables() WHERE database_name = 'previous' AND table_name = 'stays'") is not None
    events = "SELECT e.* FROM snapshot.events AS e SEMI JOIN moved AS m ON e.task_id = m.task_id" if is_kept else "FROM snapshot.events"
    con.execute(f"CREATE OR REPLACE TEMP VIEW current_events AS {events}")
    con.execute("CREATE TABLE snapshot.stays AS " + lifecycle.sql("stays"))
    if is_kept:
        con.execute("INSERT INTO snapshot.stays BY NAME SELECT s.* FROM previous.stays AS s ANTI JOIN moved AS m ON s.task_id = m.task_id")


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]) -> None:
    con.execute(f"CREATE OR REPLACE {'TABLE' if '.' in name else 'TEMP TABLE'} {name} ({columns})")
    _insert(con, name, rows)


def _record(
    con: duckdb.DuckDBPyConnection,
    run_no: int,
    run_id: str,
    as_of: dt.datetime,
    folded_seq: int,
    folder: Path,
    found_rules: Mapping[str, rules.Rule],
    overrides: Mapping[str, object],
    reads: list[TableRead],
    answers: list[Answer],
    decisions: Mapping[str, Mapping[str, int]],
) -> None:
    """Write the run's own record: what it read, whom it asked, with which parameters, and what came of it."""
    parameters = json.dumps({r.rule_id: {"params": r.params, "payers": overrides.get(r.rule_id, {})} for r in found_rules.values()}, sort_keys=True)
    con.execute(f"CREATE TABLE snapshot.snapshot AS SELECT {warehouse.FORMAT} AS format")
    _append(
        con,
        "runs",
        "run_no INTEGER, run_id VARCHAR, as_of TIMESTAMPTZ, folded_seq BIGINT, parameters VARCHAR, extracts VARCHAR",
        [(run_no, run_id, as_of, folded_seq, parameters, str(folder.resolve()))],
    )
    _append(
        con,
        "run_tables",
        "run_no INTEGER, table_name VARCHAR, status VARCHAR, reason VARCHAR, files VARCHAR, rows_read BIGINT, rows_staged BIGINT, "
        "rows_refused BIGINT, extracted_at TIMESTAMPTZ, horizon_on DATE, warnings VARCHAR",
        [
            (
                run_no,
                r.table,
                r.status,
                r.reason,
                "\n".join(r.files),
                r.rows_read,
                r.rows_staged,
                r.rows_refused,
                r.extracted_at,
                r.horizon_on,
                "\n".join(r.warnings),
            )
            for r in reads
        ],
    )
    _append(
        con,
        "run_rules",
        "run_no INTEGER, rule_id VARCHAR, is_answered BOOLEAN, reason VARCHAR, candidates BIGINT, opened BIGINT, cleared BIGINT, converted BIGINT, "
        "discharged BIGINT, source_gone BIGINT, held BIGINT",
        [
            (
                run_no,
                a.rule_id,
                a.is_answered,
                a.reason,
                a.candidates,
                *(decisions.get(a.rule_id, {}).get(kind, 0) for kind in ("open", *CLOSINGS, "hold")),
            )
            for a in answers
        ],
    )
    con.execute(
        "CREATE TABLE snapshot.rejected_rows AS "
        "SELECT $run_no AS run_no, r.table_name, r.file, r.line, r.column_name, r.check_name FROM extract.refused_rows AS r",
        {"run_no": run_no},
    )
    columns = "rule_id VARCHAR, title VARCHAR, category VARCHAR, clears VARCHAR, clears_when VARCHAR, purpose VARCHAR, due_days INTEGER"
    asked = [(r.rule_id, r.title, r.category, r.clears, r.clears_when, r.purpose, r.due_days) for r in found_rules.values()]
    _table(con, "snapshot.rules", columns, asked)
    # The tasks of a rule that was taken away stay, and with them its name: a list and its totals must not lose them.
    _take_over(con, "rules", "WHERE rule_id IN (SELECT t.rule_id FROM snapshot.tasks AS t ANTI JOIN snapshot.rules AS r ON t.rule_id = r.rule_id)")


def _make_quick_to_read(con: duckdb.DuckDBPyConnection, as_of: dt.datetime) -> None:
    """Write down what the list says of closed tasks, since it stays so until the next run and takes seconds to work out for a million; indexes."""
    con.execute("CREATE OR REPLACE TEMP TABLE moment AS SELECT CAST($at AS TIMESTAMPTZ) AS seen_at", {"at": as_of})
    con.execute("CREATE OR REPLACE TEMP VIEW current_tasks AS SELECT t.* FROM snapshot.tasks AS t WHERE t.state <> 'open'")
    con.execute("CREATE OR REPLACE TEMP VIEW current_events AS FROM snapshot.events")
    con.execute("CREATE OR REPLACE TEMP TABLE rules AS FROM snapshot.rules")
    con.execute("CREATE TABLE snapshot.closed_tasks AS " + queries.sql("listed"), queries.EVERY_TASK)
    # A patient's history and each action look up the events of a few tasks: 3 ms with this instead of 50 in a history of two million.
    con.execute("CREATE INDEX events_of_task ON snapshot.events (task_id)")
    con.execute("CREATE INDEX task ON snapshot.tasks (task_id)")


def _append(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: list[tuple]) -> None:
    """A table of the run history: the previous snapshot's rows and this run's."""
    con.execute(f"CREATE TABLE snapshot.{name} ({columns})")
    _take_over(con, name)
    _insert(con, f"snapshot.{name}", rows)


def _take_over(con: duckdb.DuckDBPyConnection, name: str, which: str = "") -> None:
    """Rows of the previous snapshot, where there is one."""
    if warehouse.one(con, "SELECT 1 FROM duckdb_tables() WHERE database_name = 'previous' AND table_name = ?", [name]):
        con.execute(f"INSERT INTO snapshot.{name} BY NAME FROM previous.{name} {which}")


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: list[tuple]) -> None:
    # Small tables of our own: one statement takes a millisecond where one a row takes ten.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in some)
        con.execute(f"INSERT INTO {name} VALUES {marks}", [value for row in some for value in row])
