"""Exports of Synthea through import and run: the tasks are those that the raw files imply."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from tests import sources_synthea
from tests.bhsim import rows_of
from tests.conftest import Workbench


def imported(workbench: Workbench, generation: str) -> tuple[Path, list[dict]]:
    """The raw folder, and the tasks of a run over its import."""
    raw = sources_synthea.write(workbench.folder / "in", generation, patients=25)
    made, out = sources_synthea.MADE.isoformat(), workbench.folder / "out"
    arguments = ["--source", "synthea", "--from", raw, "--out", out, "--as-of", made]
    code, _, err = workbench.command("import", *arguments)
    assert code == (0 if generation == "new" else 1), err
    code, _, err = workbench.command("run", "--extracts", out, "--as-of", made)
    assert code == 0, err
    code, text, err = workbench.command(
        "tasks", "--at", made, "--status", "all", "--format", "json"
    )
    assert code == 0, err
    return raw, json.loads(text)


def test_visits_that_were_not_paid_are_the_tasks_of_a_newer_export(workbench: Workbench) -> None:
    raw, tasks = imported(workbench, "new")
    paid: dict[str, float] = defaultdict(float)
    for row in rows_of(raw, "claims_transactions"):
        if row["TYPE"] == "PAYMENT" and row["METHOD"] != "ECHECK":
            paid[row["APPOINTMENTID"]] += float(row["PAYMENTS"])
    alive = {row["Id"] for row in rows_of(raw, "patients") if not row["DEATHDATE"]}
    owing = {
        row["Id"]
        for row in rows_of(raw, "encounters")
        if float(row["TOTAL_CLAIM_COST"]) - float(row["PAYER_COVERAGE"]) > paid[row["Id"]]
        and row["PATIENT"] in alive
    }
    found = {task["subject_id"] for task in tasks if task["rule_id"] == "uncollected_payments"}
    assert found == owing
    assert len(owing) > 10
    # Nobody knows of visits ahead, so nobody is called unscheduled.
    assert {task["rule_id"] for task in tasks} == {"uncollected_payments"}


def test_an_older_export_knows_no_money_and_gives_no_tasks(workbench: Workbench) -> None:
    _, tasks = imported(workbench, "old")
    assert tasks == []
