"""An export of OpenEMR through import and run: the tasks are those that its tables imply."""

from __future__ import annotations

import json

from tests.conftest import Workbench
from tests.sources_openemr import event, spec, tables, write


def test_a_series_keeps_a_patient_scheduled_and_what_is_owed_is_asked_for(
    workbench: Workbench,
) -> None:
    made = tables()
    weekly = spec(event_repeat_freq=1, event_repeat_freq_type=1)
    made["openemr_postcalendar_events"].append(
        event(105, 1, "2026-09-07", pc_recurrtype=1, pc_recurrspec=weekly)
    )
    raw, out = write(workbench.folder / "in", made), workbench.folder / "out"
    at = workbench.day(1).isoformat()
    arguments = ["--source", "openemr", "--from", raw, "--out", out, "--as-of", at]
    code, _, err = workbench.command("import", *arguments)
    assert code == 0, err
    code, _, err = workbench.command("run", "--extracts", out, "--as-of", at)
    assert code == 0, err
    code, text, err = workbench.command("tasks", "--at", at, "--status", "all", "--format", "json")
    assert code == 0, err
    tasks = {(task["rule_id"], task["subject_id"]): task for task in json.loads(text)}
    assert set(tasks) == {
        ("uncollected_payments", "101"),
        ("uncollected_payments", "102"),
        ("unscheduled_patient", "2"),  # 1 comes each Monday, 3 died
    }
    # Payers left 15 of the copay of 25, and 10 were paid, 2 of them paid back.
    assert tasks["uncollected_payments", "101"]["amount"] == 7.0
    assert tasks["uncollected_payments", "102"]["amount"] == 80.0
