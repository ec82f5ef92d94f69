"""The command line: `main` runs one command and turns errors into exit codes."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines import settings as settings_module
from pipelines.cli import acting, arguments, bench, clock, importing, running, values
from pipelines.errors import UserError
from pipelines.operations import logs, permissions
from pipelines.settings import Settings

READ_ONLY_THE_SNAPSHOT = ("tasks", "history", "act", "bring-in", "sign-in", "report")


def main(line: list[str] | None = None) -> int:
    """Run one command; the exit code is one of docs/commands.md."""
    permissions.begin()
    logs.begin(settings_module.LOG_FORMS[0])
    command = ""
    try:
        logs.begin(settings_module.log_form())
        options = arguments.parser().parse_args(line)
        command = options.command
        exit_code = _run_command(options)
        sys.stdout.flush()  # raises BrokenPipeError here rather than at exit
        return exit_code
    except UserError as error:
        return _failed(str(error), error.exit_code)
    except duckdb.Error as error:
        return _failed(_damaged(command, error))
    except OverflowError:
        return _failed("date out of range")
    except BrokenPipeError:
        _discard_output()
        return 0
    except KeyboardInterrupt:
        return _failed("stopped; the previous list stays live")
    except OSError as error:
        if error.filename is None:
            _discard_output()  # the output itself may be on a full disk
        return _failed(f"{error.filename or 'output or file'}: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - a traceback on the console could quote patient data
        logs.log.error(
            "a fault of the program; tell your administrator",
            exc_info=error,
            extra={"event": "failed", "exit_code": 3},
        )
        return 3


def _run_command(options: argparse.Namespace) -> int:
    try:
        settings = settings_module.load()
    except UserError as error:
        if options.command != "health":
            raise
        from pipelines.cli import output
        from pipelines.operations import health

        broken = health.Check("settings", health.FAILING, str(error))
        return output.print_health([broken], clock.now(), options.format)
    permissions.restrict(settings)
    return COMMANDS[options.command](options, settings)


def _discard_output() -> None:
    """Send the rest of the buffer nowhere; Python would report an error for it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(why: str, exit_code: int = 2) -> int:
    logs.log.error("%s", why, extra={"event": "failed", "exit_code": exit_code})
    return exit_code


def _damaged(command: str, error: duckdb.Error) -> str:
    from pipelines.warehouse import snapshots

    live = None
    if command in READ_ONLY_THE_SNAPSHOT:
        try:
            live = snapshots.current(settings_module.load().warehouse)
        except UserError as broken:
            return str(broken)
    if live is not None:
        return snapshots.damaged(live, error)
    return (
        f"the snapshot or an extract cannot be read ({type(error).__name__}): it is damaged; "
        "the other snapshots are untouched"
    )


def sample(options: argparse.Namespace, settings: Settings) -> int:
    """Write the made-up practice's extracts."""
    from pipelines import sample as sample_module

    rows = sample_module.write_sample(
        options.out,
        patients=options.patients or sample_module.DEFAULT_PATIENTS,
        facilities=options.facilities or sample_module.DEFAULT_FACILITIES,
        as_of=options.as_of or sample_module.DEFAULT_AS_OF,
        seed=sample_module.DEFAULT_SEED if options.seed is None else options.seed,
        format=options.format,
    )
    print(f"{options.out}: {sum(rows.values()):,} rows in {len(rows)} tables")
    return 0


def check(options: argparse.Namespace, settings: Settings) -> int:
    """Validate extracts; 1 when a table or a row is refused."""
    import tempfile

    from pipelines.cli import output
    from pipelines.extracts import folder, outcome, read, rejected
    from pipelines.operations import arrivals
    from pipelines.warehouse import snapshots

    chosen = arrivals.folders(options.extracts or running.default_extracts(settings))[-1]
    with (
        tempfile.TemporaryDirectory() as scratch,
        snapshots.connect() as con,
        folder.opened(chosen) as found,
    ):
        limits = outcome.Limits(settings.max_loss, settings.max_refused, absent=settings.absent)
        reads = read.read(con, found, {}, Path(scratch), limits)
        return output.print_check(reads, rejected.refused_kinds(con))


def health(options: argparse.Namespace, settings: Settings) -> int:
    """Check the state; 0 ok, 1 attention, 2 failing."""
    from pipelines.cli import output
    from pipelines.operations import health as checking

    at = clock.now()
    checks = checking.checks(settings, at, dt.timedelta(hours=options.max_age))
    return output.print_health(checks, at, options.format)


def backtest(options: argparse.Namespace, settings: Settings) -> int:
    """Compare a rule with itself under other parameters."""
    from pipelines.analytics import backtest as backtests
    from pipelines.cli import output
    from pipelines.rules import overrides

    folders = running.dated(options.extracts)
    rule = overrides.rules_in_force(settings).find(options.rule)

    def tell(share: float, doing: str) -> None:
        logs.log.info(doing, extra={"event": "backtest.stage", "share": share})

    changes = backtests.changes_from(options.set, rule)
    output.print_backtest(backtests.backtest(settings, options.rule, changes, folders, tell))
    return 0


