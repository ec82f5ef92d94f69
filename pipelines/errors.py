"""The error whose message is shown to the user, and what a disk says about itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FULL = 2_000_000  # bytes of free disk below which a failure is said to be about it


class UserError(Exception):
    """Something the user can fix: bad input, a wrong folder, a conflict.

    The message names what is wrong and where, and never holds a patient's values.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def disk_problem(folder: Path) -> str | None:
    """Why a folder's disk takes nothing more, None if it does; databases often say otherwise."""
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return "its disk is read-only"
        free = shutil.disk_usage(folder).free
    except OSError:
        return None
    return f"its disk is full: {free // 1000:,} kB left" if free < FULL else None
