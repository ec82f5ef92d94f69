"""The fhir preset: types become tables, references of every kind resolve, copies are one."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from pipelines.extracts import folder as folder_module
from pipelines.extracts import read
from pipelines.sources import importing, mapping
from pipelines.warehouse import snapshots
from tests import sources_fhir
from tests.bhsim import Row, by_key, rows_of
from tests.sources_fhir import LINES, bundle, ref

AT = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)


def take(raw: Path, out: Path) -> importing.Imported:
    return importing.import_delivery(importing.Request(mapping.load("fhir"), raw, out, AT))


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fhir")
    done = take(sources_fhir.write(folder / "in"), folder / "out")
    assert dict(done.held) == {}
    return folder / "out"


def told(out: Path, table: str, key: str, *columns: str) -> dict[str, tuple[str, ...]]:
    rows: dict[str, Row] = by_key(out, table, key)
    return {name: tuple(row[column] for column in columns) for name, row in rows.items()}


def test_no_row_is_refused(out) -> None:
    with snapshots.connect() as con:
        found = list(read.read(con, folder_module.find(out), {}, out))
    assert {one.table: one.rows_refused for one in found if one.rows_refused} == {}


def test_copies_in_several_bundles_are_one_and_the_newest_counts(out) -> None:
    assert told(out, "facilities", "facility_id", "name") == {"org-1": ("North, renamed",)}
    assert told(out, "payers", "payer_id", "name", "kind") == {
        "ins-1": ("Plain Medicare", "Medicare")
    }


def test_entries_without_ids_have_those_of_their_addresses(out) -> None:
    assert told(out, "patients", "patient_id", "first_name", "last_name", "facility_id") == {
        f"{key}-pat": ("Sam", f"Roe{key}", "org-1") for key in ("a", "b")
    }


def test_a_reference_by_identifier_names_the_record(out) -> None:
    columns = ("patient_id", "facility_id", "opened_on", "discharged_on")
    assert told(out, "cases", "case_id", *columns) == {
        f"{key}-epi": (f"{key}-pat", "org-1", "2026-09-01", "") for key in ("a", "b")
    }


def test_a_visit_is_an_appointment_or_an_encounter_without_one(out) -> None:
    columns = ("case_id", "patient_id", "facility_id", "staff_id", "status")
    assert told(out, "appointments", "appointment_id", *columns) == {
        "a-enc": ("a-epi", "a-pat", "org-1", "prac-1", "Completed"),
        "b-enc": ("b-epi", "b-pat", "org-1", "prac-1", "Completed"),
        "app-1": ("a-epi", "a-pat", "org-1", "prac-1", "Scheduled"),
        "app-2": ("a-epi", "a-pat", "org-1", "", "In Progress"),
    }


def test_a_contained_record_is_told_from_others_of_its_name(out) -> None:
    columns = ("case_id", "appointment_id", "status", "last_editor_id", "completed_at")
    assert told(out, "documents", "document_id", *columns) == {
        "a-doc": ("a-epi", "a-enc", "Draft", "a-doc#me", ""),
        "b-doc": ("b-epi", "b-enc", "Completed", "b-doc#me", "2026-10-30T11:00:00-04:00"),
    }
    assert told(out, "staff", "staff_id", "name") == {
        "prac-1": ("Kim Low",),
        "a-doc#me": ("Dr. a",),
        "b-doc#me": ("Dr. b",),
    }


def test_a_coverage_is_verified_by_the_answer_about_it(out) -> None:
    columns = ("patient_id", "payer_id", "ends_on", "verification_requested_at", "verified_at")
    assert told(out, "policies", "policy_id", *columns) == {
        "a-cov": ("a-pat", "ins-1", "2026-12-31", "2026-10-01", "2026-10-02"),
        "b-cov": ("b-pat", "ins-1", "2026-12-31", "", ""),
    }


def test_a_granted_request_is_an_authorization(out) -> None:
    columns = ("policy_id", "case_id", "number", "starts_on", "ends_on", "visit_limit")
    assert told(out, "authorizations", "authorization_id", *columns) == {
        "auth-1": ("a-cov", "a-epi", "PA77", "2026-09-01", "2026-11-08", "12")
    }


def test_what_a_payer_explained_is_a_processed_claim(out) -> None:
    columns = ("case_id", "policy_id", "appointment_id", "patient_responsibility", "processed_at")
    assert told(out, "claims", "claim_id", *columns) == {
        f"{key}-eob": (f"{key}-epi", f"{key}-cov", f"{key}-enc", "32.50", "2026-11-01T08:00:00Z")
        for key in ("a", "b")
    }


def test_a_communication_by_fax_is_a_fax_and_an_answered_questionnaire_a_survey(out) -> None:
    assert told(out, "faxes", "fax_id", "document_id", "status", "failed_at") == {
        "fax-1": ("b-doc", "Failed", "2026-11-01T12:00:00Z")
    }
    assert told(out, "surveys", "survey_id", "case_id", "kind") == {"qr-1": ("a-epi", "MIPS-first")}


def test_without_episodes_care_plans_are_cases_and_other_visits_the_patients_own(tmp_path) -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "plan-1",
        "status": "active",
        "subject": ref("urn:uuid:a-pat"),
        "period": {"start": "2026-10-31"},
    }
    raw = sources_fhir.write(tmp_path / "in")
    for key in ("a", "b"):
        made = bundle(key)
        entries = [
            entry
            for entry in made["entry"]  # type: ignore[attr-defined]
            if entry["resource"]["resourceType"] != "EpisodeOfCare"
        ]
        (raw / f"patient_{key}.json").write_text(json.dumps({**made, "entry": entries}))
    (raw / "plans.ndjson").write_text(json.dumps(plan))
    take(raw, tmp_path / "out")
    cases = {
        key: row["case_id"]
        for key, row in by_key(tmp_path / "out", "appointments", "appointment_id").items()
    }
    assert cases == {"a-enc": "a-pat", "b-enc": "b-pat", "app-1": "plan-1", "app-2": "plan-1"}
    assert told(tmp_path / "out", "cases", "case_id", "opened_on", "discharged_on") == {
        "plan-1": ("2026-10-31", ""),
        "a-pat": ("2026-10-30", "2026-10-30"),
        "b-pat": ("2026-10-30", "2026-10-30"),
    }


def test_types_that_are_not_delivered_hold_their_tables_and_no_others(tmp_path) -> None:
    raw = tmp_path / "in"
    raw.mkdir()
    (raw / "patient_a.json").write_text(json.dumps(bundle("a")))
    people = [one for one in LINES if one["resourceType"] in ("Organization", "Practitioner")]
    (raw / "people.ndjson").write_text("\n".join(map(json.dumps, people)))
    done = take(raw, tmp_path / "out")
    assert set(done.held) == {"authorizations", "faxes", "surveys"}
    assert done.held["faxes"] == "the delivery has no file communication"
    assert len(rows_of(tmp_path / "out", "appointments")) == 1


EXAMPLES = Path(__file__).resolve().parents[1] / "fixtures" / "fhir"


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> Path:
    """What becomes of HL7's own examples."""
    folder = tmp_path_factory.mktemp("hl7") / "out"
    assert dict(take(EXAMPLES, folder).held) == {}
    return folder


