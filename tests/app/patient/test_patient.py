"""A patient: search, pending tasks, history, and the sections of the record."""

from __future__ import annotations

import pytest

from pipelines import settings
from pipelines.ledger.ledger import open_ledger
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


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


def test_the_payments_say_what_the_payer_left_and_what_has_no_date(
    facility: Workbench, practice: Practice, dana: App
) -> None:
    practice.add(
        "claims",
        "CL1",
        case_id="C-A",
        appointment_id="V-A",
        date_of_service="2026-10-30",
        patient_responsibility="25.00",
        processed_at="2026-11-01T09:00:00",
    )
    practice.add(
        "payments",
        "P1",
        patient_id="A",
        case_id="C-A",
        amount="30.00",
        paid_at="2026-11-01T09:00:00",
    )
    facility.run(practice, 1)
    dana.open("patient", patient_id="A", section="payments")
    assert "Open for visits: $25.00" in dana.says
    assert "$30.00 is on the account without a date of service." in dana.says.replace("\\", "")
    (row,) = dana.test.dataframe[0].value.to_dict("records")
    assert (row["Due"], row["Left by the payer"], row["Open"]) == (40.0, 25.0, 25.0)


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
    dana.open_task(facility, "intake_complete", "I-C")
    with open_ledger(settings.load().ledger_url) as ledger:
        looks = [
            (access.staff_id, access.patient_id, access.kind)
            for access in reversed(ledger.accesses())
            if access.kind != "list"
        ]
    assert looks == [("S1", "A", "patient page"), ("S1", "B", "patient page"), ("S1", "C", "task")]


def test_the_history_can_show_what_people_did_alone(dana: App, facility: Workbench) -> None:
    facility.act("complete", facility.one(1, "uncollected_payments", "V-A"), 1.0, staff="S2")
    dana.open("patient", patient_id="A", steps="people")
    assert list(dana.test.dataframe[0].value["What"]) == ["Completed"]


def test_the_address_of_a_merged_chart_shows_the_chart_it_is_part_of_now(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    practice.patient("Q1", first_name="Quinn", last_name="Nowak")
    for table in ("cases", "appointments", "documents", "intake_submissions", "payments"):
        for row in practice.tables[table].values():
            if row.get("patient_id") == "A":
                row["patient_id"] = "Q1"
    facility.run(practice.remove("patients", "A"), 1.0)
    dana.open("patient", patient_id="A")
    assert "The chart A is now part of this one, Q1." in dana.says
    assert "Nowak, Quinn" in dana.says
    assert "Moved to another patient's chart" in set(dana.test.dataframe[0].value["What"])
    found = facility.history("A", 1.0)
    assert {row["patient_id"] for row in found} == {"Q1"}
    assert [row["from_patient_id"] for row in found if row["event"] == "patient_changed"] != []


def test_the_panel_says_for_how_many_runs_a_task_could_not_be_checked(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    practice.add("appointments", "V-A", amount_due="forty")
    facility.run(practice, 1.0)
    dana.open_task(facility, "uncollected_payments", "V-A")
    assert "The last run could not check this task" in dana.says
    facility.run(practice, 1.0)
    dana.open_task(facility, "uncollected_payments", "V-A")
    assert "The last 2 runs could not check this task" in dana.says
