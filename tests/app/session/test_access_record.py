"""The access record has every look: each patient named in a page or a file, and by whom."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest
import streamlit as st

from pipelines import settings
from pipelines.ledger.accesses import RecordedAccess
from pipelines.ledger.ledger import open_ledger
from tests.app.conftest import PAGES, App
from tests.conftest import Workbench
from tests.practice import Practice

NAMES = {"A": "Ana", "B": "Bo", "C": "Cy"}
LISTS = {"dashboard", "tasks", "schedule"}
VIEWS: list[tuple[str, dict[str, str]]] = [
    *((page, {}) for page in PAGES),
    ("dashboard", {"facility": "F2"}),
    ("tasks", {"status": "all", "sort": "patient"}),
    ("tasks", {"patient": "B"}),
    ("tasks", {"at": "2026-11-02T11:00:00Z"}),
    *(
        ("patient", {"patient_id": "A", "section": section})
        for section in ("tasks", "policies", "payments", "documents", "schedule")
    ),
    ("schedule", {"facility": "F2"}),
    *(
        ("aging", {"show": section, "split": "facility"})
        for section in ("age", "time", "ends", "deferrals", "owners", "money")
    ),
    ("aging", {"at": "2026-11-02T11:00:00Z"}),
    ("backlog", {"split": "staff"}),
    ("rules", {"rule": "uncollected_payments"}),
]


def accesses(after: int) -> list[RecordedAccess]:
    with open_ledger(settings.load().ledger_url) as ledger:
        return ledger.accesses(after=after)


def newest() -> int:
    return max((access.seq for access in accesses(0)), default=0)


def looked(app: App, look: Callable[[], object]) -> tuple[set[str], list[RecordedAccess]]:
    """Whose names a look sent to the browser, and what was recorded of it."""
    app.test.session_state["accessed"] = {}  # what was looked at before is not recorded again
    before = newest()
    look()
    named = app.sent
    return {patient for patient, name in NAMES.items() if f"Test, {name}" in named}, accesses(
        before
    )


def assert_recorded(page: str, shown: set[str], recorded: list[RecordedAccess]) -> None:
    assert {access.staff_id for access in recorded} <= {"S1"}
    assert [
        access.at
        for access in recorded
        if not dt.timedelta(0) <= access.at - Workbench.day(1) < dt.timedelta(minutes=5)
    ] == []
    by_name = {access.patient_id for access in recorded}
    is_listed = any(
        access.kind == "list" and access.detail.startswith(f"{page}?") for access in recorded
    )
    assert shown <= by_name or is_listed, (page, shown, recorded)
    assert shown or not recorded


def test_every_page_that_names_a_patient_is_on_record(dana: App, facility: Workbench) -> None:
    naming = set()
    for page, query in VIEWS:
        shown, recorded = looked(dana, lambda page=page, query=query: dana.open(page, **query))
        assert_recorded(page, shown, recorded)
        naming |= {page} if shown else set()
    assert naming == LISTS | {"patient", "aging"}


def test_every_task_opened_is_on_record_by_its_patient(dana: App, facility: Workbench) -> None:
    for task in facility.tasks(1):
        for page, query in (
            ("tasks", {}),
            ("tasks", {"at": "2026-11-02T11:00:00Z"}),
            ("patient", {"patient_id": task["patient_id"]}),
        ):
            _, recorded = looked(
                dana,
                lambda page=page, query=query, task=task: dana.open(
                    page, task=task["task_id"], **query
                ),
            )
            assert ("task", task["patient_id"], task["task_id"]) in {
                (access.kind, access.patient_id, access.detail) for access in recorded
            }


def test_a_list_can_be_told_from_its_record(dana: App) -> None:
    dana.open("tasks", facility=["F1", "F2"], type="uncollected_payments")
    assert [(access.patient_id, access.detail) for access in accesses(0)][:1] == [
        ("*", "tasks?facility=F1&facility=F2&type=uncollected_payments")
    ]


@pytest.mark.parametrize(("page", "key"), [("patient", "patient.find"), ("tasks", "tasks.find")])
def test_whom_a_search_found_is_on_record_and_not_the_text(dana: App, page: str, key: str) -> None:
    dana.open(page)

    def search() -> None:
        dana.test.text_input(key=key).set_value("test")
        dana.run()

    _, recorded = looked(dana, search)
    assert {access.patient_id for access in recorded if access.kind == "search"} == {"A", "B", "C"}
    assert "test" not in {access.detail for access in recorded}


def test_every_file_is_on_record_before_it_is_handed_out(
    dana: App, facility: Workbench, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.add(
        "payments",
        "BAD",
        patient_id="C",
        case_id="C-C",
        kind="gift",
        amount="1.00",
        paid_at="2026-11-01T12:00:00",
    )
    facility.run(practice, 1)
    makers, button = [], st.download_button
    monkeypatch.setattr(
        st,
        "download_button",
        lambda *said, **more: makers.append((more["key"], more["data"])) or button(*said, **more),
    )
    for page in PAGES:
        dana.open(page)
    files = {}
    for key, make in makers:
        before = newest()
        files[key] = make()
        recorded = accesses(before)
        assert recorded
        assert {(access.kind, access.staff_id) for access in recorded} == {("export", "S1")}
        if key == "export.csv":
            named = {
                patient
                for patient, name in NAMES.items()
                if f"Test, {name}" in files[key].decode("utf-8-sig")
            }
            assert named == {access.patient_id for access in recorded}
    assert {key.partition(".0")[0] for key in files} == {
        "export.csv",
        "export.xlsx",
        "runs.refused",
    }
    (archive,) = (file for key, file in files.items() if key.startswith("runs.refused"))
    assert zipfile.ZipFile(BytesIO(archive)).namelist() == ["payments.csv"]


def test_the_record_is_read_back_by_patient_and_by_person(dana: App, facility: Workbench) -> None:
    dana.open("patient", patient_id="A")
    App("S2").open("patient", patient_id="A").open("patient", patient_id="C", section="payments")
    asked = {
        (): [("S2", "C", "payments"), ("S2", "A", "tasks"), ("S1", "A", "tasks")],
        ("--patient", "A"): [("S2", "A", "tasks"), ("S1", "A", "tasks")],
        ("--staff", "S2"): [("S2", "C", "payments"), ("S2", "A", "tasks")],
        ("--patient", "A", "--limit", 1): [("S2", "A", "tasks")],
        ("--patient", "*", "--staff", "S2"): [],
    }
    for options, looks in asked.items():
        code, out, err = facility.command("accesses", *options, "--format", "json")
        assert (code, err) == (0, "")
        pages = [access for access in json.loads(out) if access["kind"] == "patient page"]
        assert [
            (access["staff_id"], access["patient_id"], access["detail"]) for access in pages
        ] == looks
        assert [access["at"][:16] for access in pages] == ["2026-11-02T11:00"] * len(looks)
    _, out, _ = facility.command("accesses", "--patient", "*")
    assert "dashboard?facility=F1" in out
