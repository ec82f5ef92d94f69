"""The Reports page makes what the command makes, for the choices in the URL, one at a time."""

from __future__ import annotations

import re
import threading
import time

import pytest

from pipelines.errors import UserError
from pipelines.operations.jobs import Job
from tests.app.conftest import App
from tests.conftest import Workbench

PLACE = "notebooks/backlog_review.ipynb, cell 4 (“Where do we stand?”)"


def make(app: App) -> App:
    """Ask for the report and wait until it is there."""
    app.click("Make the report")
    until = time.monotonic() + 300
    while app.test.get("progress") and time.monotonic() < until:
        time.sleep(0.3)
        app.run()
    return app


def files(app: App) -> list[str]:
    return [button.proto.label for button in app.test.get("download_button")]


def test_the_digest_of_a_facility_is_shown_and_can_be_downloaded(
    facility: Workbench, dana: App
) -> None:
    dana.open("reports", report="digest", facility="F1", days="2026-11-01..2026-11-02")
    assert "Nothing was made for these choices yet" in dana.says
    make(dana)
    assert files(dana) == ["Download the page"]
    (page,) = [element.proto.body for element in dana.test.get("html")]
    assert "Tasks of the week, November 1 to November 7, 2026" in page
    assert re.search(r"North Clinic</h2>.*?Open</td><td[^>]*>4</td>", page, re.DOTALL)
    assert "South Clinic" not in page
    assert "Nothing was made for these choices yet" in dana.open("reports", report="digest").says


def test_a_notebook_is_made_with_its_tables(facility: Workbench, dana: App) -> None:
    make(dana.open("reports", report="rule_audit"))
    assert files(dana) == ["Download the page", "Download the tables"]
    assert "The page draws its own charts" in dana.says


def test_junk_is_named_and_the_usual_report_offered(dana: App) -> None:
    dana.open("reports", report="gossip", facility="F9", days="2026")
    for said in (
        "Report: there is no “gossip”",
        "Facility: there is no “F9”",
        "Days: “2026” is not a span of days",
        "Backlog review",
    ):
        assert said in dana.says


def test_one_report_at_a_time_and_a_failure_is_shown(
    dana: App, omar: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def run_command(job: Job[None], *_: object) -> None:
        job.tell(0.4, "Backlog review: Where do we stand?")
        go_on.wait(300)
        raise UserError(f"{PLACE} stopped with KeyError")

    monkeypatch.setattr(Job, "run_command", run_command)
    omar.open("reports")
    dana.open("reports").click("Make the report")
    assert dana.test.get("progress")
    omar.click("Make the report")
    assert (
        "A report that Dana Whitfield asked for is being made. Ask for yours when it is done."
        in omar.says
    )
    go_on.set()
    until = time.monotonic() + 300
    while dana.test.get("progress") and time.monotonic() < until:
        time.sleep(0.2)
        dana.run()
    assert f"The report was not made. {PLACE} stopped with KeyError" in dana.says
