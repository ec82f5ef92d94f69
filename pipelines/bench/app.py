"""The benchmark of the screens: a real server with 100,000 open tasks and browser connections.

The server is a process of its own; all tabs run in this one. A rerun is timed from the message of
the click to the message that the script has ended, so it includes the loopback and this process.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines import sample
from pipelines import settings as settings_module
from pipelines.bench.browser_tab import Rerun, Tab, new_browser
from pipelines.bench.ledger import Proof, prove
from pipelines.bench.staff import Worker
from pipelines.errors import UserError
from pipelines.ledger import belonging
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import ROOT, Settings
from pipelines.warehouse import snapshots
from pipelines.worklist import layout
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist

PATIENTS_PER_OPEN_TASK = 1.5  # of the sample practice: 150,000 patients have 103,600 open tasks
FACILITIES = 4
OPENS_AT = dt.timedelta(hours=2)  # after the list was published
ALONE = 30  # reruns of each kind by the single session
TARGET_ALONE_MS, TARGET_TOGETHER_MS = 300, 500
STARTS_WITHIN = 120  # seconds
BACKGROUND = "timer"  # reruns nobody waits for
OURS = ("WORKBENCH_", "EMR_LINK_", "STREAMLIT_")


@dataclass(frozen=True)
class Load:
    """Users at work, their mean time between clicks, how long they work, and the open tasks."""

    sessions: int
    think_seconds: float
    seconds: float
    open_tasks: int


@dataclass(frozen=True)
class Times:
    """Milliseconds of reruns of one kind, and the kilobytes one of them brings."""

    kind: str
    count: int
    p50: float
    p95: float
    p99: float
    most: float
    kilobytes: float


@dataclass(frozen=True)
class Phase:
    """What happened in one part of the benchmark."""

    times: tuple[Times, ...]
    reruns_per_second: float
    cpu_ms_per_rerun: float
    errors: tuple[str, ...]


class Server:
    """The workbench's server, as a process with a folder of data and a clock of its own."""

    def __init__(self, folder: Path, data: Path, clock: dt.timedelta, ledger_url: str = "") -> None:
        self.log = folder / "server.log"
        (folder / "clock").write_text(str(round(clock.total_seconds())), encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.origin = f"http://localhost:{port}"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(OURS)
        }
        environment |= {
            "WORKBENCH_DATA": str(data),
            "WORKBENCH_CLOCK": str(folder / "clock"),
            "WORKBENCH_LEDGER": ledger_url,
        }
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(port),
            "--secrets.files",
            str(folder / "none.toml"),
        ]
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Until it answers."""
        until = time.perf_counter() + STARTS_WITHIN
        while time.perf_counter() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.origin}/_stcore/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise UserError(
            f"the server did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')}"
        )

    def cpu_seconds(self) -> float:
        """Processor time it has used."""
        fields = (
            Path(f"/proc/{self._process.pid}/stat")
            .read_text(encoding="ascii")
            .rpartition(")")[2]
            .split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory it has held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        (peak,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return peak / 1024

    def errors(self) -> list[str]:
        """What its log tells of failures; see pipelines/operations/logs.py."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [
            line
            for line in lines
            if line.startswith(("error ", "error: ", "Traceback")) or " ERROR " in line
        ]

    def kill(self) -> None:
        """End it as a power failure would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def bench_app(load: Load, data: Path | None, now: dt.datetime, out: Path | None) -> int:
    """Measure one user, then all at once; print tables, write them to `out`; 1 after an error."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        settings = practice(folder, load, data)
        opens_at, open_tasks, seq = look(settings)
        with serving(Server(folder, settings.data, opens_at - now)) as server:
            report = {
                "cores": os.cpu_count(),
                "load_before": os.getloadavg()[0],
                **asdict(load),
                "open_tasks": open_tasks,
            }
            first, alone, together, workers = asyncio.run(_measure(server, load))
            proof = prove(
                settings,
                opens_at + dt.timedelta(hours=12),
                seq,
                {worker.name: worker.told for worker in workers},
            )
            errors = [*alone.errors, *together.errors, *server.errors()]
            report |= {
                "first_page_seconds": first,
                "alone": asdict(alone),
                "together": asdict(together),
                "ledger": asdict(proof),
                "errors": errors,
            }
            report |= {"peak_mb": server.peak_mb(), "load_after": os.getloadavg()[0]}
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print(report, alone, together, proof, load)
    return 1 if errors or proof.lost or proof.unasked or proof.doubled else 0


