"""Every page over 100,000 open and a million closed tasks, one user, each view twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.bench import history
from pipelines.bench.app import Load, Server, Times, look, practice, serving, times_of
from pipelines.bench.browser_tab import Rerun, Tab, new_browser
from pipelines.bench.staff import Worker

TARGET_MS = 500
OF_FIRST, AGAIN = "first", "again"
WEEK = dt.timedelta(days=6)


def bench_pages(
    open_tasks: int, closed_tasks: int, data: Path | None, now: dt.datetime, out: Path | None
) -> int:
    """Measure each page, print the table, write it to `out` as JSON; 1 after an error."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = practice(Path(scratch), Load(1, 0, 0, open_tasks), data)
        print(f"adding {closed_tasks:,} closed tasks", file=sys.stderr)
        tasks = history.lengthen(settings.warehouse, closed_tasks)
        opens_at, found, _ = look(settings)
        with serving(Server(Path(scratch), settings.data, opens_at - now)) as server:
            first, reruns, errors = asyncio.run(_visit(server, opens_at.date()))
            errors = [*errors, *server.errors()]
            report: dict[str, Any] = {
                "cores": os.cpu_count(),
                "open_tasks": found,
                "tasks": tasks,
                "first_page_seconds": first,
                "peak_mb": server.peak_mb(),
            }
    rows = {
        kind: times_of(kind, [rerun for rerun in reruns if rerun.kind == kind])
        for kind in dict.fromkeys(rerun.kind for rerun in reruns)
    }
    report |= {"pages": {kind: asdict(row) for kind, row in rows.items()}, "errors": errors}
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print(report, rows)
    return 1 if errors else 0


def views(today: dt.date) -> dict[str, list[tuple[str, str]]]:
    """The views of each page, as (path, query); all differ, so that none is cached."""
    facility_ids = [f"facility=00{number}" for number in (1, 2, 3)]
    days = [today - dt.timedelta(days=30 * number) for number in (1, 4, 9)]
    return {
        "dashboard": [("/", facility) for facility in facility_ids],
        "tasks": [("/tasks", facility) for facility in facility_ids],
        "tasks, closed": [("/tasks", f"status=closed&{facility}") for facility in facility_ids],
        "tasks, of a week": [("/tasks", f"status=all&out={day - WEEK}..{day}") for day in days],
        "tasks, as it was": [("/tasks", f"at={day}") for day in days],
        "backlog": [
            ("/backlog", query)
            for query in ("", "split=type&weeks=26", "split=staff", "step=day&facility=001")
        ],
        "aging": [("/aging", query) for query in ("", *facility_ids)],
        "aging, time": [
            ("/aging", f"show=time{query}")
            for query in ("", "&split=type", "&split=staff", "&clock=active")
        ],
        "aging, the rest": [
            ("/aging", f"show={part}") for part in ("ends", "deferrals", "owners", "money")
        ],
        "schedule": [("/schedule", facility) for facility in facility_ids],
        "rule": [
            ("/rules", f"rule={rule}")
            for rule in ("uncollected_payments", "draft_documents", "pending_signature")
        ],
        "reports": [("/reports", "")],
    }


async def _visit(server: Server, today: dt.date) -> tuple[float, list[Rerun], list[str]]:
    worker = Worker(Tab(server.origin, new_browser(server.origin)), random.Random(0), 0)
    await worker.come_in(0)
    tab = worker.tab
    first = sum(rerun.seconds for rerun in tab.reruns)
    tab.reruns.clear()
    for time in (OF_FIRST, AGAIN):
        for kind, pages in views(today).items():
            for path, query in pages:
                await tab.rerun(f"{kind}, {time}", page=path, query=query)
    reruns, errors = tab.reruns, tab.errors
    await tab.close()
    return first, [rerun for rerun in reruns if rerun.kind.endswith((OF_FIRST, AGAIN))], errors


def _print(report: dict, rows: dict[str, Times]) -> None:
    print(
        f"{report['open_tasks']:,} open of {report['tasks']:,} tasks, {report['cores']} cores, "
        f"one person; target {TARGET_MS} ms"
    )
    seconds, peak = report["first_page_seconds"], report["peak_mb"]
    print(f"first page after the start: {seconds:.1f} s; server's peak memory {peak:,.0f} MB")
    print(
        f"{'page':22}{'views':>6}{'first, p50 ms':>15}{'most ms':>9}{'again, p50 ms':>15}"
        f"{'most ms':>9}{'kB':>7}"
    )
    for kind in dict.fromkeys(kind.rpartition(",")[0] for kind in rows):
        first, again = rows[f"{kind}, {OF_FIRST}"], rows[f"{kind}, {AGAIN}"]
        print(
            f"{kind:22}{first.count:>6}{first.p50:>15,.0f}{first.most:>9,.0f}"
            f"{again.p50:>15,.0f}{again.most:>9,.0f}{first.kilobytes:>7,.0f}"
        )
    print(f"errors {len(report['errors'])}")
    for error in report["errors"][:20]:
        print(f"  {error}")
