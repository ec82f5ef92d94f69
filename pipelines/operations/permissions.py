"""What a run and the screens write is for their own user alone: ledger, snapshots and refused rows hold patients' values."""

from __future__ import annotations

import os
from contextlib import suppress

import sqlalchemy as sa

from pipelines.settings import Settings

OTHERS = 0o077  # the group, and everybody else on the machine


def begin() -> None:
    """For the whole process: files come into being as 0600, folders as 0700."""
    os.umask(OTHERS)


def restrict(settings: Settings) -> None:
    """Take from others what an older version, or a copy by hand, left open; what belongs to another user is for that one to say."""
    with suppress(sa.exc.ArgumentError):  # whoever opens the ledger says what is wrong with its URL
        url = sa.make_url(settings.ledger_url)
        ledger = (
            [url.database, f"{url.database}-wal", f"{url.database}-shm"]
            if url.get_backend_name() == "sqlite" and url.database
            else []
        )
        for path in (*ledger, settings.warehouse, settings.rejected):
            with suppress(OSError):  # not there, not ours, or on a disk that is read-only now
                if (mode := os.stat(path).st_mode) & OTHERS:
                    os.chmod(path, mode & ~OTHERS & 0o7777)