def tasks(options: argparse.Namespace, settings: Settings) -> int:
    """List tasks."""
    from pipelines.cli import output
    from pipelines.worklist.worklist import open_worklist

    with open_worklist(settings, options.at or clock.now()) as worklist:
        output.print_tasks(worklist.tasks(values.filters(options)), options.format)
    return 0


def history(options: argparse.Namespace, settings: Settings) -> int:
    """Print all events of a patient's tasks."""
    from pipelines.cli import output
    from pipelines.worklist.worklist import open_worklist

    with open_worklist(settings, options.at or clock.now()) as worklist:
        events = worklist.history(options.patient, people_only=options.people_only)
        output.print_history(events, options.format)
    return 0


def accesses(options: argparse.Namespace, settings: Settings) -> int:
    """Print who looked at which patient."""
    from pipelines.cli import output
    from pipelines.ledger.belonging import open_own_ledger

    with open_own_ledger(settings) as ledger:
        found = ledger.accesses(
            patient_id=options.patient, staff_id=options.staff, limit=options.limit
        )
    output.print_accesses(found, options.format)
    return 0


def rules(options: argparse.Namespace, settings: Settings) -> int:
    """List the rules in force, write rules/README.md, or check every rule file."""
    from pipelines.cli import output
    from pipelines.rules import docs, loading, model, overrides

    if options.files and options.what != "check":
        raise UserError(f"rules {options.what} takes no file; rules check does")
    if options.out and options.what != "docs":
        raise UserError(f"rules {options.what} takes no --out; rules docs does")
    if options.what == "docs" and options.out:
        output.write_page(options.out, docs.docs_of_practice(overrides.rules_in_force(settings)))
    elif options.what == "docs":
        output.write_page(model.RULES_FOLDER / "README.md", docs.docs(loading.load_rules()))
    elif options.what == "check":
        checked = _check_rules(options.files, settings)
        print(f"{checked} rules are well formed")
    else:
        output.print_rules(overrides.rules_in_force(settings))
    return 0


def _check_rules(files: list[Path], settings: Settings) -> int:
    """How many rules are well formed: of these files, or all; UserError names every fault."""
    from pipelines.rules import loading, overrides

    if not files:
        loading.check()
    if len({file.stem for file in files}) < len(files):
        raise UserError("rules check: two of the files would make rules of the same name")
    written = overrides.written_rules(settings, files)
    asked = {name for file in files for name in (file.stem, file.name)}
    faults = [why for name, why in written.broken.items() if not files or name in asked]
    if faults:
        raise UserError("\n".join(faults))
    overrides.apply_to(written, settings)
    return len(files or written.rules)


def report(options: argparse.Namespace, settings: Settings) -> int:
    """Write reports and print their paths; progress is logged."""
    from pipelines import reports
    from pipelines.reports import write

    def tell(share: float, doing: str) -> None:
        progress = {"event": "report.stage", "share": share}
        logs.log.info("%.0f%% %s", share * 100, doing, extra=progress)

    at, out = options.at or clock.now(), options.out or settings.data / "reports"
    if options.digest:
        if options.notebook or options.last:
            raise UserError(
                "--digest shows one week: name it with --from, any of its days; "
                "--to and --notebook belong to the notebooks",
                1,
            )
        week = reports.week(settings, at, options.first, options.facility)
        written = write.write_digest(settings, week, out, tell)
    else:
        names = values.notebooks(options, list(reports.NOTEBOOKS))
        scope = reports.scope(settings, at, options.first, options.last, options.facility)
        written = write.write_notebooks(settings, names, scope, out, tell)
    for path in written:
        print(path)
    return 0


def backup(options: argparse.Namespace, settings: Settings) -> int:
    """Copy the ledger and the live snapshot to a new folder."""
    from pipelines.cli import output
    from pipelines.operations import backup as backups

    made = backups.back_up(settings, options.out, clock.now())
    print(f"{made.folder}: {output.contents_of(made)}")
    return 0


def restore(options: argparse.Namespace, settings: Settings) -> int:
    """Restore a backup where nothing is yet."""
    from pipelines.cli import output
    from pipelines.operations import backup as backups

    found = backups.restore(settings, options.folder)
    print(f"restored what was backed up at {found.made_at}: {output.contents_of(found)}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
    "sample": sample,
    "import": importing.import_export,
    "sources": importing.sources,
    "check": check,
    "run": running.run,
    "watch": running.watch,
    "health": health,
    "replay": running.replay,
    "backtest": backtest,
    "tasks": tasks,
    "history": history,
    "accesses": accesses,
    "act": acting.act,
    "bring-in": acting.bring_in,
    "ledger": acting.ledger,
    "sign-in": acting.sign_in,
    "rules": rules,
    "report": report,
    "backup": backup,
    "restore": restore,
    "bench": bench.run,
}
