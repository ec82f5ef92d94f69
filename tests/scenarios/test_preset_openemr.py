"""The openemr preset: its tables, and recurring appointments written out to the horizon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.extracts import folder as folder_module
from pipelines.extracts import read
from pipelines.sources import importing, mapping
from pipelines.warehouse import snapshots
from tests.bhsim import by_key
from tests.sources_openemr import NEVER, event, spec, tables, write

AT = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
HORIZON = dt.date(2027, 1, 31)  # 90 days later


def take(folder: Path, made: dict) -> Path:
    """The extracts of an export."""
    raw, out = write(folder / "in", made), folder / "out"
    done = importing.import_delivery(importing.Request(mapping.load("openemr"), raw, out, AT))
    assert dict(done.held) == {}
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return take(tmp_path_factory.mktemp("openemr"), tables())


def told(out: Path, table: str, key: str, *columns: str) -> dict[str, tuple[str, ...]]:
    rows = by_key(out, table, key)
    return {name: tuple(row[column] for column in columns) for name, row in rows.items()}


def test_no_row_is_refused(out) -> None:
    with snapshots.connect() as con:
        found = list(read.read(con, folder_module.find(out), {}, out))
    assert {one.table: one.rows_refused for one in found if one.rows_refused} == {}
    assert {one.table: one.rows_read for one in found}["appointments"] == 5


def test_a_patient_is_active_until_deceased_with_one_case(out) -> None:
    assert told(out, "patients", "patient_id", "status", "facility_id", "last_name") == {
        "1": ("Active", "3", "Roe1"),
        "2": ("Active", "4", "Roe2"),
        "3": ("Inactive", "3", "Roe3"),
    }
    cases = told(out, "cases", "case_id", "patient_id", "discharged_on")
    assert cases == {key: (key, "") for key in "123"}


def test_people_and_payers(out) -> None:
    assert told(out, "staff", "staff_id", "name", "role", "facility_id") == {
        "5": ("Kim Low", "Clinical Staff", "3"),
        "6": ("Ray Dee", "Front Desk", ""),
    }
    assert told(out, "payers", "payer_id", "kind") == {"11": ("Medicare",), "12": ("Commercial",)}
    assert told(out, "policies", "policy_id", "patient_id", "payer_id", "rank") == {
        "21": ("1", "11", "primary"),
        "22": ("1", "12", "secondary"),
    }


def test_visits_have_the_status_of_the_calendar_or_of_the_encounter(out) -> None:
    columns = ("case_id", "staff_id", "starts_at", "status", "amount_due")
    assert told(out, "appointments", "appointment_id", *columns) == {
        "101": ("1", "5", "2026-10-30T09:00:00", "Completed", "25.00"),
        "102": ("2", "5", "2026-10-30T09:00:00", "Completed", "80.00"),
        "103": ("1", "5", "2026-11-03T09:00:00", "Cancelled", "25.00"),
        "104": ("1", "5", "2026-10-28T09:00:00", "No Show", "25.00"),
        "encounter-503": ("1", "5", "2026-10-29 15:00:00", "Completed", ""),
    }


def test_money_of_patients_and_of_payers_is_told_apart(out) -> None:
    columns = ("case_id", "date_of_service", "kind", "amount")
    assert told(out, "payments", "payment_id", *columns) == {
        "1-501-3": ("1", "2026-10-30", "payment", "10.00"),
        "1-501-4": ("1", "2026-10-30", "refund", "2.00"),
    }
    columns = ("policy_id", "status", "patient_responsibility", "processed_at")
    assert told(out, "claims", "claim_id", *columns) == {
        "1-501": ("21", "processed", "15.00", "2026-11-01 10:00:00"),
        "1-503": ("21", "billed", "", ""),  # the secondary payer has not answered
    }


WORDS = {
    "-": "Scheduled",
    "*": "Scheduled",
    "+": "Scheduled",
    "^": "Scheduled",
    "SMS": "Confirmed",
    "x": "Cancelled",
    "%": "Cancelled",
    "?": "No Show",
    "@": "Arrived",
    "~": "Arrived",
    "<": "In Progress",
    ">": "Completed",
    "odd": "odd",
}


def test_each_sign_of_the_calendar(tmp_path) -> None:
    made = tables()
    made["openemr_postcalendar_events"] = [
        event(number, 1, "2026-11-02", pc_apptstatus=word) for number, word in enumerate(WORDS)
    ]
    found = told(take(tmp_path, made), "appointments", "appointment_id", "status")
    assert {word: found[str(number)][0] for number, word in enumerate(WORDS)} == WORDS


def days(first: str, last: dt.date) -> Iterator[dt.date]:
    day = dt.date.fromisoformat(first)
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def every(step: int) -> Iterator[int]:
    return iter(range(0, 400, step))


def is_nth(day: dt.date, weekday: int, nth: int) -> bool:
    """Whether a day is the nth such weekday (Monday 0) of its month; 5 is the last."""
    if day.weekday() != weekday:
        return False
    is_last = (day + dt.timedelta(days=7)).month != day.month
    return is_last if nth == 5 else (day.day - 1) // 7 + 1 == nth


FIRST = "2026-10-05"  # a Monday
SERIES = {
    "each-second-day": (
        1,
        {"event_repeat_freq": 2, "event_repeat_freq_type": 0},
        lambda day, after: after % 2 == 0,
    ),
    "each-week": (
        1,
        {"event_repeat_freq": 1, "event_repeat_freq_type": 1},
        lambda day, after: day.weekday() == 0,
    ),
    "each-third-week": (
        1,
        {"event_repeat_freq": 3, "event_repeat_freq_type": 1},
        lambda day, after: after % 21 == 0,
    ),
    "each-month": (
        1,
        {"event_repeat_freq": 1, "event_repeat_freq_type": 2},
        lambda day, after: day.day == 5,
    ),
    "each-second-month": (
        1,
        {"event_repeat_freq": 2, "event_repeat_freq_type": 2},
        lambda day, after: day.day == 5 and day.month % 2 == 0,
    ),
    "each-year": (
        1,
        {"event_repeat_freq": 1, "event_repeat_freq_type": 3},
        lambda day, after: after == 0,
    ),
    "each-workday": (
        1,
        {"event_repeat_freq": 1, "event_repeat_freq_type": 4},
        lambda day, after: day.weekday() < 5,
    ),
    "second-tuesday": (
        2,
        {"event_repeat_on_num": 2, "event_repeat_on_day": 2, "event_repeat_on_freq": 1},
        lambda day, after: is_nth(day, 1, 2),
    ),
    "last-sunday": (
        2,
        {"event_repeat_on_num": 5, "event_repeat_on_day": 0, "event_repeat_on_freq": 1},
        lambda day, after: is_nth(day, 6, 5),
    ),
    "mondays-and-thursdays": (
        3,
        {"event_repeat_freq": "2,5", "event_repeat_freq_type": 6},
        lambda day, after: day.weekday() in (0, 3),
    ),
    "without-two-days": (
        1,
        {
            "event_repeat_freq": 1,
            "event_repeat_freq_type": 1,
            "exdate": "20261012,20261109",
        },
        lambda day, after: (
            day.weekday() == 0 and day.isoformat() not in ("2026-10-12", "2026-11-09")
        ),
    ),
}


@pytest.mark.parametrize("ends", [NEVER, "2026-11-20"])
def test_a_recurring_appointment_is_one_on_each_of_its_days(tmp_path, ends) -> None:
    made = tables()
    made["form_encounter"] = []
    made["openemr_postcalendar_events"] = [
        event(
            number,
            1,
            FIRST,
            pc_recurrtype=kind,
            pc_endDate=ends,
            pc_recurrspec=spec(**told_),
        )
        for number, (kind, told_, _) in enumerate(SERIES.values(), 1)
    ]
    made["form_encounter"] = tables()["form_encounter"][1:2]
    out = take(tmp_path, made)
    found: dict[str, list[str]] = {}
    for key, row in by_key(out, "appointments", "appointment_id").items():
        series, _, day = key.partition("-")
        if series != "encounter":
            assert row["starts_at"] == f"{day[:4]}-{day[4:6]}-{day[6:]}T09:00:00"
            found.setdefault(series, []).append(row["starts_at"][:10])
    last = HORIZON if ends == NEVER else dt.date.fromisoformat(ends)
    for number, (name, (_, _, holds)) in enumerate(SERIES.items(), 1):
        expected = [
            day.isoformat() for after, day in enumerate(days(FIRST, last)) if holds(day, after)
        ]
        assert sorted(found[str(number)]) == expected, name


def test_the_manifest_says_how_far_ahead_series_are_written_out(out) -> None:
    manifest = by_key(out, "manifest", "table")
    assert manifest["appointments"]["horizon_on"] == HORIZON.isoformat()
