"""Each example of an own rule works where it is copied to, in a whole run."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from pipelines import settings as settings_module
from pipelines.rules import overrides
from pipelines.settings import ROOT
from tests.conftest import Workbench
from tests.practice import Practice

EXAMPLES = ROOT / "docs" / "own-rules"


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.sql")))
def test_a_file_copied_from_another_practices_folder_works_as_it_is(
    workbench: Workbench, practice: Practice, name: str
) -> None:
    first = workbench.folder / "first" / "rules"
    first.mkdir(parents=True)
    shutil.copy(EXAMPLES / f"{name}.sql", first)
    own = workbench.data / "rules"
    own.mkdir(parents=True)
    in_first = overrides.rules_in_force(settings_module.load({"WORKBENCH_DATA": str(first.parent)}))
    shutil.copy(first / f"{name}.sql", own)
    in_second = overrides.rules_in_force(settings_module.load())
    assert in_first.broken == in_second.broken == {}
    there, here = in_first.find(name), in_second.find(name)
    assert dataclasses.replace(there, path=here.path) == here
    assert here.path == own / f"{name}.sql"
    waiting(practice)
    workbench.run(practice, 1)
    assert list(workbench.states(1, name).values()) == ["pending"]


def waiting(practice: Practice) -> Practice:
    """A practice of which each example asks for one record."""
    practice.add("payers", "PAY1", kind="Medicare")
    practice.patient("A", status="Referral").add("cases", "C-A", opened_on="2026-10-20")
    practice.patient("B").add("cases", "C-B", discharged_on="2026-10-20")
    practice.patient("C", reminder_channel="SMS").add("policies", "PO", patient_id="C")
    for day in range(10, 20):
        practice.visit(f"V{day}", "C", f"2026-10-{day}T09:00:00")
    practice.document(
        "D",
        "C",
        kind="Initial Evaluation",
        has_plan_of_care="true",
        status="Completed",
        date_of_service="2026-08-10",
        completed_at="2026-08-10T18:00:00",
        started_at="2026-08-10T09:00:00",
    ).visit("V0", "C", "2026-08-10T09:00:00")
    return practice.patient("D")
