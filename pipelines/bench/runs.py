"""The benchmark of runs: our whole run beside the floor, the same files and rules in bare DuckDB.

Every measurement is a process of its own, timed from outside with its peak memory. Floor and run
take turns, so that a slow minute of the machine affects both. The median of the repeats counts.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines import sample, staging
from pipelines.extracts import contract
from pipelines.rules import loading, model
from pipelines.settings import AUTHORIZATION_CODES
from pipelines.warehouse import snapshots

DAYS = (sample.DEFAULT_AS_OF, sample.DEFAULT_AS_OF + dt.timedelta(days=1))
TARGETS = {"first run": 2.0, "next-day run": 1.5}


@dataclass(frozen=True)
class Measured:
    """One process: seconds of wall clock and the most memory it held, in MB."""

    seconds: float
    peak_mb: float


def bench(patients: list[int], repeats: int, out: Path | None) -> int:
    """Measure every size, print the table, and write it as JSON when `out` is given."""
    sizes = [_size(count, repeats) for count in patients]
    report = {"cores": os.cpu_count(), "repeats": repeats, "sizes": sizes}
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"{'patients':>9} {'rows':>11} {'run':14}{'floor s':>9}{'run s':>8}{'ratio':>7}"
        f"{'target':>8}{'rows/s':>12}{'peak MB':>9}"
    )
    for size in sizes:
        for name, target in TARGETS.items():
            found = size[name]
            print(
                f"{size['patients']:>9,} {size['rows']:>11,} {name:14}"
                f"{found['floor_seconds']:>9.2f}"
                f"{found['seconds']:>8.2f}{found['ratio']:>7.2f}"
                f"{target:>8.1f}{found['rows_per_second']:>12,.0f}{found['peak_mb']:>9,.0f}"
            )
    return 0


def floor(folder: Path, as_of: dt.datetime) -> None:
    """Bare DuckDB: read_csv, staging and rule SELECTs; no contract, lifecycle or history."""
    con = snapshots.connect()
    con.execute("CREATE SCHEMA extract")
    con.execute("CREATE SCHEMA staging")
    for table in contract.TABLES:
        columns = contract.columns(table)
        types = "{" + ", ".join(f"'{column.name}': '{column.sql_type}'" for column in columns) + "}"
        flags = "".join(
            f", FALSE AS {column.name}_is_utc" for column in columns if column.form == "moment"
        )
        con.execute(
            f"CREATE TABLE extract.{table} AS SELECT *{flags} "
            f"FROM read_csv('{folder / table}.csv', header = true, types = {types})"
        )
    for table, sql in staging.staging_sql().items():
        values = {
            "as_of": as_of,
            "authorization_codes": list(AUTHORIZATION_CODES),
            "appointments_since": None,
        }
        wanted = staging.parameters(table)
        con.execute(
            f"CREATE TABLE staging.{table} AS {sql}",
            {name: values[name] for name in wanted} or None,
        )
    for rule in loading.load_rules().values():
        since = dict.fromkeys(map(model.since, rule.looks_back))
        given = loading.arguments(con, rule.sql, {**rule.params, **since, "as_of": as_of})
        con.execute(f"CREATE TABLE {rule.rule_id} AS {rule.sql}", given)


def _size(patients: int, repeats: int) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"day{number}" for number in (1, 2)]
        rows = 0
        for folder, as_of in zip(folders, DAYS, strict=True):
            print(f"making {patients:,} patients as of {as_of:%Y-%m-%d}", file=sys.stderr)
            rows = sum(
                sample.write_sample(
                    folder,
                    patients=patients,
                    facilities=sample.DEFAULT_FACILITIES,
                    as_of=as_of,
                    seed=sample.DEFAULT_SEED,
                    format="csv",
                ).values()
            )
        found: dict[str, list[tuple[Measured, Measured]]] = {name: [] for name in TARGETS}
        for number in range(repeats):
            data = Path(scratch) / f"data{number}"
            for name, folder, as_of in zip(TARGETS, folders, DAYS, strict=True):
                bare = _floor_process(folder, as_of)
                found[name].append((bare, run_process(folder, as_of, data)))
                ours = found[name][-1][1]
                took = f"floor {bare.seconds:.2f} s, run {ours.seconds:.2f} s"
                print(f"{patients:,} {name}: {took}", file=sys.stderr)
            shutil.rmtree(data)
    return {
        "patients": patients,
        "rows": rows,
        **{name: _summary(pairs, rows) for name, pairs in found.items()},
    }


def _summary(pairs: list[tuple[Measured, Measured]], rows: int) -> dict:
    floor_seconds = statistics.median(bare.seconds for bare, _ in pairs)
    seconds = statistics.median(ours.seconds for _, ours in pairs)
    return {
        "floor_seconds": round(floor_seconds, 3),
        "seconds": round(seconds, 3),
        "ratio": round(seconds / floor_seconds, 3),
        "rows_per_second": round(rows / seconds),
        "peak_mb": round(max(ours.peak_mb for _, ours in pairs)),
        "repeats": [{"floor": asdict(bare), "run": asdict(ours)} for bare, ours in pairs],
    }


def _floor_process(folder: Path, as_of: dt.datetime) -> Measured:
    code = (
        "import datetime, pathlib; from pipelines.bench.runs import floor; "
        f"floor(pathlib.Path({str(folder)!r}), "
        f"datetime.datetime.fromisoformat({as_of.isoformat()!r}))"
    )
    return measure([sys.executable, "-c", code], os.environ)


def run_process(folder: Path, as_of: dt.datetime, data: Path) -> Measured:
    """Our whole run in a process of its own, with nothing set but the data folder."""
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "run",
        "--extracts",
        str(folder),
        "--as-of",
        as_of.isoformat(),
    ]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")
    }
    return measure(command, {**environment, "WORKBENCH_DATA": str(data)})


def measure(command: list[str], environment: dict[str, str] | os._Environ[str]) -> Measured:
    """Run a command: its time and peak memory; SystemExit with its stderr if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:5])} … failed:\n{errors.decode(errors='replace')}")
    return Measured(round(seconds, 3), round(usage.ru_maxrss / 1024, 1))
