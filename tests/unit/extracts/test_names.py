"""What the names of a delivery say."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.errors import UserError
from pipelines.extracts import names

DAY = dt.date(2026, 11, 2)


@pytest.mark.parametrize(
    ("name", "day", "rest"),
    [
        ("2026-11-02", DAY, ""),
        ("20261102_1200", DAY, "_1200"),
        ("2026_11_02-evening", DAY, "-evening"),
        ("11022026", DAY, ""),
        ("11-02-2026", DAY, ""),
        ("11-2-2026 late", DAY, " late"),
        ("12312026", dt.date(2026, 12, 31), ""),
        ("01022027", dt.date(2027, 1, 2), ""),
        ("20261102.zip", DAY, ".zip"),
    ],
)
def test_a_name_that_starts_with_a_day(name: str, day: dt.date, rest: str) -> None:
    assert names.dated(name) == (day, rest)


@pytest.mark.parametrize("name", ["other", "2026", "v2026-11-02", "123", "november", "1102"])
def test_a_name_without_a_day(name: str) -> None:
    assert names.dated(name) is None


@pytest.mark.parametrize(
    "name", ["31122026", "02302026", "20261345", "2026-02-30", "12345678", "31-12-2026"]
)
def test_a_name_that_looks_like_a_day_and_is_none_says_how_to_name_it(name: str) -> None:
    with pytest.raises(UserError, match=f"{name}: starts like a day, .* name it like 2026-11-03"):
        names.dated(name)


@pytest.mark.parametrize(
    "name",
    [
        "claim_holds_20261102.csv",
        "2026-11-02_claim_holds.csv",
        "Claim Holds 11-02-2026.csv",
        "CLAIM-HOLDS-11022026.TSV",
        "ClaimHolds.20261102.csv.gz",
        "claim_holds_20261102_0600.txt",
        "claim_holds_2026-11-02T06-00-00.parquet",
        "20261102_0600_claim_holds.csv",
        "claim_holds20261102.csv",
        "2026_11_02 claim holds",
    ],
)
def test_a_day_beside_the_name_of_a_table(name: str) -> None:
    assert names.table_of(name) == ("claim_holds", DAY)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("appointments", "appointments"),
        ("Appointments.csv", "appointments"),
        (" Plans of care ", None),
        ("Engagement Actions.txt", "engagement_actions"),
        ("MANIFEST.csv", "manifest"),
        ("appointments_old.csv", None),
        ("appointments_2026.csv", None),
        ("my_appointments_20261102.csv", None),
        ("2026-11-02", None),
        ("appointments.docx", None),
        ("", None),
    ],
)
def test_the_table_of_a_name_without_a_day(name: str, table: str | None) -> None:
    assert names.table_of(name) == (None if table is None else (table, None))


def test_a_day_of_no_calendar_beside_a_table_is_none() -> None:
    assert names.table_of("cases_31122026.csv") == ("cases", None)
