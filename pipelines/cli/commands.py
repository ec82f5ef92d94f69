"""python -m pipelines <command>: the command line, and the only place that may ask what time it is."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines import settings as settings_module
from pipelines.cli import clock
from pipelines.cli.arguments import parser
from pipelines.errors import UserError
from pipelines.operations import logs, permissions

if TYPE_CHECKING:
    from pipelines.operations.backup import Backup


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or rows refused by `check`, 2 nothing could be done, 3 a fault of the program."""
    permissions.begin()
    logs.begin(settings_module.LOG_FORMS[0])
    try:
        logs.begin(settings_module.log_form())
        options = parser().parse_args(arguments)
        exit_code = _command(options)
        sys.stdout.flush()  # here, where a reader that has gone is no fault
        return exit_code
    except UserError as error:
        return _failed(str(error), error.exit_code)
    except duckdb.Error as error:
        return _failed(_damaged(options.command, error))
    except OverflowError:
        return _failed("a time is too far away to reckon with")
    except BrokenPipeError:
        _print_no_more()
        return 0
    except KeyboardInterrupt:
        return _failed("stopped; the previous list stays live")
    except OSError as error:
        if error.filename is None:
            _print_no_more()  # it may be the output that is full
        return _failed(f"{error.filename or 'output or file'}: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user, it would quote what was worked on
        logs.log.error(
            "a fault of the program; tell who looks after it",
            exc_info=error,
            extra={"event": "failed", "exit_code": 3},
        )
        return 3


def _command(options: argparse.Namespace) -> int:
    try:
        settings = settings_module.load()
    except UserError as error:
        if options.command != "health":  # whose answer it is
            raise
        from pipelines.cli import output
        from pipelines.operations import health

        return output.print_health(
            [health.Check("settings", health.FAILING, str(error))], clock.now(), options.format
        )
    permissions.restrict(settings)
    return _COMMANDS[options.command](options, settings)


def _print_no_more() -> None:
    """What is left in the buffer goes nowhere, or Python would try to write it when it ends, and say so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(why: str, exit_code: int = 2) -> int:
    logs.log.error("%s", why, extra={"event": "failed", "exit_code": exit_code})
    return exit_code


def _damaged(command: str, error: duckdb.Error) -> str:
    from pipelines.warehouse import snapshots

    live = None
    if command in ("tasks", "history", "act", "report"):  # they read nothing but the snapshot
        try:
            live = snapshots.current(settings_module.load().warehouse)
        except UserError as broken:
            return str(broken)
    if live is not None:
        return snapshots.damaged(live, error)
    return f"the snapshot or an extract cannot be read ({type(error).__name__}): it is damaged; the other snapshots are untouched"


def _sample(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import sample

    rows = sample.write_sample(
        options.out,
        patients=options.patients or sample.DEFAULT_PATIENTS,
        facilities=options.facilities or sample.DEFAULT_FACILITIES,
        as_of=options.as_of or sample.DEFAULT_AS_OF,
        seed=sample.DEFAULT_SEED if options.seed is None else options.seed,
        format=options.format,
    )
    print(f"{options.out}: {sum(rows.values()):,} rows in {len(rows)} tables")
    return 0


def _import(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import sources

    rows = sources.import_export(
        options.source, options.from_dir, options.out, options.as_of or clock.now()
    )
    for table, count in rows.items():
        print(f"{table:24}{count:>10,}")
    return 0


def _check(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output
    from pipelines.operations import arrivals

    folder = options.extracts or _default_extracts(settings)[0]
    return output.check(settings, arrivals.folders(folder)[-1])


def _run(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import sample
    from pipelines.cli import output
    from pipelines.operations import arrivals

    folder, is_sample = (
        (options.extracts, False) if options.extracts else _default_extracts(settings)
    )
    as_of = options.as_of or (sample.DEFAULT_AS_OF if is_sample else clock.now())
    folder = arrivals.folders(folder)[-1]
    if is_sample:
        print(
            f"No extracts given (--extracts DIR or WORKBENCH_EXTRACTS): using the sample practice, as of {as_of.isoformat()}"
        )
    output.run(settings, folder, as_of)
    if is_sample:
        output.print_tasks(settings, as_of, limit=20)
    return 0


def _watch(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.operations import watch

    folder = options.extracts or settings.extracts
    if folder is None:
        raise UserError(
            "Name the folder of the practice's extracts: --extracts DIR, or WORKBENCH_EXTRACTS"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    habits = watch.Habits(
        dt.timedelta(seconds=options.quiet),
        dt.timedelta(minutes=options.patience),
        tuple(options.daily),
    )
    watch.watch(settings, folder, habits, options.every, lambda: clock.now().astimezone())
    return 0


def _health(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output
    from pipelines.operations import health

    at = clock.now()
    return output.print_health(
        health.checks(settings, at, dt.timedelta(hours=options.max_age)), at, options.format
    )


def _replay(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    for folder, as_of in _moments(options.extracts):
        output.run(settings, folder, as_of)
    return 0


def _backtest(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    output.backtest(settings, options.rule, options.set, _moments(options.extracts))
    return 0


def _moments(folder: Path) -> list[tuple[Path, dt.datetime]]:
    """The dated sub-folders and when each was extracted, in order; all are looked at before the first is run."""
    from pipelines.extracts import folder as extracts_folder

    folders = extracts_folder.dated_folders(folder)
    if not folders:
        raise UserError(f"{folder}: no dated sub-folder (such as 2026-11-20) to replay")
    return [(folder, extracts_folder.moment_of(folder)) for folder in folders]


def _tasks(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output
    from pipelines.worklist import filters as worklist_filters

    filters = worklist_filters.Filters()
    for one in worklist_filters.OPTIONS:
        if (value := getattr(options, one.name)) is not None:
            filters = worklist_filters.narrowed(filters, one.name, value)
    output.show_tasks(settings, options.at or clock.now(), filters, options.format)
    return 0


def _history(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    output.show_history(settings, options.at or clock.now(), options.patient, options.format)
    return 0


def _accesses(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    output.show_accesses(settings, options.patient, options.staff, options.limit, options.format)
    return 0


def _act(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    return output.act(settings, options, options.at or clock.now())


def _rules(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    return output.rules(settings, options.what)


def _report(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.cli import output

    return output.report(settings, options, options.at or clock.now())


def _backup(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.operations import backup

    made = backup.back_up(settings, options.out, clock.now())
    print(f"{made.folder}: {_held(made)}")
    return 0


def _restore(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines.operations import backup

    print(
        f"restored what was backed up at {(found := backup.restore(settings, options.folder)).made_at}: {_held(found)}"
    )
    return 0


def _held(found: Backup) -> str:
    rows = ", ".join(f"{count:,} {table}" for table, count in found.rows.items())
    return f"{rows}; {'no list was published yet' if found.snapshot is None else f'snapshot {found.snapshot}'}"


def _bench(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    if options.pages:
        from pipelines.bench import pages

        return pages.bench_pages(
            options.open_tasks or 100_000,
            options.closed_tasks,
            options.data,
            clock.now(),
            options.out,
        )
    if options.app:
        from pipelines.bench import app

        load = app.Load(
            options.sessions, options.think, options.seconds or 60, options.open_tasks or 100_000
        )
        return app.bench_app(load, options.data, clock.now(), options.out)
    if options.load:
        from pipelines.bench import load as load_module

        load = app.Load(
            options.staff, options.think, options.seconds or 120, options.open_tasks or 100_000
        )
        return load_module.bench_load(load, options.data, options.ledger, options.out)
    if options.list:
        from pipelines.bench import lists

        return lists.bench_lists(options.open_tasks or 1_000_000, options.data, options.out)
    if options.size:
        from pipelines.bench import sizes

        return sizes.bench_sizes(
            options.patients or [10_000, 100_000, 1_000_000], options.repeats, options.out
        )
    if options.compare:
        from pipelines.bench import compare

        return compare.bench_compare(options.patients or [100_000], options.repeats, options.out)
    from pipelines.bench import runs

    return runs.bench(options.patients or [10_000, 100_000], options.repeats, options.out)


def _default_extracts(settings: settings_module.Settings) -> tuple[Path, bool]:
    if settings.extracts is not None:
        return settings.extracts, False
    return settings_module.SAMPLE, True


_COMMANDS = {
    "sample": _sample,
    "import": _import,
    "check": _check,
    "run": _run,
    "watch": _watch,
    "health": _health,
    "replay": _replay,
    "backtest": _backtest,
    "tasks": _tasks,
    "history": _history,
    "accesses": _accesses,
    "act": _act,
    "rules": _rules,
    "report": _report,
    "backup": _backup,
    "restore": _restore,
    "bench": _bench,
}
