"""Schedule gaps: the week, its numbers, its cases, and the way to a patient."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from pipelines import settings
from pipelines.ledger.ledger import open_ledger
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def week(facility: Workbench, practice: Practice) -> Workbench:
    """The week of 8 November 2026: Ana has 1 of 2 visits, cancelled; Bo 2 of 2, one done.

    Cy's case is at the other facility, without a target.
    """
    practice.add("cases", "C-A", visits_per_week_target="2", therapist_id="S2").add(
        "cases", "C-B", visits_per_week_target="2"
    )
    practice.add("appointments", "N-A", status="Cancelled", reminder_status="Sent")
    practice.visit("N-B2", "B", "2026-11-14T09:00:00")
    facility.once(lambda: facility.run(practice, 1.0))
    return facility


def cases(app: App) -> list[tuple]:
    """State, patient, target and counts of each row of the table."""
    rows = app.test.dataframe[0].value
    names = ["state", "patient", "target", "scheduled", "completed", "cancelled", "no_show"]
    return [(row.state[0], *row[1:]) for row in rows[names].itertuples(index=False, name="Row")]


def test_a_week_at_a_facility_the_gaps_first(week: Workbench, dana: App) -> None:
    dana.open("schedule", facility="F1", week="2026-11-08")
    assert cases(dana) == [
        ("Under-scheduled", "Test, Ana", 2, 1, 0, 1, 0),
        ("Fully scheduled", "Test, Bo", 2, 2, 1, 0, 0),
    ]
    assert [dana.metric(label) for label in ("Open cases", "Under-scheduled", "Scheduled")] == [
        "2",
        "1",
        "3",
    ]
    assert [dana.metric(label) for label in ("Completed", "Cancelled", "No-show")] == [
        "1",
        "1",
        "0",
    ]
    assert {"33%", "of 4 (75%)"} <= {metric.delta for metric in dana.test.metric}
    assert "North Clinic: Sunday, November 8 to Saturday, November 14, 2026" in dana.says


def test_without_a_week_in_the_url_it_is_this_one_and_the_buttons_turn(
    week: Workbench, dana: App
) -> None:
    dana.open("schedule", facility="F1")
    assert "Sunday, November 1 to Saturday, November 7, 2026" in dana.says
    assert "No visit is booked for this week" in dana.says
    dana.click("Next week")
    assert dana.query == {"facility": "F1", "week": "2026-11-08"}
    assert len(cases(dana)) == 2
    dana.click("This week")
    assert dana.query == {"facility": "F1"}
    dana.click("Previous week")
    assert dana.query == {"facility": "F1", "week": "2026-10-25"}
    dana.test.date_input[0].set_value(dt.date(2026, 11, 12))
    dana.run()
    assert dana.query == {"facility": "F1", "week": "2026-11-08"}


def test_any_day_of_a_week_means_its_week(week: Workbench, dana: App) -> None:
    dana.open("schedule", facility="F1", week="2026-11-14")
    assert "Sunday, November 8 to Saturday, November 14, 2026" in dana.says


def test_the_other_facility_has_a_case_without_a_target(week: Workbench) -> None:
    lee = App("S3").open("schedule", week="2026-11-10")
    assert "South Clinic" in lee.says
    ((state, patient, target, scheduled, *_),) = cases(lee)
    assert (state, patient, scheduled) == ("No target", "Test, Cy", 1)
    assert pd.isna(target)
    assert "1 without target" in [metric.delta for metric in lee.test.metric]


def test_an_empty_week_says_why(week: Workbench, dana: App) -> None:
    dana.open("schedule", facility="F1", week="2025-11-10")
    assert "No case of an active patient is open at this facility in this week." in dana.says
    assert len(dana.test.dataframe) == 0


def test_junk_in_the_schedules_url_is_named_and_ignored(week: Workbench, dana: App) -> None:
    dana.open("schedule", facility=["F1", "F9"], week="2026-02-30")
    assert "Week: there is no “2026-02-30”" in dana.says
    assert "Facility: there is no “F9”" in dana.says
    assert "North Clinic: Sunday, November 1" in dana.says


def test_a_ticked_case_leads_to_its_patient_and_only_they_are_on_record(
    week: Workbench, dana: App
) -> None:
    dana.open("schedule", facility="F1", week="2026-11-08")
    dana.test.session_state[dana.test.session_state["schedule.key"]] = {
        "selection": {"rows": [1], "columns": [], "cells": []}
    }
    dana.run()
    assert ("Open Test, Bo", "patient_id=B&section=schedule") in dana.links
    dana.open("patient", patient_id="B", section="schedule")
    with open_ledger(settings.load().ledger_url) as ledger:
        assert [(access.patient_id, access.kind) for access in ledger.accesses()] == [
            ("B", "patient page"),
            ("*", "list"),
            ("*", "list"),
        ]