def test_each_of_the_standards_examples_is_a_row(examples) -> None:
    found: dict[str, set[str]] = {}
    for path in EXAMPLES.glob("*.json"):
        resource = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault(resource["resourceType"], set()).add(resource["id"])
    assert set(by_key(examples, "patients", "patient_id")) == found["Patient"]
    assert set(by_key(examples, "policies", "policy_id")) == found["Coverage"]
    assert set(by_key(examples, "documents", "document_id")) == found["DocumentReference"]
    assert set(by_key(examples, "surveys", "survey_id")) == found["QuestionnaireResponse"]
    # Ids are of one type only: Appointment/example, Encounter/example, and so on.
    assert found["Appointment"] == found["Encounter"] == found["EpisodeOfCare"] == {"example"}
    visits = told(examples, "appointments", "appointment_id", "case_id", "status")
    assert visits == {
        "example": ("Patient/example", "Scheduled"),  # a year before the episode
        "Encounter/example": ("Patient/example", "In Progress"),
    }
    assert set(by_key(examples, "cases", "case_id")) == {"example", "Patient/example"}


def test_the_standards_examples_are_read_as_they_are_meant(examples) -> None:
    assert told(examples, "patients", "patient_id", "first_name", "birth_date", "facility_id") == {
        "example": ("Peter", "1974-12-25", "1")
    }
    assert told(examples, "documents", "document_id", "status", "started_at") == {
        "example": ("Draft", "2005-12-24T09:43:41+11:00")
    }
    assert told(examples, "policies", "policy_id", "patient_id", "payer_id", "verified_at") == {
        "9876B1": ("4", "2", "2014-08-16")
    }
    assert "example#a2" in by_key(examples, "staff", "staff_id")


def test_what_the_standards_examples_refer_to_and_lack_is_refused_and_counted(examples) -> None:
    with snapshots.connect() as con:
        found = {
            one.table: one for one in read.read(con, folder_module.find(examples), {}, examples)
        }
    refused = {table: one.rows_refused for table, one in found.items() if one.rows_refused}
    # Patients 4 and xcda are not delivered, and one encounter says no time.
    assert refused == {"policies": 1, "claims": 1, "documents": 1, "surveys": 1, "appointments": 1}
