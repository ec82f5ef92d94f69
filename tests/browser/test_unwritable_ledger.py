"""Another process holds the ledger: no page shows a patient, each says why, and works after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import settle, sit_down, soon, visit
from tests.browser.servers import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("Zebulon", "Quartermaine")
ABOUT_PATIENTS = ("/", "/tasks", "/tasks?patient=P1", "/patient?patient_id=P1", "/aging")
OTHERS = ("/patient", "/backlog", "/rules", "/reports", "/runs")
HOLD = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def practice(new_server: Callable[..., Server], practice_data: Path) -> Server:
    """A server that waits a fifth of a second for its ledger."""
    server = new_server(practice_data)
    ledger = f"sqlite:///{server.data / 'ledger.sqlite'}?timeout=0.2"
    return server.start(WORKBENCH_LEDGER=ledger)


@contextmanager
def held(ledger: Path) -> Iterator[None]:
    """A child that holds the ledger's write lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ledger)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield
        finally:
            child.communicate()


def texts(page: Page) -> str:
    """All that the page holds, its tables and links too."""
    return page.content() + page.inner_text("body")


def test_nothing_of_a_patient_appears_while_the_ledger_is_held(
    practice: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, practice.url, "Dana", "/reports")
    with held(practice.data / "ledger.sqlite"):
        for path in ABOUT_PATIENTS:
            visit(page, practice.url + path)
            page.get_by_text("cannot be recorded").wait_for()
            assert "is locked by another program" in page.inner_text("body")
            found = texts(page)
            assert [name for name in NAMES if name in found] == [], path
            assert "patient_id=P1" not in found.replace(page.url, ""), path
            assert page.get_by_test_id("stDataFrame").count() == 0 or path == "/aging", path
            assert page.get_by_test_id("stMetric").count() == 0 or path == "/aging", path
        for path in OTHERS:
            visit(page, practice.url + path)
            found = texts(page)
            assert [name for name in NAMES if name in found] == [], path
            assert "P1" not in page.inner_text("body"), path
        page.get_by_role("link", name="Tasks", exact=False).first.click()
        settle(page)
        page.get_by_text("cannot be recorded").wait_for()
    for path in ABOUT_PATIENTS:
        visit(page, practice.url + path)
        assert page.get_by_text("cannot be recorded").count() == 0
        soon(lambda: "Quartermaine" in texts(page), True, page)  # the grid draws late


def test_a_page_on_the_screen_is_emptied_at_its_next_run(
    practice: Server, new_browser: Callable[..., Page]
) -> None:
    page = sit_down(new_browser, practice.url, "Dana", "/patient?patient_id=P1")
    assert "Quartermaine" in texts(page)
    with held(practice.data / "ledger.sqlite"):
        page.get_by_role("radio", name="Payments").click()
        page.get_by_text("cannot be recorded").wait_for()
        settle(page)
        assert "Quartermaine" not in texts(page)
    page.reload()
    settle(page)
    assert "Quartermaine" in texts(page)
