"""A practice's own rules in whole runs: their tasks, a broken file, a file taken away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.runs import history
from pipelines.settings import ROOT
from pipelines.worklist.worklist import open_worklist
from tests.conftest import Workbench
from tests.practice import Practice

RULE, SUBJECT = "referral_without_appointment", "C-A"
OPEN = {(SUBJECT, 1): "pending"}


@pytest.fixture
def own(workbench: Workbench) -> Path:
    """The folder of the practice's own rules, with one about referrals."""
    folder = workbench.data / "rules"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "own-rules" / f"{RULE}.sql", folder)
    return folder


@pytest.fixture
def referred(practice: Practice) -> Practice:
    """A Referral patient without a visit, and an Active one who owes."""
    practice.patient("A", status="Referral").add("cases", SUBJECT, opened_on="2026-10-20")
    practice.patient("B").visit("V1", "B", "2026-10-30T09:00:00", amount_due="40.00")
    return practice.add("cases", "C-B", opened_on="2026-10-20")


def booked(practice: Practice) -> Practice:
    """The same practice after a visit was booked and the other patient paid."""
    practice.visit("V2", "A", "2026-11-20T09:00:00", status="Scheduled")
    return practice.payment("P1", "B", "2026-10-30", "40.00")


def break_file(own: Path) -> Path:
    path = own / f"{RULE}.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("c.facility_id", "c.facilty", 1))
    return path


def rules_of_newest_run(day: float) -> dict[str, dict[str, object]]:
    at = Workbench.day(day)
    with open_worklist(settings_module.load(), at) as worklist:
        (run_no,) = history.runs(worklist.con, 1)["run_no"]
        rows = history.run_rules(worklist.con, run_no).to_dict("records")
    return {row["rule_id"]: row for row in rows}


@pytest.mark.usefixtures("own")
def test_it_opens_and_clears_tasks_like_a_shipped_rule(
    workbench: Workbench, referred: Practice
) -> None:
    workbench.run(referred, 1)
    assert workbench.states(1, RULE) == OPEN
    (task,) = workbench.tasks(1, "pending", category="Referral Management", type=RULE)
    assert (task["title"], task["age_days"]) == ("Referral Without Appointment", 11)
    workbench.run(booked(referred), 2)
    assert workbench.states(2, RULE) == {(SUBJECT, 1): "cleared"}
    (cleared,) = [row for row in workbench.history("A", 2) if row["event"] == "cleared"]
    assert cleared["reason"] == "visit booked for 2026-11-20, appointment V2"


@pytest.mark.parametrize("status", ["Active", "Inactive"])
@pytest.mark.usefixtures("own")
def test_its_header_says_for_which_patients_it_opens(
    workbench: Workbench, referred: Practice, status: str
) -> None:
    workbench.run(referred.add("patients", "A", status=status), 1)
    assert workbench.states(1, RULE) == {}
    workbench.run(referred.add("patients", "A", status="Referral"), 2)
    workbench.run(referred.add("patients", "A", status=status), 3)
    assert workbench.states(3, RULE) == OPEN


