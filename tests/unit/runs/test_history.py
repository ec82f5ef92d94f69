"""The history of runs: what each read, asked, withheld and refused, and the list's age."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pandas as pd
import pytest

from pipelines.runs import history
from tests.conftest import Workbench
from tests.practice import Practice

NO_FAXES = "faxes: no file of this table in the folder"


@pytest.fixture
def two_runs(
    workbench: Workbench, practice: Practice, published
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Day 1 opens a task; day 2 clears it, refuses two patients and a visit, and has no faxes."""
    practice.patient("A").visit("V", "A", "2026-10-30T09:00:00", amount_due="40.00").visit(
        "N", "A", "2026-11-10T09:00:00", status="Scheduled"
    )

    def work() -> None:
        workbench.run(practice, 1)
        practice.payment("P", "A", "2026-10-30", "40.00").add("patients", "X", status="Asleep").add(
            "patients", "Y", status="Gone"
        )
        practice.patient("B", status="Inactive").visit("BAD", "B", "yesterday")
        workbench.run(practice, 2, without=("faxes",))

    workbench.once(work)
    con = published(workbench.data)
    yield con
    con.close()


def column(frame: pd.DataFrame, name: str, key: str) -> dict[str, object]:
    return dict(zip(frame[key], frame[name], strict=True))


def test_runs_are_counted_newest_first(two_runs):
    listed = history.runs(two_runs)
    assert listed["run_no"].tolist() == [2, 1]
    assert listed["run_id"].tolist() == ["000002-20261103T110000Z", "000001-20261102T110000Z"]
    assert listed["as_of"][0] == pd.Timestamp("2026-11-03 11:00", tz="UTC")
    counts = ["rows_refused", "tables_not_accepted", "opened", "closed"]
    assert listed[counts].to_numpy().tolist() == [[3, 1, 0, 1], [0, 0, 1, 0]]
    assert (listed["rows_read"] == listed["rows_staged"] + listed["rows_refused"]).all()
    assert listed["withheld"].tolist() == [len(history.withheld(two_runs)), 0]
    assert history.runs(two_runs, limit=1)["run_no"].tolist() == [2]


def test_a_run_names_its_tables_the_troubled_ones_first(two_runs):
    listed = history.run_tables(two_runs, 2)
    assert len(listed) == 16
    assert [
        (row.table_name, row.status, row.rows_refused) for row in listed.head(3).itertuples()
    ] == [
        ("faxes", "missing", 0),
        ("appointments", "accepted", 1),
        ("patients", "accepted", 2),
    ]
    assert listed["reason"][0] == NO_FAXES
    assert (listed["files"][2], listed["extracted_at"][2]) == (
        "patients.csv",
        pd.Timestamp("2026-11-03 11:00", tz="UTC"),
    )


def test_a_run_names_its_rules_the_withheld_ones_first(two_runs):
    listed = history.run_rules(two_runs, 2)
    stopped = listed[listed["is_withheld"]]
    assert len(listed) == 17
    assert (
        stopped["title"].tolist()
        == ["Failed Fax", "Faxing Required", "Pending Signature"]
        == listed["title"].head(3).tolist()
    )
    assert set(stopped["reason"]) == {NO_FAXES}
    assert column(listed, "cleared", "rule_id")["uncollected_payments"] == 1
    assert column(history.run_rules(two_runs, 1), "opened", "rule_id")["uncollected_payments"] == 1
    assert not history.run_rules(two_runs, 1)["is_withheld"].any()


def test_the_newest_run_says_what_it_withheld(two_runs):
    listed = history.withheld(two_runs)
    assert list(listed.columns) == ["rule_id", "title", "category", "reason"]
    assert listed["rule_id"].tolist() == ["failed_fax", "faxing_required", "pending_signature"]
    assert set(listed["category"]) == {"Clinical"}


def test_freshness_says_how_old_the_list_is_and_what_it_lacks(two_runs):
    fresh = history.freshness(two_runs)
    assert (fresh.run_no, fresh.run_id) == (2, "000002-20261103T110000Z")
    assert fresh.as_of == fresh.oldest_extracted_at == Workbench.day(2)
    assert fresh.tables_undated == 0
    assert fresh.not_accepted[["table_name", "status"]].to_numpy().tolist() == [
        ["faxes", "missing"]
    ]
    assert fresh.not_accepted["kept_from"].tolist() == [pd.Timestamp("2026-11-02 11:00", tz="UTC")]


def test_extracts_without_a_manifest_have_no_age(workbench, practice, published):
    workbench.run(practice.patient("A"), 1, manifest=False, without=("surveys",))
    with published(workbench.data) as con:
        fresh = history.freshness(con)
    assert (fresh.oldest_extracted_at, fresh.tables_undated) == (None, 15)
    assert fresh.not_accepted["kept_from"].isna().tolist() == [True], "no run ever accepted surveys"


def test_refusals_are_counted_without_values(two_runs):
    listed = history.refusals(two_runs, 2)
    assert listed.to_numpy().tolist() == [
        ["patients", "status", "value_set", 2],
        ["appointments", "starts_at", "moment", 1],
    ]
    assert "Asleep" not in listed.to_string()


@pytest.mark.parametrize("name", ["run_tables", "run_rules", "refusals"])
def test_an_unknown_run_has_nothing_in_all_columns(two_runs, name):
    nothing = getattr(history, name)(two_runs, 99)
    assert nothing.empty
    assert list(nothing.columns) == list(getattr(history, name)(two_runs, 2).columns)
