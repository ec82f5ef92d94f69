"""The Open panel of one task."""

from __future__ import annotations

from tests.app.conftest import App
from tests.conftest import Workbench


def test_the_panel_says_why_how_and_what_will_clear_it(dana: App, facility: Workbench) -> None:
    dana.open_task(facility, "draft_documents", "D-A")
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
    task_id = dana.open_task(facility, "draft_documents", "D-A")
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
    task_id = dana.open_task(facility, "uncollected_payments", "V-A")
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
        app.open_task(facility, "uncollected_payments", "V-A")
    dana.test.checkbox[0].check()
    dana.run()
    omar.test.checkbox[0].check()
    omar.run()
    assert "was already completed by Dana Whitfield on Monday, November 2" in omar.says
    assert "Completed by Dana Whitfield" in omar.says
    assert [
        event["staff"] for event in facility.history("A", 1.1) if event["event"] == "completed"
    ] == ["Dana Whitfield"]


def test_an_unknown_task_is_said(dana: App) -> None:
    dana.open("tasks", task="nope")
    assert "There is no task “nope”" in dana.says
