"""Tables that a practice never delivers: their rules are not connected, and nobody is alarmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import duckdb
import pytest

from pipelines import settings as settings_module
from pipelines.operations import arrivals, health
from pipelines.runs import history
from pipelines.runs.run import run
from tests.conftest import Workbench
from tests.practice import Practice

WITHOUT_FAXES = '[practice]\nabsent = ["faxes"]\n'
OF_FAXES = ["failed_fax", "faxing_required", "pending_signature"]


@pytest.fixture
def faxed(practice: Practice) -> Practice:
    """A plan of care that was faxed, and one that waits to be."""
    for key in ("A", "B"):
        practice.patient(key).document(
            f"D-{key}",
            key,
            status="Completed",
            has_plan_of_care="true",
            completed_at="2026-10-20T10:00:00",
        )
    return practice.add(
        "faxes", "X1", document_id="D-A", status="Sent", sent_at="2026-10-21T10:00:00"
    )


def settle(workbench: Workbench, text: str) -> None:
    """Write the settings file."""
    workbench.data.mkdir(exist_ok=True)
    (workbench.data / "settings.toml").write_text(text, encoding="utf-8")


def told(workbench: Workbench, day: float) -> dict[str, tuple[str, str]]:
    """What health says of the list that day."""
    found = health.checks(settings_module.load(), workbench.day(day), dt.timedelta(hours=26))
    return {check.check: (check.status, check.says) for check in found}


def open_tasks(workbench: Workbench, day: float) -> set[tuple[str, str]]:
    return {(t["rule_id"], t["subject_id"]) for t in workbench.tasks(day, "pending")}


def test_an_absent_table_is_no_alarm_and_its_rules_are_not_connected(
    workbench: Workbench, faxed: Practice, newest: Callable[[], duckdb.DuckDBPyConnection]
) -> None:
    settle(workbench, WITHOUT_FAXES)
    said = workbench.run(faxed, 1, without=("faxes",))
    assert said.count("not connected: faxes") == 3
    assert "withheld  " not in said
    con = newest()
    assert history.not_connected(con)["rule_id"].tolist() == OF_FAXES
    assert history.withheld(con).empty
    fresh = history.freshness(con)
    assert fresh is not None
    assert fresh.not_accepted.empty
    of_run = history.runs(con).iloc[0]
    assert (of_run["withheld"], of_run["tables_not_accepted"]) == (0, 0)
    listed = history.run_rules(con, 1)
    assert listed["rule_id"].tolist()[:3] == OF_FAXES
    assert listed["is_withheld"].tolist() == [False] * 17
    assert listed["is_connected"].tolist() == [False] * 3 + [True] * 14
    found = told(workbench, 1)
    assert found["tables"] == (
        "ok",
        "the last run took every table but those never delivered (faxes); 0 rows were refused",
    )
    assert found["rules"] == (
        "ok",
        "the last run asked 14 rules; 3 read tables that this practice never delivers",
    )


def test_a_table_that_is_only_missing_withholds_as_before(
    workbench: Workbench, faxed: Practice, newest: Callable[[], duckdb.DuckDBPyConnection]
) -> None:
    said = workbench.run(faxed, 1, without=("faxes",))
    assert (
        "Missing: faxes. A table that the practice never delivers belongs in practice.absent"
        in said
    )
    con = newest()
    assert history.not_connected(con).empty
    assert history.withheld(con)["rule_id"].tolist() == OF_FAXES
    assert told(workbench, 1)["rules"][0] == "attention"
    assert told(workbench, 1)["tables"][0] == "attention"


def test_open_tasks_of_rules_that_are_not_connected_stay_until_a_person_completes_them(
    workbench: Workbench, faxed: Practice
) -> None:
    workbench.run(faxed, 1)
    before = {("pending_signature", "D-A"), ("faxing_required", "D-B")}
    assert open_tasks(workbench, 1) >= before
    settle(workbench, WITHOUT_FAXES)
    workbench.run(faxed, 2, without=("faxes",))
    assert open_tasks(workbench, 2) >= before
    task = workbench.one(2, "faxing_required", "D-B")
    assert workbench.act("complete", task, 2.1, "--reason", "Sent by post")[0] == 0
    workbench.run(faxed, 3, without=("faxes",))
    assert workbench.states(3, "faxing_required") == {("D-B", 1): "override"}
    assert workbench.states(3, "pending_signature") == {("D-A", 1): "pending"}


def test_a_table_that_comes_after_all_is_read_and_the_setting_called_out_of_date(
    workbench: Workbench, faxed: Practice
) -> None:
    settle(workbench, WITHOUT_FAXES)
    workbench.run(faxed, 1, without=("faxes",))
    assert "practice.absent in the settings is out of date" in workbench.run(faxed, 2)
    assert open_tasks(workbench, 2) >= {
        ("pending_signature", "D-A"),
        ("faxing_required", "D-B"),
    }


def test_a_rule_that_may_lack_the_table_answers_without_its_old_rows(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.add(
        "claims",
        "CL1",
        case_id="C-A",
        appointment_id="V1",
        date_of_service="2026-10-30",
        status="Processed",
        patient_responsibility="25.00",
        processed_at="2026-11-01T08:00:00",
    )
    workbench.run(practice, 1)
    assert workbench.one(1, "uncollected_payments", "V1")["amount"] == 25
    settle(workbench, '[practice]\nabsent = ["claims"]\n')
    workbench.run(practice, 2, without=("claims",))
    assert workbench.one(2, "uncollected_payments", "V1")["amount"] == 40


def test_a_delivery_without_an_absent_table_is_complete(
    workbench: Workbench, faxed: Practice
) -> None:
    workbench.run(faxed, 1, manifest=False)
    settle(workbench, WITHOUT_FAXES)
    last = arrivals.last_run(settings_module.load())
    assert last is not None
    assert "faxes" not in last.tables
    assert "documents" in last.tables


def test_check_says_what_is_not_connected(workbench: Workbench, faxed: Practice) -> None:
    settle(workbench, WITHOUT_FAXES)
    folder = faxed.write(workbench.extracts / "1", None, without=("faxes", "surveys"))
    code, out, _ = workbench.command("check", "--extracts", folder)
    assert code == 0
    assert "Not connected (practice.absent in the settings): faxes" in out
    assert "Missing: surveys. " in out


class TestWithoutStaff:
    def test_the_administrator_of_the_settings_may_act(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
        settle(workbench, '[practice]\nabsent = ["staff"]\nadministrator = "Dana Ruiz"\n')
        workbench.run(practice, 1, without=("staff",))
        task = workbench.one(1, "uncollected_payments", "V1")
        code, said = workbench.act("complete", task, 1.1, staff="administrator")
        assert (code, "by administrator" in said) == (0, True)
        closed = workbench.one(1.2, "uncollected_payments", "V1")
        assert (closed["status"], closed["closed_by"]) == ("completed", "administrator")
        assert any(row["staff"] == "Dana Ruiz" for row in workbench.history("A", 1.2))

    def test_a_missing_table_at_the_first_start_is_enough(
        self, workbench: Workbench, practice: Practice, newest
    ) -> None:
        text = '[practice]\nadministrator = "{}"\nadministrator_email = "dana@practice.example"\n'
        settle(workbench, text.format("Dana Ruiz"))
        workbench.run(practice, 1, without=("staff",))
        staff = "SELECT s.staff_id, s.name, s.email, s.role, s.is_active FROM staging.staff AS s"
        admitted = ("dana@practice.example", "Practice Administrator", True)
        assert newest().execute(staff).fetchall() == [("administrator", "Dana Ruiz", *admitted)]
        settle(workbench, text.format("Lee Park"))
        workbench.run(practice, 2, without=("staff",))
        assert newest().execute(staff).fetchall() == [("administrator", "Lee Park", *admitted)]

    def test_with_a_staff_table_nobody_is_added(
        self, workbench: Workbench, practice: Practice, newest
    ) -> None:
        settle(workbench, '[practice]\nadministrator = "Dana Ruiz"\n')
        staff = "SELECT s.staff_id FROM staging.staff AS s ORDER BY s.staff_id"
        workbench.run(practice, 1, without=("staff",))
        assert newest().execute(staff).fetchall() == [("administrator",)]
        workbench.run(practice, 2)
        assert newest().execute(staff).fetchall() == [("S1",), ("S2",)]
        # A delivery that lost its staff table keeps the staff of the day before.
        workbench.run(practice, 3, without=("staff",))
        assert newest().execute(staff).fetchall() == [("S1",), ("S2",)]

    def test_without_the_setting_nobody_may_act(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
        workbench.run(practice, 1, without=("staff",))
        task = workbench.one(1, "uncollected_payments", "V1")
        assert workbench.act("complete", task, 1.1, staff="administrator")[0] != 0


def test_a_run_knows_the_absent_tables_of_its_settings(
    workbench: Workbench, practice: Practice
) -> None:
    settle(workbench, '[practice]\nabsent = ["surveys", "faxes"]\n')
    folder = practice.write(workbench.extracts / "1", None, without=("surveys", "faxes"))
    report = run(settings_module.load(), folder, workbench.day(1))
    assert [read.table for read in report.reads if read.is_absent] == ["faxes", "surveys"]
    apart = [answer.rule_id for answer in report.answers if not answer.is_connected]
    assert apart == [*OF_FAXES[:2], "mips", OF_FAXES[2]]
