"""The dashboard, the Open panel, a patient's page and the runs, through AppTest from the frame."""

from __future__ import annotations

import pytest

from pipelines import settings
from pipelines.ledger import ledger
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


def open_task(app: App, facility: Workbench, rule_id: str, subject_id: str, **query: str) -> str:
    """Open a task's panel by its URL; its id."""
    task_id = facility.one(1.1, rule_id, subject_id)["task_id"]
    app.open("tasks", task=task_id, **query)
    return task_id


def test_the_dashboard_shows_one_clinic_by_category_and_type(dana: App) -> None:
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


def test_the_dashboard_begins_at_the_persons_own_clinic(facility: Workbench) -> None:
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


def test_the_panel_says_why_how_and_what_will_clear_it(dana: App, facility: Workbench) -> None:
    open_task(dana, facility, "draft_documents", "D-A")
    for text in (
        "Daily Note started on 2026-10-30 is a draft",
        "A clinical document was started and is still a draft.",
        "Finish and sign it, or send it for review.",
        "Clears by itself.",
        "The document is completed or sent for review.",
        "Patient seen that day",
        "Omar Reyes",
        "Opened · System",
    ):
        assert text in dana.says
    assert ("Clinical Documents", "patient_id=A&section=documents") in dana.links


def test_task_mark_complete_waits_for_the_reason_of_an_override(
    dana: App, facility: Workbench
) -> None:
    task_id = open_task(dana, facility, "draft_documents", "D-A")
    (box,) = dana.test.checkbox
    assert box.label == "Task Mark Complete"
    box.check()
    dana.run()
    assert "A reason is needed before this is complete." in dana.says
    assert facility.one(1.1, "draft_documents", "D-A")["status"] == "pending"
    dana.test.text_input(key=f"panel.reason.{task_id}").set_value("Written on paper")
    dana.run()
    done = facility.one(1.1, "draft_documents", "D-A")
    assert (done["close_kind"], done["closed_by"]) == ("override", "S1")
    assert "Completed by hand (override) by Dana Whitfield" in dana.says
    dana.test.checkbox[0].uncheck()
    dana.run()
    assert facility.one(1.1, "draft_documents", "D-A")["status"] == "pending"


def test_the_panel_defers_assigns_and_notes(dana: App, facility: Workbench) -> None:
    task_id = open_task(dana, facility, "uncollected_payments", "V-A")
    (note,) = [field for field in dana.test.text_input if field.label == "Note"]
    note.set_value("Called, <b>busy</b>")
    dana.run()
    (assign,) = [field for field in dana.test.selectbox if field.label == "Assign to"]
    assign.set_value("S3")
    dana.run()
    history = [
        (event["event"], event["reason"], event["to_staff"])
        for event in facility.history("A", 1.1)
        if event["task_id"] == task_id
    ]
    assert history[1:] == [("noted", "Called, <b>busy</b>", None), ("assigned", None, "Lee Park")]
    assert "Note · Dana Whitfield: Called, <b>busy</b>" in dana.says


def test_the_panel_tells_who_was_faster_and_shows_the_new_state(
    dana: App, omar: App, facility: Workbench
) -> None:
    for app in (dana, omar):
        open_task(app, facility, "uncollected_payments", "V-A")
    dana.test.checkbox[0].check()
    dana.run()
    omar.test.checkbox[0].check()
    omar.run()
    assert "was already completed by Dana Whitfield (S1) on 2026-11-02" in omar.says
    assert "Completed by Dana Whitfield" in omar.says
    assert [
        event["staff"] for event in facility.history("A", 1.1) if event["event"] == "completed"
    ] == ["Dana Whitfield"]


def test_an_unknown_task_is_said(dana: App) -> None:
    dana.open("tasks", task="nope")
    assert "There is no task “nope”" in dana.says


def test_a_patients_page_shows_what_is_pending_and_all_that_happened(
    dana: App, facility: Workbench
) -> None:
    facility.act("complete", facility.one(1, "uncollected_payments", "V-A"), 1.0, staff="S2")
    dana.open("patient", patient_id="A")
    assert "Test, Ana" in dana.says
    assert "Pending tasks: 1" in dana.says
    history = dana.test.dataframe[0].value
    assert list(history[["What", "Task", "Who"]].itertuples(index=False, name=None))[0] == (
        "Completed",
        "Uncollected Payments",
        "Omar Reyes",
    )
    assert set(history["What"]) == {"Opened", "Completed"}


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("policies", "Authorizations"),
        ("payments", "Open for visits: $40.00"),
        ("documents", "Faxes"),
        ("schedule", "Coming visits"),
    ],
)
def test_each_section_of_the_record_has_an_address(dana: App, section: str, shown: str) -> None:
    assert shown in dana.open("patient", patient_id="A", section=section).says


def test_patients_are_found_and_the_searched_text_stays_out_of_the_url(dana: App) -> None:
    dana.open("patient")
    dana.test.text_input(key="patient.find").set_value("test an")
    dana.run()
    assert [query for label, query in dana.links if label.startswith("Test, Ana")] == [
        "patient_id=A"
    ]
    assert dana.query == {}
    assert "There is no patient “nobody”" in dana.open("patient", patient_id="nobody").says


def test_every_look_at_a_patient_is_recorded_once(dana: App, facility: Workbench) -> None:
    dana.open("patient", patient_id="A")
    dana.run()
    dana.open("patient", patient_id="B", section="payments")
    open_task(dana, facility, "intake_complete", "I-C")
    with ledger.open_ledger(settings.load().ledger_url) as book:
        looks = [
            (access.staff_id, access.patient_id, access.kind)
            for access in reversed(book.accesses())
            if access.kind != "list"
        ]
    assert looks == [("S1", "A", "patient page"), ("S1", "B", "patient page"), ("S1", "C", "task")]


def test_runs_name_every_table_with_what_was_read_staged_and_refused(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    practice.add(
        "payments",
        "BAD",
        patient_id="A",
        case_id="C-A",
        kind="gift",
        amount="1.00",
        paid_at="2026-11-01T12:00:00",
    )
    facility.run(practice, 1.0)
    dana.open("runs")
    runs, _, tables, refused = (frame.value for frame in dana.test.dataframe)
    assert list(runs["run_no"]) == [2, 1]
    row = tables.set_index("table_name").loc["payments"]
    assert (row["rows_read"], row["rows_staged"], row["rows_refused"]) == (1, 0, 1)
    assert "gift" not in refused.to_string(), "values are in the download only"
    assert ("The list it published", "at=2026-11-02T11%3A00%3A00Z") in dana.links


def test_refresh_says_what_to_set_when_it_knows_no_extracts(dana: App) -> None:
    dana.open("runs").click("Refresh now")
    assert "Name the folder of the practice's extracts in WORKBENCH_EXTRACTS" in dana.says
