"""Two servers share one ledger and one warehouse, also while the pipeline runs."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pipelines import sample
from pipelines.bench.app import Server, look, serving
from pipelines.bench.browser_tab import Tab, new_browser
from pipelines.bench.ledger import prove
from pipelines.bench.staff import Worker
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import ROOT, Settings
from tests import loop
from tests.published import START, published_in

SECONDS = 3  # for which people work at both while a run goes on
HOUR = dt.timedelta(hours=1)
COMPLETE = "-tasks.complete"


def test_two_servers_and_a_run_work_together(tmp_path: Path, ledger_url: str) -> None:
    settings = replace(published_in(tmp_path / "data"), ledger_url=ledger_url)
    opens_at, _, seq = look(settings)
    clock = opens_at - dt.datetime.now(dt.UTC)
    servers = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        servers.append(Server(tmp_path / name, settings.data, clock, ledger_url))
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(serving(server))
        workers, runs_shown = loop.run(work(servers, settings))
        assert [server.errors() for server in servers] == [[], []]
    assert [worker.tab.errors for worker in workers] == [[]] * len(workers)
    proof = prove(settings, opens_at + HOUR, seq, {worker.name: worker.told for worker in workers})
    assert (proof.lost, proof.unasked, proof.doubled) == (0, 0, 0)
    assert proof.refused >= 1, "the one who came second was told"
    assert {worker.name for worker in workers if worker.told} == {
        worker.name for worker in workers
    }, "people at both acted"
    assert runs_shown == ["Run 2", "Run 2"], "both show the list that was published meanwhile"


async def work(servers: list[Server], settings: Settings) -> tuple[list[Worker], list[str]]:
    """Two people at each server work during a run, then one at each acts on the same task."""
    workers = [
        Worker(Tab(server.origin, new_browser(server.origin)), random.Random(place), 0.05)
        for place, server in enumerate(servers * 2)
    ]
    for place, worker in enumerate(workers):
        await worker.come_in(place)
    run = asyncio.create_task(run_pipeline(settings))
    loop_time = asyncio.get_running_loop().time
    until = loop_time() + SECONDS
    while loop_time() < until or not run.done():
        await asyncio.gather(
            *(worker.do("note") for worker in workers[:2]),
            *(worker.do("complete") for worker in workers[2:]),
        )
    await run
    await want_the_same(*workers[:2], settings)
    shown = [await runs_of(worker) for worker in workers[:2]]
    await asyncio.gather(*(worker.tab.close() for worker in workers))
    return workers, shown


async def run_pipeline(settings: Settings) -> None:
    """The pipeline's own command, over the practice as it is an hour later."""
    extracts, as_of = settings.data / "extracts", START + HOUR
    sample.write_sample(extracts, patients=70, facilities=3, as_of=START, seed=3, format="csv")
    environment = {"WORKBENCH_DATA": str(settings.data), "WORKBENCH_LEDGER": settings.ledger_url}
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
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def want_the_same(one: Worker, other: Worker, settings: Settings) -> None:
    """Both tick a task; the first completes it, the second is told, and neither list has it."""
    for worker in (one, other):
        worker.dice = random.Random(1)  # one that takes nothing back
        await worker.tab.rerun("tasks", page="/tasks", query="type=pending_signature")
    row = next(row for row in one.rows() if row in other.rows())
    await one.tick(row)
    await other.tick(row)
    with open_ledger(settings.ledger_url) as ledger:
        before = ledger.last_seq()
        await one.act_on_ticked("complete", COMPLETE)
        await other.act_on_ticked("complete", COMPLETE)
        assert len(ledger.actions(after=before)) == 1
    assert (one.told[-1].done, one.told[-1].refused) == (1, ())
    assert (other.told[-1].done, other.told[-1].refused) == (0, (row,))
    said = " ".join(found.body.body for found in other.tab.all("alert"))
    assert f"already completed by {one.name.partition(' –')[0]}" in said.replace("\\", "")
    for worker in (one, other):
        assert row not in worker.rows()


async def runs_of(worker: Worker) -> str:
    """The newest run that the page of runs shows."""
    await worker.tab.rerun("runs", page="/runs", query="")
    return next(
        found.body.body for found in worker.tab.all("heading") if found.body.body.startswith("Run ")
    )
