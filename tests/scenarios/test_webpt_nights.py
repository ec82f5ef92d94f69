"""Three nights of a WebPT extract give the tasks of the practice that they were made of."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tests import webpt
from tests.conftest import Workbench

# What the export can tell; the others are withheld, not connected, or said in the docs.
SAME = (
    "authorization_limit",
    "claim_submission_hold",
    "draft_documents",
    "review_documents",
    "uncollected_payments",
)
Tasks = set[tuple[str, ...]]


def listed(workbench: Workbench, at: str) -> list[dict[str, object]]:
    command = ("tasks", "--at", at, "--status", "all", "--format", "json")
    code, out, err = workbench.command(*command)
    assert code == 0, err
    return list(json.loads(out))


def tasks_of(workbench: Workbench, night: int) -> dict[str, Tasks]:
    """By rule: subject, patient, status and amount of each task at the end of a night."""
    at = webpt.NIGHTS[night].isoformat()
    found: dict[str, Tasks] = {}
    for task in listed(workbench, at):
        told = (webpt.number(str(task["subject_id"])), webpt.number(str(task["patient_id"])))
        found.setdefault(str(task["rule_id"]), set()).add(
            (*told, str(task["status"]), str(task["amount"]))
        )
    return found


@pytest.fixture
def truth(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tasks]]:
    """The tasks of each night by the canonical extracts."""
    found = []
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("WORKBENCH_DATA", str(workbench.folder / "truth"))
        for night, folder in enumerate(webpt.sample_nights(workbench.folder / "canonical")):
            said = run(workbench, folder, night)
            assert "withheld  " not in said
            found.append(tasks_of(workbench, night))
    return found


def run(workbench: Workbench, folder: Path, night: int) -> str:
    as_of = webpt.NIGHTS[night].isoformat()
    code, out, err = workbench.command("run", "--extracts", folder, "--as-of", as_of, "--force")
    assert code == 0, err
    return str(out)


def take(workbench: Workbench, folder: Path, *more: str) -> Path:
    """Import a delivery; its extracts."""
    out = workbench.extracts / folder.name
    command = ("import", "--source", "webpt", "--from", folder, "--out", out, *more)
    code, said, err = workbench.command(*command)
    assert code == 0, said + err
    return out


def test_three_nights_give_the_tasks_of_the_practice(
    workbench: Workbench, truth: list[dict[str, Tasks]]
) -> None:
    canonical = sorted((workbench.folder / "canonical").iterdir())
    delivered = webpt.write_nights(canonical, workbench.folder / "incoming")
    for night, folder in enumerate(delivered):
        said = run(workbench, take(workbench, folder), night)
        found = tasks_of(workbench, night)
        assert {rule: found.get(rule) for rule in SAME} == {
            rule: truth[night].get(rule) for rule in SAME
        }
        # A credit may come of a visit before the first delivery: such cases are held.
        assert found.get("refund_request", set()) <= truth[night]["refund_request"]
        assert "appointments reach back only to 2026-11-04; cases that cannot be answered" in said
        # A limit in units is no limit of visits, which is all that the export has.
        assert found["authorization_expiring"] <= truth[night]["authorization_expiring"]
        # The paper of an authorization is not in the export: only a release ends this task.
        of_paper = "authorization_required_documents"
        assert {task[0] for task in found[of_paper]} >= {task[0] for task in truth[night][of_paper]}
        # The appointments reach 14 days ahead, and the rule looks at 30.
        assert "unscheduled_patient" not in found and "appointments reach only to" in said
        assert said.count("not connected:") >= 6

        kinds = {task["close_kind"] for task in listed(workbench, webpt.NIGHTS[night].isoformat())}
        assert "source_gone" not in kinds
    assert any(task[2] != "pending" for rule in SAME for task in found.get(rule, ()))

    # The same delivery once more.
    before = tasks_of(workbench, 2)
    run(workbench, take(workbench, delivered[2]), 2)
    assert tasks_of(workbench, 2) == before


def test_a_lost_night_leaves_the_tasks_until_all_of_it_comes(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    canonical = webpt.sample_nights(workbench.folder / "canonical", patients=80)
    delivered = webpt.write_nights(canonical, workbench.folder / "incoming")
    run(workbench, take(workbench, delivered[0]), 0)
    before = tasks_of(workbench, 0)
    assert before["draft_documents"] and before["uncollected_payments"]

    out = workbench.extracts / "held"
    command = ("import", "--source", "webpt", "--from", delivered[2], "--out", out)
    code, _, err = workbench.command(*command)
    assert code != 0 and "is missing; ask for all of it once and import that with --full" in err
    said = run(workbench, out, 2)
    assert "is not complete according to its manifest: a delivery of Patients.csv" in said
    assert tasks_of(workbench, 2) == before

    at = webpt.NIGHTS[2] + dt.timedelta(hours=1)
    everything = webpt.write_everything(canonical[2], workbench.folder / "all", at)
    said = run(workbench, take(workbench, everything, "--full"), 2)
    assert "is not complete" not in said
    found = tasks_of(workbench, 2)
    monkeypatch.setenv("WORKBENCH_DATA", str(workbench.folder / "truth"))
    for night in (0, 2):
        run(workbench, canonical[night], night)
    truth = tasks_of(workbench, 2)
    assert {rule: found.get(rule) for rule in SAME} == {rule: truth.get(rule) for rule in SAME}
    assert {rule: before.get(rule) for rule in SAME} != {rule: truth.get(rule) for rule in SAME}
