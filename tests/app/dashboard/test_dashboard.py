"""The dashboard: one facility by category and type, and dismissing from a card."""

from __future__ import annotations

from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


def test_the_dashboard_shows_one_facility_by_category_and_type(dana: App) -> None:
    dana.open("dashboard", facility="F1")
    assert {
        "Billing: 2",
        "Clinical: 2",
        "Uncollected Payments: 2",
        "Draft Documents: 1",
        "Faxing Required: 1",
    } <= {label for label, _ in dana.links}
    assert "Test, Cy" not in dana.says + str(dana.links), "the other facility's tasks are not here"
    assert ("Uncollected Payments: 2", "facility=F1&type=uncollected_payments") in dana.links
    assert "1 overdue · oldest Oct 20, 2026" in dana.says
    assert [
        dana.metric(label) for label in ("Pending", "New since yesterday", "Done since yesterday")
    ] == ["4", "4", "0"]


def test_the_dashboard_begins_at_the_persons_own_facility(facility: Workbench) -> None:
    lee = App("S3").open("dashboard")
    assert "South Clinic" in lee.says
    assert lee.query == {}, "the Back button is not taken away"
    lee.choose("Facility", "F1")
    assert lee.query == {"facility": "F1"}
    assert "North Clinic" in lee.says


def test_the_x_dismisses_and_undo_takes_it_back(dana: App, facility: Workbench) -> None:
    task = facility.one(1.1, "uncollected_payments", "V-B")
    dana.open("dashboard", facility="F1").click(f"cards.uncollected_payments.{task['task_id']}")
    assert "Completed: Uncollected Payments" in dana.says
    assert facility.one(1.1, "uncollected_payments", "V-B")["closed_by"] == "S1"
    dana.click("Undo")
    assert facility.one(1.1, "uncollected_payments", "V-B")["status"] == "pending"


def test_the_x_on_what_clears_by_itself_asks_for_a_reason(dana: App, facility: Workbench) -> None:
    task = facility.one(1.1, "faxing_required", "D-B")
    dana.open("dashboard", facility="F1").click(f"cards.faxing_required.{task['task_id']}")
    assert facility.one(1.1, "faxing_required", "D-B")["status"] == "pending"
    dana.test.text_area(key="confirm.reason").set_value("Handed over on paper")
    dana.click("Complete 1 task")
    assert facility.one(1.1, "faxing_required", "D-B")["close_kind"] == "override"


def test_withheld_rules_are_said_on_the_dashboard_and_on_runs(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    facility.run(practice, 1.0, without=("faxes",))
    dana.open("dashboard", facility="F1")
    assert "Withheld in the newest run" in dana.says
    assert "Faxing Required" in dana.says
    dana.open("runs")
    assert "withheld" in dana.says
    reasons = dana.test.dataframe[1].value.set_index("title")["reason"]
    assert "faxes" in reasons["Faxing Required"]
