"""A practice's own rules on the pages, through AppTest from the frame."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.settings import ROOT
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice

RULE, TITLE = "referral_without_appointment", "Referral Without Appointment"


@pytest.fixture
def own(facility: Workbench, practice: Practice) -> Path:
    """The folder of own rules with one whose task is open: Di was referred to F1, and waits."""
    folder = facility.data / "rules"
    folder.mkdir()
    shutil.copy(ROOT / "docs" / "own-rules" / f"{RULE}.sql", folder)
    practice.patient("D", first_name="Di", last_name="Test", status="Referral")
    practice.add("cases", "C-D", opened_on="2026-10-20")
    facility.run(practice, 1)
    return folder


def break_file(own: Path) -> Path:
    path = own / f"{RULE}.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("c.facility_id", "c.facilty", 1), encoding="utf-8")
    return path


def test_the_rules_page_lists_it_and_tells_what_it_is(own: Path, dana: App) -> None:
    dana.open("rules")
    assert {"Referral Management: 1", "Billing: 7"} <= set(dana.says.splitlines())
    assert (TITLE, f"rule={RULE}") in dana.links
    assert "1 open · clears by itself · overdue after 3 days · the practice's own rule" in dana.says
    dana.open("rules", rule=RULE)
    for text in (
        TITLE,
        "Opens for: patients who are Referral",
        "Source: an example of docs/own-rules.md",
        "FROM staging.appointments",
    ):
        assert text in dana.says
    rows = dana.test.dataframe[0].value
    assert [tuple(row) for row in rows[["parameter", "value", "shipped"]].to_numpy()] == [
        ("due_days", "3", "3"),
        ("days_to_book", "2", "2"),
    ]
    assert [set_by for (set_by,) in rows["set_by"]] == ["The rule file", "The rule file"]
    assert rows["why"][1] == "days that the front desk has for a first call"
    assert ("Open tasks: 1", f"type={RULE}&status=open") in dana.links


def test_what_the_settings_change_is_marked(own: Path, facility: Workbench) -> None:
    (facility.data / "settings.toml").write_text(f"[rules.{RULE}]\ndays_to_book = 3\n")
    dana = App("S1").open("rules", rule=RULE)
    rows = dana.test.dataframe[0].value
    assert [set_by for (set_by,) in rows["set_by"]] == ["The rule file", "The practice"]
    assert dana.open("rules").says.count("set by the practice") == 1


def test_its_tasks_are_on_the_lists_with_their_steps(
    own: Path, facility: Workbench, dana: App
) -> None:
    dana.open("tasks", type=RULE, category="Referral Management")
    assert TITLE in dana.sent
    dana.open_task(facility, RULE, "C-D")
    assert "Book the evaluation on the Schedule." in dana.says
    assert "Referred on 2026-10-20, no visit booked" in dana.says
    assert TITLE in dana.open("dashboard", facility="F1").sent
    assert TITLE in dana.open("patient", patient_id="D").sent
    assert TITLE in dana.open("backlog").sent
    assert TITLE in dana.open("runs").sent


def test_a_file_that_breaks_or_goes_while_people_work(
    own: Path, facility: Workbench, practice: Practice, dana: App
) -> None:
    dana.open_task(facility, RULE, "C-D")
    path = break_file(own)
    dana.open("rules")
    assert f"A rule file of the practice is withheld: {path}: line 28" in dana.says
    assert "Referral Management: 1" not in dana.says
    dana.open_task(facility, RULE, "C-D")
    assert "Referred on 2026-10-20, no visit booked" in dana.says
    assert "Book the evaluation" not in dana.says
    facility.run(practice, 1)
    assert f"{path}: line 28" in dana.open("runs").sent
    assert TITLE in dana.open("tasks", type=RULE).sent
    path.unlink()
    assert "is withheld" not in dana.open("rules").says


def test_settings_of_a_rule_that_was_taken_away_disturb_nobody(
    own: Path, facility: Workbench
) -> None:
    (facility.data / "settings.toml").write_text(f"[rules.{RULE}]\nenabled = false\n")
    dana = App("S1").open("rules", rule=RULE)
    assert "The practice has switched this rule off" in dana.says
    shutil.rmtree(own)
    dana.open_task(facility, RULE, "C-D")
    assert "Book the evaluation on the Schedule." in dana.says
