"""Rules: what a rule is, did and would do, through AppTest from the frame."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.analytics.backtest import Comparison
from pipelines.errors import UserError
from pipelines.ledger.ledger import open_ledger
from pipelines.operations.jobs import Job
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def past(
    facility: Workbench, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Two dated folders; Ana's authorization ends 20 days after the first, 14 after the second."""
    practice.add(
        "authorizations",
        "AUTH",
        policy_id="POL",
        case_id="C-A",
        starts_on="2026-06-01",
        ends_on="2026-11-22",
        number="A1",
    )
    for day in (1, 7):
        practice.write(tmp_path / "past" / f"2026-11-{day + 1:02d}", facility.day(day))
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(tmp_path / "past"))
    return tmp_path / "past"


def settings_file(facility: Workbench, text: str) -> None:
    (facility.data / "settings.toml").write_text(text, encoding="utf-8")


def backtest(app: App, rule: str, **params: object) -> App:
    """Fill in the form of a rule's page, run it, and wait until it is over."""
    app.open("rules", rule=rule)
    for name, value in params.items():
        app.test.number_input(key=f"backtest.{rule}/{name}").set_value(value)
    app.click(f"backtest.{rule}/go")
    until = time.monotonic() + 300
    while (
        any(button.key == "backtest.stop" for button in app.test.button)
        and time.monotonic() < until
    ):
        time.sleep(0.2)
        app.run()
    return app


def test_all_rules_are_listed_by_category(dana: App) -> None:
    dana.open("rules")
    assert {"Administrative: 4", "Billing: 7", "Clinical: 6"} <= set(dana.says.splitlines())
    assert ("Draft Documents", "rule=draft_documents") in dana.links
    assert sum(query.startswith("rule=") for _, query in dana.links) == 17
    assert "3 open · clears by itself · overdue after" in dana.says


def test_a_rule_is_told_in_plain_words_with_its_sql_and_its_tasks(dana: App) -> None:
    dana.open("rules", rule="uncollected_payments")
    for text in (
        "Uncollected Payments",
        "How to resolve",
        "Clears by itself:",
        "By hand: allowed",
        "Source: requirements",
        "FROM staging.unpaid_visits",
    ):
        assert text in dana.says
    assert ("Open tasks: 3", "type=uncollected_payments&status=open") in dana.links
    assert "/* rule" not in dana.says


def test_junk_in_the_rules_url_is_named_and_ignored(dana: App) -> None:
    dana.open("rules", rule="nope", day="monday")
    assert "Rule: there is no “nope”" in dana.says
    assert "The address has a part “day”" in dana.says
    assert "Administrative: 4" in dana.says


def test_what_the_practice_has_set_is_marked_also_by_payer(facility: Workbench) -> None:
    settings_file(
        facility,
        "[rules.authorization_expiring]\ndays_ahead = 21\ndue_days = 14\n"
        "[rules.authorization_expiring.payers.PAY1]\nvisits_left = 4\n"
        "[rules.mips]\nenabled = false\n",
    )
    dana = App("S1").open("rules", rule="authorization_expiring")
    rows = dana.test.dataframe[0].value
    found = [
        tuple(row)
        for row in rows[["parameter", "payer", "value", "shipped"]].itertuples(index=False)
    ]
    assert found == [
        ("due_days", "All payers", "14", "14"),
        ("days_ahead", "All payers", "21", "14"),
        ("visits_left", "All payers", "2", "2"),
        ("visits_left", "Aetna", "4", "2"),
    ]
    assert [set_by for (set_by,) in rows["set_by"]] == [
        "As shipped",
        "The practice",
        "As shipped",
        "The practice",
    ]
    assert (
        list(rows["why"])[1] == "days before the end date; payers take one to two weeks to answer"
    )
    assert "The practice has switched this rule off" in dana.open("rules", rule="mips").says
    assert dana.open("rules").says.count("set by the practice") == 1


def test_what_a_rule_did_and_why_it_was_withheld(
    facility: Workbench, dana: App, practice: Practice
) -> None:
    facility.run(practice, 1.0, without=("faxes",))
    practice.add("faxes", "X", document_id="D-B", status="Sent", sent_at="2026-11-02T05:59:00")
    facility.run(practice, 1.0)
    dana.open("rules", rule="faxing_required")
    runs = dana.test.dataframe[1].value
    names = ["run_no", "candidates", "opened", "cleared", "converted"]
    assert [tuple(row) for row in runs[names].itertuples(index=False)] == [
        (3, 0, 0, 0, 1),
        (2, 0, 0, 0, 0),
        (1, 1, 1, 0, 0),
    ]
    assert "Withheld in 1 of the last 3 runs, last in run 2: faxes" in dana.says
    assert "Tasks by run, in the last 3 runs: 1 opened, 0 cleared, 1 became another." in dana.says


def test_how_long_its_tasks_take_says_both_medians(facility: Workbench, dana: App) -> None:
    facility.act("complete", facility.one(1, "uncollected_payments", "V-B"), 1.0)
    dana.open("rules", rule="uncollected_payments")
    labels = ("Median, cleared", "Median, all", "Cleared", "Still open", "Ended otherwise")
    assert [dana.metric(label) for label in labels] == ["13 days", "13 days", "1", "2", "0"]
    assert "This rule has made no task yet." in dana.open("rules", rule="mips").says


