"""How an export writes days is found from all of its values, or asked for."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from pipelines.sources import dates
from pipelines.sources.dates import DAY_FIRST, MONTH_FIRST
from pipelines.warehouse import snapshots


def read(
    columns: dict[str, Sequence[str]],
    stated: str | None = None,
    earlier: dict[tuple[str, str], str] | None = None,
    form: str = "day",
) -> dict[str, tuple[dates.Reading, list[str]]]:
    """How each column is read, and its values as ISO."""
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA source")
        names = ", ".join(f"{name} VARCHAR" for name in columns)
        con.execute(f"CREATE TABLE source.t (n INTEGER, {names})")
        longest = max(map(len, columns.values()))
        for number in range(longest):
            row = [values[number] if number < len(values) else None for values in columns.values()]
            con.execute(
                f"INSERT INTO source.t VALUES ({', '.join('?' * (len(row) + 1))})", [number, *row]
            )
        found = dates.readings(con, {"t": list(columns)}, stated, earlier or {})
        return {
            name: (found["t", name], _values(con, name, found["t", name], form)[: len(values)])
            for name, values in columns.items()
        }


def _values(
    con: duckdb.DuckDBPyConnection, name: str, reading: dates.Reading, form: str
) -> list[str]:
    x = f"TRIM(s.{name})"
    sql = (
        dates.moment_sql(x, reading)
        if form == "moment"
        else dates.day_sql(x, reading, may_be_future=form != "birth_day")
    )
    given = {"as_of": "2026-11-02"} if "$as_of" in sql else None
    return [
        row[0]
        for row in con.execute(f"SELECT {sql} FROM source.t AS s ORDER BY s.n", given).fetchall()
    ]


SHAPES = {
    "values say month first": ("day", ["3/4/2026", "12/31/2026"], ["2026-03-04", "2026-12-31"]),
    "values say day first": ("day", ["3/4/2026", "31/12/2026"], ["2026-04-03", "2026-12-31"]),
    "ISO": ("day", ["2026-11-02"], ["2026-11-02"]),
    "ISO with a time in a column of days": ("day", ["2026-11-02T10:00:00", "2026-11-02 10:00"],
                                            ["2026-11-02", "2026-11-02"]),
    "eight digits": ("day", ["20261102"], ["2026-11-02"]),
    "fourteen digits": ("moment", ["20261102103000"], ["2026-11-02T10:30:00"]),
    "AM and PM": ("moment", ["11/13/2026 12:05:00 AM", "11/13/2026 1:05 pm"],
                  ["2026-11-13T00:05:00", "2026-11-13T13:05:00"]),
    "fractions": ("moment", ["11/13/2026 10:00:00.0000000"], ["2026-11-13T10:00:00"]),
    "names of months": ("day", ["Nov 2, 2026", "November 2, 2026", "2-NOV-2026", "02 Nov 26"],
                        ["2026-11-02"] * 4),
    "two digits of a year": ("day", ["12/31/26", "1/2/27"], ["2026-12-31", "2027-01-02"]),
    "births in the century before": ("birth_day", ["12/31/65", "1/2/05", "3/4/1931"],
                                     ["1965-12-31", "2005-01-02", "1931-03-04"]),
    "mixed shapes": (
        "day",
        ["12/31/2026", "2026/11/02", "20261103", "2026-11-04", "11.13.2026"],
        ["2026-12-31", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-13"],
    ),
    "what fits nothing stays": ("day", ["12/31/2026", "soon", "2/30/2026", "31/31/2026"],
                                ["2026-12-31", "soon", "2/30/2026", "31/31/2026"]),
}  # fmt: skip


@pytest.mark.parametrize(("form", "written", "wanted"), SHAPES.values(), ids=SHAPES)
def test_days_are_read_as_all_values_of_the_column_show(form, written, wanted) -> None:
    reading, values = read({"a": written}, form=form)["a"]
    assert not reading.is_open
    assert values == wanted


def test_a_few_odd_values_do_not_decide() -> None:
    written = [f"{month}/20/2026" for month in range(1, 13)] * 4 + ["20/3/2026"]
    reading, values = read({"a": written})["a"]
    assert reading.order == MONTH_FIRST
    assert values[-1] == "20/3/2026"
    assert values[0] == "2026-01-20"


def test_a_column_of_both_orders_is_open() -> None:
    reading, values = read({"a": ["12/31/2026", "31/12/2026"]}, MONTH_FIRST)["a"]
    assert (reading.is_open, reading.is_mixed) == (True, True)
    assert "both as month/day and as day/month" in reading.says
    assert values == ["12/31/2026", "31/12/2026"]


OPEN = ["3/4/2026"]
DECIDED = {
    "nothing": ({"a": OPEN}, None, {}, None),
    "another column": ({"a": OPEN, "b": ["12/31/2026"]}, None, {}, "2026-03-04"),
    "two that disagree": ({"a": OPEN, "b": ["12/31/2026"], "c": ["31/12/2026"]}, None, {}, None),
    "an earlier delivery": ({"a": OPEN}, None, {("t", "a"): DAY_FIRST}, "2026-04-03"),
    "another's earlier delivery": ({"a": OPEN}, None, {("u", "z"): DAY_FIRST}, "2026-04-03"),
    "the mapping": ({"a": OPEN}, DAY_FIRST, {("t", "a"): MONTH_FIRST}, "2026-04-03"),
}


@pytest.mark.parametrize(("columns", "stated", "earlier", "wanted"), DECIDED.values(), ids=DECIDED)
def test_what_decides_where_both_orders_fit(columns, stated, earlier, wanted) -> None:
    reading, values = read(columns, stated, earlier)["a"]
    assert reading.is_open == (wanted is None)
    assert values == [wanted or "3/4/2026"]
    if wanted is None:
        assert 'dates = "M/D/YYYY" or "D/M/YYYY"' in reading.says


def test_a_column_s_own_values_count_more_than_the_mapping() -> None:
    _, values = read({"a": ["31/12/2026", "3/4/2026"]}, MONTH_FIRST)["a"]
    assert values == ["2026-12-31", "2026-04-03"]


CLOCKS = {
    "9:05": "2026-11-02T09:05:00",
    "1:05 PM": "2026-11-02T13:05:00",
    "1330": "2026-11-02T13:30:00",
    "": "2026-11-02",
    "noon": "2026-11-02 noon",
}


@pytest.mark.parametrize(("clock", "wanted"), CLOCKS.items(), ids=CLOCKS)
def test_a_day_and_a_time_of_day_are_one_time(clock, wanted) -> None:
    sql = dates.joined_sql("'2026-11-02'", dates.Reading(), "NULLIF($clock, '')")
    with snapshots.connect() as con:
        assert con.execute(f"SELECT {sql}", {"clock": clock}).fetchall() == [(wanted,)]
