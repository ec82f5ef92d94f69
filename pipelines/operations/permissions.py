"""File permissions: only the workbench's own user may read ledger, snapshots and refused rows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from pipelines.settings import Settings

OTHERS = 0o077  # the group, and everybody else on the machine


def begin() -> None:
    """For the whole process: create files with mode 0600 and folders with mode 0700."""
    os.umask(OTHERS)


def restrict(settings: Settings) -> None:
    """Close to others what an older version or a copy by hand left open.

    Files of another user stay as they are.
    """
    with suppress(sa.exc.ArgumentError):  # opening the ledger reports what is wrong with its URL
        url = sa.make_url(settings.ledger_url)
        paths = [settings.warehouse, settings.rejected]
        if url.get_backend_name() == "sqlite" and url.database:
            paths += [Path(f"{url.database}{ending}") for ending in ("", "-wal", "-shm")]
        for path in paths:
            with suppress(OSError):  # missing, not ours, or on a read-only disk
                if (mode := os.stat(path).st_mode) & OTHERS:
                    os.chmod(path, mode & ~OTHERS & 0o7777)
