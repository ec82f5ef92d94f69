"""Runs: what each run read, and Refresh."""

from __future__ import annotations

from tests.app.conftest import App
from tests.conftest import Workbench
from tests.practice import Practice


def test_runs_name_every_table_with_what_was_read_staged_and_refused(
    dana: App, facility: Workbench, practice: Practice
) -> None:
    practice.add(
        "payments",
        "BAD",
        patient_id="A",
        case_id="C-A",
        kind="gift",
        amount="1.00",
        paid_at="2026-11-01T12:00:00",
    )
    facility.run(practice, 1.0)
    dana.open("runs")
    runs, _, tables, refused = (frame.value for frame in dana.test.dataframe)
    assert list(runs["run_no"]) == [2, 1]
    row = tables.set_index("table_name").loc["payments"]
    assert (row["rows_read"], row["rows_staged"], row["rows_refused"]) == (1, 0, 1)
    assert "gift" not in refused.to_string(), "values are in the download only"
    assert ("The list it published", "at=2026-11-02T11%3A00%3A00Z") in dana.links


def test_refresh_says_what_to_set_when_it_knows_no_extracts(dana: App) -> None:
    dana.open("runs").click("Refresh now")
    assert "Name the folder of the practice's extracts in WORKBENCH_EXTRACTS" in dana.says
