"""The command `bench`: its options, and the benchmark that they choose."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.cli import clock
from pipelines.cli.values import positive
from pipelines.settings import Settings


def add_options(bench: argparse.ArgumentParser) -> None:
    """The options of `bench`."""
    for name, about in (
        ("size", "how a run grows, from 10,000 patients to a million, and its memory"),
        ("compare", "three rules over two days beside plain pandas and a dbt snapshot"),
        ("list", "the filtered list at a million open tasks"),
        ("pages", "every page over a long history, with one user"),
        ("load", "many staff at once on the list and the ledger, without screens"),
        ("guards", "false stops on honest days of the sample practice"),
        ("app", "the screens, with a real server and real browser connections"),
    ):
        bench.add_argument(f"--{name}", action="store_true", help=f"measure {about}")
    bench.add_argument(
        "--import", dest="imports", action="store_true", help="measure an import by a mapping"
    )
    for name, default, about in (
        ("rows", 1_000_000, "appointments of --import"),
        ("repeats", 3, "how often each run is measured"),
        ("closed-tasks", 1_000_000, "about how many closed tasks --pages has"),
        ("days", 365, "honest days of --guards"),
        ("sessions", 20, "users at work in --app"),
        ("staff", 50, "users at work in --load"),
    ):
        bench.add_argument(
            f"--{name}",
            type=positive,
            default=default,
            metavar="N",
            help=f"{about} (default: {default:,})",
        )
    bench.add_argument(
        "--patients",
        type=positive,
        nargs="+",
        metavar="N",
        help="sizes of the practices (default: 10,000 and 100,000; "
        "--size adds 1,000,000; --compare has 100,000, --guards 250)",
    )
    bench.add_argument(
        "--open-tasks",
        type=positive,
        metavar="N",
        help="about how many tasks are open (default: 100,000; 1,000,000 for --list)",
    )
    bench.add_argument(
        "--think",
        type=float,
        default=3.0,
        metavar="S",
        help="mean seconds between two clicks (default: %(default)s)",
    )
    bench.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="how long users work (default: 60; 120 for --load)",
    )
    bench.add_argument(
        "--ledger", metavar="URL", help="an empty ledger for --load (default: a SQLite file)"
    )
    bench.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="use a copy of the list of this data folder (default: a new sample)",
    )
    bench.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="also write the result to this file, as JSON (default: none)",
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run one benchmark; without a choice, of whole runs."""
    from pipelines.bench import app, compare, guards, imports, lists, load, pages, runs, sizes

    out, data, now = options.out, options.data, clock.now()
    open_tasks = options.open_tasks or (1_000_000 if options.list else 100_000)
    if options.imports:
        return imports.bench_imports(options.rows, out)
    if options.pages:
        return pages.bench_pages(open_tasks, options.closed_tasks, data, now, out)
    if options.app:
        seconds = options.seconds or 60
        users = app.Load(options.sessions, options.think, seconds, open_tasks)
        return app.bench_app(users, data, now, out)
    if options.load:
        seconds = options.seconds or 120
        users = app.Load(options.staff, options.think, seconds, open_tasks)
        return load.bench_load(users, data, options.ledger, out)
    if options.guards:
        (patients,) = options.patients or [250]
        return guards.bench_guards(patients, options.days, out)
    if options.list:
        return lists.bench_lists(open_tasks, data, out)
    if options.size:
        patients = options.patients or [10_000, 100_000, 1_000_000]
        return sizes.bench_sizes(patients, options.repeats, out)
    if options.compare:
        return compare.bench_compare(options.patients or [100_000], options.repeats, out)
    return runs.bench(options.patients or [10_000, 100_000], options.repeats, out)