def practice(folder: Path, load: Load, data: Path | None) -> Settings:
    """A data folder with a published list, from the sample practice or a copy of `data`."""
    settings = settings_module.load({"WORKBENCH_DATA": str(folder / "data")})
    if data is not None:
        live = snapshots.current(data / "warehouse")
        if live is None:
            raise UserError(f"{data}: no list has been published there")
        settings.warehouse.mkdir(parents=True)
        for file in (live, data / "warehouse" / "CURRENT"):
            shutil.copy2(file, settings.warehouse)
        return settings
    patients = max(250, round(load.open_tasks * PATIENTS_PER_OPEN_TASK))
    print(f"making {patients:,} patients", file=sys.stderr)
    extracts, as_of = folder / "extracts", sample.DEFAULT_AS_OF
    sample.write_sample(
        extracts,
        patients=patients,
        facilities=FACILITIES,
        as_of=as_of,
        seed=sample.DEFAULT_SEED,
        format="parquet",
    )
    print("running the pipeline", file=sys.stderr)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "run",
        "--extracts",
        str(extracts),
        "--as-of",
        as_of.isoformat(),
    ]
    subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "WORKBENCH_DATA": str(settings.data)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    shutil.rmtree(extracts)
    return settings


def look(settings: Settings) -> tuple[dt.datetime, int, int]:
    """When work begins, how many tasks are open then, and the ledger's newest number."""
    with open_ledger(settings.ledger_url) as ledger:
        seq = ledger.last_seq()
    path = snapshots.current(settings.warehouse)
    if path is None:
        raise UserError(f"{settings.warehouse}: no list has been published yet")
    con = snapshots.connect()
    layout.attach(con, path, "snapshot")
    (as_of,) = snapshots.first(con, "SELECT MAX(as_of) FROM snapshot.runs")
    con.close()
    if seq == 0:  # the list may be a copy without its ledger
        belonging.adopt(settings, as_of, None, "a benchmark")
    with open_worklist(settings, as_of + OPENS_AT) as worklist:
        return as_of + OPENS_AT, int(worklist.summary(Filters(status="open"))["tasks"]), seq


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    try:
        server.wait()
        yield server
    finally:
        server.stop()


async def _measure(server: Server, load: Load) -> tuple[float, Phase, Phase, list[Worker]]:
    """The seconds of the first page, one user alone, all together, and all users."""
    print("one session alone", file=sys.stderr)
    alone = _worker(server, 0, 0)
    await alone.come_in(0)
    first = sum(rerun.seconds for rerun in alone.tab.reruns)
    single = await _phase(server, [alone], lambda: _work_alone(alone))
    await alone.tab.close()
    workers = [
        _worker(server, number, load.think_seconds) for number in range(1, load.sessions + 1)
    ]
    for number, worker in enumerate(workers, start=1):
        await worker.come_in(number)
    print(f"{load.sessions} sessions for {load.seconds:g} s", file=sys.stderr)
    until = time.perf_counter() + load.seconds

    async def work_together() -> None:
        await asyncio.gather(*(worker.work(until) for worker in workers))

    together = await _phase(server, workers, work_together)
    await asyncio.gather(*(worker.tab.close() for worker in workers))
    return first, single, together, workers


def _worker(server: Server, number: int, think_seconds: float) -> Worker:
    return Worker(
        Tab(server.origin, new_browser(server.origin)), random.Random(number), think_seconds
    )


