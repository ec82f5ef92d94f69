"""Three rules over two days of extracts: our runs beside plain pandas and a dbt snapshot.

For development only: each call installs dbt from requirements.txt beside this file into a new
virtual environment.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines import sample
from pipelines.bench.compare import dbt_project
from pipelines.bench.runs import Measured, measure
from pipelines.errors import UserError
from pipelines.rules import loading
from pipelines.warehouse import snapshots
from pipelines.worklist import layout

HERE = Path(__file__).parent
RULES = ("uncollected_payments", "draft_documents", "authorization_expiring")
DAYS = (sample.DEFAULT_AS_OF, sample.DEFAULT_AS_OF + dt.timedelta(days=1))
TARGETS = {"pandas": 1.0, "dbt": 3.0}  # how many times as long as ours they have to take
Subjects = set[tuple[str, str]]  # (rule_id, subject_id)


@dataclass(frozen=True)
class Done:
    """The two days of a contender: the measurements, and the open subjects after each day."""

    days: tuple[Measured, Measured]
    found: tuple[Subjects, Subjects]

    @property
    def seconds(self) -> float:
        """Both days."""
        return sum(day.seconds for day in self.days)


def bench_compare(patients: list[int], repeats: int, out: Path | None) -> int:
    """Measure, print tables, write them to `out` as JSON; 1 when the tasks differ."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        dbt = _install_dbt(Path(scratch) / "environment")
        sizes = [_size(count, repeats, dbt) for count in patients]
    report = {
        "cores": os.cpu_count(),
        "repeats": repeats,
        "load_after": os.getloadavg()[0],
        "sizes": sizes,
    }
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for size in sizes:
        print(
            f"\n{size['patients']:,} patients as Parquet, {', '.join(RULES)}; "
            f"load average {report['load_after']:.1f} at the end"
        )
        print(
            f"{'':8}{'day 1 s':>9}{'day 2 s':>9}{'both s':>8}{'to ours':>9}{'target':>8}"
            f"{'peak MB':>9}{'open 1':>9}{'open 2':>9}{'cleared':>9}  same"
        )
        for name, row in size["contenders"].items():
            target, ratio = (
                TARGETS.get(name),
                row["seconds"] / size["contenders"]["ours"]["seconds"],
            )
            print(
                f"{name:8}{row['days'][0]:>9.2f}{row['days'][1]:>9.2f}{row['seconds']:>8.2f}"
                f"{ratio:>9.2f}{'' if target is None else target:>8}{row['peak_mb']:>9,.0f}"
                f"{row['open'][0]:>9,}{row['open'][1]:>9,}{row['cleared']:>9,}"
                f"  {'yes' if row['is_same'] else 'NO'}"
                f"{'  missed' if target is not None and ratio < target else ''}"
            )
    return 0 if all(row["is_same"] for size in sizes for row in size["contenders"].values()) else 1


def _size(patients: int, repeats: int, dbt: Path) -> dict:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folders = two_days(Path(scratch), patients)
        contenders = {
            "ours": ours,
            "pandas": pandas,
            "dbt": lambda folders, place: of_dbt(folders, place, dbt),
        }
        done: dict[str, list[Done]] = {name: [] for name in contenders}
        for number in range(repeats):
            for (
                name,
                work,
            ) in contenders.items():  # they take turns, so a slow minute of the machine meets all
                place = Path(scratch) / f"{name}{number}"
                place.mkdir()
                done[name].append(work(folders, place))
                print(f"{patients:,} {name}: {done[name][-1].seconds:.2f} s", file=sys.stderr)
                shutil.rmtree(place)
    truth = done["ours"][0].found
    return {
        "patients": patients,
        "contenders": {name: _summary(found, truth) for name, found in done.items()},
    }


def two_days(place: Path, patients: int) -> tuple[Path, Path]:
    """The extracts of the sample practice on two days, as Parquet."""
    folders = (place / "day1", place / "day2")
    for folder, as_of in zip(folders, DAYS, strict=True):
        print(f"making {patients:,} patients as of {as_of:%Y-%m-%d}", file=sys.stderr)
        sample.write_sample(
            folder,
            patients=patients,
            facilities=sample.DEFAULT_FACILITIES,
            as_of=as_of,
            seed=sample.DEFAULT_SEED,
            format="parquet",
        )
    return folders


