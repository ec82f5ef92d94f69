"""`rules docs --out`: the page of a practice has its own rules and its settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.rules import docs, loading, model
from pipelines.settings import ROOT
from tests.conftest import Workbench

EXAMPLES = ROOT / "docs" / "own-rules"
RULE = "progress_report_due"


@pytest.fixture
def own(workbench: Workbench) -> Path:
    """The folder of the practice's own rules, with one about progress reports."""
    folder = workbench.data / "rules"
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLES / f"{RULE}.sql", folder)
    return folder


def page_of(workbench: Workbench) -> str:
    page = workbench.folder / "rules.md"
    code, out, err = workbench.command("rules", "docs", "--out", page)
    assert (code, out) == (0, f"wrote {page}\n"), err
    return page.read_text(encoding="utf-8")


def part(page: str, title: str) -> str:
    return page.split(f"\n### {title}\n")[1].split("\n##")[0]


@pytest.mark.usefixtures("own")
def test_it_has_the_own_rule_with_purpose_steps_and_parameters(workbench: Workbench) -> None:
    page = page_of(workbench)
    said = " ".join(part(page, "Progress Report Due").split())
    assert "Medicare wants a progress report by the 10th treatment day" in said
    assert "2. Write and complete the progress report at the next visit." in said
    assert f"The practice's own rule, in the file {RULE}.sql." in said
    assert "`treatment_days` = 10: Medicare wants a report at least once" in said
    assert '`report_kinds` = "Progress Note, Re-Evaluation": kinds of documents' in said
    clinical = page.split("\n## Clinical\n")[1].split("\n## ")[0]
    assert "[Progress Report Due](#progress-report-due)" in clinical
    assert "[Draft Documents](#draft-documents)" in clinical
    assert page.count("The practice's own rule") == 1


@pytest.mark.usefixtures("own")
def test_it_has_the_settings_in_force(workbench: Workbench) -> None:
    (workbench.data / "settings.toml").write_text(
        f"[rules.{RULE}]\ntreatment_days = 8\nenabled = false\n[rules.mips]\ndue_days = 9\n"
    )
    page = page_of(workbench)
    assert "`treatment_days` = 8: " in part(page, "Progress Report Due")
    assert "Switched off in the settings." in part(page, "Progress Report Due")
    assert page.count("Switched off") == 1
    assert "| `mips` | manual | allowed | 9 d |" in page


def test_it_names_a_withheld_file(workbench: Workbench, own: Path) -> None:
    (own / f"{RULE}.sql").write_text("SELECT 1")
    page = page_of(workbench)
    assert "Progress Report Due" not in page
    assert f"`{RULE}`" in page.split("\n## Withheld\n")[1]


@pytest.mark.usefixtures("own")
def test_the_shipped_page_stays_that_of_the_shipped_rules(workbench: Workbench) -> None:
    page = model.RULES_FOLDER / "README.md"
    before = page.read_text(encoding="utf-8")
    page_of(workbench)
    assert page.read_text(encoding="utf-8") == before == docs.docs(loading.load_rules())
    assert "own rule" not in before


@pytest.mark.parametrize("what", ["list", "check"])
def test_only_docs_takes_a_page(workbench: Workbench, what: str) -> None:
    code, _, err = workbench.command("rules", what, "--out", workbench.folder / "x.md")
    assert (code, "takes no --out" in err) == (2, True)


def test_a_page_that_cannot_be_written_is_said_to_be(workbench: Workbench) -> None:
    code, _, err = workbench.command("rules", "docs", "--out", workbench.folder)
    assert (code, "cannot be written" in err, "Traceback" in err) == (2, True, False)
