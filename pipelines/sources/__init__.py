"""A practice's export becomes canonical extracts: by a mapping file, a preset, or SQL.

mapping.py reads the file, delivery.py the export, kept.py remembers, compiling.py makes one SELECT
a table, importing.py does it all. docs/sources.md says how to use and how to add a source.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pipelines.sources import importing, mapping


def names(home: Path | None = None) -> list[str]:
    """The sources that can be imported: the practice's own and the presets, sorted."""
    return sorted({*(mapping.own(home) if home else []), *mapping.shipped()})


def import_export(source: str, from_dir: Path, out: Path, as_of: dt.datetime) -> dict[str, int]:
    """Write the export in `from_dir` as CSV extracts with a manifest into `out`.

    They hold what was known at `as_of` (tz-aware). Nothing is kept. Returns the rows by table.
    """
    request = importing.Request(mapping.load(source), from_dir, out, as_of)
    return dict(importing.import_delivery(request).rows)
