"""The load benchmark: nothing is lost, and its proof finds lost, unasked and doubled actions."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.bench import load
from pipelines.bench.app import Load
from pipelines.errors import UserError
from pipelines.ledger.actions import Action, NewAction
from pipelines.ledger.ledger import open_ledger
from tests.published import START, published_in

FEW = Load(sessions=5, think_seconds=0, seconds=2, open_tasks=0)


def test_staff_at_once_lose_nothing_and_do_nothing_twice(tmp_path: Path, ledger_url: str) -> None:
    settings = replace(published_in(tmp_path / "data"), ledger_url=ledger_url)
    report = load.measure(settings, FEW)
    assert (report["errors"], report["lost"], report["unasked"], report["doubled"]) == (
        0,
        0,
        0,
        0,
    ), report["said"]
    assert report["acknowledged"] >= FEW.sessions
    with open_ledger(ledger_url) as ledger:
        assert len(ledger.actions()) == report["acknowledged"]
    assert (
        report["action_ms"]["p50"]
        <= report["action_ms"]["p95"]
        <= report["action_ms"]["p99"]
        <= report["action_ms"]["max"]
    )
    assert report["list_ms"]["count"] >= FEW.sessions


def test_a_ledger_with_actions_is_not_written_to(tmp_path: Path) -> None:
    settings = published_in(tmp_path / "data")
    with open_ledger(settings.ledger_url) as ledger:
        ledger.record(NewAction("t", "complete", "S", START), seen=0)
    with pytest.raises(UserError, match="name an empty one"):
        load.measure(settings, FEW)


def test_the_proof_notices_what_is_wrong() -> None:
    first, again, note = (
        Action(seq, "t", action, "S", START)
        for seq, action in ((1, "complete"), (2, "complete"), (3, "note"))
    )
    member = load.Member("S", random.Random(0), done=[first, note])
    assert load.proof([member], [first, note])["lost"] == 0
    found = load.proof([member], [first, again])
    assert (found["lost"], found["unasked"], found["doubled"]) == (1, 1, 1)
    assert load.proof([member], [first, replace(note, task_id="u")])["lost"] == 1
