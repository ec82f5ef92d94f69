"""One run: read → check → stage → rules → lifecycle → publish. Either all of it is published or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import lifecycle
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read as extracts_read
from pipelines.extracts import rejected
from pipelines.extracts.read import TableRead
from pipelines.ledger.ledger import open_ledger
from pipelines.lifecycle import decide
from pipelines.rules import evaluate
from pipelines.rules import overrides as rules_overrides
from pipelines.rules.evaluate import RuleResult
from pipelines.rules.model import Applied
from pipelines.runs import record
from pipelines.settings import Settings
from pipelines.staging.stage import Stager
from pipelines.warehouse import snapshots


@dataclass(frozen=True)
class RunReport:
    """What a run did, for the console and the run page: tables read, rules asked, counts of decisions by rule."""

    run_id: str
    as_of: dt.datetime
    reads: tuple[TableRead, ...]
    answers: tuple[RuleResult, ...]
    decisions: Mapping[str, Mapping[str, int]]
    folded: int
    notes: tuple[str, ...]
    refused: tuple[tuple[str, str, str, int, int], ...]


@dataclass(frozen=True)
class PreviousRun:
    """What the previous snapshot says that this run must know."""

    run_no: int
    as_of: dt.datetime | None
    folded_seq: int
    waiting: tuple[int, ...]
    last_event_no: int
    tables: Mapping[str, extracts_read.Previous]


def run(
    settings: Settings,
    folder: Path,
    as_of: dt.datetime,
    tell: Callable[[str], None] = lambda stage: None,
) -> RunReport:
    """Run once over a folder of extracts at a moment (aware) and publish; UserError when nothing could be published."""
    applied = rules_overrides.rules_in_force(settings)
    with snapshots.one_run_at_a_time(settings.warehouse):
        con = snapshots.connect()
        try:
            return _run(con, settings, folder, as_of, applied, tell)
        except duckdb.Error as error:
            # DuckDB quotes what it was working on; only its kind is safe to show, except where the disk speaks.
            is_of_disk = isinstance(error, duckdb.IOException) or (
                isinstance(error, duckdb.FatalException) and "fsync" in str(error)
            )
            says = (
                " ".join(str(error).split()).rstrip("!.") + "." if is_of_disk else ""
            )  # the cause may be in its last line
            previous = snapshots.current(settings.warehouse)
            if previous is not None and previous.name in says:
                raise UserError(snapshots.damaged(previous, error)) from None
            raise UserError(
                f"The run could not be finished ({type(error).__name__}). {says} The previous list stays live.".replace(
                    "  ", " "
                )
            ) from error
        except OSError as error:
            raise UserError(
                f"The run could not be finished: {error.strerror}: {error.filename or settings.data}. The previous list stays live."
            ) from error
        finally:
            con.close()
            for left in settings.warehouse.glob(".*.building*"):
                left.unlink(missing_ok=True)


def _run(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    as_of: dt.datetime,
    applied: Applied,
    tell: Callable[[str], None],
) -> RunReport:
    before = _previous_run(con, snapshots.current(settings.warehouse))
    if before.as_of is not None and as_of < before.as_of:
        raise UserError(
            f"The published list already speaks for {before.as_of:%Y-%m-%d %H:%M:%S %Z}; a run for {as_of:%Y-%m-%d %H:%M:%S %Z} would go back in time"
        )
    run_no = before.run_no + 1
    run_id = f"{run_no:06d}-{as_of.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"

    tell("reading and staging")
    found = extracts_folder.find(folder)
    snapshots.attach_new(con, snapshots.building(settings.warehouse, run_id))
    reads = extracts_read.read(
        con,
        found,
        dict(before.tables),
        settings.rejected / run_id,
        settings.max_loss,
        _stager(con, as_of),
    )
    by_table = {read.table: read for read in reads}

    tell("asking the rules")
    if by_table["payers"].status == "accepted":
        evaluate.check_payers(con, applied, str(settings.settings_file))
    answers = evaluate.ask(con, applied, by_table, as_of)

    tell("bringing tasks up to date")
    with open_ledger(settings.ledger_url) as ledger:
        known = ledger.actions(after=before.folded_seq, also=before.waiting)
    # What is dated later than this run has not happened yet for it; it waits by its number, and holds up no other action.
    acted = [action for action in known if action.at <= as_of]
    waiting = [action.seq for action in known if action.at > as_of]
    folded_seq = max([before.folded_seq, *(action.seq for action in known)])
    snapshots.create_table(
        con, "snapshot.waiting_actions", "seq BIGINT", [(seq,) for seq in waiting]
    )
    decide.fold_actions(con, acted, before.last_event_no)
    decisions = decide.decide(con, before.last_event_no, applied.rules, answers, by_table, as_of)

    tell("publishing")
    record.record(
        con,
        run_no,
        run_id,
        as_of,
        folded_seq,
        folder,
        applied,
        reads,
        answers,
        decisions,
    )
    record.make_quick_to_read(con, as_of)
    snapshots.publish(con, settings.warehouse, run_id)
    return RunReport(
        run_id,
        as_of,
        tuple(reads),
        tuple(answers),
        decisions,
        len(acted),
        found.notes,
        tuple(rejected.refused_kinds(con)),
    )


def _previous_run(con: duckdb.DuckDBPyConnection, path: Path | None) -> PreviousRun:
    """Attach the previous snapshot as `previous`, or an empty stand-in before the first run."""
    if path is None:
        con.execute("ATTACH ':memory:' AS previous")
        con.execute("CREATE TABLE previous.tasks AS " + lifecycle.sql("empty_tasks"))
        con.execute("CREATE TABLE previous.events AS " + lifecycle.sql("empty_events"))
        return PreviousRun(0, None, 0, (), 0, {})
    snapshots.attach(con, path, "previous", oldest=snapshots.OLDEST)
    run_no, as_of, folded_seq = snapshots.one(
        con, "SELECT run_no, as_of, folded_seq FROM previous.runs ORDER BY run_no DESC LIMIT 1"
    )
    (last_event_no,) = snapshots.one(con, "SELECT COALESCE(MAX(event_no), 0) FROM previous.events")
    # A manifest dated in the future must not make every later extract "older than the one before".
    tables = con.execute(
        """SELECT r.table_name, ARG_MAX(r.rows_read, r.run_no), ARG_MAX(LEAST(r.extracted_at, u.as_of), r.run_no),
            ARG_MAX(r.rows_refused, r.run_no)
        FROM previous.run_tables AS r
        INNER JOIN previous.runs AS u ON r.run_no = u.run_no
        WHERE r.status = 'accepted' GROUP BY r.table_name"""
    ).fetchall()
    previous = {table: extracts_read.Previous(*rest) for table, *rest in tables}
    waiting = tuple(
        row[0]
        for row in con.execute(
            "SELECT w.seq FROM previous.waiting_actions AS w ORDER BY w.seq"
        ).fetchall()
    )
    return PreviousRun(run_no, as_of, folded_seq, waiting, last_event_no, previous)


def _stager(con: duckdb.DuckDBPyConnection, as_of: dt.datetime) -> Stager:
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'previous' AND schema_name = 'staging'"
    ).fetchall()
    con.execute(
        "CREATE SCHEMA staging"
    )  # where the SQL looks; what pages show lies in the snapshot
    return Stager(con, as_of, frozenset(row[0] for row in rows))
