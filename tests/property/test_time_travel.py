"""Past lists, from events and the ledger, equal what each past run published."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines import settings
from pipelines.analytics import flow
from pipelines.analytics import period as analytics_period
from pipelines.demo import build
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run
from pipelines.warehouse import snapshots
from pipelines.worklist.filters import Filters
from pipelines.worklist.past import PastWorklists
from pipelines.worklist.worklist import open_worklist
from tests.conftest import Workbench, copy_data
from tests.practice import Practice

# What only the newest extracts know of: names as they are now.
NOT_TOLD = ["last_seq", "is_latest", "manual"]


@pytest.fixture(scope="module")
def practice(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> settings.Settings:
    """The demo two runs further, so that the newest of its kept snapshots has seven before it."""
    data = tmp_path_factory.mktemp("travel") / "data"
    copy_data(demo_data, data)
    found = build.settings_for(settings.load({"WORKBENCH_DATA": str(data)}))
    for hours in (24, 72):
        at = build.START + dt.timedelta(hours=hours)
        run.run(found, build.extend(found, at), at)
    return found


def published(
    practice: settings.Settings, path: Path, as_of: dt.datetime, scratch: Path
) -> pd.DataFrame:
    """The list right after that run, asked of the snapshot it published."""
    then = Path(scratch) / path.stem
    (then / "warehouse").mkdir(parents=True)
    shutil.copy(path, then / "warehouse" / path.name)
    (then / "warehouse" / "CURRENT").write_text(path.name, encoding="utf-8")
    shutil.copy(practice.data / "ledger.sqlite", then / "ledger.sqlite")
    place = settings.load({"WORKBENCH_DATA": str(then)})
    with open_worklist(place, as_of) as worklist:
        return (
            worklist.tasks(Filters(status="all"))
            .drop(columns=NOT_TOLD)
            .sort_values("task_id", ignore_index=True)
        )


def test_the_list_at_every_past_runs_as_of_is_what_that_run_published(
    practice: settings.Settings, tmp_path: Path
) -> None:
    paths = sorted(practice.warehouse.glob("*.duckdb"))
    assert len(paths) == snapshots.KEPT
    for path in paths:
        with duckdb.connect(str(path), read_only=True) as con:
            (as_of,) = con.execute(
                "SELECT as_of FROM runs ORDER BY run_no DESC LIMIT 1"
            ).fetchall()[0]
        as_of = as_of.astimezone(dt.UTC)
        with open_worklist(practice, as_of) as worklist:
            told = (
                worklist.tasks(Filters(status="all"))
                .drop(columns=NOT_TOLD)
                .sort_values("task_id", ignore_index=True)
            )
        wanted = published(practice, path, as_of, tmp_path)
        assert len(wanted) > 500
        pd.testing.assert_frame_equal(told, wanted, check_dtype=False)


def test_what_a_task_said_where_and_whose_it_was_and_who_paid_is_told_as_it_was(
    workbench: Workbench, practice_of_one: Practice
) -> None:
    practice = practice_of_one
    workbench.run(practice, 1)
    practice.payment("P", "A", "2026-10-30", "15.00").add("policies", "POL", patient_id="A").add(
        "documents", "D", case_id="C-A", last_editor_id="S1"
    )
    practice.add("facilities", "F2", name="South Clinic").add("cases", "C-2", patient_id="A")
    practice.add("appointments", "V", case_id="C-2", facility_id="F2")
    practice.add("payments", "P", case_id="C-2")
    workbench.run(practice, 2)
    owes, draft = (
        workbench.one(2, *key) for key in (("uncollected_payments", "V"), ("draft_documents", "D"))
    )
    assert (owes["amount"], owes["payer"], draft["staff"]) == (25.0, "Aetna", "Dana Whitfield")
    assert (owes["facility_id"], owes["case_id"]) == ("F2", "C-2")
    owes, draft = (
        workbench.one(1.5, *key)
        for key in (("uncollected_payments", "V"), ("draft_documents", "D"))
    )
    assert (owes["amount"], owes["payer"], draft["staff"]) == (40.0, "Self-pay", "Omar Reyes")
    assert (owes["facility_id"], owes["case_id"]) == ("F1", "C-A")
    assert owes["reason"].startswith("$40.00 of $40.00 unpaid")
    assert [
        event["event"] for event in workbench.history("A", 2) if event["task_id"] == owes["task_id"]
    ] == ["opened", "updated"]


@pytest.fixture
def practice_of_one() -> Practice:
    """A owes $40 for a visit and has a draft of S2's."""
    practice = Practice()
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.visit("N", "A", "2026-11-10T09:00:00", status="Scheduled")
    return practice.document("D", "A", started_at="2026-10-30T10:00:00", last_editor_id="S2")


def test_a_kept_past_list_says_what_one_made_for_a_single_question_says(
    practice: settings.Settings,
) -> None:
    period = analytics_period.last_weeks(build.START.date(), 3)
    with open_ledger(practice.ledger_url) as ledger:
        kept = PastWorklists(practice, ledger)
        for hours in (-24 * 30, -24 * 8 - 3, -30, 20, 72, 80):
            at = build.START + dt.timedelta(hours=hours)
            with open_worklist(practice, at) as once, kept.at(at) as many:
                for wanted in (
                    Filters(),
                    Filters(status="all"),
                    Filters(status="closed", categories=("Billing",)),
                    Filters(status="overdue"),
                ):
                    pd.testing.assert_frame_equal(many.tasks(wanted), once.tasks(wanted))
                for split in ("type", "staff"):
                    pd.testing.assert_frame_equal(
                        flow.flow(many, Filters(), period, split).steps,
                        flow.flow(once, Filters(), period, split).steps,
                    )
                patient = once.tasks(Filters(status="all"))["patient_id"].iloc[0]
                pd.testing.assert_frame_equal(many.history(patient), once.history(patient))
                assert many.summary(Filters(status="all")) == once.summary(Filters(status="all"))


def test_the_moments_looked_back_at_are_made_once(practice: settings.Settings) -> None:
    with open_ledger(practice.ledger_url) as ledger:
        kept = PastWorklists(practice, ledger)
        moments = [build.START - dt.timedelta(days=days) for days in (3, 5, 7, 9)]
        makings = [kept.at(at).state for at in (moments[0], moments[0], *moments)]
        assert makings[0] == makings[1] == makings[2]
        assert len(set(makings)) == len(moments)