def _summary(found: list[Done], truth: tuple[Subjects, Subjects]) -> dict:
    first, second = found[0].found
    return {
        "days": [statistics.median(done.days[day].seconds for done in found) for day in (0, 1)],
        "seconds": statistics.median(done.seconds for done in found),
        "peak_mb": max(day.peak_mb for done in found for day in done.days),
        "open": [len(first), len(second)],
        "cleared": len(first - second),
        "is_same": all(done.found == truth for done in found),
    }


def ours(folders: tuple[Path, Path], place: Path) -> Done:
    """Two whole runs, validation and publication included, with the other rules off."""
    others = [rule_id for rule_id in loading.load_rules() if rule_id not in RULES]
    (place / "settings.toml").write_text(
        "".join(f"[rules.{rule_id}]\nenabled = false\n" for rule_id in others), encoding="utf-8"
    )

    def command(day: int) -> list[str]:
        return [
            sys.executable,
            "-m",
            "pipelines",
            "run",
            "--extracts",
            str(folders[day]),
            "--as-of",
            DAYS[day].isoformat(),
        ]

    return _done(
        command, lambda day: _open_tasks(place / "warehouse"), {"WORKBENCH_DATA": str(place)}
    )


def pandas(folders: tuple[Path, Path], place: Path) -> Done:
    """The script beside this file, day after day."""

    def command(day: int) -> list[str]:
        before = [str(place / "0.csv")] if day else []
        return [
            sys.executable,
            str(HERE / "plain_pandas.py"),
            str(folders[day]),
            DAYS[day].isoformat(),
            str(place / f"{day}.csv"),
            *before,
        ]

    def found(day: int) -> Subjects:
        with (place / f"{day}.csv").open(encoding="utf-8", newline="") as file:
            return {(row["rule_id"], row["subject_id"]) for row in csv.DictReader(file)}

    return _done(command, found, {})


def of_dbt(folders: tuple[Path, Path], place: Path, dbt: Path) -> Done:
    """`dbt build` of models and snapshot on each day; its environment's DuckDB reads the result."""
    dbt_project.write(place, RULES)

    def command(day: int) -> list[str]:
        given = dbt_project.variables(folders[day], DAYS[day].isoformat(), is_later=day > 0)
        return [
            str(dbt),
            "--quiet",
            "build",
            "--project-dir",
            str(place),
            "--profiles-dir",
            str(place),
            "--vars",
            given,
        ]

    def found(day: int) -> Subjects:
        query = f"SELECT rule_id, subject_id FROM {dbt_project.HISTORY} WHERE dbt_valid_to IS NULL"
        database = str(place / dbt_project.DATABASE)
        code = (
            "import duckdb, json; "
            f"print(json.dumps(duckdb.connect({database!r}).execute({query!r}).fetchall()))"
        )
        asked = subprocess.run(
            [str(dbt.with_name("python")), "-c", code], capture_output=True, text=True, check=True
        )
        return {(rule_id, subject_id) for rule_id, subject_id in json.loads(asked.stdout)}

    return _done(command, found, {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})


def _done(
    command: Callable[[int], list[str]],
    found: Callable[[int], Subjects],
    environment: Mapping[str, str],
) -> Done:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WORKBENCH_", "DBT_"))
    } | dict(environment)
    days, sets = [], []
    for day in (0, 1):
        days.append(measure(command(day), clean))
        sets.append(found(day))
    return Done((days[0], days[1]), (sets[0], sets[1]))


def _open_tasks(folder: Path) -> Subjects:
    live = snapshots.current(folder)
    if live is None:
        raise UserError(f"{folder}: nothing was published")
    with snapshots.connect() as con:
        layout.attach(con, live, "snapshot")
        return set(
            con.execute(
                "SELECT t.rule_id, t.subject_id FROM snapshot.tasks AS t WHERE t.state = 'open'"
            ).fetchall()
        )


def _install_dbt(folder: Path) -> Path:
    """The dbt command of a new environment."""
    print("installing dbt", file=sys.stderr)
    venv.create(folder, with_pip=True)
    told = subprocess.run(
        [str(folder / "bin" / "pip"), "install", "-q", "-r", str(HERE / "requirements.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise UserError(f"dbt could not be installed:\n{told.stderr}")
    return folder / "bin" / "dbt"
