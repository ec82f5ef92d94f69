"""Locks, a restarted database, a killed app: no acknowledged action is lost or done twice."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pipelines.bench.app import Server, look, serving
from pipelines.bench.browser_tab import Tab, new_browser
from pipelines.bench.ledger import prove
from pipelines.bench.staff import Row, Worker
from pipelines.errors import UserError
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from tests import loop, postgres_server
from tests.conftest import Workbench
from tests.faults.conftest import Place, copy_of, first_actions

LOCKED_SECONDS = 5
WRITERS = 4
ACKNOWLEDGED = 6  # notes before the app is killed
AT = Workbench.day(1.5)


@pytest.fixture
def in_either(place: Place, ledger_url: str) -> Place:
    """The practice with its ledger in one kind of database and then in the other."""
    if ledger_url.startswith("sqlite"):
        return place
    with open_ledger(ledger_url) as ledger:
        ledger.record_many(
            [(new, 0) for new in first_actions([action.task_id for action in place.actions])]
        )
        return replace(
            place, settings=replace(place.settings, ledger_url=ledger_url), actions=ledger.actions()
        )


def test_a_ledger_locked_for_5_seconds(in_either: Place, seen: Callable[..., None]) -> None:
    place = in_either
    task_id = place.actions[1].task_id
    kind = sa.make_url(place.settings.ledger_url).get_backend_name()
    with open_ledger(place.settings.ledger_url) as ledger:
        with ledger.writing():
            began = time.monotonic()
            waiting = place.start(
                "act",
                "complete",
                task_id,
                "--staff",
                "S1",
                "--reason",
                "By phone",
                "--at",
                AT.isoformat(),
            )
            assert place.listing() == place.list_before, "the list is shown meanwhile"
            assert place.command(*place.next_run).code == 0, "a run goes through meanwhile"
            time.sleep(max(0.0, LOCKED_SECONDS - (time.monotonic() - began)))
            assert ledger.actions() == place.actions
        done = waiting.end()
    assert done.code == 0, done.said
    (fresh,) = place.recorded()[len(place.actions) :]
    assert (fresh.task_id, fresh.action) == (task_id, "complete")
    assert task_id not in place.open_tasks()
    seen(
        f"ledger locked for {LOCKED_SECONDS} s",
        f"a completion, the list and a run meanwhile ({kind})",
        done.said,
        done.code,
        "list and run did not wait; the completion is written once",
    )


@pytest.fixture
def own_server() -> Iterator[postgres_server.Server]:
    """A PostgreSQL that may be restarted, and keeps what it has said it has written."""
    found = postgres_server.programs()
    if found is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(postgres_server.MISSING)
    server = postgres_server.Server(found, is_durable=True)
    yield server
    server.remove()


def test_postgresql_restarted_in_mid_action(
    own_server: postgres_server.Server, seen: Callable[..., None]
) -> None:
    with open_ledger(own_server.new_database()) as ledger:
        told: list[int] = []
        said: Counter[str] = Counter()
        stopping, stopped, is_over = threading.Event(), threading.Event(), threading.Event()

        def write(writer: int) -> None:
            for number in range(100_000):
                if is_over.is_set():
                    return
                try:
                    told.append(
                        ledger.record(
                            NewAction(f"{writer}-{number}", "complete", f"S{writer}", AT), seen=0
                        ).seq
                    )
                except UserError as error:
                    said[str(error).partition(" cannot be used: ")[2]] += 1
                    time.sleep(0.05)

        @sa.event.listens_for(ledger.engine, "after_cursor_execute")
        def in_mid_action(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if (
                statement.startswith("INSERT INTO actions")
                and len(told) >= 100
                and not stopping.is_set()
            ):
                stopping.set()
                own_server.stop("immediate")
                stopped.set()

        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(write, writer) for writer in range(WRITERS)]
            assert stopped.wait(60), "nobody was writing"
            until = time.monotonic() + 30
            while not said and time.monotonic() < until:
                time.sleep(0.05)
            before = len(told)
            own_server.start()
            while len(told) < before + 100 and time.monotonic() < until:
                time.sleep(0.05)
            is_over.set()
            for writer in writers:
                writer.result()
        written = ledger.actions()
    assert len(told) >= before + 100, "it did not go on by itself"
    assert said
    assert len(told) == len(set(told))
    seqs = [action.seq for action in written]
    assert set(told) <= set(seqs), "what was acknowledged is there"
    assert len(written) - len(told) <= WRITERS, "one of each may be written and not yet told"
    assert len({action.task_id for action in written}) == len(written), "and none twice"
    words = said.most_common(1)[0][0]
    seen(
        "PostgreSQL restarted",
        f"stopped as by a power failure while {WRITERS} people write",
        words,
        "–",
        f"{len(told)} acknowledged, all there once; the same connections go on after the start",
    )


def test_kill_9_of_the_app_during_an_action(
    made: Place, tmp_path: Path, seen: Callable[..., None]
) -> None:
    """A real server is killed while people act over real connections, and started again."""
    place = copy_of(made, tmp_path)
    opens_at, _, seq = look(place.settings)
    (tmp_path / "server").mkdir()
    clock = opens_at - dt.datetime.now(dt.UTC)
    workers = loop.run(act_until_killed(Server(tmp_path / "server", place.settings.data, clock)))
    assert place.recorded()[: len(place.actions)] == place.actions
    told_to = {worker.name: worker.told for worker in workers}
    proof = prove(place.settings, opens_at + dt.timedelta(hours=1), seq, told_to)
    assert proof.acknowledged >= ACKNOWLEDGED
    assert (proof.lost, proof.doubled) == (0, 0)
    assert proof.unasked <= len(workers), "one of each may be written and not yet shown"
    with serving(Server(tmp_path / "server", place.settings.data, clock)) as server:
        back = loop.run(come_back(server))
        assert server.errors() == []
    assert back.tab.errors == []
    seen(
        "kill -9 of the app",
        f"while {len(workers)} people act",
        "",
        "killed",
        f"{proof.acknowledged} acknowledged, all in the ledger once; "
        f"{proof.unasked} written and not yet shown; started again it shows the list",
    )


def test_a_page_whose_server_is_gone_acknowledges_nothing_more() -> None:
    """It still shows the outcome of the action before, which is no answer to the next one."""

    async def answer_once(connection: ServerConnection) -> None:
        await connection.recv()

    async def act_on_a_server_that_goes() -> tuple[list[str], list[str], Worker]:
        async with serve(answer_once, "localhost", 0, subprotocols=["streamlit"]) as server:
            port = server.sockets[0].getsockname()[1]
            worker = Worker(Tab(f"http://localhost:{port}", "none=0"), random.Random(0), 0)
            await worker.tab.open("/tasks")
            before = [*worker.tab.errors]
            worker.listen("note", (Row("task", "patient", "reason", "2026-11-20"),))
            return before, worker.tab.errors, worker

    before, after, worker = loop.run(act_on_a_server_that_goes())
    assert worker.tab.has_ended
    assert before[-1] == "the connection ended"
    assert (after, worker.told) == (before, [])


async def act_until_killed(server: Server) -> list[Worker]:
    """People note and complete without a pause; the server is killed in the middle of it."""
    server.wait()
    workers = [
        Worker(Tab(server.origin, new_browser(server.origin)), random.Random(number), 0)
        for number in range(2)
    ]
    for place, worker in enumerate(workers):
        await worker.come_in(place)

    async def act(worker: Worker) -> None:
        with contextlib.suppress(ConnectionClosed):
            while not worker.tab.errors:
                await worker.do("note")

    tasks = [asyncio.create_task(act(worker)) for worker in workers]
    while sum(len(worker.told) for worker in workers) < ACKNOWLEDGED:
        assert not all(task.done() for task in tasks), [worker.tab.errors for worker in workers]
        await asyncio.sleep(0.01)
    server.kill()
    await asyncio.gather(*tasks)
    return workers


async def come_back(server: Server) -> Worker:
    worker = Worker(Tab(server.origin, new_browser(server.origin)), random.Random(0), 0)
    await worker.come_in(0)
    await worker.do("note")
    await worker.tab.close()
    return worker
