"""Reports and exports show the tasks of a practice's own rules as those of the shipped ones."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.cli.commands import main
from pipelines.settings import ROOT, Settings
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist
from tests import published

RULE, TITLE = "discharge_survey_missing", "Discharge Survey Missing"
CATEGORY = "Patient Engagement"
AT = published.START + dt.timedelta(days=7)


@dataclass(frozen=True)
class Made:
    """A practice with an own rule in its newest run, and the folder with its reports."""

    settings: Settings
    folder: Path

    def page(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    base = tmp_path_factory.mktemp("own")
    settings = published.published_in(base / "data")
    own, out = settings.data / "rules", base / "reports"
    own.mkdir()
    shutil.copy(ROOT / "docs" / "own-rules" / f"{RULE}.sql", own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(settings.data))
        published.publish(settings, AT)
        asked = ["--notebook", "backlog_review", "rule_audit", "--out", str(out)]
        assert main(["report", *asked, "--at", AT.isoformat()]) == 0
        yield Made(settings, out)


def open_tasks(made: Made) -> int:
    with open_worklist(made.settings, AT) as worklist:
        return len(worklist.tasks(Filters(status="pending", rule_ids=(RULE,))))


def test_the_backlog_review_counts_them_under_their_type_and_category(made: Made) -> None:
    number = open_tasks(made)
    assert number > 0
    row = rf"<tr><td>{TITLE}</td><td>{CATEGORY}</td><td[^>]*>{number:,}</td>"
    assert re.search(row, made.page("backlog_review.html"))


def test_the_rule_audit_has_the_rule(made: Made) -> None:
    assert f"<td>{TITLE}</td>" in made.page("rule_audit.html")


def test_the_spreadsheet_has_them(made: Made) -> None:
    with zipfile.ZipFile(made.folder / "backlog_review.xlsx") as book:
        texts = "".join(
            book.read(name).decode("utf-8") for name in book.namelist() if name.endswith(".xml")
        )
    assert TITLE in texts and CATEGORY in texts


def test_the_export_has_each(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(made.settings.data))
        at = ["--at", AT.isoformat()]
        assert main(["tasks", "--status", "pending", "--type", RULE, "--format", "csv", *at]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == open_tasks(made)
    assert all(f"{RULE}," in line and TITLE in line for line in lines), header
