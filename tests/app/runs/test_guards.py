"""Runs and the lists say what guards hold, and a manager accepts it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice

NAME = "Uncollected Payments · North Clinic"
PATIENTS = [f"P{number}" for number in range(7)]


@pytest.fixture
def held(facility: Workbench, practice: Practice, move_clock: Callable) -> Workbench:
    """Seven more patients owe at North Clinic; the next delivery lacks their visits."""
    for key in PATIENTS:
        practice.patient(key).visit(f"V-{key}", key, "2026-10-30T09:00:00", amount_due="40.00")
        practice.visit(f"N-{key}", key, "2026-11-10T09:00:00", status="Scheduled")
    facility.run(practice, 1.01)
    for key in PATIENTS:
        practice.remove("appointments", f"V-{key}")
    facility.run(practice, 1.02)
    move_clock(facility.day(1.03))
    return facility


def test_a_manager_sees_what_is_held_and_accepts_it_with_a_reason(
    held: Workbench, practice: Practice, move_clock: Callable
) -> None:
    lee = App("S3").open("runs")
    assert "Held, because the delivery does not look right" in lee.says
    row = lee.test.dataframe[0].value.iloc[0]
    assert (row["name"], row["age"]) == (NAME, "for 1 run")
    assert row["says"].startswith("7 of 9 open tasks would close without new work")
    lee.click("Accept")
    assert "Choose what is true." in lee.says
    lee.choose("What is true", ["closings/uncollected_payments/F1"]).click("Accept")
    assert "To accept what a guard holds needs a reason" in lee.says
    lee.test.text_input(key="runs.guards.reason").set_value("written off")
    lee.choose("What is true", ["closings/uncollected_payments/F1"]).click("Accept")
    assert f"Accepted: {NAME}. It comes with the next refresh." in lee.says
    states = held.states(1.03, "uncollected_payments")
    assert {states[f"V-{key}", 1] for key in PATIENTS} == {"pending"}

    held.run(practice, 1.04)
    move_clock(held.day(1.05))
    states = held.states(1.04, "uncollected_payments")
    assert {states[f"V-{key}", 1] for key in PATIENTS} == {"source_gone"}
    lee = App("S3").open("runs")
    accepted = next(
        table.value for table in lee.test.dataframe if "accepted_reason" in table.value.columns
    )
    assert accepted[["accepted_by_name", "accepted_reason"]].values.tolist() == [
        ["Lee Park", "written off"]
    ]


def test_others_see_it_on_lists_and_in_the_panel_and_cannot_accept_it(held: Workbench) -> None:
    dana = App("S1").open("runs")
    assert "Therapy Director or Practice Administrator or Business Owner can accept it." in (
        dana.says
    )
    assert "Accept" not in [button.label for button in dana.test.button]
    for page in ("tasks", "dashboard"):
        said = dana.open(page).says
        assert f"the newest delivery would change far more than usual: {NAME}." in said
    task = held.one(1.03, "uncollected_payments", "V-P1")
    dana.open("tasks", task=task["task_id"])
    assert "would have closed this task together with far more others than usual" in dana.says


def test_what_three_runs_held_is_an_alarm_with_its_age(
    held: Workbench, practice: Practice, move_clock: Callable
) -> None:
    for day in (1.5, 2.03):
        held.run(practice, day)
    move_clock(held.day(2.04))
    dana = App("S1").open("tasks")
    (alarm,) = [error.value for error in dana.test.error]
    assert NAME in alarm and "This has been so for 3 runs, 1 day" in alarm
    assert "Alarm" in App("S3").open("runs").test.dataframe[0].value.iloc[0]["state"]
