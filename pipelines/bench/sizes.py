"""How a run grows, from 10,000 to a million patients: a first run, and a day with 1 % new rows."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from pipelines import sample
from pipelines.bench.runs import Measured, run_process
from pipelines.extracts import contract
from pipelines.warehouse import snapshots

MONDAY = sample.DEFAULT_AS_OF + dt.timedelta(days=3)
# Of all weekdays, Monday changes nearest to 1 % of the rows.
DAYS = {"first": MONDAY, "next day": MONDAY + dt.timedelta(days=1)}
MOST_MB, MOST_GROWTH = 16 * 1024, 1.1
COMPARED_WITH = "2GB"  # for counting what changed; DuckDB spills to disk beyond


def bench_sizes(patients: list[int], repeats: int, out: Path | None) -> int:
    """Measure every size, print sizes and exponents of growth, and write them to `out` as JSON."""
    sizes = [_size(count, repeats) for count in sorted(patients)]
    growth = {
        name: [_exponent(small[name], large[name]) for small, large in itertools.pairwise(sizes)]
        for name in DAYS
    }
    if out is not None:
        report = {
            "cores": os.cpu_count(),
            "repeats": repeats,
            "load_after": os.getloadavg()[0],
            "sizes": sizes,
            "growth": growth,
        }
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Parquet; "
        f"target: at most {MOST_MB:,} MB, growth at most {MOST_GROWTH}"
    )
    print(
        f"{'patients':>9} {'appointments':>13} {'rows':>11} {'run':9}{'changed':>9}{'run s':>8}"
        f"{'rows/s':>11}{'peak MB':>9}{'growth':>8}"
    )
    for position, size in enumerate(sizes):
        for name in DAYS:
            found = size[name]
            grown = growth[name][position - 1] if position else None
            is_missed = found["peak_mb"] > MOST_MB or (grown is not None and grown > MOST_GROWTH)
            changed = "" if found["changed"] is None else f"{found['changed']:.1%}"
            growth_text = "" if grown is None else f"{grown:.2f}"
            print(
                f"{size['patients']:>9,} {found['appointments']:>13,} {found['rows']:>11,} {name:9}"
                f"{changed:>9}{found['seconds']:>8.1f}{found['rows_per_second']:>11,.0f}"
                f"{found['peak_mb']:>9,.0f}{growth_text:>8}{'  missed' if is_missed else ''}"
            )
    return 0


def _exponent(small: dict, large: dict) -> float:
    """The exponent of run time over rows: 1 is linear, 2 is quadratic."""
    return math.log(large["seconds"] / small["seconds"]) / math.log(large["rows"] / small["rows"])


def _size(patients: int, repeats: int) -> dict:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folders = {name: Path(scratch) / name.replace(" ", "-") for name in DAYS}
        rows = {}
        for name, as_of in DAYS.items():
            print(f"making {patients:,} patients as of {as_of:%Y-%m-%d}", file=sys.stderr)
            rows[name] = sample.write_sample(
                folders[name],
                patients=patients,
                facilities=sample.DEFAULT_FACILITIES,
                as_of=as_of,
                seed=sample.DEFAULT_SEED,
                format="parquet",
            )
        changed = {"first": None, "next day": changed_share(*folders.values())}
        found: dict[str, list[Measured]] = {name: [] for name in DAYS}
        for _ in range(repeats):
            data = Path(scratch) / "data"
            for name, as_of in DAYS.items():
                found[name].append(run_process(folders[name], as_of, data))
                run = found[name][-1]
                took = f"{run.seconds:.1f} s, {run.peak_mb:,.0f} MB"
                print(f"{patients:,} {name}: {took}", file=sys.stderr)
            shutil.rmtree(data)
    return {
        "patients": patients,
        **{name: _summary(found[name], rows[name], changed[name]) for name in DAYS},
    }


def _summary(found: list[Measured], rows: dict[str, int], changed: float | None) -> dict:
    seconds, total = statistics.median(run.seconds for run in found), sum(rows.values())
    return {
        "rows": total,
        "appointments": rows["appointments"],
        "changed": changed,
        "seconds": seconds,
        "rows_per_second": round(total / seconds),
        "peak_mb": max(run.peak_mb for run in found),
        "repeats": [asdict(run) for run in found],
    }


def changed_share(before: Path, after: Path) -> float:
    """The share of rows of a folder of Parquet extracts that are new or changed since `before`."""
    rows = changed = 0
    with snapshots.connect() as con:
        con.execute(f"SET memory_limit = '{COMPARED_WITH}'")
        for table in contract.TABLES:
            old, new = (
                f"SELECT HASH(t) AS row FROM read_parquet('{folder / table}.parquet') AS t"
                for folder in (before, after)
            )
            (count, other) = snapshots.first(
                con,
                f"SELECT COUNT(*), COUNT(*) FILTER (WHERE n.row NOT IN ({old})) FROM ({new}) AS n",
            )
            rows, changed = rows + count, changed + other
    return changed / rows
