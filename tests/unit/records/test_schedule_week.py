"""The schedule of one week at one facility, Sunday 15 to Saturday 21 November 2026."""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd
import pytest

from pipelines.records import patients
from tests.practice import Practice

SUNDAY = dt.date(2026, 11, 15)


@pytest.fixture(scope="module")
def week(read) -> duckdb.DuckDBPyConnection:
    """Each patient's name says what is special about the case."""
    practice = Practice().add(
        "facilities", "F2", name="West Clinic", time_zone="America/Los_Angeles"
    )
    targets = {
        "days": "4",
        "mixed": "4",
        "full": "2",
        "none": "2",
        "no-target": "",
        "zero": "0",
        "inactive": "3",
    }
    for name, target in targets.items():
        practice.patient(name, first_name="Pat", last_name=name).add(
            "cases", f"C-{name}", visits_per_week_target=target, therapist_id="S2"
        )
    practice.add("patients", "inactive", status="Inactive")
    for key, day in (
        ("sat-before", "14T23:30"),
        ("sun", "15T00:00"),
        ("sat", "21T23:30"),
        ("sun-after", "22T00:00"),
    ):
        practice.visit(key, "days", f"2026-11-{day}:00", status="Scheduled")
    for number, status in enumerate(("Completed", "Cancelled", "No Show", "Scheduled", "Arrived")):
        practice.visit(
            f"m{number}",
            "mixed",
            f"2026-11-{16 + number}T09:00:00",
            status=status,
            reminder_status="Confirmed" if number else "Sent",
        )
    practice.visit("f1", "full", "2026-11-16T09:00:00").visit(
        "f2", "full", "2026-11-18T09:00:00", status="Scheduled"
    )
    practice.visit("n1", "no-target", "2026-11-17T09:00:00").visit(
        "z1", "zero", "2026-11-17T09:00:00", status="Cancelled"
    )
    practice.visit("i1", "inactive", "2026-11-17T09:00:00")
    bounds = {
        "shut-sat": ("2026-01-05", "2026-11-14"),
        "shut-sun": ("2026-01-05", "2026-11-15"),
        "shut-wed": ("2026-01-05", "2026-11-18"),
    }
    bounds |= {
        "open-wed": ("2026-11-18", ""),
        "open-sat": ("2026-11-21", ""),
        "open-sun": ("2026-11-22", ""),
    }
    for name, (opened_on, discharged_on) in bounds.items():
        practice.patient(name, first_name="Pat", last_name=name).add(
            "cases", f"C-{name}", opened_on=opened_on, discharged_on=discharged_on
        )
    practice.add("cases", "C-second", patient_id="full", visits_per_week_target="1")
    practice.add(
        "appointments",
        "s1",
        patient_id="full",
        case_id="C-second",
        starts_at="2026-11-19T09:00:00",
        status="No Show",
    )
    practice.patient("west", facility_id="F2").add(
        "cases", "C-west", facility_id="F2", visits_per_week_target="1"
    )
    practice.visit(
        "w1", "west", "2026-11-22T07:30:00Z", facility_id="F2"
    )  # Saturday, half past eleven in the evening, there
    practice.visit("w2", "west", "2026-11-15T07:30:00Z", facility_id="F2")  # the Saturday before
    return read(practice)


@pytest.fixture(scope="module")
def rows(week: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return patients.schedule_week(week, "F1", SUNDAY).set_index("case_id")


def test_a_week_begins_on_sunday_and_ends_on_saturday(
    week: duckdb.DuckDBPyConnection, rows: pd.DataFrame
) -> None:
    assert rows.loc["C-days", "scheduled"] == 2
    before = patients.schedule_week(week, "F1", SUNDAY - dt.timedelta(days=7)).set_index("case_id")
    after = patients.schedule_week(week, "F1", SUNDAY + dt.timedelta(days=7)).set_index("case_id")
    assert (before.loc["C-days", "scheduled"], after.loc["C-days", "scheduled"]) == (1, 1)


def test_days_are_those_of_the_facility(week: duckdb.DuckDBPyConnection) -> None:
    west = patients.schedule_week(week, "F2", SUNDAY)
    assert list(west[["case_id", "scheduled"]].itertuples(index=False, name=None)) == [
        ("C-west", 1)
    ]


def test_counts_are_of_the_status_and_shares_of_the_target_and_of_the_scheduled(
    rows: pd.DataFrame,
) -> None:
    mixed = rows.loc["C-mixed"]
    assert tuple(mixed[["target", "scheduled", "completed", "cancelled", "no_show"]]) == (
        4,
        5,
        1,
        1,
        1,
    )
    assert tuple(
        mixed[["scheduled_share", "completed_share", "cancelled_share", "no_show_share"]]
    ) == (1.25, 0.2, 0.2, 0.2)
    assert (mixed["patient"], mixed["therapist"], mixed["reminders"]) == (
        "mixed, Pat",
        "Omar Reyes",
        "Confirmed, Sent",
    )
    assert [
        rows[name].dtype.kind for name in ("scheduled", "completed", "cancelled", "no_show")
    ] == ["i"] * 4


def test_nothing_has_no_share(rows: pd.DataFrame) -> None:
    shares = ["scheduled_share", "completed_share", "cancelled_share", "no_show_share"]
    missing = {
        case: [name for name in shares if pd.isna(rows.loc[case, name])]
        for case in ("C-none", "C-no-target", "C-zero")
    }
    assert missing == {"C-none": shares[1:], "C-no-target": shares[:1], "C-zero": shares[:1]}
    assert rows.loc["C-none", "scheduled_share"] == 0
    assert pd.isna(rows.loc["C-no-target", "target"])
    assert rows.loc["C-zero", "target"] == 0


def test_who_has_no_target_is_not_under_scheduled(rows: pd.DataFrame) -> None:
    assert set(rows.index[rows["is_under_scheduled"].astype(bool)]) == {"C-days", "C-none"}


def test_the_most_under_scheduled_come_first(rows: pd.DataFrame) -> None:
    assert list(rows.index[:2]) == ["C-days", "C-none"]
    assert list(rows["is_under_scheduled"]) == sorted(rows["is_under_scheduled"], reverse=True)


@pytest.mark.parametrize(
    ("case", "is_listed"),
    [
        ("C-shut-sat", False),
        ("C-shut-sun", True),
        ("C-shut-wed", True),
        ("C-open-wed", True),
        ("C-open-sat", True),
        ("C-open-sun", False),
    ],
)
def test_a_case_open_on_any_day_of_the_week_is_listed(
    rows: pd.DataFrame, case: str, is_listed: bool
) -> None:
    assert (case in rows.index) == is_listed


def test_an_inactive_patient_is_left_out(rows: pd.DataFrame) -> None:
    assert "C-inactive" not in rows.index


def test_each_case_of_a_patient_has_its_own_row(rows: pd.DataFrame) -> None:
    two = rows[rows["patient_id"] == "full"][["target", "scheduled", "no_show"]]
    assert {case: tuple(row) for case, row in two.iterrows()} == {
        "C-full": (2, 2, 0),
        "C-second": (1, 1, 1),
    }


def test_a_week_before_anything_is_empty_with_all_its_columns(
    week: duckdb.DuckDBPyConnection, rows: pd.DataFrame
) -> None:
    empty = patients.schedule_week(week, "F1", dt.date(2025, 1, 5))
    assert empty.empty
    assert list(empty.columns) == ["case_id", *rows.columns]