def test_a_go_live_counts_only_what_would_have_opened(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    (own.parent / "settings.toml").write_text(f"[rules.{RULE}]\ngo_live = 2027-06-01\n")
    out = workbench.run(referred, 1)
    assert workbench.states(1, RULE) == {}
    assert "1 tasks that fell due before the go-live are set aside" in out


def test_the_settings_file_sets_its_parameters(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    (own.parent / "settings.toml").write_text(f"[rules.{RULE}]\ndays_to_book = 60\n")
    workbench.run(referred, 1)
    assert workbench.states(1, RULE) == {}
    assert "days_to_book=60" in workbench.command("rules", "list")[1]


def test_the_run_records_the_version_of_its_file(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    workbench.run(referred, 1)
    path = own / f"{RULE}.sql"
    text = path.read_text(encoding="utf-8").replace("/* evidence", "-- new\n/* evidence")
    versions = []
    for day in (1, 2):
        with open_worklist(settings_module.load(), workbench.day(day)) as worklist:
            versions += worklist.con.execute(
                "SELECT r.version FROM rules AS r WHERE r.rule_id = ?", [RULE]
            ).fetchall()
        path.write_text(text, encoding="utf-8")
        workbench.run(referred, day + 1)
    assert all(version for (version,) in versions)
    assert len(set(versions)) == 2


def test_a_broken_file_is_withheld_alone_and_goes_on_once_it_is_mended(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    workbench.run(referred, 1)
    good = (own / f"{RULE}.sql").read_text(encoding="utf-8")
    path = break_file(own)
    (own / "mips.sql").write_text("nothing")
    settings = own.parent / "settings.toml"
    settings.write_text(f"[rules.{RULE}]\ndays_to_book = 1\n")
    out = workbench.run(booked(referred), 2)
    assert f'{path}: line 28: the SQL does not fit: Binder Error: Table "c"' in out
    assert workbench.states(2, RULE) == OPEN
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "cleared"}
    found = rules_of_newest_run(2)
    assert found[RULE]["is_withheld"]
    assert str(found[RULE]["reason"]).startswith(f"{path}: line 28")
    assert found[RULE]["title"] == "Referral Without Appointment"
    assert found["mips.sql"]["is_withheld"] and not found["mips"]["is_withheld"]
    (task,) = workbench.tasks(2, "pending", type=RULE)
    assert (task["title"], task["category"]) == (
        "Referral Without Appointment",
        "Referral Management",
    )
    path.write_text(good, encoding="utf-8")
    (own / "mips.sql").unlink()
    workbench.run(referred, 3)
    assert workbench.states(3, RULE) == {(SUBJECT, 1): "cleared"}


@pytest.mark.parametrize(
    ("wait", "days", "says"),
    [("$days_to_book + 30", 2, "the rule itself changed"), ("$days_to_book", 60, "_book 2 → 60")],
)
def test_a_file_that_was_mended_says_what_changed(
    workbench: Workbench, own: Path, referred: Practice, wait: str, days: int, says: str
) -> None:
    workbench.run(referred, 1)
    path = break_file(own)
    workbench.run(referred, 2)
    text = path.read_text(encoding="utf-8").replace("c.facilty", "c.facility_id")
    text = text.replace("c.opened_on + $days_to_book <=", f"c.opened_on + {wait} <=")
    path.write_text(text.replace("days_to_book = 2", f"days_to_book = {days}"), encoding="utf-8")
    workbench.run(referred, 3)
    (withdrawn,) = [row for row in workbench.history("A", 3) if row["event"] == "withdrawn"]
    assert says in withdrawn["reason"]


def test_health_names_a_broken_file_before_and_after_the_run(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    workbench.run(referred, 1)
    path = break_file(own)
    says = {}
    for moment in ("before", "after"):
        code, out, _ = workbench.command("health", "--format", "json")
        assert code == 1
        checks = json.loads(out)["checks"]
        says[moment] = {row["check"]: (row["status"], row["says"]) for row in checks}
        if moment == "before":
            workbench.run(referred, 2)
    assert says["before"]["rules"][0] == "ok"
    for moment in says:
        assert says[moment]["settings"][0] == "attention"
        assert f"{path}: line 28" in says[moment]["settings"][1]
    assert says["after"]["rules"][0] == "attention"
    assert f"{RULE}: {path}: line 28" in says["after"]["rules"][1]


def test_a_rule_that_fails_in_the_run_is_withheld_alone(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    path = own / f"{RULE}.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("WHERE\n", "WHERE CAST(c.case_id AS INTEGER) > 0 AND\n", 1))
    out = workbench.run(referred, 1)
    assert "the rule failed: ConversionException" in out
    assert workbench.states(1, "uncollected_payments") == {("V1", 1): "pending"}


def test_the_tasks_of_a_file_taken_away_stay_under_its_name(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    workbench.run(referred, 1)
    shutil.rmtree(own)
    workbench.run(booked(referred), 2)
    (task,) = workbench.tasks(2, "pending", type=RULE)
    assert task["title"] == "Referral Without Appointment"
    assert workbench.act("complete", task, 2.1, "--reason", "called")[0] == 0
    assert workbench.states(2.2, RULE) == {(SUBJECT, 1): "completed"}


def test_a_backtest_replays_it_although_it_is_switched_off(
    workbench: Workbench, own: Path, referred: Practice
) -> None:
    (own.parent / "settings.toml").write_text(f"[rules.{RULE}]\nenabled = false\n")
    past = workbench.folder / "past"
    for day in (1, 2):
        referred.write(past / f"2026-11-{day + 1:02d}", workbench.day(day))
    line = ("backtest", RULE, "--set", "days_to_book=60", "--extracts", past)
    code, out, err = workbench.command(*line)
    assert code == 0, err
    assert f"{RULE} with days_to_book=60, over 2 days of extracts" in out
    assert "1 tasks only as it is now" in out
    path = break_file(own)
    code, _, err = workbench.command(*line)
    assert (code, f"{path}: line 28" in err) == (1, True)


def test_the_list_of_rules_has_it_after_the_shipped_ones(workbench: Workbench, own: Path) -> None:
    shutil.copy(ROOT / "docs" / "own-rules" / "discharge_survey_missing.sql", own)
    lines = workbench.command("rules", "list")[1].splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["discharge_survey_missing", RULE]
    path = break_file(own)
    assert f"{RULE} is withheld: {path}: line 28" in workbench.command("rules", "list")[1]
