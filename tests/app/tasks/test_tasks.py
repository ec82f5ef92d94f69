"""The Tasks page: URL, filters, ticks, bulk actions and Undo."""

from __future__ import annotations

from tests.app.conftest import App
from tests.conftest import Workbench

ALL = [
    ("Uncollected Payments", "Test, Bo"),
    ("Uncollected Payments", "Test, Cy"),
    ("Draft Documents", "Test, Ana"),
    ("Uncollected Payments", "Test, Ana"),
    ("Faxing Required", "Test, Bo"),
    ("Intake Complete", "Test, Cy"),
]


def test_lists_every_pending_task_oldest_first_with_numbers_above(dana: App) -> None:
    dana.open("tasks")
    assert dana.tasks == ALL
    assert [
        dana.metric(label) for label in ("Pending", "Overdue", "Deferred", "Dollars waiting")
    ] == ["6", "2", "0", "$52.50"]


def test_the_url_is_the_view(dana: App) -> None:
    dana.open(
        "tasks", facility="F1", type=["uncollected_payments", "draft_documents"], sort="-amount"
    )
    assert dana.tasks == [ALL[3], ALL[0], ALL[2]]
    assert {
        widget.label: set(widget.value) for widget in dana.test.multiselect if widget.value
    } == {
        "Facility": {"F1"},
        "Task type": {"draft_documents", "uncollected_payments"},
    }


def test_a_filter_changes_the_url_and_clear_empties_it(dana: App) -> None:
    dana.open("tasks").choose("Category", ["Clinical"])
    assert dana.query == {"category": "Clinical"}
    dana.choose("Facility", ["F1"])
    assert dana.query == {"category": "Clinical", "facility": "F1"}
    assert dana.click("Clear").query == {}
    assert dana.tasks == ALL


def test_each_filter_offers_only_what_has_tasks_given_the_others(dana: App) -> None:
    dana.open("tasks", facility="F2")
    offered = {widget.label: widget.options for widget in dana.test.multiselect}
    assert offered == {
        "Facility": ["North Clinic", "South Clinic"],
        "Category": ["Administrative", "Billing"],
        "Task type": ["Intake Complete", "Uncollected Payments"],
        "Payer": ["Self-pay"],
        "Staff member": ["Unassigned"],
        "Age": ["0–1 days", "4–7 days"],
    }


def test_me_is_the_person_who_looks(dana: App, omar: App) -> None:
    assert dana.open("tasks", staff="me").tasks == []
    assert "No tasks now for staff member “Me”" in dana.says
    assert omar.open("tasks", staff="me").tasks == [ALL[2], ALL[4]]
    assert omar.query == {"staff": "me"}


def test_a_value_without_tasks_now_stays_in_the_url_and_is_said(dana: App) -> None:
    dana.open("tasks", type="failed_fax")
    assert dana.tasks == []
    assert "No tasks now for task type “Failed Fax”" in dana.says
    assert dana.query == {"type": "failed_fax"}


JUNK = {
    "category": ["Billing", "No Such"],
    "payer": "<script>alert(1)</script>",
    "staff": "' OR 1=1 --",
    "status": "gone",
    "sort": "since; DROP TABLE tasks",
    "page": "-1",
    "age": "\x00\x1b[31m",
    "patient": "![x](http://elsewhere.example/p.png)",
    "nonsense": "1",
}


def test_junk_in_the_url_is_named_and_ignored(dana: App) -> None:
    dana.open("tasks", **JUNK)
    for said in (
        "Category: there is no “No Such”",
        "Payer: there is no “<script>alert(1)</script>”",
        "Status: there is no “gone”",
        "is not a number",
    ):
        assert said in dana.says
    assert "a part “nonsense”" in dana.says
    assert dana.open(
        "tasks", **{name: value for name, value in JUNK.items() if name != "patient"}
    ).tasks == [task for task in ALL if task[0] == "Uncollected Payments"], (
        "the valid half of a filter stays"
    )


def test_completes_the_ticked_tasks_after_one_confirmation_and_takes_them_back(
    dana: App, facility: Workbench
) -> None:
    dana.open("tasks", type="uncollected_payments").tick(0, 2)
    assert "2 selected" in dana.says
    dana.click("Complete")
    assert "2 × Uncollected Payments" in dana.says
    dana.click("Complete 2 tasks")
    assert "Completed: 2 tasks" in dana.says
    assert dana.tasks == [ALL[1]]
    assert {
        (event["event"], event["staff"])
        for event in facility.history("B", 1.1)
        if event["staff_id"]
    } == {("completed", "Dana Whitfield")}
    dana.click("Undo")
    assert "Taken back: 2 tasks" in dana.says
    assert dana.tasks == [ALL[0], ALL[1], ALL[3]]
    assert [
        event["event"]
        for event in facility.history("B", 1.1)
        if event["title"] == "Uncollected Payments"
    ] == ["opened", "completed", "reopened"]


