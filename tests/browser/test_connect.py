"""Connect in a browser: from a workbook to a saved connection, at a desk and on a phone."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from pipelines.cli.commands import main
from pipelines.settings import SAMPLE
from tests.browser.screen import settle, sit_down
from tests.browser.servers import FRIDAY, Server
from tests.practice import Practice
from tests.unit.sources import human

if TYPE_CHECKING:
    from playwright.sync_api import Page

LEE = "Lee Park"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
HERE = Path(__file__).parent
CONTRAST = (HERE / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (HERE / "nameless.js").read_text(encoding="utf-8")
SEEN = HERE.parents[1] / ".cache" / "browser"
STEPS = (  # what is clicked, and what the next step shows
    ("Use this delivery", "These tables are right"),
    ("These tables are right", "These columns are right"),
    ("These columns are right", "These words are right"),
    ("These words are right", "That is right"),
    ("That is right", "These numbers are right"),
    ("These numbers are right", "Save this connection"),
    ("Save this connection", "From tonight on"),
)


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample practice as one workbook with human headers."""
    folder = tmp_path_factory.mktemp("drop")
    sheets = human.write(SAMPLE, tmp_path_factory.mktemp("sheets"))
    with xlsxwriter.Workbook(str(folder / "Practice export 2026-11-20.xlsx")) as book:
        for path in sorted(sheets.glob("*.csv")):
            sheet = book.add_worksheet(path.stem)
            with path.open(encoding="utf-8", newline="") as file:
                for number, row in enumerate(csv.reader(file)):
                    sheet.write_row(number, 0, row)
    return folder


@pytest.fixture(scope="module")
def connecting(
    tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server], drop: Path
) -> Server:
    """A small practice with an administrator, and a folder of deliveries."""
    folder = tmp_path_factory.mktemp("practice")
    practice = Practice()
    practice.add("staff", "S3", name=LEE, role="Practice Administrator")
    practice.patient("P1", first_name="Zebulon", last_name="Quartermaine")
    as_of = FRIDAY - dt.timedelta(hours=2)
    practice.write(folder / "extracts", as_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(folder / "data"))
        arguments = ["run", "--extracts", str(folder / "extracts"), "--as-of", as_of.isoformat()]
        assert main(arguments) == 0
    return start_server(folder / "data", WORKBENCH_DROP=str(drop))


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_each_step_fits_and_can_be_read(
    connecting: Server, new_browser: Callable[..., Page], viewport: dict[str, int]
) -> None:
    page = sit_down(
        new_browser, connecting.url, LEE, "/connect", viewport=viewport, reduced_motion="reduce"
    )
    name = f"emr{viewport['width']}"
    field = page.get_by_role("textbox", name="Name of the connection")
    field.fill(name)
    field.press("Tab")
    settle(page)
    for number, (click, shown) in enumerate(STEPS):
        check(page, viewport, f"connect-{viewport['width']}-{number}")
        page.get_by_role("button", name=click).click()
        page.get_by_text(shown, exact=True).first.wait_for(timeout=120_000)
        settle(page)
    check(page, viewport, f"connect-{viewport['width']}-saved")
    assert (connecting.data / "sources" / name / "source.toml").exists()


def check(page: Page, viewport: dict[str, int], name: str) -> None:
    """Nothing sticks out, every text has contrast, every control a name."""
    SEEN.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SEEN / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []
