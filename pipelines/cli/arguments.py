"""What may be written after `python -m pipelines`: the commands and their options, as others script against them."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import NoReturn

from pipelines.errors import UserError
from pipelines.vocabulary import ACTIONS
from pipelines.worklist.filters import OPTIONS


class _Parser(argparse.ArgumentParser):
    """What is wrong with a command is said, and logged, like any other refusal."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """All commands with their options; design.md has the contract."""
    line = _Parser(
        prog="python -m pipelines",
        description="The Task Workbench: from the EMR's extracts to a worklist.",
    )
    commands = line.add_subparsers(dest="command", required=True)

    sample = commands.add_parser("sample", help="write the synthetic practice's extracts")
    sample.add_argument("--out", type=Path, required=True)
    sample.add_argument("--patients", type=_positive, default=None)
    sample.add_argument("--facilities", type=_positive, default=None)
    sample.add_argument("--as-of", type=_moment)
    sample.add_argument("--seed", type=int, default=None)
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")

    source = commands.add_parser("import", help="turn a foreign export into extracts")
    source.add_argument("--source", required=True)
    source.add_argument("--from", dest="from_dir", type=Path, required=True)
    source.add_argument("--out", type=Path, required=True)
    source.add_argument("--as-of", type=_moment)

    check = commands.add_parser(
        "check", help="check extracts against their contracts; 1 if anything is refused"
    )
    check.add_argument("--extracts", type=Path)

    run = commands.add_parser("run", help="one run: extracts in, a published worklist out")
    run.add_argument("--extracts", type=Path)
    run.add_argument("--as-of", type=_moment)

    watch = commands.add_parser(
        "watch",
        help="run whenever a whole folder of extracts has come, and at times of day; until it is ended",
    )
    watch.add_argument("--extracts", type=Path, help="one folder, or a folder of dated ones")
    watch.add_argument(
        "--every", type=_positive, default=30, metavar="SECONDS", help="how often to look"
    )
    watch.add_argument(
        "--quiet",
        type=_positive,
        default=60,
        metavar="SECONDS",
        help="how long a folder must not have changed before it is run",
    )
    watch.add_argument(
        "--patience",
        type=_positive,
        default=120,
        metavar="MINUTES",
        help="how long one that is not whole is waited for",
    )
    watch.add_argument(
        "--daily",
        type=_time,
        nargs="+",
        default=[],
        metavar="HH:MM",
        help="also run then, over what was run last: tasks fall due by time",
    )

    health = commands.add_parser("health", help="is all well? 0 yes, 1 somebody should look, 2 no")
    health.add_argument(
        "--max-age",
        type=_positive,
        default=26,
        metavar="HOURS",
        help="how old the list may be, and extracts that nobody ran",
    )
    health.add_argument("--format", choices=("table", "json"), default="table")

    replay = commands.add_parser("replay", help="run every dated sub-folder in order")
    replay.add_argument("--extracts", type=Path, required=True)

    backtest = commands.add_parser(
        "backtest", help="what a rule would have opened with other parameters"
    )
    backtest.add_argument("rule", metavar="RULE")
    backtest.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the rule; may be given several times",
    )
    backtest.add_argument("--extracts", type=Path, required=True)

    tasks = commands.add_parser("tasks", help="list tasks")
    tasks.add_argument("--at", type=_moment)
    for one in OPTIONS:
        tasks.add_argument(f"--{one.name}", choices=one.option_choices, default=one.default)
    tasks.add_argument("--format", choices=("table", "csv", "json"), default="table")

    history = commands.add_parser("history", help="everything that happened to a patient's tasks")
    history.add_argument("--patient", required=True)
    history.add_argument("--at", type=_moment)
    history.add_argument("--format", choices=("table", "csv", "json"), default="table")

    accesses = commands.add_parser(
        "accesses", help="who looked at whom on the screens, newest first"
    )
    accesses.add_argument("--patient", metavar="ID", help="'*' is whole lists, by their address")
    accesses.add_argument("--staff", metavar="ID")
    accesses.add_argument("--limit", type=_positive, default=1000, metavar="N")
    accesses.add_argument("--format", choices=("table", "csv", "json"), default="table")

    act = commands.add_parser("act", help="act on a task, as a member of staff")
    act.add_argument("action", choices=tuple(ACTIONS))
    act.add_argument("task_id", metavar="TASK_ID")
    act.add_argument("--staff", required=True)
    act.add_argument(
        "--for",
        dest="span",
        metavar="SPAN",
        help="1d, 2d, 3d, 1w, 2w, or any span from 1 day to 14 days",
    )
    act.add_argument("--until", type=_moment)
    act.add_argument(
        "--to",
        metavar="STAFF",
        help="whom to assign to; 'unassigned' gives the task back to the record's owner",
    )
    act.add_argument("--reason")
    act.add_argument("--at", type=_moment)
    act.add_argument(
        "--seen",
        type=int,
        metavar="SEQ",
        help="refuse when somebody acted on the task after this ledger number",
    )

    rules = commands.add_parser(
        "rules", help="list the rules, write rules/README.md, or check every rule file"
    )
    rules.add_argument("what", choices=("list", "docs", "check"))

    report = commands.add_parser(
        "report", help="write the reports as HTML that works offline, and their tables as Excel"
    )
    report.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to; without it the folder reports in the data folder",
    )
    report.add_argument("--notebook", nargs="+", metavar="NAME", help="only these of the notebooks")
    report.add_argument(
        "--digest", action="store_true", help="instead the weekly digest: one page for an e-mail"
    )
    report.add_argument(
        "--from",
        dest="first",
        type=_day,
        metavar="DAY",
        help="the first day; of a digest, any day of its week",
    )
    report.add_argument("--to", dest="last", type=_day, metavar="DAY")
    report.add_argument("--facility", metavar="ID")
    report.add_argument("--at", type=_moment)

    backup = commands.add_parser(
        "backup",
        help="copy the ledger, in whatever database, and the live snapshot to a new folder",
    )
    backup.add_argument("--out", type=Path, required=True, metavar="DIR")
    restore = commands.add_parser(
        "restore", help="put a backup back where nothing is yet, also into another kind of database"
    )
    restore.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR")

    bench = commands.add_parser("bench", help="the benchmark of the README")
    bench.add_argument("--patients", type=_positive, nargs="+", help="how large the practices are")
    bench.add_argument("--repeats", type=_positive, default=3)
    bench.add_argument("--out", type=Path)
    bench.add_argument(
        "--app",
        action="store_true",
        help="measure the screens instead: a real server and real browser connections",
    )
    bench.add_argument(
        "--pages", action="store_true", help="measure every page over a long past, one person alone"
    )
    bench.add_argument(
        "--size",
        action="store_true",
        help="measure how a run grows, from 10,000 patients to a million, and its memory",
    )
    bench.add_argument(
        "--list", action="store_true", help="measure the filtered list at a million open tasks"
    )
    bench.add_argument(
        "--compare",
        action="store_true",
        help="measure three rules over two days beside plain pandas and a dbt snapshot",
    )
    bench.add_argument(
        "--closed-tasks", type=_positive, default=1_000_000, help="how long that past is, about"
    )
    bench.add_argument("--sessions", type=_positive, default=20, help="people who work at once")
    bench.add_argument(
        "--think",
        type=float,
        default=3.0,
        metavar="SECONDS",
        help="what they think between two clicks, on average",
    )
    bench.add_argument(
        "--load",
        action="store_true",
        help="measure many staff at once on the list and the ledger, without screens",
    )
    bench.add_argument("--staff", type=_positive, default=50, help="how many these are")
    bench.add_argument(
        "--ledger",
        metavar="URL",
        help="their ledger, an empty one; without it a SQLite file of its own",
    )
    bench.add_argument(
        "--seconds", type=float, help="for how long people work: 60, or 120 for --load"
    )
    bench.add_argument(
        "--open-tasks",
        type=_positive,
        help="how long the list is, about: 100,000, or a million for --list",
    )
    bench.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the list of this data folder, which is copied, instead of a new sample",
    )
    return line


def _moment(text: str) -> dt.datetime:
    """An ISO time; without an offset it is this machine's own wall clock."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time such as 2026-11-20T06:00:00-05:00"
        ) from None
    return found if found.tzinfo else found.astimezone()


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None


def _time(text: str) -> dt.time:
    try:
        found = dt.time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time of day such as 06:00") from None
    return found.replace(tzinfo=None)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
