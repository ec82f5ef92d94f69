"""Runs: what was set aside at the practice's start, and how a manager brings it in."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from pipelines.operations.jobs import Job
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def begun(facility: Workbench, practice: Practice) -> Workbench:
    """A second run that goes by a go-live of that day: two old forms are set aside, one each."""
    (facility.data / "settings.toml").write_text("[practice]\ngo_live = 2026-11-02\n")
    for patient, day in (("A", "2026-01-06"), ("C", "2026-02-06")):
        row = {"patient_id": patient, "case_id": f"C-{patient}", "submitted_at": f"{day}T09:00:00"}
        practice.add("intake_submissions", f"old {patient}", **row)
    facility.run(practice, 1.01)
    return facility


@pytest.fixture
def later(begun: Workbench, move_clock) -> None:
    move_clock(begun.day(1.02))


@pytest.mark.usefixtures("later")
def test_a_manager_sees_what_was_set_aside_and_brings_a_group_in(
    begun: Workbench, practice: Practice
) -> None:
    lee = App("S3").open("runs")
    assert "2 tasks fell due before the practice began to work with the list on Nov 2, 2026" in (
        lee.says
    )
    groups = lee.test.dataframe[0].value
    assert groups[["title", "facility", "tasks"]].values.tolist() == [
        ["Intake Complete", "North Clinic", 1],
        ["Intake Complete", "South Clinic", 1],
    ]
    assert lee.test.dataframe[2].value.set_index("title")["set_aside"]["Intake Complete"] == 2
    lee.click("Bring in")
    assert "Intake Complete · North Clinic: 1 tasks come with the next refresh." in lee.says
    assert lee.test.dataframe[0].value["state"].tolist() == ["Comes with the next refresh", ""]
    assert lee.test.selectbox(key="runs.group").options == ["Intake Complete · South Clinic (1)"]
    begun.run(practice, 1.03)
    assert begun.states(1.03, "intake_complete") == {
        ("I-C", 1): "pending",
        ("old A", 1): "pending",
    }


@pytest.mark.usefixtures("later")
def test_others_see_it_and_who_can_bring_it_in(begun: Workbench) -> None:
    dana = App("S1").open("runs")
    assert (
        "Therapy Director or Practice Administrator or Business Owner can bring these tasks in."
        in dana.says
    )
    assert "Bring in" not in dana.says


@pytest.mark.usefixtures("later")
def test_a_person_of_one_facility_sees_its_groups_alone(begun: Workbench) -> None:
    with (begun.data / "settings.toml").open("a") as file:
        file.write("[access]\nown_facilities = true\n")
    st.cache_resource.clear()
    lee = App("S3").open("runs")
    assert lee.test.dataframe[0].value["facility"].tolist() == ["South Clinic"]


def test_a_first_list_full_of_old_tasks_offers_to_begin(
    facility: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move_clock
) -> None:
    old = Practice().patient("A")
    old.add("staff", "S3", name="Lee Park", role="Practice Administrator")
    row = {"patient_id": "A", "case_id": "C-A", "submitted_at": "2026-01-06T09:00:00"}
    old.add("intake_submissions", "old", **row)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "first"))
    folder = old.write(tmp_path / "arrived", facility.day(1))
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(folder))
    facility.run(folder, 1)
    st.cache_resource.clear()
    st.cache_data.clear()
    asked = []
    monkeypatch.setattr(Job, "run_command", lambda job, place, arguments: asked.append(arguments))
    assert (
        "1 tasks of this first list fell due more than 90 days ago" in App("S1").open("runs").says
    )
    lee = App("S3").open("runs").click("Begin on Nov 2")
    assert asked[0][-2:] == ["--go-live", "2026-11-02"]
    assert lee.test.exception == []
