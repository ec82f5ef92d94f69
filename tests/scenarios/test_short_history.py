"""Tables that do not reach far back: what they cannot answer is held, and nothing closes for it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines import settings as settings_module
from pipelines.operations import health
from pipelines.rules import loading, model
from pipelines.runs import history
from tests.conftest import Workbench
from tests.practice import Practice

LIMIT, EXPIRING = "authorization_limit", "authorization_expiring"
TWO_WEEKS = {"appointments": "2026-10-19"}
VISITS = ("2026-10-05", "2026-10-12", "2026-10-15", "2026-10-20")


@pytest.fixture
def practice() -> Practice:
    """Four visits on an authorization for four since 1 October, one of them in two weeks."""
    practice = Practice().patient("A")
    practice.add("policies", "PO1", patient_id="A", case_id="C-A", authorization_required="true")
    practice.add(
        "authorizations",
        "AU1",
        policy_id="PO1",
        case_id="C-A",
        starts_on="2026-10-01",
        visit_limit="4",
        entered_at="2026-09-25T10:00:00",
    )
    practice.visit("N1", "A", "2026-11-20T09:00:00", status="Scheduled")
    for day in VISITS:
        practice.visit(f"V{day}", "A", f"{day}T09:00:00")
    return practice


def in_two_weeks(practice: Practice) -> Practice:
    """The same, of an export that has the visits of the last two weeks."""
    practice.since = TWO_WEEKS
    for day in VISITS[:3]:
        practice.remove("appointments", f"V{day}")
    return practice


def rule_of_run(con: duckdb.DuckDBPyConnection, run_no: int, rule_id: str) -> dict[str, object]:
    (row,) = [
        row
        for row in history.run_rules(con, run_no).to_dict("records")
        if row["rule_id"] == rule_id
    ]
    return row


def test_two_weeks_of_appointments_answer_with_a_hold_and_never_with_a_number(
    workbench: Workbench, practice: Practice, newest
) -> None:
    said = workbench.run(in_two_weeks(practice), 1)
    assert workbench.states(1, LIMIT) == workbench.states(1, EXPIRING) == {}
    says = (
        "appointments reach back only to 2026-10-19; authorizations that cannot be answered, and "
        "are held: 1"
    )
    assert said.count(says) == 2
    row = rule_of_run(newest(), 1, LIMIT)
    assert (row["is_withheld"], row["reason"], row["unseen"]) == (False, says, 1)
    used = newest().execute("SELECT u.visits_used FROM staging.authorization_usage AS u").fetchall()
    assert used == [(None,)]
    tables = history.run_tables(newest(), 1).set_index("table_name")["since_on"]
    assert str(tables["appointments"])[:10] == "2026-10-19"
    assert tables.notna().sum() == 1


def test_what_the_emr_counts_is_answered(workbench: Workbench, practice: Practice) -> None:
    in_two_weeks(practice).add("authorizations", "AU1", visits_used="4")
    workbench.run(practice, 1)
    assert workbench.one(1, LIMIT, "AU1")["reason"] == (
        "Authorization: 4 of 4 visits used, 1 more scheduled"
    )


def test_open_tasks_stay_as_they_were_and_say_why(
    workbench: Workbench, practice: Practice, newest
) -> None:
    practice.add("authorizations", "AU1", visit_limit="5")
    workbench.run(practice, 1)
    assert workbench.states(1, EXPIRING) == {("AU1", 1): "pending"}
    workbench.run(in_two_weeks(practice), 2)
    assert workbench.states(2, EXPIRING) == {("AU1", 1): "pending"}
    assert rule_of_run(newest(), 2, EXPIRING)["held"] == 1
    assert history.held_by_rows(newest()) == {}
    found = {
        check.check: (check.status, check.says)
        for check in health.checks(settings_module.load(), workbench.day(2), dt.timedelta(hours=26))
    }
    status, says = found["rules"]
    assert status == "ok"
    assert "3 could not answer for records that the data do not reach back to" in says
    practice.since = {}
    for day in VISITS[:3]:
        practice.visit(f"V{day}", "A", f"{day}T09:00:00")
    practice.add("authorizations", "AU1", visit_limit="9")
    workbench.run(practice, 3)
    assert workbench.states(3, EXPIRING) == {("AU1", 1): "withdrawn"}


def test_a_record_that_the_window_has_left_is_not_gone(
    workbench: Workbench, practice: Practice
) -> None:
    practice.visit("V0", "A", "2026-10-10T09:00:00", amount_due="40.00")
    practice.visit("V9", "A", "2026-10-25T09:00:00", amount_due="30.00")
    workbench.run(practice, 1)
    practice.remove("appointments", "V0").remove("appointments", "V9")
    workbench.run(in_two_weeks(practice), 2)
    assert workbench.states(2, "uncollected_payments") == {
        ("V0", 1): "pending",
        ("V9", 1): "source_gone",
    }


def test_a_rule_that_does_not_allow_for_it_is_withheld(
    workbench: Workbench, practice: Practice, newest
) -> None:
    own = workbench.data / "rules" / "seen_once.sql"
    own.parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / "docs/own-rules/referral_without_appointment.sql", own)
    text = own.read_text(encoding="utf-8")
    own.write_text(
        text.replace("\nlinks ", '\nlooks_back = ["appointments"]\nlinks ', 1), encoding="utf-8"
    )
    workbench.run(practice, 1)
    assert not rule_of_run(newest(), 1, "seen_once")["is_withheld"]
    workbench.run(in_two_weeks(practice), 2)
    row = rule_of_run(newest(), 2, "seen_once")
    assert (row["is_withheld"], row["reason"]) == (
        True,
        "appointments reach back only to 2026-10-19, and the rule counts earlier ones",
    )


@pytest.mark.parametrize(
    ("days_ahead", "states"), [(10, {}), (30, {("AU1", 1): "pending"})], ids=["no", "asks"]
)
def test_a_payers_parameters_answer_what_the_general_ones_do_not(
    workbench: Workbench,
    practice: Practice,
    days_ahead: int,
    states: dict[tuple[str, int], str],
) -> None:
    workbench.data.mkdir()
    (workbench.data / "settings.toml").write_text(
        f"[rules.{EXPIRING}.payers.PAY1]\ndays_ahead = {days_ahead}\n", encoding="utf-8"
    )
    in_two_weeks(practice).add("authorizations", "AU1", ends_on="2026-11-25")
    workbench.run(practice, 1)
    assert workbench.states(1, EXPIRING) == states


def test_a_day_in_the_manifest_must_be_one(workbench: Workbench, practice: Practice) -> None:
    practice.since = {"appointments": "two weeks"}
    folder = practice.write(workbench.extracts / "1", workbench.day(1))
    code, _, err = workbench.command("run", "--extracts", folder)
    assert code == 2
    assert "column since_on" in err
    assert "manifest.csv, line 9" in err


def test_every_shipped_rule_allows_for_the_tables_it_looks_back_at() -> None:
    rules = loading.load_rules(model.RULES_FOLDER)
    assert [rule.rule_id for rule in rules.values() if set(rule.looks_back) - rule.minds] == []
