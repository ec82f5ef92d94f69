"""Whether people have acted in a ledger, asked before anything is made."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.ledger import belonging
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A practice whose ledger's URL has an option, as a slow disk needs it."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}?timeout=5"
    return replace(settings_module.load(), ledger_url=url)


def test_no_ledger_has_no_actions_and_none_is_made(settings: Settings, tmp_path: Path) -> None:
    assert not belonging.has_actions(settings)
    assert not list(tmp_path.iterdir())


def test_a_new_ledger_has_no_actions(settings: Settings) -> None:
    open_ledger(settings.ledger_url).close()
    assert not belonging.has_actions(settings)


def test_an_empty_file_has_no_actions(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    assert not belonging.has_actions(settings)


def test_a_note_is_an_action(settings: Settings) -> None:
    at = dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)
    with open_ledger(settings.ledger_url) as ledger:
        ledger.record(NewAction("T1", "note", "S1", at, reason="Called"), seen=0)
    assert belonging.has_actions(settings)


def test_a_ledger_that_cannot_be_read_may_have_some(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database, but somebody put it here")
    assert belonging.has_actions(settings)
