"""python -m pipelines <command>: the command line, and the only place that may ask what time it is."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines import private
from pipelines import settings as settings_module
from pipelines.errors import UserError

if TYPE_CHECKING:
    from pipelines.backup import Backup


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or rows refused by `check`, 2 nothing could be done."""
    private.begin()
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
        settings = settings_module.load()
        private.tighten(settings)
        return _COMMANDS[options.command](options, settings)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except duckdb.Error as error:
        print(f"error: {_damaged(options.command, error)}", file=sys.stderr)
        return 2
    except OverflowError:
        print("error: a time is too far away to reckon with", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("error: stopped; the previous list stays live", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename or 'file'}: {error.strerror}", file=sys.stderr)
        return 2


def _damaged(command: str, error: duckdb.Error) -> str:
    from pipelines import warehouse

    live = None
    if command in ("tasks", "history", "act", "report"):  # they read nothing but the snapshot
        try:
            live = warehouse.current(settings_module.load().warehouse)
        except UserError as broken:
            return str(broken)
    if live is not None:
        return warehouse.damaged(live, error)
    return f"the snapshot or an extract cannot be read ({type(error).__name__}): it is damaged; the other snapshots are untouched"


def moment(text: str) -> dt.datetime:
    """An ISO time; without an offset it is this machine's own wall clock."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-20T06:00:00-05:00") from None
    return found if found.tzinfo else found.astimezone()


def now() -> dt.datetime:
    """The clock, to the second."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


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

    rows = sources.import_export(options.source, options.from_dir, options.out, options.as_of or now())
    for table, count in rows.items():
        print(f"{table:24}{count:>10,}")
    return 0


def _check(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    return console.check(settings, options.extracts or _default_extracts(settings)[0])


def _run(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console, sample

    folder, is_sample = (options.extracts, False) if options.extracts else _default_extracts(settings)
    as_of = options.as_of or (sample.DEFAULT_AS_OF if is_sample else now())
    folder = _newest(folder)
    if is_sample:
        print(f"No extracts given (--extracts DIR or WORKBENCH_EXTRACTS): using the sample practice, as of {as_of.isoformat()}")
    console.run(settings, folder, as_of)
    if is_sample:
        console.print_tasks(settings, as_of, limit=20)
    return 0


def _newest(folder: Path) -> Path:
    """The folder itself, or the newest of its dated sub-folders when it holds no table of its own."""
    from pipelines import extracts

    try:
        extracts.find(folder)
    except UserError as first:
        try:
            return extracts.dated_folders(folder)[-1]
        except (UserError, IndexError):
            raise first from None
    return folder


def _replay(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    for folder, as_of in _moments(options.extracts):
        console.run(settings, folder, as_of)
    return 0


def _backtest(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    console.backtest(settings, options.rule, options.set, _moments(options.extracts))
    return 0


def _moments(folder: Path) -> list[tuple[Path, dt.datetime]]:
    """The dated sub-folders and when each was extracted, in order; all are looked at before the first is run."""
    from pipelines import extracts

    folders = extracts.dated_folders(folder)
    if not folders:
        raise UserError(f"{folder}: no dated sub-folder (such as 2026-11-20) to replay")
    return [(folder, extracts.moment_of(folder)) for folder in folders]


def _tasks(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console, worklist

    chosen = (options.facility, options.category, options.type, options.payer, options.staff)
    filters = worklist.Filters(options.status, *((value,) if value is not None else () for value in chosen), patient_id=options.patient)
    console.show_tasks(settings, options.at or now(), filters, options.format)
    return 0


def _history(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    console.show_history(settings, options.at or now(), options.patient, options.format)
    return 0


def _accesses(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    console.show_accesses(settings, options.patient, options.staff, options.limit, options.format)
    return 0


def _act(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    return console.act(settings, options, options.at or now())


def _rules(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    return console.rules(settings, options.what)


def _report(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import console

    return console.report(settings, options, options.at or now())


def _backup(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import backup

    made = backup.back_up(settings, options.out, now())
    print(f"{made.folder}: {_held(made)}")
    return 0


def _restore(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    from pipelines import backup

    print(f"restored what was backed up at {(found := backup.restore(settings, options.folder)).made_at}: {_held(found)}")
    return 0


def _held(found: Backup) -> str:
    rows = ", ".join(f"{count:,} {table}" for table, count in found.rows.items())
    return f"{rows}; {'no list was published yet' if found.snapshot is None else f'snapshot {found.snapshot}'}"


def _bench(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    if options.pages:
        from pipelines.bench import pages

        return pages.bench_pages(options.open_tasks or 100_000, options.closed_tasks, options.data, now(), options.out)
    if options.app:
        from pipelines.bench import app

        load = app.Load(options.sessions, options.think, options.seconds or 60, options.open_tasks or 100_000)
        return app.bench_app(load, options.data, now(), options.out)
    if options.load:
        from pipelines.bench import app
        from pipelines.bench import load as load_module

        load = app.Load(options.staff, options.think, options.seconds or 120, options.open_tasks or 100_000)
        return load_module.bench_load(load, options.data, options.ledger, options.out)
    if options.list:
        from pipelines.bench import lists

        return lists.bench_lists(options.open_tasks or 1_000_000, options.data, options.out)
    if options.size:
        from pipelines.bench import sizes

        return sizes.bench_sizes(options.patients or [10_000, 100_000, 1_000_000], options.repeats, options.out)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description="The Task Workbench: from the EMR's extracts to a worklist.")
    commands = parser.add_subparsers(dest="command", required=True)

    sample = commands.add_parser("sample", help="write the synthetic practice's extracts")
    sample.add_argument("--out", type=Path, required=True)
    sample.add_argument("--patients", type=_positive, default=None)
    sample.add_argument("--facilities", type=_positive, default=None)
    sample.add_argument("--as-of", type=moment)
    sample.add_argument("--seed", type=int, default=None)
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")

    source = commands.add_parser("import", help="turn a foreign export into extracts")
    source.add_argument("--source", required=True)
    source.add_argument("--from", dest="from_dir", type=Path, required=True)
    source.add_argument("--out", type=Path, required=True)
    source.add_argument("--as-of", type=moment)

    check = commands.add_parser("check", help="check extracts against their contracts; 1 if anything is refused")
    check.add_argument("--extracts", type=Path)

    run = commands.add_parser("run", help="one run: extracts in, a published worklist out")
    run.add_argument("--extracts", type=Path)
    run.add_argument("--as-of", type=moment)

    replay = commands.add_parser("replay", help="run every dated sub-folder in order")
    replay.add_argument("--extracts", type=Path, required=True)

    backtest = commands.add_parser("backtest", help="what a rule would have opened with other parameters")
    backtest.add_argument("rule", metavar="RULE")
    backtest.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the rule; may be given several times")
    backtest.add_argument("--extracts", type=Path, required=True)

    tasks = commands.add_parser("tasks", help="list tasks")
    tasks.add_argument("--at", type=moment)
    tasks.add_argument("--status", choices=("pending", "deferred", "all", "closed"), default="pending")
    for name in ("facility", "type", "category", "payer", "staff", "patient"):
        tasks.add_argument(f"--{name}")
    tasks.add_argument("--format", choices=("table", "csv", "json"), default="table")

    history = commands.add_parser("history", help="everything that happened to a patient's tasks")
    history.add_argument("--patient", required=True)
    history.add_argument("--at", type=moment)
    history.add_argument("--format", choices=("table", "csv", "json"), default="table")

    accesses = commands.add_parser("accesses", help="who looked at whom on the screens, newest first")
    accesses.add_argument("--patient", metavar="ID", help="'*' is whole lists, by their address")
    accesses.add_argument("--staff", metavar="ID")
    accesses.add_argument("--limit", type=_positive, default=1000, metavar="N")
    accesses.add_argument("--format", choices=("table", "csv", "json"), default="table")

    act = commands.add_parser("act", help="act on a task, as a member of staff")
    act.add_argument("action", choices=("complete", "defer", "return", "reopen", "assign", "note"))
    act.add_argument("task_id", metavar="TASK_ID")
    act.add_argument("--staff", required=True)
    act.add_argument("--for", dest="span", metavar="SPAN", help="1d, 2d, 3d, 1w, 2w, or any span from 1 day to 14 days")
    act.add_argument("--until", type=moment)
    act.add_argument("--to", metavar="STAFF", help="whom to assign to; 'unassigned' gives the task back to the record's owner")
    act.add_argument("--reason")
    act.add_argument("--at", type=moment)
    act.add_argument("--seen", type=int, metavar="SEQ", help="refuse when somebody acted on the task after this ledger number")

    rules = commands.add_parser("rules", help="list the rules, write rules/README.md, or check every rule file")
    rules.add_argument("what", choices=("list", "docs", "check"))

    report = commands.add_parser("report", help="write the reports as HTML that works offline, and their tables as Excel")
    report.add_argument("--out", type=Path, metavar="DIR", help="where to; without it the folder reports in the data folder")
    report.add_argument("--notebook", nargs="+", metavar="NAME", help="only these of the notebooks")
    report.add_argument("--digest", action="store_true", help="instead the weekly digest: one page for an e-mail")
    report.add_argument("--from", dest="first", type=_day, metavar="DAY", help="the first day; of a digest, any day of its week")
    report.add_argument("--to", dest="last", type=_day, metavar="DAY")
    report.add_argument("--facility", metavar="ID")
    report.add_argument("--at", type=moment)

    backup = commands.add_parser("backup", help="copy the ledger, in whatever database, and the live snapshot to a new folder")
    backup.add_argument("--out", type=Path, required=True, metavar="DIR")
    restore = commands.add_parser("restore", help="put a backup back where nothing is yet, also into another kind of database")
    restore.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR")

    bench = commands.add_parser("bench", help="the benchmark of the README")
    bench.add_argument("--patients", type=_positive, nargs="+", help="how large the practices are")
    bench.add_argument("--repeats", type=_positive, default=3)
    bench.add_argument("--out", type=Path)
    bench.add_argument("--app", action="store_true", help="measure the screens instead: a real server and real browser connections")
    bench.add_argument("--pages", action="store_true", help="measure every page over a long past, one person alone")
    bench.add_argument("--size", action="store_true", help="measure how a run grows, from 10,000 patients to a million, and its memory")
    bench.add_argument("--list", action="store_true", help="measure the filtered list at a million open tasks")
    bench.add_argument("--compare", action="store_true", help="measure three rules over two days beside plain pandas and a dbt snapshot")
    bench.add_argument("--closed-tasks", type=_positive, default=1_000_000, help="how long that past is, about")
    bench.add_argument("--sessions", type=_positive, default=20, help="people who work at once")
    bench.add_argument("--think", type=float, default=3.0, metavar="SECONDS", help="what they think between two clicks, on average")
    bench.add_argument("--load", action="store_true", help="measure many staff at once on the list and the ledger, without screens")
    bench.add_argument("--staff", type=_positive, default=50, help="how many these are")
    bench.add_argument("--ledger", metavar="URL", help="their ledger, an empty one; without it a SQLite file of its own")
    bench.add_argument("--seconds", type=float, help="for how long people work: 60, or 120 for --load")
    bench.add_argument("--open-tasks", type=_positive, help="how long the list is, about: 100,000, or a million for --list")
    bench.add_argument("--data", type=Path, metavar="DIR", help="the list of this data folder, which is copied, instead of a new sample")
    return parser


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
