"""The filtered list at a million open tasks: the questions of the Tasks page for one user."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.bench.app import Load, look, practice
from pipelines.vocabulary import AGE_BANDS, CATEGORIES
from pipelines.worklist.columns import ORDERS
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import Worklist

PAGE_ROWS = 100  # as app_pages/tasks.py
OF_EACH = 20  # views of each kind
TARGET_MS = 100
# What the Tasks page asks for a view: its rows, the numbers above them, and what the filters offer.
QUESTIONS: dict[str, Callable[[Worklist, Filters, Order], object]] = {
    "rows": lambda worklist, filters, order: worklist.tasks(filters, order, PAGE_ROWS),
    "numbers": lambda worklist, filters, _: worklist.summary(replace(filters, status="open")),
    "filters": lambda worklist, filters, _: worklist.options(filters),
}


@dataclass(frozen=True)
class View:
    """A view of the list, and which kind of filter it is of."""

    kind: str
    filters: Filters
    order: Order


def bench_lists(open_tasks: int, data: Path | None, out: Path | None) -> int:
    """Ask for every view, print milliseconds by kind of filter, write them to `out` as JSON."""
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        settings = practice(Path(scratch), Load(1, 0, 0, open_tasks), data)
        opens_at, found, _ = look(settings)
        shared = LiveWorklist(settings)
        started = time.perf_counter()
        with shared.at(opens_at) as worklist:
            asked = list(views(worklist))
        made = time.perf_counter() - started
        print(f"{found:,} open tasks, read in {made:.1f} s; {len(asked)} views", file=sys.stderr)
        times = [(view, ask(shared, opens_at, view)) for view in asked]
    rows = {
        kind: _summary([taken for view, taken in times if kind in (view.kind, "all")])
        for kind in (*dict.fromkeys(v.kind for v in asked), "all")
    }
    report: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
        "open_tasks": found,
        "made_seconds": made,
    }
    report |= {"peak_mb": _peak_mb(), "views": rows}
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print(report)
    return 0


def views(worklist: Worklist) -> Iterator[View]:
    """Views of every kind, always the same: filters one by one, then several, in any order."""
    dice = random.Random(1)
    offered = worklist.options(Filters(status="open"))
    patients = worklist.tasks(Filters(), limit=2000)["patient_id"].unique().tolist()

    def some(values: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(dice.sample(values, dice.randint(1, min(most, len(values)))))

    one_of = {
        "facility": lambda: {"facility_ids": some(list(offered["facility"]), 2)},
        "category": lambda: {"categories": some(CATEGORIES, 2)},
        "type": lambda: {"rule_ids": some(list(offered["type"]), 4)},
        "staff": lambda: {"staff_ids": some(list(offered["staff"]), 2)},
        "payer": lambda: {"payer_ids": some(list(offered["payer"]), 3)},
        "age": lambda: {"age_bands": some(list(AGE_BANDS), 3)},
        "patient": lambda: {"patient_id": dice.choice(patients)},
        "status": lambda: {"status": dice.choice(("pending", "overdue", "deferred", "open"))},
    }
    yield View("none", Filters(), Order())
    for kind, draw in one_of.items():
        for _ in range(OF_EACH):
            yield View(kind, Filters(**draw()), _order(dice))
    for _ in range(3 * OF_EACH):
        chosen = dice.sample(list(one_of), dice.randint(2, 4))
        yield View(
            "several",
            Filters(**{name: value for kind in chosen for name, value in one_of[kind]().items()}),
            _order(dice),
        )


def _order(dice: random.Random) -> Order:
    """The list's own order half of the time, as people do, else any other."""
    return Order() if dice.random() < 0.5 else Order(dice.choice(list(ORDERS)), dice.random() < 0.5)


def ask(shared: LiveWorklist, at: dt.datetime, view: View) -> dict[str, float]:
    """Milliseconds of each question, and of all with the look at the list before them."""
    started = time.perf_counter()
    taken = {}
    with shared.at(at) as worklist:
        for name, question in QUESTIONS.items():
            begun = time.perf_counter()
            question(worklist, view.filters, view.order)
            taken[name] = 1000 * (time.perf_counter() - begun)
    return taken | {"all": 1000 * (time.perf_counter() - started)}


def _summary(times: list[dict[str, float]]) -> dict[str, object]:
    def cut(name: str, percent: int) -> float:
        return round(
            statistics.quantiles([taken[name] for taken in times] * 2, n=100, method="inclusive")[
                percent - 1
            ],
            1,
        )

    return {
        "views": len(times),
        **{name: {"p50": cut(name, 50), "p95": cut(name, 95)} for name in (*QUESTIONS, "all")},
    }


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return peak / 1024


def _print(report: dict) -> None:
    busy = f"load average {report['load_before']:.1f} before, {report['load_after']:.1f} after"
    print(
        f"{report['open_tasks']:,} open tasks, {report['cores']} cores, one person, {busy}; "
        f"target p95 {TARGET_MS} ms"
    )
    made, peak = report["made_seconds"], report["peak_mb"]
    print(f"read from the snapshot in {made:.1f} s; peak memory {peak:,.0f} MB")
    print(
        f"{'filter':10}{'views':>6}"
        + "".join(f"{name + ' p50':>13}{'p95 ms':>8}" for name in (*QUESTIONS, "all"))
    )
    for kind, found in report["views"].items():
        cells = "".join(
            f"{found[name]['p50']:>13,.0f}{found[name]['p95']:>8,.0f}"
            for name in (*QUESTIONS, "all")
        )
        missed = "  missed" if found["all"]["p95"] > TARGET_MS else ""
        print(f"{kind:10}{found['views']:>6}{cells}{missed}")
