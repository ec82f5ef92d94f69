"""The Connect page reads what lies in the folder of deliveries, and nothing outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.errors import UserError
from pipelines.operations import source_drop
from pipelines.sources import mapping
from tests.bhsim import EXPORT


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    for day in ("2026-11-01", "2026-11-02"):
        (folder / day).mkdir(parents=True)
        (folder / day / "Clients.csv").write_text("No\n1\n", encoding="utf-8")
    (folder / "Sites_20261031.csv").write_text("Site\n1\n", encoding="utf-8")
    return folder


def test_the_newest_delivery_comes_first_and_the_folder_itself_last(drop: Path) -> None:
    names = [one.name for one in source_drop.offered(drop)]
    assert names == ["2026-11-02", "2026-11-01", "2026-10-31", source_drop.ALL]


def test_an_empty_folder_offers_nothing(tmp_path: Path) -> None:
    assert source_drop.offered(tmp_path) == []


def test_links_that_lead_out_are_not_offered(drop: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "Secret.csv").write_text("No\n1\n", encoding="utf-8")
    (drop / "linked").symlink_to(outside)
    (drop / "2026-11-02" / "Secret.csv").symlink_to(outside / "Secret.csv")
    names = [one.name for one in source_drop.offered(drop)]
    assert "linked" not in names
    assert "2026-11-02" not in names
    assert source_drop.ALL not in names, "the whole folder holds the links"


@pytest.mark.parametrize("name", ["../outside", "/etc", "2026-11-03", ""])
def test_only_what_is_offered_can_be_chosen(drop: Path, name: str) -> None:
    with pytest.raises(UserError, match="no longer in the folder"):
        source_drop.look(drop, name)


def test_loose_files_of_one_day_are_looked_at_together(drop: Path) -> None:
    (drop / "Rooms_20261031.csv").write_text("Room\n1\n", encoding="utf-8")
    seen = source_drop.look(drop, "2026-10-31")
    assert sorted(one.relation for one in seen.files) == ["rooms", "sites"]


def test_a_delivery_is_tried_and_tells_so(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    for path in EXPORT.iterdir():
        target = tmp_path / "drop" / "night" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    settings = settings_module.load({"WORKBENCH_DATA": str(tmp_path / "data")})
    told: list[float] = []
    found = source_drop.check(
        settings,
        mapping.load("bhsim"),
        tmp_path / "drop",
        "night",
        tell=lambda share, doing: told.append(share),
    )
    assert found.tasks > 0
    assert told
    assert not (tmp_path / "data").exists()
