"""The bhsim export, and what its raw files imply, counted in Python."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPORT = ROOT / "tests" / "fixtures" / "bhsim"
EXPORTED = datetime(2026, 10, 10, 12, tzinfo=UTC)  # on the day the export was made
MOMENTS = [
    EXPORTED,
    datetime(2026, 8, 17, 13, 20, tzinfo=UTC),  # three discharges that day, visits under way
    datetime(2026, 5, 1, tzinfo=UTC),  # many enrollments not begun
    datetime(2026, 1, 1, tzinfo=UTC),  # before everything
]
GIVEN = [
    "appointments",
    "cases",
    "documents",
    "engagement_actions",
    "facilities",
    "manifest",
    "patients",
    "staff",
    "surveys",
]

Row = dict[str, str]


def rows_of(folder: Path, name: str) -> list[Row]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rewrite(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows as a CSV file."""
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def by_key(folder: Path, name: str, key: str) -> dict[str, Row]:
    return {row[key]: row for row in rows_of(folder, name)}


def raw(name: str) -> list[Row]:
    return rows_of(EXPORT, name)


def iso(moment: datetime) -> str:
    """A time as the export writes it; these texts sort as times do."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def day_after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def begun(moment: datetime) -> list[Row]:
    return [row for row in raw("individual_programs") if row["start_date"] <= iso(moment)[:10]]


def open_enrollments(moment: datetime) -> list[Row]:
    return [
        row for row in begun(moment) if not row["end_date"] or row["end_date"] > iso(moment)[:10]
    ]


def active_people(moment: datetime) -> set[str]:
    return {row["individual_id"] for row in open_enrollments(moment)}


@cache
def enrollments() -> dict[tuple[str, str], list[Row]]:
    """By person and programme."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in raw("individual_programs"):
        found.setdefault((row["individual_id"], row["program_id"]), []).append(row)
    return found


def episode(record: Row, day: str) -> Row | None:
    """The enrollment that covers the day for a visit's or assessment's person and programme.

    In this export, a day has at most one.
    """
    rows = enrollments().get((record["individual_id"], record["program_id"]), [])
    covering = [
        row
        for row in rows
        if row["start_date"] <= day and (not row["end_date"] or day <= row["end_date"])
    ]
    assert len(covering) <= 1
    return covering[0] if covering else None


def expected_unscheduled(moment: datetime) -> set[str]:
    """Active people without a valid visit in the next 30 days, in an enrollment begun by then."""
    last_day, has_visit = day_after(iso(moment)[:10], 30), set()
    for visit in raw("visits"):
        is_ahead = (
            iso(moment) < visit["scheduled_start"] and visit["scheduled_start"][:10] <= last_day
        )
        is_under_way = (
            visit["actual_start"] != ""
            and visit["actual_start"] <= iso(moment) < visit["actual_end"]
        )
        is_called_off = visit["visit_status"] in ("CANCELED", "RESCHEDULED") and moment >= EXPORTED
        enrollment = episode(visit, visit["scheduled_start"][:10])
        is_begun = enrollment is None or enrollment["start_date"] <= iso(moment)[:10]
        if (is_ahead or is_under_way) and not is_called_off and is_begun:
            has_visit.add(visit["individual_id"])
    return active_people(moment) - has_visit


def expected_drafts(moment: datetime) -> set[str]:
    """Visits over by the moment and documented later, or never."""
    return {
        visit["visit_id"]
        for visit in raw("visits")
        if visit["visit_status"] == "COMPLETED"
        and visit["actual_end"] <= iso(moment)
        and not (visit["documented_at"] and visit["documented_at"] <= iso(moment))
    }


def expected_discharged_30_days(moment: datetime) -> set[str]:
    return {
        row["enrollment_id"]
        for row in begun(moment)
        if row["end_date"] and day_after(row["end_date"], 30) <= iso(moment)[:10]
    }


def expected_surveys(moment: datetime) -> Counter[str]:
    """Complete assessments by enrollment."""
    return Counter(
        episode(row, row["assessed_at"][:10])["enrollment_id"]
        for row in raw("assessments")
        if row["status"] == "COMPLETE" and row["assessed_at"] <= iso(moment)
    )


def expected_second_surveys(moment: datetime) -> set[str]:
    """Open enrollments with a first survey and no second."""
    counts = expected_surveys(moment)
    return {
        row["enrollment_id"]
        for row in open_enrollments(moment)
        if counts[row["enrollment_id"]] == 1
    }
