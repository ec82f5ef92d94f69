"""The bhsim source: its import gives the tasks that its raw files imply.

The expected numbers are counted from the raw CSVs in Python, never with the SQL of the import.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.extracts import contract, formats
from tests.bhsim import (
    EXPORT,
    EXPORTED,
    GIVEN,
    MOMENTS,
    ROOT,
    active_people,
    begun,
    by_key,
    day_after,
    episode,
    expected_discharged_30_days,
    expected_drafts,
    expected_second_surveys,
    expected_surveys,
    expected_unscheduled,
    iso,
    open_enrollments,
    raw,
    rows_of,
)


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> dict[datetime, Path]:
    """The folder of canonical extracts at each of MOMENTS."""
    folders = {}
    for moment in MOMENTS:
        folders[moment] = tmp_path_factory.mktemp("bhsim") / "extracts"
        sources.import_export("bhsim", EXPORT, folders[moment], moment)
    return folders


# --- the canonical files ---


def test_the_export_is_the_one_described() -> None:
    assert (len(raw("individuals")), len(raw("visits"))) == (60, 737)


def test_the_raw_files_hold_every_kind_of_task_to_be_counted() -> None:
    counts = [
        len(f(EXPORTED))
        for f in (expected_unscheduled, expected_discharged_30_days, expected_second_surveys)
    ]
    assert min(counts) > 5
    assert len(expected_drafts(MOMENTS[1])) > 0


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_unscheduled_patients_are_those_of_the_raw_files(imported, moment) -> None:
    folder, first, last = imported[moment], iso(moment)[:10], day_after(iso(moment)[:10], 30)
    active = {row["patient_id"] for row in rows_of(folder, "patients") if row["status"] == "Active"}
    assert active == active_people(moment)
    scheduled = {
        row["patient_id"]
        for row in rows_of(folder, "appointments")
        if row["status"] in ("Scheduled", "Confirmed", "Arrived", "In Progress")
        and first <= row["starts_at"][:10] <= last
    }
    assert active - scheduled == expected_unscheduled(moment)


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_drafts_are_the_visits_not_yet_documented(imported, moment) -> None:
    documents = by_key(imported[moment], "documents", "document_id")
    assert {key for key, row in documents.items() if row["status"] == "Draft"} == expected_drafts(
        moment
    )
    visits = by_key(EXPORT, "visits", "visit_id")
    assert all(
        row["started_at"][:16] == visits[key]["actual_end"] for key, row in documents.items()
    )
    assert set(documents) == {
        key for key, row in visits.items() if row["actual_end"] and row["actual_end"] <= iso(moment)
    }
    assert all(
        (row["completed_at"] == "") == (row["status"] == "Draft") for row in documents.values()
    )


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_discharges_are_the_enrollments_ended(imported, moment) -> None:
    cases = by_key(imported[moment], "cases", "case_id")
    assert set(cases) == {row["enrollment_id"] for row in begun(moment)}
    assert {key for key, row in cases.items() if row["discharged_on"] == ""} == {
        row["enrollment_id"] for row in open_enrollments(moment)
    }
    days = {
        row["case_id"]: int(row["days_after_discharge"])
        for row in rows_of(imported[moment], "engagement_actions")
    }
    due = {
        key
        for key, row in cases.items()
        if row["discharged_on"] and day_after(row["discharged_on"], days[key]) <= iso(moment)[:10]
    }
    assert due == expected_discharged_30_days(moment)


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_surveys_are_the_complete_assessments_of_each_enrollment(imported, moment) -> None:
    counts = Counter(row["case_id"] for row in rows_of(imported[moment], "surveys"))
    assert counts == expected_surveys(moment)
    open_cases = {
        row["case_id"] for row in rows_of(imported[moment], "cases") if row["discharged_on"] == ""
    }
    assert {case for case in open_cases if counts[case] == 1} == expected_second_surveys(moment)


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_a_visit_has_the_status_it_had_at_the_moment(imported, moment) -> None:
    visits, now = by_key(EXPORT, "visits", "visit_id"), iso(moment)
    final = {
        "COMPLETED": "Completed",
        "NO_SHOW": "No Show",
        "CANCELED": "Cancelled",
        "RESCHEDULED": "Cancelled",
        "SCHEDULED": "Scheduled",
    }
    for key, row in by_key(imported[moment], "appointments", "appointment_id").items():
        visit = visits[key]
        if visit["actual_start"] and visit["actual_start"] <= now < visit["actual_end"]:
            expected = "In Progress"
        elif (visit["actual_end"] or visit["scheduled_start"]) > now:
            expected = "Scheduled"
        else:
            expected = final[visit["visit_status"]]
        assert row["status"] == expected
        assert row["created_at"] <= row["starts_at"]


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_a_visit_is_left_out_only_while_its_enrollment_has_not_begun(imported, moment) -> None:
    expected = {
        visit["visit_id"]: enrollment["enrollment_id"]
        for visit in raw("visits")
        if (enrollment := episode(visit, visit["scheduled_start"][:10]))
        and enrollment["start_date"] <= iso(moment)[:10]
    }
    assert {
        row["appointment_id"]: row["case_id"] for row in rows_of(imported[moment], "appointments")
    } == expected


def test_leading_zeros_survive(imported) -> None:
    folder = imported[EXPORTED]
    assert "06802" in by_key(folder, "facilities", "facility_id")
    assert "043519" in by_key(folder, "staff", "staff_id")
    assert set(by_key(folder, "patients", "patient_id")) == set(
        by_key(EXPORT, "individuals", "individual_id")
    )
    assert set(by_key(folder, "appointments", "appointment_id")) == set(
        by_key(EXPORT, "visits", "visit_id")
    )


def test_names_are_split_at_the_last_blank(imported) -> None:
    people = by_key(EXPORT, "individuals", "individual_id")
    for key, row in by_key(imported[EXPORTED], "patients", "patient_id").items():
        assert f"{row['first_name']} {row['last_name']}" == people[key]["full_name"]
        assert " " not in row["last_name"]
        assert row["birth_date"] == people[key]["date_of_birth"]


@pytest.mark.parametrize("moment", MOMENTS, ids=iso)
def test_the_files_are_as_the_contract_writes_them(imported, moment) -> None:
    folder = imported[moment]
    assert sorted(path.stem for path in folder.iterdir()) == GIVEN
    for table in GIVEN:
        text = (folder / f"{table}.csv").read_bytes().decode()
        assert "\r" not in text
        rows, columns = rows_of(folder, table), contract.columns(table)
        assert text.splitlines()[0].split(",") == [column.name for column in columns]
        keys = [row[contract.key_of(table)] for row in rows]
        assert keys == sorted(set(keys))
        for column in columns:
            values = [row[column.name] for row in rows if row[column.name]]
            assert column.is_nullable or len(values) == len(rows), f"{table}.{column.name} is empty"
            assert all(
                re.fullmatch(formats.FORMS[column.form].pattern, value) for value in values
            ), f"{table}.{column.name}"
            if column.references in GIVEN:
                assert set(values) <= set(
                    by_key(folder, column.references, contract.key_of(column.references))
                ), f"{table}.{column.name}"


def test_the_manifest_says_how_far_ahead_the_visits_reach_and_vouches_for_nothing(imported) -> None:
    folder = imported[EXPORTED]
    manifest = by_key(folder, "manifest", "table")
    assert sorted(manifest) == sorted(set(GIVEN) - {"manifest"})
    assert {(row["row_count"], row["complete"]) for row in manifest.values()} == {("", "")}
    assert {row["extracted_at"] for row in manifest.values()} == {"2026-10-10T12:00:00+00:00"}
    assert {table: row["horizon_on"] for table, row in manifest.items() if row["horizon_on"]} == {
        "appointments": "2026-11-09"
    }


def test_a_case_belongs_to_the_therapist_of_the_latest_visit(imported) -> None:
    visits, latest = by_key(EXPORT, "visits", "visit_id"), {}
    for row in rows_of(imported[EXPORTED], "appointments"):
        began_at = visits[row["appointment_id"]]["actual_start"]
        if began_at:
            latest[row["case_id"]] = max(
                latest.get(row["case_id"], ("", "")), (began_at, row["staff_id"])
            )
    assert {
        key: row["therapist_id"]
        for key, row in by_key(imported[EXPORTED], "cases", "case_id").items()
        if row["therapist_id"]
    } == {case: staff for case, (_, staff) in latest.items()}


# --- from the command line to tasks ---


def pipelines(data: Path, *arguments: str) -> str:
    """Run a command on the data folder `data`; returns what it prints."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("WORKBENCH_")
    } | {"WORKBENCH_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("moment", MOMENTS[:2], ids=iso)
def test_the_list_has_the_tasks_that_the_raw_files_imply(tmp_path, moment) -> None:
    extracts, as_of = str(tmp_path / "extracts"), moment.isoformat()
    pipelines(
        tmp_path,
        "import",
        "--source",
        "bhsim",
        "--from",
        str(EXPORT),
        "--out",
        extracts,
        "--as-of",
        as_of,
    )
    pipelines(tmp_path, "run", "--extracts", extracts, "--as-of", as_of)
    tasks = json.loads(
        pipelines(tmp_path, "tasks", "--at", as_of, "--status", "all", "--format", "json")
    )
    subjects: dict[str, set[str]] = {}
    for task in tasks:
        subjects.setdefault(task["rule_id"], set()).add(task["subject_id"])
    people = {row["enrollment_id"]: row["individual_id"] for row in raw("individual_programs")}
    visits = by_key(EXPORT, "visits", "visit_id")
    active = active_people(moment)  # only they get new tasks
    expected = {
        "unscheduled_patient": expected_unscheduled(moment),
        "days_since_discharge": {
            case for case in expected_discharged_30_days(moment) if people[case] in active
        },
        "draft_documents": {
            visit for visit in expected_drafts(moment) if visits[visit]["individual_id"] in active
        },
        "mips": expected_second_surveys(moment),
    }
    assert {rule: len(found) for rule, found in subjects.items()} == {
        rule: len(found) for rule, found in expected.items() if found
    }
    assert len(tasks) == sum(map(len, expected.values()))
    assert {task["patient_id"] for task in tasks} <= active
    # Every case has one action, so the case stands for it if the action is a rule's subject.
    assert subjects == {rule: found for rule, found in expected.items() if found}
