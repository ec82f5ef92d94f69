"""A backtest in a process of its own, so that a server's people go on working: the question comes in by stdin, the answer goes out by stdout.

Both are pickles between two processes of one workbench; nothing else ever reads or writes them. Progress is lines of
"share<TAB>what it is at" on stderr, and a last line "error<TAB>why" where nothing could be tested.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.analytics import backtest
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.settings import ROOT, Settings


@dataclass(frozen=True)
class Question:
    """The rule, its changed parameters, and the dated folders to replay, in order."""

    settings: Settings
    rule_id: str
    changes: Mapping[str, object]
    folders: Sequence[Path]


def ask(
    question: Question, tell: Callable[[float, str], None] = lambda share, doing: None
) -> backtest.Comparison:
    """Run the backtest in another process and wait for it; UserError when it could not be done.

    `tell` may raise UserError, which ends it.
    """
    why = "The backtest ended without an answer."
    with tempfile.TemporaryFile() as answer:  # a pipe would fill up while progress is read
        command = [sys.executable, "-m", "pipelines.analytics.backtest_process"]
        try:
            with subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=answer, stderr=subprocess.PIPE
            ) as process:
                process.stdin.write(pickle.dumps(question))
                process.stdin.close()
                try:
                    for line in process.stderr:
                        first, tab, rest = line.decode("utf-8", "replace").strip().partition("\t")
                        if tab and first == "error":
                            why = rest
                        elif tab:
                            tell(float(first), rest)
                except UserError:
                    process.kill()
                    raise
        except OSError as error:
            raise UserError(f"The backtest could not be run: {error.strerror}") from None
        if process.returncode != 0:
            raise UserError(why)
        answer.seek(0)
        return pickle.load(answer)


def _answer() -> int:
    """Answer the question on stdin."""
    question: Question = pickle.load(sys.stdin.buffer)
    try:
        folders = [(folder, extracts_folder.moment_of(folder)) for folder in question.folders]
        found = backtest.backtest(
            question.settings, question.rule_id, question.changes, folders, _tell
        )
    except UserError as error:
        print(f"error\t{error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(pickle.dumps(found))
    return 0


def _tell(share: float, doing: str) -> None:
    print(f"{share:.3f}\t{doing}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Under its own name: a pickle knows a class by its module, and here that would be __main__.
    from pipelines.analytics.backtest_process import _answer as answer

    sys.exit(answer())
