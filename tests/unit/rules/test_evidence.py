"""Why a task left the list: work, a change, or a parameter, asked in whole runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.rules import loading, model
from tests.conftest import Workbench
from tests.practice import Practice

Explain = Callable[[str, str], None]
NO_ROWS = """
SELECT
    l.subject_id,
    TRUE AS is_work,
    CAST(NULL AS VARCHAR) AS record_table,
    CAST(NULL AS VARCHAR) AS record_id,
    CAST(NULL AS DATE) AS happened_on,
    CAST(NULL AS DECIMAL(12, 2)) AS amount,
    'never' AS says,
FROM leaving AS l
WHERE FALSE
"""
LOWERED = """
SELECT
    l.subject_id,
    FALSE AS is_work,
    'appointments' AS record_table,
    b.appointment_id AS record_id,
    a.visit_on AS happened_on,
    a.amount_due AS amount,
    'amount due ' || CAST(b.amount_due AS VARCHAR) || ' → ' || CAST(a.amount_due AS VARCHAR)
        AS says,
FROM leaving AS l
INNER JOIN before.appointments AS b ON l.subject_id = b.appointment_id
INNER JOIN staging.appointments AS a ON l.subject_id = a.appointment_id
"""


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    """explain(rule_id, evidence): give a rule this evidence, in a copy of the rules."""
    folder = shutil.copytree(model.RULES_FOLDER, tmp_path / "rules")
    real = loading.load_rules
    monkeypatch.setattr(loading, "load_rules", lambda given=folder: real(given))

    def write(rule_id: str, evidence: str) -> None:
        path = folder / f"{rule_id}.sql"
        asks = model.EVIDENCE.split(path.read_text(encoding="utf-8"))[0]
        asks = asks.rstrip().rstrip(";")
        path.write_text(f"{asks};\n\n/* evidence */\n{evidence.strip()}\n", encoding="utf-8")

    return write


def ending(workbench: Workbench, day: float, event: str) -> dict:
    """The one event of this name in patient A's history."""
    (found,) = [row for row in workbench.history("A", day) if row["event"] == event]
    return found


def test_evidence_compares_with_the_records_of_the_run_before(
    workbench: Workbench, practice: Practice, explain: Explain
) -> None:
    explain("uncollected_payments", LOWERED)
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    practice.add("appointments", "V1", amount_due="0.00")
    workbench.run(practice, 2)
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "withdrawn"}
    event = ending(workbench, 2, "withdrawn")
    assert event["reason"] == "amount due 40.00 → 0.00"
    assert (event["record_table"], event["record_id"], event["amount"]) == ("appointments", "V1", 0)


def test_without_evidence_a_changed_parameter_is_named(
    workbench: Workbench, practice: Practice, explain: Explain
) -> None:
    explain("uncollected_payments", NO_ROWS)
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    (workbench.data / "settings.toml").write_text("[rules.uncollected_payments]\ntolerance = 50\n")
    workbench.run(practice, 2)
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "withdrawn"}
    assert ending(workbench, 2, "withdrawn")["reason"] == "tolerance 0.0 → 50.0"


def test_a_changed_rule_is_named(
    workbench: Workbench, practice: Practice, explain: Explain
) -> None:
    explain("uncollected_payments", NO_ROWS)
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    (path,) = {rule.path for rule in loading.load_rules().values() if "uncoll" in rule.rule_id}
    path.write_text(path.read_text().replace(";\n\n/* unseen", "\nLIMIT 0;\n\n/* unseen"))
    workbench.run(practice, 2)
    assert ending(workbench, 2, "withdrawn")["reason"] == "the rule itself changed"


def test_evidence_that_fails_closes_nothing_and_the_run_says_so(
    workbench: Workbench, practice: Practice, explain: Explain
) -> None:
    failing = NO_ROWS.replace("'never'", "CAST(CAST(l.subject_id AS INTEGER) AS VARCHAR)")
    explain("uncollected_payments", failing.replace("WHERE FALSE", ""))
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    workbench.run(practice, 1)
    practice.payment("P1", "A", "2026-10-30", "40.00")
    out = workbench.run(practice, 2)
    assert workbench.states(2, "uncollected_payments") == {("V1", 1): "pending"}
    assert "its evidence failed: ConversionException" in out


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        (NO_ROWS.replace("'never' AS says", "1 AS says"), "says must be VARCHAR"),
        (NO_ROWS.replace("TRUE AS is_work,", ""), "the evidence must give subject_id, is_work"),
        (NO_ROWS.replace("leaving", "before.claims"), "claims does not exist"),
        (NO_ROWS.replace("leaving", "before.documents"), "evidence reads documents"),
        (NO_ROWS.replace("leaving", "staging.faxes"), "evidence reads faxes"),
        (NO_ROWS.replace("leaving", "extract.faxes"), "extract.faxes"),
        (NO_ROWS.replace("FALSE", "$surplus"), "$surplus"),
        (NO_ROWS + "/* evidence */\n" + NO_ROWS, "each once"),
        ("SELEC 1", "cannot be read"),
    ],
)
def test_a_fault_in_the_evidence_is_named(explain: Explain, evidence: str, says: str) -> None:
    explain("uncollected_payments", evidence)
    with pytest.raises(UserError, match="uncollected_payments.sql") as raised:
        loading.check(next(iter(loading.load_rules().values())).path.parent)
    assert says in str(raised.value)