async def _work_alone(worker: Worker) -> None:
    """Filters and orders nobody has asked for yet, then ticks, which ask nothing of the list."""
    box = worker.tab.find("multiselect", "-tasks.type")
    types = list(box.body.options) if box is not None else []
    asked: set[tuple[str, ...]] = set()
    while len(asked) < ALONE:
        chosen = tuple(sorted(worker.dice.sample(types, worker.dice.randint(1, len(types) - 1))))
        if chosen not in asked:
            asked.add(chosen)
            await worker.choose_filter("type", list(chosen), "filter, cold")
    await worker.choose_filter("type", [], "clear")
    sort = worker.tab.find("selectbox", "-tasks.sort")
    for label in list(sort.body.options)[1:] if sort is not None else ():
        await worker.choose_sort(label, "sort all, cold")
    for _ in range(ALONE):
        await worker.tick()


async def _phase(
    server: Server, workers: Sequence[Worker], work: Callable[[], Awaitable[None]]
) -> Phase:
    """Let them work; what that took of the server."""
    for worker in workers:
        worker.tab.reruns.clear()
    cpu, started = server.cpu_seconds(), time.perf_counter()
    await work()
    seconds, cpu = time.perf_counter() - started, server.cpu_seconds() - cpu
    reruns = [rerun for worker in workers for rerun in worker.tab.reruns]
    clicks = [rerun for rerun in reruns if rerun.kind != BACKGROUND]
    kinds = sorted({rerun.kind for rerun in reruns}, key=lambda kind: (kind == BACKGROUND, kind))
    times = [times_of(kind, [rerun for rerun in reruns if rerun.kind == kind]) for kind in kinds]
    errors = [error for worker in workers for error in worker.tab.errors]
    return Phase(
        (times_of("all", clicks), *times),
        len(clicks) / seconds,
        1000 * cpu / max(1, len(clicks)),
        tuple(errors),
    )


def times_of(kind: str, reruns: Sequence[Rerun]) -> Times:
    milliseconds = sorted(1000 * rerun.seconds for rerun in reruns) or [0.0]
    cuts = (
        statistics.quantiles(milliseconds, n=100, method="inclusive")
        if len(milliseconds) > 1
        else milliseconds * 99
    )
    size = statistics.fmean(rerun.bytes / 1000 for rerun in reruns) if reruns else 0.0
    return Times(
        kind,
        len(reruns),
        *(round(value, 1) for value in (cuts[49], cuts[94], cuts[98], milliseconds[-1], size)),
    )


def _print(report: dict, alone: Phase, together: Phase, proof: Proof, load: Load) -> None:
    busy = f"load average {report['load_before']:.1f} before, {report['load_after']:.1f} after"
    print(f"{report['open_tasks']:,} open tasks, {report['cores']} cores, {busy}")
    first, peak = report["first_page_seconds"], report["peak_mb"]
    print(f"first page after the start: {first:.1f} s; server's peak memory {peak:,.0f} MB")
    for title, phase, target in (
        ("one session alone", alone, TARGET_ALONE_MS),
        (
            f"{load.sessions} sessions, {load.think_seconds:g} s think time, {load.seconds:g} s",
            together,
            TARGET_TOGETHER_MS,
        ),
    ):
        print(
            f"\n{title}: {phase.reruns_per_second:.1f} reruns/s, "
            f"{phase.cpu_ms_per_rerun:.0f} ms of processor a rerun, target p95 {target} ms"
        )
        print(
            f"{'rerun':16}{'count':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}{'kB':>7}"
        )
        for row in phase.times:
            print(
                f"{row.kind:16}{row.count:>7,}{row.p50:>9,.0f}{row.p95:>9,.0f}{row.p99:>9,.0f}"
                f"{row.most:>9,.0f}{row.kilobytes:>7,.0f}"
            )
    print(
        f"\nactions acknowledged {proof.acknowledged:,}, "
        f"refused because somebody was first {proof.refused:,}, "
        f"lost {proof.lost}, recorded unasked {proof.unasked}, completed twice {proof.doubled}"
    )
    print(f"errors {len(report['errors'])}")
    for error in report["errors"][:20]:
        print(f"  {error}")
