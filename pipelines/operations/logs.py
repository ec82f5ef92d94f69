"""The log of the command line and the server, to standard error: text, or one JSON object a line.

A log never holds a patient's values: an exception is logged as its types and the lines it passed
through, without its message.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import threading
import traceback
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from pipelines.settings import ROOT

log = logging.getLogger("workbench")


class _Text(logging.Formatter):
    """Progress begins with "… ", anything else with its level."""

    def format(self, record: logging.LogRecord) -> str:
        said = super().format(record)
        return (
            f"… {said}"
            if record.levelno < logging.WARNING
            else f"{record.levelname.lower()}: {said}"
        )


class _StandardError(logging.StreamHandler):
    """Writes to the current sys.stderr, which tests replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


def begin(form: str) -> None:
    """Log in one of settings.LOG_FORMS from now on, including the warnings of libraries."""
    handler = _StandardError()
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [
        handler,
        *(other for other in root.handlers if not isinstance(other, _StandardError)),
    ]
    log.setLevel(logging.INFO)
    if logging.getLogRecordFactory() is not _without_values:
        logging.setLogRecordFactory(_without_values)


def formatter(form: str) -> logging.Formatter:
    """The formatter of a log format.

    JSON has at (UTC), level, logger, message and the event's own keys, such as event and run_id.
    """
    if form == "text":
        return _Text()
    from pythonjsonlogger.core import RESERVED_ATTRS
    from pythonjsonlogger.json import JsonFormatter

    renamed = {"levelname": "level", "name": "logger", "exc_info": "where"}
    return JsonFormatter(
        ["levelname", "name", "message"],
        timestamp="at",
        rename_fields=renamed,
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
    )


def catch_all() -> None:
    """For the whole process: log uncaught exceptions of any thread, and libraries' warnings."""
    warnings.showwarning = _log_warning
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda hook: _log_uncaught(
        hook.exc_type, hook.exc_value, hook.exc_traceback
    )


def code(error: BaseException) -> str:
    """A short code of a failure: the same type of error in the same place has the same code."""
    return hashlib.sha256(_first_and_last(error).encode()).hexdigest()[:6]


def place_of(error: BaseException) -> str:
    """The types of an error and its causes with the lines they passed through, without messages."""
    lines = [f"error {code(error)} (messages are left out: they may quote a patient's values)"]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        lines += [
            f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}"
            for frame in _frames(current)
        ]
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\n".join(lines)


def _without_values(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text, record.exc_info = place_of(record.exc_info[1]), None
    if isinstance(record.args, tuple):
        record.args = tuple(
            type(arg).__qualname__ if isinstance(arg, BaseException) else arg for arg in record.args
        )
    return record


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if error is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        log.error("Uncaught", exc_info=(kind, error, trace))


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Like an error, a warning is logged without its message."""
    log.warning(
        "%s in %s:%d", category.__qualname__, _short(filename), lineno, extra={"event": "warned"}
    )


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(
        traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    )


def _first_and_last(error: BaseException) -> str:
    ours = [frame for frame in _frames(error) if frame.filename.startswith(str(ROOT))]
    return "|".join(
        [
            type(error).__qualname__,
            *(f"{_short(frame.filename)}:{frame.lineno}" for frame in ours[-1:]),
        ]
    )


def _short(file: str) -> str:
    path = Path(file)
    return (
        path.relative_to(ROOT).as_posix()
        if path.is_relative_to(ROOT)
        else "/".join(path.parts[-3:])
    )
