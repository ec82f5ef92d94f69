"""Which text every database of a ledger can store."""

from __future__ import annotations

import re

from pipelines.errors import UserError

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_storable(what: str, *texts: str | None) -> None:
    """UserError naming `what` when a text has a NUL or a lone surrogate (a console's encoding)."""
    for text in texts:
        if text and ("\x00" in text or not text.isascii() and _SURROGATE.search(text)):
            raise UserError(
                f"The {what} holds characters that cannot be stored; write it again as UTF-8 text."
            )
