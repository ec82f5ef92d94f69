"""Keys of widgets that hold a selection of what they show."""

from __future__ import annotations

import hashlib


def of_content(prefix: str, content: object) -> str:
    """A key that changes with the content: other rows get a new widget, without a selection."""
    digest = hashlib.sha1(repr(content).encode(), usedforsecurity=False).hexdigest()
    return f"{prefix}.{digest[:16]}"
