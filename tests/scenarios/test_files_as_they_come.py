"""Files as practices deliver them: each case is one that somebody reported, with its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.operations import arrivals
from pipelines.records import patient_search
from pipelines.warehouse import snapshots
from tests.conftest import Workbench
from tests.practice import Practice

APPOINTMENTS = (
    "appointment_id,case_id,patient_id,facility_id,staff_id,starts_at,status,amount_due,"
    "reminder_status,created_at"
)
V1 = "V1,C-P1,P1,F1,,2026-10-30T09:00:00,Completed,40.00,,2026-01-05T09:00:00"
V2 = "V2,C-P2,P2,F1,,2026-10-30T10:00:00,Completed,25.00,,2026-01-05T09:00:00"
NOTE = "\n".join(f"line {number}" for number in range(80))


@pytest.fixture
def delivery(practice: Practice, workbench: Workbench) -> Path:
    """Two patients with a visit each, of which P2's is paid; appointments.csv is not there yet."""
    practice.patient("P1").patient("P2").payment("M1", "P2", "2026-10-30", "25.00")
    folder = practice.write(workbench.extracts / "2", None)
    (folder / "appointments.csv").unlink()
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("appointments.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\n"),
        ("appointments.csv", f"{APPOINTMENTS.title().replace('_', ' ')}\n{V1}\n{V2}\n"),
        ("appointments.csv", f"sep=,\n{APPOINTMENTS}\n{V1}\n{V2}\n"),
        ("appointments_20261102.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\n"),
        ("Appointments 11-02-2026.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\n"),
        ("appointments.csv", f'{APPOINTMENTS},note\n{V1},"{NOTE}"\n{V2},short\nV9,C-P1,P1\n'),
        ("appointments.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\nTotal,,,,,,,65.00,,\n"),
        ("appointments.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\n\n(2 rows affected)\n"),
        (
            "appointments.csv",
            f"{APPOINTMENTS}\n{V1}\n{V2}\n".replace("F1,,", "F1,NULL,").replace(",,2", ",NULL,2"),
        ),
        ("appointments.csv", f"{APPOINTMENTS}\n{V1}\n{V2}\n".replace("40.00", '"$40.00"')),
    ],
    ids=[
        "plain",
        "header words",
        "sep line",
        "dated name",
        "dated name in words",
        "long note beside a row cut short",
        "totals",
        "footer",
        "null words",
        "dressed amount",
    ],
)
def test_the_unpaid_visit_is_asked_for_and_the_paid_one_is_not(
    workbench: Workbench, delivery: Path, name: str, text: str
) -> None:
    (delivery / name).write_text(text, encoding="utf-8")
    workbench.run(delivery, 2)
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}
    assert workbench.one(2, "uncollected_payments", "V1")["amount"] == 40.0


def test_an_amount_with_a_dollar_sign_is_that_payment(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("P1").visit("V1", "P1", "2026-10-31T09:00:00", amount_due="25.00")
    practice.payment("M1", "P1", "2026-10-31", "25.00")
    workbench.run(practice, 1)
    practice.payment("M1", "P1", "2026-10-31", "$25.00")
    workbench.run(practice, 2)
    assert workbench.states(2, "uncollected_payments") == {}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_name_with_an_apostrophe_of_windows_stays_and_is_found(
    workbench: Workbench, practice: Practice, encoding: str
) -> None:
    practice.patient("N1", last_name="O’Brien")
    folder = practice.write(workbench.extracts / "2", None)
    text = (folder / "patients.csv").read_text(encoding="utf-8")
    (folder / "patients.csv").write_bytes(text.encode(encoding))
    workbench.run(folder, 2)
    live = snapshots.current(workbench.data / "warehouse")
    assert live is not None
    with snapshots.connect() as con:
        snapshots.attach(con, live, "live")
        con.execute("USE live")
        found = patient_search.find_patients(con, "O’Brien")
    assert found[["patient_id", "name"]].values.tolist() == [["N1", "O’Brien, Pat"]]


def test_a_count_below_the_cases_stops_no_rule_for_ever(
    workbench: Workbench, practice: Practice
) -> None:
    for number in range(3):
        practice.patient(f"Q{number}")
    for day in (1, 2):
        if day == 2:
            practice.visit("S1", "Q1", "2026-11-10T09:00:00", status="Scheduled")
        folder = practice.write(workbench.extracts / str(day), None)
        with (folder / "cases.csv").open("a", encoding="utf-8") as file:
            file.write("\n(3 rows affected)\n")
        workbench.run(folder, day)
    assert workbench.states(2, "unscheduled_patient") == {
        ("Q0", 1): "pending",
        ("Q1", 1): "cleared",
        ("Q2", 1): "pending",
    }


def test_an_id_that_went_through_a_data_frame_is_the_id(
    workbench: Workbench, practice: Practice
) -> None:
    practice.add("staff", "7").patient("P1")
    practice.visit("V1", "P1", "2026-10-30T09:00:00", amount_due="40.00", staff_id="7.0")
    practice.document("D1", "P1", appointment_id="V1", last_editor_id="7.0")
    workbench.run(practice, 2)
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}
    assert workbench.one(2, "draft_documents", "D1")["staff_id"] == "7"


def test_of_folders_named_month_first_the_newer_is_run(
    workbench: Workbench, practice: Practice, tmp_path: Path
) -> None:
    practice.patient("Q1").write(tmp_path / "in" / "12312026", None)
    practice.visit("V7", "Q1", "2027-01-01T09:00:00", amount_due="70.00")
    practice.write(tmp_path / "in" / "01022027", None)
    newest = arrivals.folders(tmp_path / "in")[-1]
    assert newest.name == "01022027"
