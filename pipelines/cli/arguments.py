"""The commands and their options: the contract that docs/commands.md describes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from pipelines.cli import bench, source_arguments, values
from pipelines.cli.source_arguments import Commands
from pipelines.errors import UserError
from pipelines.vocabulary import ACTIONS, SELF_PAY, UNASSIGNED
from pipelines.worklist.filters import OPTIONS

ABSENT = {"payer": SELF_PAY, "staff": UNASSIGNED}  # values of tasks without one


class _Parser(argparse.ArgumentParser):
    """Raises UserError, so that a wrong command is logged like every other error."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    line = _Parser(
        prog="python -m pipelines",
        description="The Task Workbench: from the EMR's extracts to a list of tasks.",
    )
    commands = line.add_subparsers(dest="command", required=True)
    source_arguments.add(commands)
    _add_runs(commands)
    _add_backtest(commands)
    _add_tasks(commands)
    _add_act(commands)
    _add_ledger(commands)
    _add_sign_in(commands)
    _add_rules_and_report(commands)
    _add_backup(commands)
    bench.add_options(commands.add_parser("bench", help="run a benchmark of docs/performance.md"))
    return line


def _add_runs(commands: Commands) -> None:
    run = commands.add_parser("run", help="read extracts, evaluate the rules, publish a new list")
    run.add_argument(
        "--extracts",
        type=Path,
        metavar="DIR",
        help="a folder of extracts, or of dated folders, whose newest is run "
        "(default: WORKBENCH_EXTRACTS, else data/sample)",
    )
    run.add_argument(
        "--as-of", type=values.time, metavar="TS", help="the time the run speaks for (default: now)"
    )
    run.add_argument(
        "--go-live",
        type=values.day,
        metavar="DAY",
        help="the practice begins to work with the list on this day: what fell due before is set "
        "aside, in this run and later ones (default: practice.go_live of the settings, else that "
        "of the run before)",
    )
    run.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="GUARD",
        help="what this guard of the last run held is true: publish it with this run; may be given "
        "again; all: every guard",
    )
    run.add_argument("--staff", metavar="ID", help="who accepts it; a manager")
    run.add_argument("--reason", default="", metavar="TEXT", help="why it is true")
    run.add_argument(
        "--undo",
        action="store_true",
        help="go back to the list before the last run instead; what people did stays",
    )
    _add_force(run, "an --as-of ahead of this machine's clock, or a delivery whose run was undone")
    bring_in = commands.add_parser(
        "bring-in", help="open tasks that were set aside at the go-live, with the next run"
    )
    bring_in.add_argument("rule", metavar="RULE", help="the rule of the tasks")
    bring_in.add_argument("--facility", metavar="ID", help="at this facility (default: all)")
    bring_in.add_argument("--staff", required=True, metavar="ID", help="who asks; a manager")
    _add_at(bring_in, "when it was asked")
    _add_force(bring_in, "an --at ahead of this machine's clock")
    _add_watch(commands)
    health = commands.add_parser(
        "health", help="check the state for a monitor: exits with 0 ok, 1 attention, 2 failing"
    )
    health.add_argument(
        "--max-age",
        type=values.positive,
        default=26,
        metavar="HOURS",
        help="how old the list, and extracts that were not run, may be (default: %(default)s)",
    )
    _add_format(health, "table", "json")

    replay = commands.add_parser("replay", help="run every dated sub-folder in order")
    replay.add_argument(
        "--extracts", type=Path, required=True, metavar="DIR", help="a folder of dated folders"
    )
    _add_force(replay, "folders dated ahead of this machine's clock")


def _add_watch(commands: Commands) -> None:
    watch = commands.add_parser(
        "watch",
        help="run when complete extracts have arrived and at times of day, until stopped",
    )
    watch.add_argument(
        "--extracts",
        type=Path,
        metavar="DIR",
        help="one folder, or a folder of dated ones (default: WORKBENCH_EXTRACTS)",
    )
    watch.add_argument(
        "--source",
        metavar="NAME",
        help="import the deliveries of this source first (default: none)",
    )
    watch.add_argument(
        "--from",
        dest="from_dir",
        type=Path,
        metavar="DIR",
        help="where the source's deliveries arrive: folders, zips, workbooks or dated files",
    )
    watch.add_argument(
        "--every",
        type=values.positive,
        default=30,
        metavar="SECONDS",
        help="how often to look (default: %(default)s)",
    )
    watch.add_argument(
        "--quiet",
        type=values.positive,
        default=60,
        metavar="SECONDS",
        help="how long a folder must be unchanged before it is run (default: %(default)s)",
    )
    watch.add_argument(
        "--patience",
        type=values.positive,
        default=120,
        metavar="MINUTES",
        help="how long to wait for an incomplete folder before it is run (default: %(default)s)",
    )
    watch.add_argument(
        "--daily",
        type=values.time_of_day,
        nargs="+",
        default=[],
        metavar="HH:MM",
        help="also run the last extracts again at these times (default: none)",
    )


def _add_backtest(commands: Commands) -> None:
    backtest = commands.add_parser(
        "backtest", help="show what a rule would have opened with other parameters"
    )
    backtest.add_argument("rule", metavar="RULE", help="the id of the rule")
    backtest.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the rule; may be given several times",
    )
    backtest.add_argument(
        "--extracts", type=Path, required=True, metavar="DIR", help="a folder of dated folders"
    )


