"""The benchmark of imports: a made-up export by a mapping, in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipelines.bench import runs
from pipelines.warehouse import snapshots

MAPPING = """
time_zone = "America/New_York"
[files."Appointments*"]
mode = "window"
key = ["appointmnet_id"]
date = "start_date"
[tables.appointments]
from = "Appointments"
[tables.appointments.columns]
appointment_id = "appointmnet_id"
case_id = "case_id"
patient_id = "patient_id"
facility_id = "facility_id"
starts_at = "start_date"
created_at = "created_date"
[tables.appointments.columns.status]
column = "appointment_status"
values = { Active = "Scheduled", Inactive = "Cancelled" }
"""
ROWS = """
COPY (
    SELECT
        r.range AS appointmnet_id,
        r.range % 50000 AS case_id,
        r.range % 40000 AS patient_id,
        r.range % 7 AS facility_id,
        STRFTIME(
            TIMESTAMP '2026-10-19 08:00' + TO_MINUTES(CAST(r.range % 40320 AS INTEGER)),
            '%-m/%-d/%Y %-I:%M:%S %p'
        ) AS start_date,
        CASE WHEN r.range % 9 = 0 THEN 'Inactive' ELSE 'Active' END AS appointment_status,
        '10/1/2026 8:00:00 AM' AS created_date
    FROM RANGE($rows) AS r
) TO '{path}' (FORMAT csv, HEADER)
"""


def bench_imports(rows: int, out: Path | None) -> int:
    """Import so many appointments, print what it took as JSON, also to `out`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        report = measure(rows, Path(scratch))
    text = json.dumps(report, indent=1)
    print(text)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    return 0


def measure(rows: int, scratch: Path) -> dict[str, Any]:
    """Seconds, processor seconds, the most memory in MB, and rows per second of one import."""
    delivery, home = scratch / "delivery", scratch / "data" / "sources" / "bench"
    for folder in (delivery, home):
        folder.mkdir(parents=True)
    path = delivery / "Appointments.csv"
    with snapshots.connect() as con:
        con.execute(ROWS.replace("{path}", str(path)), {"rows": rows})
    (home / "source.toml").write_text(MAPPING, encoding="utf-8")
    load, before = os.getloadavg()[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pipelines", "import", "--source", "bench"]
    places = ["--from", str(delivery), "--out", str(scratch / "out")]
    environment = {**os.environ, "WORKBENCH_DATA": str(scratch / "data")}
    took = runs.measure([*command, *places], environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "cores": os.cpu_count(),
        "load_before": load,
        "rows": rows,
        "mb": round(path.stat().st_size / 1e6, 1),
        "seconds": round(took.seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_mb": round(took.peak_mb),
        "rows_per_second": round(rows / took.seconds),
    }
