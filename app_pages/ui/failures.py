"""When something fails: a sentence on the page, and in the log where it failed but no message, which may quote a patient's values."""

from __future__ import annotations

import hashlib
import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import streamlit as st

from app_pages.ui.plain import plain
from pipelines.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger("workbench")


def show(error: Exception) -> bool:
    """What a page says instead of a traceback; the code is also in the log. True: nothing else is to be shown."""
    if isinstance(error, UserError):
        st.error(plain(error), icon=":material/error:")
    else:
        st.error(
            f"Something went wrong on this page; what you had done before is kept. Reload the page. If it happens again, "
            f"tell who looks after the workbench this code, which is also in its log: **{code(error)}**",
            icon=":material/error:",
        )
    return True


def code(error: BaseException) -> str:
    """A short name for a way to fail: the same kind of error in the same place has the same."""
    return hashlib.sha256(_first_and_last(error).encode()).hexdigest()[:6]


def place_of(error: BaseException) -> str:
    """The kinds of error and the lines they went through, without messages or values."""
    lines = [f"error {code(error)} (messages are left out: they may quote a patient's values)"]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        lines += [f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in _frames(current)]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines)


def keep_values_out_of_the_log() -> None:
    """For the whole process, also for what Streamlit and the web server log: an exception is logged as its place only."""
    make = logging.getLogRecordFactory()

    def make_safe(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text, record.exc_info = place_of(record.exc_info[1]), None
        if isinstance(record.args, tuple):
            record.args = tuple(type(arg).__qualname__ if isinstance(arg, BaseException) else arg for arg in record.args)
        return record

    logging.setLogRecordFactory(make_safe)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda hook: _log_uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        _log.error("Uncaught", exc_info=(kind, error, trace))


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False))


def _first_and_last(error: BaseException) -> str:
    ours = [frame for frame in _frames(error) if frame.filename.startswith(str(ROOT))]
    return "|".join([type(error).__qualname__, *(f"{_short(frame.filename)}:{frame.lineno}" for frame in ours[-1:])])


def _short(file: str) -> str:
    path = Path(file)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else "/".join(path.parts[-3:])
