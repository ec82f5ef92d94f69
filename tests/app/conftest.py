"""The app without a browser: AppTest on the frame, a small practice, and a movable clock."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element, Markdown

from app_pages.session import clock
from app_pages.url import filters
from app_pages.url import view as url_view
from pipelines.settings import ROOT
from pipelines.worklist.filters import Filters
from tests.conftest import Workbench
from tests.practice import Practice

FRAME = ROOT / "app_pages" / "frame.py"
PAGES = (
    "dashboard",
    "tasks",
    "patient",
    "backlog",
    "aging",
    "schedule",
    "rules",
    "reports",
    "runs",
    "connect",
)


class App:
    """One person at one browser tab of the app."""

    def __init__(self, staff: str | None) -> None:
        self.test = AppTest.from_file(str(FRAME), default_timeout=60)
        self.run()
        if staff is not None:
            self.test.selectbox(key="identity.chosen").set_value(staff)
            self.click("Start")

    def run(self) -> App:
        """Run the page; the test fails when it raised anything."""
        self.test.run()
        assert [element.message for element in self.test.exception] == []
        return self

    def open(self, page: str, /, **query: str | list[str]) -> App:
        """Go to a page by its URL's query."""
        self.test.switch_page(f"{page}/page.py")
        self.test.query_params.clear()
        for name, value in query.items():
            self.test.query_params[name] = value
        return self.run()

    def open_task(self, facility: Workbench, rule_id: str, subject_id: str, **query: str) -> str:
        """Open a task's panel by its URL; its id."""
        task_id = facility.one(1.1, rule_id, subject_id)["task_id"]
        self.open("tasks", task=task_id, **query)
        return task_id

    def click(self, label_or_key: str) -> App:
        """Click the one button with this label or key."""
        found = [
            button for button in self.test.button if label_or_key in (button.key, button.label)
        ]
        assert len(found) == 1, (
            f"{len(found)} buttons {label_or_key!r}, "
            f"of {[button.label for button in self.test.button]}"
        )
        found[0].click()
        return self.run()

    def choose(self, label: str, value: object) -> App:
        """Set the filter with this label."""
        (widget,) = [
            widget
            for kind in (self.test.multiselect, self.test.selectbox)
            for widget in kind
            if widget.label == label
        ]
        widget.set_value(value)
        return self.run()

    def tick(self, *rows: int) -> App:
        """Tick rows of the table by their place."""
        self.test.session_state[self.test.session_state["grid.key"]] = {
            "selection": {"rows": list(rows), "columns": [], "cells": []}
        }
        return self.run()

    @property
    def query(self) -> dict[str, str | list[str]]:
        """The URL's query."""
        return dict(self.test.query_params)

    @property
    def tasks(self) -> list[tuple[str, str]]:
        """(task, patient) of each row of the table, in order."""
        rows = self.test.dataframe[0].value
        return list(zip(rows["task"], rows["patient"], strict=True))

    @property
    def says(self) -> str:
        """All the text of the page, plain."""
        kinds = (
            "title",
            "header",
            "subheader",
            "markdown",
            "text",
            "caption",
            "info",
            "success",
            "warning",
            "error",
            "code",
        )
        texts = [str(element.value) for kind in kinds for element in getattr(self.test, kind)]
        labels = [str(element.label) for element in (*self.test.button, *self.test.metric)]
        return "\n".join(texts + labels).replace("\\", "").replace("**", "")

    @property
    def elements(self) -> Iterator[Element | Block]:
        """Every container and element of the page, those of dialogs too."""
        for block in self.test._tree.children.values():  # AppTest has no public door to dialogs
            yield block
            yield from _elements(block)

    @property
    def sent(self) -> str:
        """All that the page sends to the browser, tables too."""
        return "\n".join(
            element.proto.SerializeToString().decode("latin-1").replace("\\", "")
            for element in self.elements
            if isinstance(element, Element)
        )

    @property
    def links(self) -> list[tuple[str, str]]:
        """(label, query) of every link of the page."""
        return [
            (link.label.replace("\\", "").strip("*"), link.proto.query_string)
            for link in self.test.get("page_link")
        ]

    def links_below_table(self, place: int) -> list[tuple[str, str]]:
        """(label, query) of the links under the number table at this place."""
        found = [
            block
            for block in _elements(self.test.main)
            if isinstance(block, Block) and "Its tasks; tick" in _first_text(block)
        ]
        return [
            (link.label.replace("\\", "").strip("*"), link.proto.query_string)
            for link in found[place].get("page_link")
        ]

    def metric(self, label: str) -> str:
        """The number under this label."""
        (found,) = [metric.value for metric in self.test.metric if metric.label == label]
        return found


