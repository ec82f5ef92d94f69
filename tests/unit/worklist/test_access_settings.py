"""The settings say who sees which facilities, and nobody gets a task they would not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import settings
from pipelines.errors import UserError
from pipelines.settings import Access
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.live import LiveWorklist
from tests.unit.worklist.two_facilities import AT, NORTH, listed, practice_of


@pytest.mark.parametrize(
    ("access", "staff_id", "role", "facility_id", "sees"),
    [
        (Access(), "S1", "Front Desk", "F1", None),
        (Access(True), "S1", "Front Desk", "F1", ("F1",)),
        (Access(True), "S1", "Front Desk", None, ()),
        (Access(True), "S1", "Business Owner", None, ()),
        (Access(True, ("Business Owner",)), "S1", "Business Owner", "F1", None),
        (Access(True, ("Business Owner",)), "S1", "Front Desk", "F1", ("F1",)),
        (Access(True, (), {"S1": ("F2", "F1")}), "S1", "Front Desk", "F3", ("F1", "F2")),
        (Access(True, (), {"S1": ("F2",)}), "S2", "Front Desk", "F1", ("F1",)),
        (Access(True, (), {"S1": ()}), "S1", "Front Desk", "F1", ()),
    ],
)
def test_whose_facilities_are_whose(
    access: Access, staff_id: str, role: str, facility_id: str | None, sees: tuple[str, ...] | None
) -> None:
    assert access.facilities_of(staff_id, role, facility_id) == sees


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("own_facility = true", "unknown key access.own_facility"),
        ('own_facilities = "yes"', "access.own_facilities must be true or false"),
        (
            'email_verified_may_be_absent = "true"',
            "access.email_verified_may_be_absent must be true or false",
        ),
        ('sees_all_roles = "Business Owner"', "access.sees_all_roles must be a list of roles"),
        (
            'sees_all_roles = ["Owner"]',
            "access.sees_all_roles: there is no role Owner; there are Front Desk, ",
        ),
        ("staff_facilities = 3", "access.staff_facilities must name a list"),
        ('staff_facilities = {S1 = "F1"}', "access.staff_facilities must name a list"),
    ],
)
def test_a_setting_that_would_show_more_or_less_than_meant_stops_the_start(
    tmp_path: Path, written: str, said: str
) -> None:
    (tmp_path / "settings.toml").write_text(f"[access]\n{written}\n", encoding="utf-8")
    with pytest.raises(UserError, match=said):
        settings.load({"WORKBENCH_DATA": str(tmp_path)})


def test_an_address_must_be_confirmed_unless_the_practice_says_otherwise(tmp_path: Path) -> None:
    loaded = settings.load({"WORKBENCH_DATA": str(tmp_path)})
    assert not loaded.access.email_verified_may_be_absent
    (tmp_path / "settings.toml").write_text(
        "[access]\nemail_verified_may_be_absent = true\n", encoding="utf-8"
    )
    loaded = settings.load({"WORKBENCH_DATA": str(tmp_path)})
    assert loaded.access.email_verified_may_be_absent
    assert not loaded.access.own_facilities


def test_a_task_is_given_only_to_who_will_see_it(tmp_path: Path) -> None:
    shared = listed(tmp_path, practice_of("nora"))
    (tmp_path / "data" / "settings.toml").write_text(
        '[access]\nown_facilities = true\nsees_all_roles = ["Business Owner"]\n', encoding="utf-8"
    )
    shared = LiveWorklist(settings.load({"WORKBENCH_DATA": str(tmp_path / "data")}))
    with shared.at(AT, NORTH) as now:
        task_id = now.tasks().iloc[0]["task_id"]
        for colleague in ("S2", "S3"):  # of South, and of no facility
            with pytest.raises(
                UserError, match="works at other facilities and would not see this task"
            ):
                actions.act(
                    now,
                    shared.ledger,
                    "S1",
                    ActionRequest(task_id, "assign", to_staff_id=colleague),
                )
        actions.act(now, shared.ledger, "S1", ActionRequest(task_id, "assign", to_staff_id="S1"))
    shared.ledger.close()
