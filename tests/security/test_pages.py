"""Staff limited to their facilities: no page, link, choice or file has data of another one."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from app_pages.components import export
from pipelines import settings
from pipelines.ledger.ledger import open_ledger
from tests.app.conftest import PAGES, App
from tests.conftest import Workbench
from tests.practice import Practice

SPLIT = {"backlog": {"split": "facility"}, "aging": {"split": "facility"}}
LIMIT = """
[access]
own_facilities = true
sees_all_roles = ["Business Owner"]
[access.staff_facilities]
S1 = ["F1"]
"""


@pytest.fixture
def limited(facility: Workbench) -> Workbench:
    """Dana (S1) works at North, Lee (S3) at South, Omar (S2) at none that anybody knows of."""
    (facility.data / "settings.toml").write_text(LIMIT, encoding="utf-8")
    return facility


def held_by(page: str, app: App, **query: str | list[str]) -> str:
    return app.open(page, **query).sent


class Side(NamedTuple):
    """A member of staff of one facility: what is theirs."""

    staff: str
    facility: str
    name: str
    patients: tuple[str, ...]
    patient_id: str


NORTH = Side("S1", "F1", "North Clinic", ("Test, Ana", "Test, Bo"), "A")
SOUTH = Side("S3", "F2", "South Clinic", ("Test, Cy",), "C")


@pytest.mark.parametrize(("own", "other"), [(NORTH, SOUTH), (SOUTH, NORTH)])
def test_no_page_holds_anything_of_another_facility(
    limited: Workbench, own: Side, other: Side
) -> None:
    # Omar sees all facilities and looks first: cached answers of his must not reach others.
    (limited.data / "settings.toml").write_text(
        LIMIT.replace("Business Owner", "Clinical Staff"), encoding="utf-8"
    )
    omar = App("S2")
    seen = "".join(held_by(page, omar, **SPLIT.get(page, {})) for page in PAGES)
    assert all(text in seen for text in (own.name, other.name, *own.patients, *other.patients))
    tasks = {task["patient_id"]: task["task_id"] for task in limited.tasks(1)}
    app = App(own.staff)
    assert f"Your facilities: {own.name}" in app.says
    whole = ""
    for page in PAGES:
        views = [
            {},
            {"facility": [other.facility]},
            {"facility": [own.facility, other.facility]},
            {"at": "2026-11-02T11:00:00Z"},
        ]
        views += [
            {"patient": other.patient_id},
            {"task": tasks[other.patient_id]},
            {"patient_id": other.patient_id},
            {"task": tasks[other.patient_id], "patient_id": own.patient_id},
        ]
        for view in views:
            held = held_by(page, app, **SPLIT.get(page, {}), **view)
            assert [
                text
                for text in (*other.patients, other.name, tasks[other.patient_id])
                if text in held and text not in view.values()
            ] == [], (page, view)
            whole += held
    assert all(text in whole for text in (*own.patients, own.name))


def test_a_file_holds_the_own_facilities_only_and_the_record_names_who_is_in_it(
    limited: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers, whole = [], export.file_builder
    monkeypatch.setattr(
        export, "file_builder", lambda *asked: makers.append(whole(*asked)) or makers[-1]
    )
    dana = App("S1")
    for page, query in (
        ("tasks", {}),
        ("tasks", {"at": "2026-11-02T11:00:00Z"}),
        ("tasks", {"facility": "F2"}),
        ("schedule", {"facility": "F2"}),
    ):
        makers.clear()
        dana.open(page, **query)
        in_csv = makers[0]().decode(
            "utf-8-sig"
        )  # in this thread, which knows nothing of the session, as the server's does
        assert "Test, Ana" in in_csv
        assert "Test, Cy" not in in_csv
    with open_ledger(settings.load().ledger_url) as ledger:
        assert {access.patient_id for access in ledger.accesses() if access.kind == "export"} == {
            "A",
            "B",
        }


def test_what_is_not_ones_own_is_said_not_to_be_there(limited: Workbench) -> None:
    tasks = {task["patient_id"]: task["task_id"] for task in limited.tasks(1)}
    dana = App("S1")
    assert "Facility: there is no “F2” at your facilities" in dana.open("tasks", facility="F2").says
    assert "There is no patient “C” at your facilities" in dana.open("patient", patient_id="C").says
    assert (
        f"There is no task “{tasks['C']}” at your facilities"
        in dana.open("tasks", task=tasks["C"]).says
    )
    with open_ledger(settings.load().ledger_url) as ledger:
        assert "C" not in {access.patient_id for access in ledger.accesses()}


def test_an_act_on_a_task_of_another_facility_is_refused(limited: Workbench) -> None:
    foreign = next(
        task["task_id"]
        for task in limited.tasks(1)
        if task["patient_id"] == "C" and task["rule_id"] == "intake_complete"
    )
    dana = App("S1").open("tasks")
    # A browser may send what no page offered: a tick that was made when the task was still hers.
    dana.test.session_state["actions.asked"] = ("complete", {foreign: 0})
    dana.run()
    dana.test.session_state["actions.asked"] = ("defer", {foreign: 0})
    dana.run()
    for button in [button for button in dana.test.button if button.key == "confirm.go"]:
        button.click()
        dana.run()
    with open_ledger(settings.load().ledger_url) as ledger:
        assert ledger.last_seq() == 0


def test_what_reads_all_facilities_at_once_is_for_those_who_see_all(
    limited: Workbench, practice: Practice
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
    limited.run(practice, 1)
    dana = App("S1")
    assert "only people who see all facilities can download them" in dana.open("runs").says
    assert "Download refused rows" not in dana.sent
    assert (
        "it is for those who see them all" in dana.open("rules", rule="authorization_expiring").says
    )
    assert "Run backtest" not in dana.sent
    dana.open("reports").click("Make the report")
    assert "Choose one of your facilities first" in dana.says


def test_who_has_no_facility_is_told_what_to_do(limited: Workbench) -> None:
    omar = App("S2")
    for page in PAGES:
        omar.open(page)
        assert "You have no facility here" in omar.says
        assert [
            text for text in (*NORTH.patients, *SOUTH.patients, "North Clinic") if text in omar.sent
        ] == []
    assert omar.click("Not me").says.count("Who are you?") == 1


def test_a_role_that_sees_all_does(limited: Workbench) -> None:
    (limited.data / "settings.toml").write_text(
        LIMIT.replace("Business Owner", "Front Desk"), encoding="utf-8"
    )
    dana = App("S1").open("tasks")
    assert {patient for _, patient in dana.tasks} == {*NORTH.patients, *SOUTH.patients}
    assert "Your facilities" not in dana.says
