"""Where in a rule file something is wrong: file, line and key, for messages."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from pipelines.errors import UserError


def read_text(path: Path) -> str:
    """The text of a rule file; UserError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error


def where(path: Path, header: str, key: str) -> str:
    """File, line and key, for a message."""
    for number, line in enumerate(header.splitlines(), start=2):
        if re.match(rf'\s*\[?"?{re.escape(key)}"?\s*[\]=]', line):
            return f"{path}: line {number}: {key}"
    return f"{path}: {key}"


def line(path: Path, pattern: str = r"\S", sql: str = "") -> str:
    """File and line of the first match, in this SELECT of the file or in all of it."""
    text = read_text(path)
    start = max(text.find(sql), 0)
    found = re.compile(pattern, re.MULTILINE).search(text, start)
    at = found.start() if found else start
    return f"{path}: line {text.count(chr(10), 0, at) + 1}"


def of_sql(path: Path, sql: str, what: str, error: duckdb.Error) -> str:
    """What DuckDB says of a SELECT, with the line of the file; it counts from the SELECT on."""
    says, _, place = str(error).partition("LINE ")
    number = re.match(r"\d+", place)
    lines = [line.strip() for line in says.splitlines() if line.strip()]
    # The second line may offer the columns there are; further ones list every function.
    words = " ".join(lines[:2] if "Candidate bindings" in says else lines[:1])
    where = line_of(path, sql, int(number[0]) - 1 if number else 0)
    return f"{where}: the SQL {what}: {words}"


def line_of(path: Path, sql: str, lines: int) -> str:
    """File and line of a place so many lines below the beginning of this SELECT."""
    text = read_text(path)
    return f"{path}: line {text.count(chr(10), 0, max(text.find(sql), 0)) + 1 + lines}"
