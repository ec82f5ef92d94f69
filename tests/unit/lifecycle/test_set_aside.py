"""Which candidates a go-live sets aside, on hand-made tables."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.unit.lifecycle.conftest import Lifecycle

FIRST_ON = dt.date(2026, 11, 2)
OLD = FIRST_ON - dt.timedelta(days=1)


@pytest.fixture
def begun(run: Lifecycle) -> Lifecycle:
    """Rule `r` opens what fell due on November 2 or later; rule `q` has no go-live."""
    run.rule("q")
    return run.insert("go_live_rules", rule_id="r", first_on=FIRST_ON, ends_at_discharge=False)


@pytest.mark.parametrize(("since", "is_old"), [(OLD, True), (FIRST_ON, False)])
def test_what_fell_due_before_the_rules_first_day(
    begun: Lifecycle, since: dt.date, is_old: bool
) -> None:
    begun.candidate(since=since).candidate(rule_id="q", since=since)
    assert begun.set_aside() == ({("r", "V1"): True} if is_old else {})


@pytest.mark.parametrize(
    ("status", "ends", "is_discharged", "case", "would_open"),
    [
        ("Active", False, False, "C-A", True),
        ("Inactive", False, False, "C-A", False),
        ("Active", False, True, "C-A", True),
        ("Active", True, False, "C-A", True),
        ("Active", True, True, "C-A", False),
        ("Inactive", True, True, "C-A", False),
        ("Active", True, True, None, True),
    ],
)
def test_it_says_which_would_not_open_anyway(
    begun: Lifecycle,
    status: str,
    ends: bool,
    is_discharged: bool,
    case: str | None,
    would_open: bool,
) -> None:
    begun.record("patients", patient_id="A", status=status)
    begun.record("cases", case_id="C-A", patient_id="A", is_discharged=is_discharged)
    begun.con.execute("UPDATE go_live_rules SET ends_at_discharge = ?", [ends])
    assert begun.candidate(since=OLD, case_id=case).set_aside() == {("r", "V1"): would_open}


def test_an_unknown_patient_would_not_open(begun: Lifecycle) -> None:
    begun.insert("rule_patients", rule_id="q", status="Inactive")
    begun.candidate(since=OLD, patient_id="X").candidate("V2", since=OLD, patient_id="B")
    begun.record("patients", patient_id="B", status="Inactive")
    assert begun.set_aside() == {("r", "V1"): False, ("r", "V2"): False}


@pytest.mark.parametrize(
    ("facility", "brought_in", "is_in"),
    [
        ("F1", ("r", "F1"), True),
        (None, ("r", None), True),
        ("F1", ("r", "F2"), False),
        ("F1", ("r", None), False),
        (None, ("r", "F1"), False),
        ("F1", ("q", "F1"), False),
    ],
)
def test_a_group_that_was_brought_in_opens(
    begun: Lifecycle, facility: str | None, brought_in: tuple[str, str | None], is_in: bool
) -> None:
    rule_id, facility_id = brought_in
    begun.insert("brought_in", rule_id=rule_id, facility_id=facility_id)
    begun.candidate(since=OLD, facility_id=facility)
    assert begun.set_aside() == ({} if is_in else {("r", "V1"): True})


@pytest.mark.parametrize("state", ["open", "completed"])
def test_a_subject_that_has_a_task_goes_on(begun: Lifecycle, state: str) -> None:
    begun.task(state).candidate(since=OLD).candidate("V2", since=OLD)
    begun.task(state, rule_id="q", subject="V2")
    assert begun.set_aside() == {("r", "V2"): True}


@pytest.mark.parametrize(
    ("target", "state", "subject", "goes_on"),
    [
        ("r", "open", "V1", True),
        ("r", "completed", "V1", False),
        ("r", "open", "V2", False),
        ("s", "open", "V1", False),
    ],
)
def test_an_open_task_that_becomes_another_goes_on(
    begun: Lifecycle, target: str, state: str, subject: str, goes_on: bool
) -> None:
    begun.insert("go_live_sources", rule_id="q", target_rule_id=target)
    begun.task(state, subject, rule_id="q").candidate(since=OLD)
    assert begun.set_aside() == ({} if goes_on else {("r", "V1"): True})


def test_a_task_of_a_rule_that_does_not_convert_brings_nothing_along(begun: Lifecycle) -> None:
    begun.insert("go_live_sources", rule_id="s", target_rule_id="r")
    assert begun.task(rule_id="q").candidate(since=OLD).set_aside() == {("r", "V1"): True}
