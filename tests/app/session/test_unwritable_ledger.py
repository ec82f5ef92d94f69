"""While looks cannot be recorded, no page shows anything of a patient; afterwards all do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit import config

from app_pages.session import workspace
from app_pages.session.access_record import NOT_RECORDED
from tests.app.conftest import App
from tests.app.session.test_access_record import NAMES, VIEWS, accesses
from tests.conftest import Workbench

Outage = Callable[[], AbstractContextManager[None]]
DETAILS = "client.showErrorDetails"
ABOUT_PATIENTS = {"dashboard", "tasks", "schedule"}
ALL_VIEWS = [
    *VIEWS,
    ("tasks", {"task": "a task"}),
    ("patient", {"patient_id": "A", "task": "a task"}),
    ("tasks", {"type": "uncollected_payments", "page": "2"}),
]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process writes, and does not end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full(_file: Path) -> Iterator[None]:
    """The disk has no room: SQLite says so when its file may not grow."""
    engine = workspace.workspace().shared.ledger.engine

    def limit(pages: int) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with engine.connect() as connection:
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    limit(1)  # no fewer than the pages it has now
    try:
        _fill()
        yield
    finally:
        limit(1_000_000)


def _fill() -> None:
    """Use up the free room of the file's last pages."""
    ledger = workspace.workspace().shared.ledger
    for width in (2000, 200, 20, 1):
        for _ in range(5000):
            try:
                ledger.record_access(
                    at=Workbench.day(1),
                    staff_id="S9",
                    patient_id="nobody",
                    kind="x" * width,
                )
            except Exception as error:  # noqa: BLE001 - whatever a full disk is called
                assert "full" in str(error)
                break
        else:
            pytest.fail("the disk is not full")


@pytest.fixture(params=[locked, full])
def outage(
    request: pytest.FixtureRequest, facility: Workbench, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Outage]:
    """A ledger that nobody can write; the app waits a moment for it instead of half a minute."""
    file = facility.data / "ledger.sqlite"
    kept = config.get_option(DETAILS)
    config.set_option(DETAILS, "full")  # the server's own error page is not part of AppTest
    monkeypatch.setenv("WORKBENCH_LEDGER", f"sqlite:///{file}?timeout=0.05")
    yield lambda: request.param(file)
    config.set_option(DETAILS, kept)


def look(app: App, page: str, query: dict[str, str]) -> str:
    """What the page says is wrong, "" if nothing is."""
    app.test.switch_page(f"{page}/page.py")
    app.test.query_params.clear()
    for name, value in query.items():
        app.test.query_params[name] = value
    app.test.run()
    return "\n".join(str(element.message) for element in app.test.exception)


def of_patients(app: App, facility_tasks: list[dict[str, str]]) -> set[str]:
    """What the page sends to the browser about patients: names, links, ids of tasks and records."""
    sent = app.sent
    said = {name for name in NAMES.values() if f"Test, {name}" in sent or f"{name} Test" in sent}
    said |= {task["task_id"] for task in facility_tasks if task["task_id"] in sent}
    said |= {task["subject_id"] for task in facility_tasks if task["subject_id"] in sent}
    return said | {part for part in ("patient_id=", "patient=") if part in sent}


def test_no_page_shows_a_patient_until_looks_can_be_recorded(
    outage: Outage, facility: Workbench
) -> None:
    tasks = facility.tasks(1)
    views = [
        (page, query | {"task": tasks[0]["task_id"]} if "task" in query else query)
        for page, query in ALL_VIEWS
    ]
    dana, silent = App("S1").open("reports"), set()
    with outage():
        before = len(accesses(0))
        for page, query in views:
            says = look(dana, page, query)
            assert of_patients(dana, tasks) == set(), (page, query)
            if page in ABOUT_PATIENTS or "patient_id" in query:
                assert says.startswith(NOT_RECORDED), (page, query)
                assert len(dana.test.metric) + len(dana.test.dataframe) == 0, (page, query)
                silent.add(page)
            else:
                assert says == "" or says.startswith(NOT_RECORDED), (page, query, says)
    assert silent == ABOUT_PATIENTS | {"patient"}
    assert len(accesses(0)) == before
    for page, query in views:
        assert look(dana, page, query) == ""
        if page in silent and query != {} and page != "patient":
            assert of_patients(dana, tasks)


@pytest.mark.parametrize("outage", [locked], indirect=True)  # a full disk is found by writing
def test_a_page_on_the_screen_goes_too(outage: Outage, facility: Workbench) -> None:
    dana = App("S1").open("tasks")
    tasks = facility.tasks(1)
    assert of_patients(dana, tasks)
    with outage():
        assert "locked" in _why(dana)
        assert of_patients(dana, tasks) == set()
    assert _why(dana) == ""
    assert of_patients(dana, tasks)


def _why(app: App) -> str:
    app.test.run()
    return "\n".join(str(element.message) for element in app.test.exception)


@pytest.mark.parametrize(("page", "key"), [("patient", "patient.find"), ("tasks", "tasks.find")])
def test_a_search_shows_nobody(outage: Outage, facility: Workbench, page: str, key: str) -> None:
    dana = App("S1").open(page)
    tasks = facility.tasks(1)
    dana.test.text_input(key=key).set_value("Test")
    with outage():
        dana.test.run()
        (error,) = dana.test.exception
        assert str(error.message).startswith(NOT_RECORDED)
        if page == "patient":
            assert of_patients(dana, tasks) == set()
        assert not any(button.key.startswith("tasks.patient.") for button in dana.test.button)


def test_no_file_is_handed_out(
    outage: Outage, facility: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers, button = [], st.download_button
    monkeypatch.setattr(
        st,
        "download_button",
        lambda *said, **more: makers.append(more["data"]) or button(*said, **more),
    )
    dana = App("S1").open("tasks").open("schedule")
    assert dana
    assert len(makers) == 4
    with outage():
        for make in makers:
            with pytest.raises(Exception, match=NOT_RECORDED):
                make()