def test_an_override_is_named_counted_and_needs_a_reason(dana: App, facility: Workbench) -> None:
    dana.open("tasks", facility="F1").tick(0, 1, 3).click("Complete")
    assert "2 tasks of these normally clear by themselves" in dana.says
    dana.click("Complete 3 tasks")
    assert "Write why this is completed by hand" in dana.says
    assert len(dana.open("tasks", facility="F1").tasks) == 4, "nothing was completed"
    dana.click("tasks.complete")
    dana.test.text_area(key="confirm.reason").set_value("Done on paper")
    dana.click("Complete 3 tasks")
    assert dana.tasks == [ALL[3]]
    kinds = {(task["rule_id"], task["close_kind"]) for task in facility.tasks(1.1, "closed")}
    assert kinds == {
        ("uncollected_payments", "completed"),
        ("draft_documents", "override"),
        ("faxing_required", "override"),
    }


def test_overrides_can_be_left_out(dana: App, facility: Workbench) -> None:
    dana.open("tasks", facility="F1").tick(0, 1).click("Complete")
    dana.test.checkbox(key="confirm.leave_out").check()
    dana.run().click("Complete 1 task")
    assert {task["rule_id"] for task in facility.tasks(1.1, "closed")} == {"uncollected_payments"}


def test_defers_until_the_very_second(dana: App, facility: Workbench, move_clock) -> None:
    dana.open("tasks").tick(0).click("Defer")
    assert "Back on the list" in dana.says
    dana.test.radio(key="confirm.span").set_value("2 days")
    dana.run().click("Defer 1 task")
    assert dana.tasks == ALL[1:]
    assert dana.metric("Deferred") == "1"
    (deferred,) = facility.tasks(1.1, "deferred")
    assert deferred["deferred_until"].startswith("2026-11-04T")
    move_clock(facility.day(2.999))
    assert App("S1").open("tasks").tasks == ALL[1:]
    move_clock(facility.day(3.001))
    assert App("S1").open("tasks").tasks == ALL


def test_assigns_to_a_colleague_and_back(dana: App, facility: Workbench) -> None:
    dana.open("tasks", patient="A", type="uncollected_payments").tick(0).click("Assign")
    dana.test.selectbox(key="confirm.to").set_value("S3")
    dana.run().click("Assign 1 task")
    assert "Assigned to Lee Park: Uncollected Payments" in dana.says
    assert facility.one(1.1, "uncollected_payments", "V-A")["staff"] == "Lee Park"
    dana.click("Undo")
    assert facility.one(1.1, "uncollected_payments", "V-A")["staff"] == "Unassigned"


def test_ticks_stay_on_their_tasks_when_somebody_else_acts(dana: App, omar: App) -> None:
    dana.open("tasks").tick(2, 3)
    omar.open("tasks").tick(0).click("Complete").click("Complete 1 task")
    dana.run()
    assert dana.tasks == ALL[1:]
    dana.click("Complete")
    assert "1 × Draft Documents\n1 × Uncollected Payments" in dana.says


def test_of_two_who_complete_one_task_the_second_is_told_who_was_first(
    dana: App, omar: App, facility: Workbench
) -> None:
    for app in (dana, omar):
        app.open("tasks").tick(0).click("Complete")
    dana.click("Complete 1 task")
    omar.click("Complete 1 task")
    assert "was already completed by Dana Whitfield" in omar.says
    assert (
        len([event for event in facility.history("B", 1.1) if event["event"] == "completed"]) == 1
    )


def test_a_view_is_saved_under_a_name_for_its_owner_only(dana: App, omar: App) -> None:
    dana.open("tasks", category="Billing", facility="F1")
    dana.test.text_input(key="views.name").set_value("Copays <b>north</b>")
    dana.click("Save")
    assert "Copays <b>north</b>" in [
        link.label.replace("\\", "") for link in dana.test.get("page_link")
    ]
    omar.open("tasks")
    assert "Copays" not in str([link.label for link in omar.test.get("page_link")])
    dana.click("Remove")
    assert "Copays" not in str([link.label for link in dana.test.get("page_link")])


def test_every_number_above_the_list_is_what_its_status_lists(dana: App) -> None:
    dana.open("tasks").tick(0).click("Defer").click("Defer 1 task")
    numbers = {label: int(dana.metric(label)) for label in ("Pending", "Overdue", "Deferred")}
    assert numbers == {"Pending": 5, "Overdue": 1, "Deferred": 1}, (
        "what is deferred waits with leave"
    )
    for label, count in numbers.items():
        assert len(dana.open("tasks", status=label.lower()).tasks) == count
        assert f"of {count} tasks" in dana.says
