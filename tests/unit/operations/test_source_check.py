"""What would come of a delivery: held, refused, rules that answer, first tasks; nothing is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.errors import UserError
from pipelines.operations import source_check
from pipelines.settings import Settings
from pipelines.sources import mapping
from tests.unit.sources import small


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    small.write_mapping(tmp_path / "data" / "sources")
    return replace(settings_module.load(), data=tmp_path / "data")


def check(settings: Settings, folder: Path) -> source_check.SourceCheck:
    return source_check.check(settings, mapping.load("small", settings.sources), folder)


def answers(found: source_check.SourceCheck) -> dict[str, str]:
    return {rule.rule_id: rule.answers for rule in found.rules}


def test_the_first_tasks_and_what_each_rule_answers(settings: Settings, tmp_path: Path) -> None:
    found = check(settings, small.write_files(tmp_path / "2026-11-28"))
    assert (found.is_good, found.lacking, dict(found.imported.held)) == (True, (), {})
    assert [(task.patient_id, task.reason) for task in found.first_tasks] == [
        ("004", "$25.00 of $25.00 unpaid for the visit on 2026-11-24"),
        ("005", "$25.00 of $25.00 unpaid for the visit on 2026-11-25"),
    ]
    assert answers(found)["uncollected_payments"] == "yes"
    assert answers(found)["unscheduled_patient"] == "yes"
    assert answers(found)["mips"] == "not connected"
    assert answers(found)["failed_fax"] == "no"


def test_nothing_is_published_or_kept(settings: Settings, tmp_path: Path) -> None:
    before = sorted(path for path in settings.data.rglob("*"))
    check(settings, small.write_files(tmp_path / "2026-11-28"))
    assert sorted(path for path in settings.data.rglob("*")) == before


def test_what_is_refused_is_counted_and_is_not_good(settings: Settings, tmp_path: Path) -> None:
    visits = [*small.FILES["Visits"], "99,001,1,soon,C,25.00,11/1/2026"]
    found = check(settings, small.write_files(tmp_path / "2026-11-28", Visits=visits))
    assert not found.is_good
    assert [tuple(kind)[:4] for kind in found.refused] == [
        ("appointments.csv", "starts_at", "moment", 1)
    ]
    assert "soon" not in repr(found)


def test_the_least_that_a_practice_needs_is_named(settings: Settings, tmp_path: Path) -> None:
    folder = small.write_files(tmp_path / "2026-11-28")
    (folder / "Sites.csv").unlink()
    found = check(settings, folder)
    assert found.lacking == ("facilities",)
    assert "has no file Sites" in found.imported.held["facilities"]
    assert not found.is_good


def test_a_delivery_with_nothing_to_read_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty"):
        check(settings, tmp_path / "empty")
