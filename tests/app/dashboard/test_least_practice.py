"""Five tables and no staff: the list is right, nobody is alarmed, the administrator comes in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
import streamlit as st

from pipelines.vocabulary import MAY_BE_ABSENT
from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice

DELIVERED = ("policies", "authorizations")
ABSENT = tuple(table for table in MAY_BE_ABSENT if table not in DELIVERED)
TODAY = dt.datetime.now(dt.UTC).date()


def day(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def small(practice: Practice) -> Practice:
    """Authorizations that end soon, are used up, have a few left, or cannot be counted."""
    practice.patient("A", first_name="Ana")
    for key, values in {
        "ends": {"ends_on": day(5)},
        "used": {"visit_limit": "8", "visits_used": "8"},
        "few": {"visit_limit": "8", "visits_used": "7"},
        "uncounted": {"visit_limit": "8"},
    }.items():
        practice.add(
            "policies",
            f"P-{key}",
            patient_id="A",
            case_id="C-A",
            rank="Other",
            authorization_required="true",
        )
        practice.add(
            "authorizations",
            key,
            policy_id=f"P-{key}",
            case_id="C-A",
            starts_on=day(-60),
            **values,
        )
    practice.add("policies", "P-ends", verification_requested_at=f"{day(-2)}T09:00:00")
    practice.add("policies", "P-few", verified_at=f"{day(-1)}T09:00:00")
    return practice


@pytest.fixture
def published(
    workbench: Workbench, small: Practice, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workbench]:
    """The list of the practice, run just now by the machine's clock."""
    st.cache_data.clear()
    st.cache_resource.clear()
    workbench.data.mkdir()
    (workbench.data / "settings.toml").write_text(
        f'[practice]\nabsent = {json.dumps(ABSENT)}\nadministrator = "Dana Ruiz"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(workbench.extracts))
    small.write(workbench.extracts / TODAY.isoformat(), None, without=ABSENT)
    code, _, err = workbench.command("run")
    assert code == 0, err
    assert "warning" not in err
    yield workbench
    st.cache_data.clear()
    st.cache_resource.clear()


def test_the_answering_rules_ask_for_what_is_there(published: Workbench) -> None:
    _, out, _ = published.command("tasks", "--status", "all", "--format", "json")
    assert {(task["rule_id"], task["subject_id"]): task["reason"] for task in json.loads(out)} == {
        ("authorization_expiring", "ends"): f"Authorization ends on {day(5)}",
        ("authorization_expiring", "few"): "Authorization has 1 of 8 visits left",
        ("authorization_limit", "used"): "Authorization: 8 of 8 visits used",
        ("benefit_verification_required", "P-ends"): (
            f"Verification of benefits requested on {day(-2)}"
        ),
        ("benefit_verification_complete", "P-few"): f"Benefits verified on {day(-1)}",
    }


def test_health_is_ok(published: Workbench) -> None:
    code, out, _ = published.command("health", "--format", "json")
    said = json.loads(out)
    assert (code, said["status"]) == (0, "ok"), out
    (rules,) = [check["says"] for check in said["checks"] if check["check"] == "rules"]
    assert rules.startswith("the last run asked ")
    assert "read tables that this practice never delivers" in rules


@pytest.mark.usefixtures("published")
def test_the_administrator_sees_the_dashboard_without_a_warning() -> None:
    dana = App("administrator").open("dashboard", facility="F1")
    assert "Dana Ruiz" in dana.says
    assert "Authorization: 8 of 8 visits used" in dana.sent
    assert dana.metric("Pending") == "5"
    assert not dana.test.warning
    assert "Withheld" not in dana.says
