"""A FHIR delivery through import and run: the tasks are those that its resources imply."""

from __future__ import annotations

import json

from tests import sources_fhir
from tests.conftest import Workbench


def test_resources_become_the_tasks_of_their_records(workbench: Workbench) -> None:
    raw, out = sources_fhir.write(workbench.folder / "in"), workbench.folder / "out"
    at = workbench.day(1).isoformat()
    arguments = ["--source", "fhir", "--from", raw, "--out", out, "--as-of", at]
    code, _, err = workbench.command("import", *arguments)
    assert code == 0, err
    code, _, err = workbench.command("run", "--extracts", out, "--as-of", at)
    assert code == 0, err
    code, text, err = workbench.command("tasks", "--at", at, "--status", "all", "--format", "json")
    assert code == 0, err
    assert {(task["rule_id"], task["subject_id"]) for task in json.loads(text)} == {
        ("benefit_verification_complete", "a-cov"),  # the eligibility response
        ("draft_documents", "a-doc"),  # docStatus preliminary
        ("failed_fax", "b-doc"),  # the fax that was stopped
        ("mips", "a-epi"),  # one survey of an open episode
        ("unscheduled_patient", "b-pat"),  # A has an appointment on 5 November
    }