def meant(query: dict[str, list[str]]) -> Filters:
    """The filters that the Tasks page would use for this query, without showing the page."""
    many, one = (*filters.LABELS, "ended", "had"), ("in", "out", "on", "stood", "patient")
    assert query.keys() <= {*many, *one, "status"}, query
    model = {name: query.get(name, []) for name in many} | {
        name: query.get(name, [None])[0] for name in one
    }
    model["status"] = query.get("status", ["pending"])[0]
    return filters.chosen(
        url_view.View("tasks", {name: url_view.Param(name, name) for name in model}, model)
    )


def _elements(block: Block) -> Iterator[Element | Block]:
    for child in block.children.values():
        yield child
        if isinstance(child, Block):
            yield from _elements(child)


def _first_text(block: Block) -> str:
    first = next(iter(block.children.values()), None)
    return str(first.value) if isinstance(first, Markdown) else ""


@pytest.fixture(autouse=True, scope="session")
def scan_components_once() -> Iterator[None]:
    """AppTest reads the metadata of every installed package for each new app; once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def keep_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore `__main__`, which the app replaces: child processes would import it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def move_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """Sets what time it is for the app."""
    file = tmp_path / "clock"
    monkeypatch.setenv("WORKBENCH_CLOCK", str(file))

    def move(to: dt.datetime) -> None:
        # A second more: the clock must not be behind the run it is set to.
        file.write_text(str(int((to - clock.machine_now()).total_seconds()) + 1), encoding="utf-8")

    return move


@pytest.fixture
def facility(
    workbench: Workbench, practice: Practice, move_clock: Callable[[dt.datetime], None]
) -> Iterator[Workbench]:
    """Two facilities with six open tasks, published on day 1 (2 November 2026, 06:00 in New York).

    Ana and Bo owe at facility F1, Cy at F2; Ana has a draft of S2's; Bo's plan of care waits to
    be faxed; Cy sent intake forms.
    """
    st.cache_data.clear()
    st.cache_resource.clear()
    practice.add("facilities", "F2", name="South Clinic", time_zone="America/Chicago")
    practice.add("staff", "S3", name="Lee Park", role="Practice Administrator", facility_id="F2")
    practice.add("policies", "POL", patient_id="A", authorization_required="true")
    for key, name, home in (("A", "Ana", "F1"), ("B", "Bo", "F1"), ("C", "Cy", "F2")):
        practice.patient(key, first_name=name, last_name="Test", facility_id=home).add(
            "cases", f"C-{key}", patient_id=key, facility_id=home
        )
        practice.visit(f"N-{key}", key, "2026-11-10T09:00:00", status="Scheduled", facility_id=home)
    practice.visit("V-A", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.visit("V-B", "B", "2026-10-20T09:00:00", amount_due="5.00", staff_id="S2")
    practice.visit("V-C", "C", "2026-10-29T09:00:00", amount_due="7.50", facility_id="F2")
    practice.document(
        "D-A",
        "A",
        appointment_id="V-A",
        started_at="2026-10-30T10:00:00",
        last_editor_id="S2",
        date_of_service="2026-10-30",
    )
    practice.document(
        "D-B",
        "B",
        status="Completed",
        has_plan_of_care="true",
        completed_at="2026-10-31T10:00:00",
        last_editor_id="S2",
    )
    practice.add(
        "intake_submissions",
        "I-C",
        patient_id="C",
        case_id="C-C",
        submitted_at="2026-11-01T15:00:00",
    )
    workbench.once(lambda: workbench.run(practice, 1))
    move_clock(workbench.day(1))
    yield workbench
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def dana(facility: Workbench) -> App:
    """Dana Whitfield (S1) of the front desk at her browser."""
    return App("S1")


@pytest.fixture
def omar(facility: Workbench) -> App:
    """Omar Reyes (S2), clinical staff, at his."""
    return App("S2")