def _add_tasks(commands: Commands) -> None:
    tasks = commands.add_parser("tasks", help="list tasks")
    _add_at(tasks, "the list at this time")
    for one in OPTIONS:
        absent = f"; {ABSENT[one.name]} for tasks without one" if one.name in ABSENT else ""
        tasks.add_argument(
            f"--{one.name}",
            choices=one.option_choices,
            default=one.default,
            help=f"tasks of this {one.said}{absent} (default: {one.default or 'all'})",
        )
    _add_format(tasks)

    history = commands.add_parser("history", help="print all events of a patient's tasks")
    history.add_argument("--patient", required=True, metavar="ID", help="the patient")
    history.add_argument(
        "--people-only", action="store_true", help="only what people did (default: everything)"
    )
    _add_at(history, "the events up to this time")
    _add_format(history)

    accesses = commands.add_parser(
        "accesses", help="print who looked at which patient on the screens, newest first"
    )
    accesses.add_argument(
        "--patient", metavar="ID", help="looks at this patient, '*' for whole lists (default: all)"
    )
    accesses.add_argument("--staff", metavar="ID", help="looks by this staff member (default: all)")
    accesses.add_argument(
        "--limit",
        type=values.positive,
        default=1000,
        metavar="N",
        help="at most so many lines (default: %(default)s)",
    )
    _add_format(accesses)


def _add_act(commands: Commands) -> None:
    act = commands.add_parser("act", help="record an action of a staff member on a task")
    act.add_argument("action", choices=tuple(ACTIONS))
    act.add_argument("task_id", metavar="TASK_ID")
    act.add_argument("--staff", required=True, metavar="ID", help="who acts; must be active")
    act.add_argument(
        "--for",
        dest="span",
        metavar="SPAN",
        help="of defer: for how long, from 1 to 14 days, such as 3d, 1w, 36h or 1d12h",
    )
    act.add_argument(
        "--until", type=values.time, metavar="TS", help="of defer: until when, 1 to 14 days ahead"
    )
    act.add_argument(
        "--to",
        metavar="STAFF",
        help="of assign: to whom; 'unassigned' gives the task back to the record's owner",
    )
    act.add_argument(
        "--reason", metavar="TEXT", help="required for note and for an override (default: none)"
    )
    _add_at(act, "when it was done")
    act.add_argument(
        "--seen",
        type=int,
        metavar="SEQ",
        help="refuse if anyone acted on the task after this ledger number",
    )
    _add_force(act, "an --at ahead of this machine's clock")


def _add_ledger(commands: Commands) -> None:
    ledger = commands.add_parser(
        "ledger", help="go on with a ledger that is not the one the list was made with"
    )
    ledger.add_argument("what", choices=("adopt",))
    ledger.add_argument("--staff", metavar="ID", help="who decides it (default: nobody is named)")
    ledger.add_argument("--reason", metavar="TEXT", help="why (default: none)")


def _add_sign_in(commands: Commands) -> None:
    sign_in = commands.add_parser(
        "sign-in", help="release the account that a staff member signs in with"
    )
    sign_in.add_argument("what", choices=("release",))
    sign_in.add_argument("of", metavar="STAFF", help="whose account; the next they use is theirs")
    sign_in.add_argument("--staff", required=True, metavar="ID", help="who releases it; a manager")
    sign_in.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the ledger")
    _add_at(sign_in, "when it was released")
    _add_force(sign_in, "an --at ahead of this machine's clock")


def _add_rules_and_report(commands: Commands) -> None:
    rules = commands.add_parser(
        "rules", help="list the rules, write rules/README.md, or check every rule file"
    )
    rules.add_argument("what", choices=("list", "docs", "check"))
    rules.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="of check: the practice's own rule files to check (default: every rule in force)",
    )
    rules.add_argument(
        "--out",
        type=Path,
        metavar="PAGE",
        help="of docs: write a page of the rules in force instead, the practice's own included",
    )

    report = commands.add_parser(
        "report", help="write the reports as offline HTML, and their tables as Excel"
    )
    report.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to write (default: the folder reports in the data folder)",
    )
    report.add_argument(
        "--notebook", nargs="+", metavar="NAME", help="only these notebooks (default: all)"
    )
    report.add_argument(
        "--digest",
        action="store_true",
        help="write the weekly digest, one page for e-mail, instead",
    )
    report.add_argument(
        "--from",
        dest="first",
        type=values.day,
        metavar="DAY",
        help="the first day (default: five weeks of which the last is this one); "
        "of a digest, any day of its week (default: the last whole week)",
    )
    report.add_argument(
        "--to", dest="last", type=values.day, metavar="DAY", help="the last day (default: today)"
    )
    report.add_argument("--facility", metavar="ID", help="one facility (default: all)")
    _add_at(report, "the list at this time")


def _add_backup(commands: Commands) -> None:
    backup = commands.add_parser(
        "backup", help="copy the ledger, of any database, and the live snapshot to a new folder"
    )
    backup.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    restore = commands.add_parser(
        "restore", help="restore a backup where nothing is yet, also into another kind of database"
    )
    restore.add_argument(
        "--from", dest="folder", type=Path, required=True, metavar="DIR", help="the backup"
    )


def _add_at(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("--at", type=values.time, metavar="TS", help=f"{about} (default: now)")


def _add_force(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--force", action="store_true", help=f"take {what}")


def _add_format(command: argparse.ArgumentParser, *forms: str) -> None:
    command.add_argument(
        "--format",
        choices=forms or ("table", "csv", "json"),
        default="table",
        help="default: %(default)s",
    )
