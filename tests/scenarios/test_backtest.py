"""The backtest command: a rule with other parameters over past extracts, leaving no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.analytics import backtest
from pipelines.errors import UserError
from pipelines.rules import loading
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def three_days(workbench: Workbench, practice: Practice, tmp_path: Path) -> Path:
    """Three extracts: an authorization ends 20 days after the first, then 19, then 14."""
    practice.add("policies", "POL", patient_id="A", authorization_required="true").patient("A")
    practice.add(
        "authorizations",
        "AUTH",
        policy_id="POL",
        case_id="C-A",
        starts_on="2026-06-01",
        ends_on="2026-11-22",
        number="A1",
    )
    for day in (1, 2, 7):
        practice.write(tmp_path / "past" / f"2026-11-{day + 1:02d}", workbench.day(day))
    return tmp_path / "past"


def test_a_wider_window_opens_the_task_earlier(workbench: Workbench, three_days: Path) -> None:
    code, out, err = workbench.command(
        "backtest", "authorization_expiring", "--set", "days_ahead=20", "--extracts", three_days
    )
    assert code == 0, err
    lines = [line.split() for line in out.splitlines() if line.startswith("2026-11-0")]
    assert [line[1:5] for line in lines] == [
        ["0", "1", "0", "1"],
        ["0", "0", "0", "1"],
        ["1", "0", "1", "1"],
    ]
    assert "0 tasks only with the change" in out
    assert "1 tasks earlier with the change" in out
    assert not workbench.data.exists() or not any(workbench.data.rglob("*.duckdb")), (
        "the practice's own list is not touched"
    )


def test_a_narrower_window_and_unchanged_parameters(workbench: Workbench, three_days: Path) -> None:
    _, out, _ = workbench.command(
        "backtest", "authorization_expiring", "--set", "days_ahead=7", "--extracts", three_days
    )
    assert "1 tasks only as it is now" in out
    _, out, _ = workbench.command("backtest", "authorization_expiring", "--extracts", three_days)
    assert [
        f"0 tasks {what}" in out
        for what in ("only with the change", "only as it is now", "earlier with the change")
    ] == [True] * 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no_such_rule"], "There is no rule no_such_rule"),
        (["mips", "--set", "days=3"], "the rule has no such parameter; it has min_days_between"),
        (["authorization_expiring", "--set", "days_ahead"], "write NAME=VALUE"),
        (["authorization_expiring", "--set", "days_ahead=soon"], "must be a whole number"),
        (["authorization_expiring", "--set", "days_ahead=-1"], "must be 0 or more"),
    ],
)
def test_what_cannot_be_tested_is_reported(
    workbench: Workbench, three_days: Path, arguments: list[str], said: str
) -> None:
    code, _, err = workbench.command("backtest", *arguments, "--extracts", three_days)
    assert code != 0
    assert said in err


def test_parameters_keep_their_type() -> None:
    rule = loading.load_rules()["uncollected_payments"]
    assert backtest.changes_from(["tolerance=5"], rule) == {"tolerance": 5.0}
    with pytest.raises(UserError, match="must be a number"):
        backtest.changes_from(["tolerance=x"], rule)
