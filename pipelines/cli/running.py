"""The commands that make lists: one run, a watch, a replay, and going back."""

from __future__ import annotations

import argparse
import datetime as dt
import signal
import sys
from pathlib import Path

from pipelines import settings as settings_module
from pipelines.cli import acting, clock
from pipelines.errors import UserError
from pipelines.operations import watch as watching
from pipelines.operations.logs import log
from pipelines.settings import Settings


def run(options: argparse.Namespace, settings: Settings) -> int:
    """One run over the newest extracts, or over the sample where none are named."""
    if options.undo:
        return _undo(settings)
    from pipelines import sample as sample_module
    from pipelines.cli import output
    from pipelines.worklist.worklist import open_worklist

    is_sample = options.extracts is None and settings.extracts is None
    folder = options.extracts or default_extracts(settings)
    as_of = options.as_of or (sample_module.DEFAULT_AS_OF if is_sample else clock.now())
    clock.check(as_of, "--as-of", settings, is_forced=options.force)
    folder = _newest(folder, settings, is_forced=options.force)
    if is_sample:
        print(
            "No extracts given (--extracts DIR or WORKBENCH_EXTRACTS): "
            f"using the sample practice, as of {as_of.isoformat()}"
        )
    _check_go_live(settings, options.go_live)
    if options.accept:
        acting.accept(options, settings, as_of)
    _run_once(settings, folder, as_of, options.go_live)
    if is_sample:
        with open_worklist(settings, as_of) as worklist:
            output.print_oldest(worklist, most=20)
    return 0


def _undo(settings: Settings) -> int:
    from pipelines.operations import undo

    done = undo.undo(settings, clock.now())
    print(f"Run {done.run_id} is undone. Live again: {done.live}, as of {done.as_of.isoformat()}")
    print("What people did stays in the ledger.")
    if done.extracts:
        print(
            f"{done.extracts} is left alone until something in it changes; "
            "run --extracts with this very folder runs it all the same."
        )
    return 0


def _newest(root: Path, settings: Settings, *, is_forced: bool) -> Path:
    """The folder to run: this one, or its newest dated one; UserError when its run was undone."""
    from pipelines.operations import arrivals
    from pipelines.warehouse import undone

    chosen = arrivals.folders(root)[-1]
    if chosen == root or is_forced:
        return chosen
    if arrivals.look(chosen).is_undone(undone.read(settings.warehouse)):
        raise UserError(
            f"{chosen}: its run was undone, and nothing in it has changed since. Deliver again, "
            f"or name it on purpose: run --extracts {chosen}"
        )
    return chosen


def _check_go_live(settings: Settings, day: dt.date | None) -> None:
    """UserError when the settings name another go-live, which would win from the next run on."""
    if day is not None and settings.go_live not in (None, day):
        raise UserError(
            f"--go-live {day}: {settings.settings_file} has practice.go_live = {settings.go_live}; "
            "change it there"
        )


def _run_once(
    settings: Settings, folder: Path, as_of: dt.datetime, go_live: dt.date | None = None
) -> None:
    from pipelines.cli import output
    from pipelines.runs import run as runs

    def tell(stage: str) -> None:
        share = list(runs.STAGES).index(stage) / len(runs.STAGES)
        log.info(stage, extra={"event": "run.stage", "share": share})

    output.print_run(runs.run(settings, folder, as_of, tell, go_live), folder, settings)


def watch(options: argparse.Namespace, settings: Settings) -> int:
    """Run whenever extracts or a source's deliveries arrive, until SIGTERM."""
    if (options.source is None) != (options.from_dir is None):
        raise UserError("A source needs both: --source NAME and --from DIR, where it delivers")
    if options.source is not None and options.extracts is not None:
        raise UserError("--source imports into a folder of its own; leave --extracts out")
    folder = options.extracts or settings.extracts
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    habits = watching.Habits(
        dt.timedelta(seconds=options.quiet),
        dt.timedelta(minutes=options.patience),
        tuple(options.daily),
    )
    if options.source is not None:
        _watch_source(options, settings, habits)
        return 0
    if folder is None:
        raise UserError(
            "Name the folder of the practice's extracts: --extracts DIR, or WORKBENCH_EXTRACTS"
        )
    watching.watch(settings, folder, habits, options.every, lambda: clock.now().astimezone())
    return 0


def _watch_source(options: argparse.Namespace, settings: Settings, habits: watching.Habits) -> None:
    from pipelines.operations import source_watch
    from pipelines.sources import mapping

    mapping.load(options.source, settings.sources)
    taking = source_watch.SourceWatch(settings, options.source, options.from_dir, habits.quiet)

    def now() -> dt.datetime:
        return clock.now().astimezone()

    watching.watch(settings, taking.extracts, habits, options.every, now, taking.take)


def replay(options: argparse.Namespace, settings: Settings) -> int:
    """Run every dated sub-folder in order."""
    folders = dated(options.extracts)
    for folder, as_of in folders:
        clock.check(as_of, f"{folder}:", settings, is_forced=options.force)
    for folder, as_of in folders:
        _run_once(settings, folder, as_of)
    return 0


def dated(folder: Path) -> list[tuple[Path, dt.datetime]]:
    """The dated sub-folders and when each was extracted, in order."""
    from pipelines.extracts import folder as extracts_folder

    folders = extracts_folder.dated_folders(folder)
    if not folders:
        raise UserError(f"{folder}: no dated sub-folder (such as 2026-11-20) to replay")
    return [(folder, extracts_folder.moment_of(folder)) for folder in folders]


def default_extracts(settings: Settings) -> Path:
    return settings_module.SAMPLE if settings.extracts is None else settings.extracts
