"""False stops: an honest year of the sample practice, and the guards that tripped in it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path

from pipelines import sample, settings
from pipelines.bench import honest_events
from pipelines.ledger.accepted_guards import AcceptedGuard
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run

FACILITIES = 3
MONTH = 30  # days
MOST_A_MONTH = 1  # days with a false stop, in a practice of 250 patients


def bench_guards(patients: int, days: int, out: Path | None) -> int:
    """Run day after day over true deliveries; print what guards held, and write it to `out`.

    Somebody accepts each guard in the next run, so every stop is counted once. The events of
    honest_events.py happen meanwhile.
    """
    first = sample.DEFAULT_AS_OF - dt.timedelta(days=days - 1)
    year = honest_events.year_of(first, days)
    for name, at in sorted(year.days.items(), key=lambda event: event[1]):
        print(f"{at.date()} {name}")
    stops: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        practice = settings.load({"WORKBENCH_DATA": str(Path(scratch) / "data")})
        folder = Path(scratch) / "extracts"
        for day in range(days):
            at = first + dt.timedelta(days=day)
            if year.is_quiet(at):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            sample.write_sample(
                folder,
                patients=patients,
                facilities=FACILITIES,
                as_of=at,
                seed=sample.DEFAULT_SEED,
                format="csv",
            )
            year.deliver(folder, at)
            go_live = at.date() if year.is_go_live(at) else None
            report = run.run(practice, folder, at, go_live=go_live)
            held = [guard for guard in report.guards if guard.accepted_by is None]
            for guard in held:
                stops.append({"day": str(at.date()), "guard": guard.guard, "says": guard.says})
                print(f"{at.date()} {guard.guard}: {guard.says}", flush=True)
            with open_ledger(practice.ledger_url) as ledger:
                ledger.accept_guards(
                    [
                        AcceptedGuard(at, "bench", guard.guard, guard.run_no, "an honest day")
                        for guard in held
                    ]
                )
    stopped = len({stop["day"] for stop in stops})
    a_month = stopped * MONTH / days
    print(
        f"{days} honest days of {patients:,} patients: {stopped} with a false stop, "
        f"{a_month:.2f} a month (target: at most {MOST_A_MONTH})"
    )
    if out is not None:
        found = {"patients": patients, "days": days, "stopped": stopped, "stops": stops}
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