def test_a_backtest_says_what_would_be_earlier_and_touches_nothing(
    past: Path, dana_later: App, facility: Workbench
) -> None:
    before = sorted(
        (path, path.stat().st_mtime_ns) for path in (facility.data / "warehouse").iterdir()
    )
    dana = backtest(dana_later, "authorization_expiring", days_ahead=20)
    assert "days_ahead 14 → 20, over 2 extracts from Nov 2 to Nov 8" in dana.says
    assert [
        dana.metric(label)
        for label in ("Only with the change", "Only as it is now", "Earlier with the change")
    ] == ["0", "0", "1"]
    days, tasks = (frame.value for frame in dana.test.dataframe[-2:])
    assert [
        tuple(row)
        for row in days[["opened_now", "opened_changed", "open_now", "open_changed"]].itertuples(
            index=False
        )
    ] == [
        (0, 1, 0, 1),
        (1, 0, 1, 1),
    ]
    (task,) = tasks.itertuples()
    assert (task.patient_id, task.subject_id, task.facility) == ("A", "AUTH", "North Clinic")
    assert (task.opened, task.opened_changed) == (dt.date(2026, 11, 8), dt.date(2026, 11, 2))
    assert (
        sorted((path, path.stat().st_mtime_ns) for path in (facility.data / "warehouse").iterdir())
        == before
    )
    with open_ledger(settings.load().ledger_url) as ledger:
        assert [(access.patient_id, access.kind, access.detail) for access in ledger.accesses()][
            :1
        ] == [("A", "backtest", "authorization_expiring")]
    assert "Earlier with the change" in dana.open("rules", rule="authorization_expiring").says, (
        "the session keeps it"
    )
    assert "Earlier with the change" not in dana.open("rules", rule="authorization_limit").says


@pytest.fixture
def dana_later(past: Path) -> App:
    """Dana, at a server that knows where the past extracts are."""
    return App("S1")


def test_a_backtest_wants_a_change(dana_later: App) -> None:
    assert "Change a parameter first" in backtest(dana_later, "authorization_expiring").says
    assert "no parameter to change" in dana_later.open("rules", rule="failed_fax").says


def test_one_backtest_at_a_time(dana_later: App, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def call(job: Job[Comparison], function: Callable[..., Comparison]) -> Comparison:
        job.tell(0.5, "Monday, November 2")
        go_on.wait(300)
        raise UserError("/x/2026-11-02: no such folder")

    monkeypatch.setattr(Job, "call", call)
    dana_later.open("rules", rule="authorization_expiring")
    omar = App("S2").open("rules", rule="uncollected_payments")
    dana_later.test.number_input(key="backtest.authorization_expiring/days_ahead").set_value(20)
    dana_later.click("Run backtest")
    assert "Stop" in dana_later.says
    omar.test.number_input(key="backtest.uncollected_payments/tolerance").set_value(1.0)
    omar.click("Run backtest")
    assert (
        "A backtest that Dana Whitfield started is going on. Start yours when it is over."
        in omar.says
    )
    assert "Stop" not in omar.says
    go_on.set()
    while "Stop" in dana_later.run().says:
        time.sleep(0.05)
    backtest(dana_later, "authorization_expiring", days_ahead=20)
    assert "The backtest came to no result. /x/2026-11-02: no such folder" in dana_later.says


def test_without_past_extracts_it_says_what_to_do(dana: App) -> None:
    dana.open("rules", rule="authorization_expiring")
    assert (
        "There are no past extracts to replay. Ask whoever looks after the workbench" in dana.says
    )


def test_a_rule_that_is_not_connected_says_so_and_nothing_warns(
    facility: Workbench, practice: Practice
) -> None:
    settings_file(facility, '[practice]\nabsent = ["faxes"]\n')
    facility.run(practice, 1.0, without=("faxes",))
    dana = App("S1").open("rules")
    assert dana.says.count("not connected: faxes") == 3
    assert "withheld" not in dana.says
    dana.open("rules", rule="faxing_required")
    assert "Not connected: faxes. The settings say that the practice never delivers" in dana.says
    assert "Withheld" not in dana.says
    assert "not connected" not in dana.open("rules", rule="mips").says
    dana.open("runs")
    assert "14 answered, 0 withheld, 3 not connected" in dana.says
    reasons = dana.test.dataframe[1].value.set_index("title")["reason"]
    assert reasons["Faxing Required"] == "not connected: faxes"
    assert "Withheld" not in dana.open("dashboard", facility="F1").says


def test_an_open_task_of_it_says_that_it_stays(facility: Workbench, practice: Practice) -> None:
    settings_file(facility, '[practice]\nabsent = ["faxes"]\n')
    facility.run(practice, 1.0, without=("faxes",))
    dana = App("S1")
    dana.open_task(facility, "faxing_required", "D-B")
    assert "not connected: faxes, which the practice never delivers" in dana.says
    assert "stays until a person completes it" in dana.says
    dana.open_task(facility, "uncollected_payments", "V-B")
    assert "not connected" not in dana.says


def test_a_rule_that_the_data_do_not_reach_back_for_says_so(
    facility: Workbench, practice: Practice
) -> None:
    practice.add("cases", "C-A", patient_id="A", opened_on="2026-10-25")
    practice.since = {"appointments": "2026-10-25"}
    facility.run(practice, 1.0)
    dana = App("S1").open("rules", rule="uncollected_payments")
    assert "Looks back at: appointments, claims, payments (all of the date of service)" in dana.says
    assert (
        "Answered in part: appointments reach back only to 2026-10-25; appointments that cannot "
        "be answered, and are held: 1." in dana.says
    )
    assert dana.open("rules").says.count("answered in part in the newest run") == 2
    dana.open_task(facility, "uncollected_payments", "V-B")
    assert "could not check this task: the data do not reach back far enough" in dana.says
    dana.open_task(facility, "uncollected_payments", "V-A")
    assert "could not check" not in dana.says
    dana.open("runs")
    tables = dana.test.dataframe[2].value.set_index("table_name")["since_on"]
    assert str(tables["appointments"])[:10] == "2026-10-25"
