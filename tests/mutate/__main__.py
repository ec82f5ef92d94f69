"""`python -m tests.mutate [FILE…]`: change one token of a SQL file at a time and run its tests.

Names each mutant that no test notices; docs/testing.md lists those that change nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutate import kept, listed
from tests.mutate.changes import Mutant, mutants
from tests.mutate.trial import ROOT, Trial, own_tests, try_mutants

OUTCOMES = ("killed", "listed", "survived", "not tried")
FOLDERS = ("rules", "pipelines/rules", "pipelines/lifecycle", "pipelines/staging")


@dataclass(frozen=True)
class Found:
    """What became of one mutant: killed, listed, survived or, of kept results, not tried."""

    file: str
    mutant: Mutant
    outcome: str

    def as_row(self) -> dict[str, object]:
        """The mutant as the JSON shows it."""
        return {
            "file": self.file,
            "line": self.mutant.line,
            "text": self.mutant.line_text,
            "change": self.mutant.change,
            "outcome": self.outcome,
        }


def files() -> list[Path]:
    """All SQL files that have mutants."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.sql"))]


def name_of(path: Path) -> str:
    """The file as the list of equivalent mutants names it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def of_file(path: Path, wanted: argparse.Namespace) -> tuple[list[Found], str | None]:
    """What became of a file's mutants, or why they could not be tried."""
    name, text = name_of(path), path.read_text(encoding="utf-8")
    found = mutants(text)
    found = [found[wanted.only - 1]] if wanted.only else found[wanted.first - 1 :]
    is_listed = {mutant: listed.key_of(name, mutant) in listed.equivalents() for mutant in found}
    killers = kept.killers(name, text, found)
    if wanted.kept:
        return [Found(name, one, _outcome(killers.get(one), is_listed[one])) for one in found], None
    tried = [mutant for mutant in found if wanted.only or not is_listed[mutant]]
    if wanted.untried:
        tried = [mutant for mutant in tried if not killers.get(mutant)]
    out = sys.stdout

    stages = [wanted.tests] if wanted.tests else own_tests(path)
    for stage, tests in enumerate(stages, start=1):

        def tell(mutant: Mutant, killer: str, is_last: bool = stage == len(stages)) -> None:
            if not wanted.tests:
                kept.keep(name, text, {mutant: killer})
            if not killer and is_last and not wanted.json:
                says = f"survived {name}:{mutant.line}: {mutant.change}    in: {mutant.line_text}"
                print(says, file=out, flush=True)

        trial = Trial(path, tried, wanted.jobs, tell, wanted.whole, killers)
        if tried:
            try_mutants(trial, tests)
        if trial.fault is not None:
            return [], trial.fault
        killers |= trial.killers
        tried = [mutant for mutant in tried if not killers[mutant]]
    return [
        Found(name, mutant, _outcome(killers.get(mutant), is_listed[mutant])) for mutant in found
    ], None


def _outcome(killer: str | None, is_listed: bool) -> str:
    if is_listed and not killer:
        return "listed"
    return {None: "not tried", "": "survived"}.get(killer, "killed")


def in_a_process(path: Path, wanted: argparse.Namespace) -> list[dict[str, object]] | None:
    """The rows of a file, tried in a process of its own; None if they could not be tried."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        process = os.fork()
        if not process:
            code = 2
            try:
                found, fault = of_file(path, wanted)
                json.dump([one.as_row() for one in found], told)
                told.flush()
                if fault is not None:
                    print(f"{name_of(path)}: {fault}", file=sys.stderr)
                code = 0 if fault is None else 2
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(process, 0)
        told.seek(0)
        return None if status else json.load(told)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    found.add_argument("files", metavar="FILE", nargs="*", type=Path, help="default: all of them")
    found.add_argument("--jobs", metavar="N", type=int, default=2, help="mutants at a time (2)")
    found.add_argument("--only", metavar="N", type=int, help="the Nth mutant of the file only")
    found.add_argument("--first", metavar="N", type=int, default=1, help="begin with the Nth (1)")
    found.add_argument("--untried", action="store_true", help="leave out what was killed before")
    found.add_argument("--kept", action="store_true", help="sum up earlier runs, try nothing")
    found.add_argument("--json", action="store_true", help="print every mutant as JSON")
    found.add_argument("--whole", action="store_true", help="also run the tests of whole runs")
    found.add_argument("--tests", metavar="FILE", nargs="+", help="other tests than the file's own")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants; the exit code is 1 if one survived and 2 if a file could not be tried."""
    wanted = parser().parse_args(arguments)
    rows, are_tried = [], True
    for path in [path.resolve() for path in wanted.files] or files():
        of_this = in_a_process(path, wanted)
        if of_this is None:
            are_tried = False
            continue
        rows += of_this
        if not wanted.json:
            counts = _counts(of_this)
            print(f"{name_of(path)}: {counts}", flush=True)
    print(
        json.dumps(rows, ensure_ascii=False, indent=1) if wanted.json else f"all: {_counts(rows)}"
    )
    if not are_tried:
        return 2
    return int(any(row["outcome"] == "survived" for row in rows))


def _counts(rows: Sequence[dict[str, object]]) -> str:
    outcomes = [row["outcome"] for row in rows]
    count = {name: outcomes.count(name) for name in OUTCOMES}
    parts = [f"{count[name]} {name}" for name in OUTCOMES if name != "not tried" or count[name]]
    tried = count["killed"] + count["survived"]
    share = f"; {100 * count['killed'] / tried:.1f}% killed of those not listed" if tried else ""
    return f"{len(rows)} mutants, {', '.join(parts)}{share}"


if __name__ == "__main__":
    sys.exit(main())
