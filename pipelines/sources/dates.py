"""How an export writes its days and times, found from all values of a column.

3/4/2026 is March or April: other values of the column decide (12/31/2026), else the mapping file,
else what an earlier delivery showed of the column, else the other columns of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.sql_files import identifier, literal

MONTH_FIRST, DAY_FIRST = "M/D/YYYY", "D/M/YYYY"
MOST_ODD = 0.05  # of the values that show an order: more against it, and the column has no order
MOST_SHAPES = 50
# Letters and digits of a value replaced by their kind: S 14 digits, L 8 digits, Y 4 digits,
# 9 fewer, p AM or PM, a other letters.
_KINDS = (  # letters before digits: what stands for digits is a letter
    (r"(?i)([0-9 ])[ap]\.?m\b\.?", r"\1p"),
    (r"[A-Zac-oq-z][A-Za-z]*|[a-z]{2,}", "a"),
    (r"[0-9]{14}", "S"),
    (r"[0-9]{8,}", "L"),
    (r"[0-9]{4,7}", "Y"),
    (r"[0-9]+", "9"),
)
# By shape, how a day is written; {m} and {d} where the order of month and day is open.
_DAYS = {
    "9/9/Y": "{1}/{2}/%Y",
    "9-9-Y": "{1}-{2}-%Y",
    "9.9.Y": "{1}.{2}.%Y",
    "9/9/9": "{1}/{2}/%y",
    "9-9-9": "{1}-{2}-%y",
    "9.9.9": "{1}.{2}.%y",
    "Y/9/9": "%Y/%m/%d",
    "Y.9.9": "%Y.%m.%d",
    "L": "%Y%m%d",
    "S": "%Y%m%d%H%M%S",
    "9-a-Y": "%d-%b-%Y",
    "9-a-9": "%d-%b-%y",
    "9 a Y": "%d %b %Y",
    "9 a 9": "%d %b %y",
    "a 9, Y": "%b %d, %Y",
    "a 9 Y": "%b %d %Y",
}
_TIMES = {
    "": "",
    " 9:9": " %H:%M",
    " 9:9:9": " %H:%M:%S",
    " 9:9:9.9": " %H:%M:%S.%n",
    " 9:9:9.Y": " %H:%M:%S.%n",
    " 9:9 p": " %I:%M %p",
    " 9:9p": " %I:%M%p",
    " 9:9:9 p": " %I:%M:%S %p",
    " 9:9:9p": " %I:%M:%S%p",
    " 9:9:9.9 p": " %I:%M:%S.%n %p",
}
ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ORDERED = re.compile(r"^%([md])[/.-]%([md])")
_TURNED = str.maketrans("md", "dm")
_WORDS = {
    "%Y": "YYYY",
    "%y": "YY",
    "%m": "MM",
    "%d": "DD",
    "%b": "Mon",
    "%H": "hh",
    "%I": "hh",
    "%M": "mm",
    "%S": "ss",
    "%n": "fff",
    "%p": "AM",
}
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%n", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H%M")
DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Reading:
    """How a column's days are written: strptime formats of all shapes that are not ISO.

    `order` is MONTH_FIRST or DAY_FIRST where the values show it. `is_open`: both would fit, or
    (`is_mixed`) each fits a part of the values.
    """

    formats: tuple[str, ...] = ()
    order: str | None = None
    is_open: bool = False
    is_mixed: bool = False

    @property
    def says(self) -> str:
        """What is wrong with an open one, behind the name of its column."""
        if self.is_mixed:
            return "are written both as month/day and as day/month; have them written as one"
        return (
            "may be month/day or day/month; say which in the mapping: "
            f'dates = "{MONTH_FIRST}" or "{DAY_FIRST}"'
        )


@dataclass(frozen=True)
class _Shapes:
    """What one column looks like, and how many values can only be one order or only the other."""

    shapes: tuple[str, ...]
    month_first: int = 0
    day_first: int = 0

    @property
    def has_order(self) -> bool:
        return any("{1}" in _DAYS.get(_split(shape)[0], "") for shape in self.shapes)

    @property
    def order(self) -> str | None:
        """The order that the values show, whatever a few odd ones say; None where none do."""
        fewer, more = sorted((self.month_first, self.day_first))
        if not more or self.is_mixed:
            return None
        return DAY_FIRST if self.day_first > self.month_first else MONTH_FIRST

    @property
    def is_mixed(self) -> bool:
        fewer, more = sorted((self.month_first, self.day_first))
        return fewer > MOST_ODD * (fewer + more)


def readings(
    con: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Sequence[str]],
    stated: str | None,
    earlier: Mapping[tuple[str, str], str],
) -> dict[tuple[str, str], Reading]:
    """How these columns of the tables `source.NAME` write days, by (relation, column).

    A column's own values decide; else `stated`, the order of the mapping file; else what earlier
    deliveries showed of it (`earlier`); else the one order of all other columns.
    """
    looked = {
        (relation, column): shapes
        for relation, names in columns.items()
        for column, shapes in _shapes(con, relation, names)
    }
    shown = {shapes.order for shapes in looked.values() if shapes.order is not None}
    shown |= set(earlier.values())
    usual = shown.pop() if len(shown) == 1 else None
    found: dict[tuple[str, str], Reading] = {}
    for place, shapes in looked.items():
        order = shapes.order or stated or earlier.get(place) or usual
        is_mixed = shapes.is_mixed
        is_open = is_mixed or (order is None and shapes.has_order)
        formats = tuple(_formats(shapes.shapes, None if is_mixed else order))
        found[place] = Reading(formats, shapes.order, is_open, is_mixed)
    return found


def order_of(formats: Sequence[str]) -> str | None:
    """The order of month and day that strptime formats tell; None where they tell none."""
    orders = {
        MONTH_FIRST if first == "m" else DAY_FIRST
        for text in formats
        for first, second in _ORDERED.findall(text)
        if first != second
    }
    return orders.pop() if len(orders) == 1 else None


def turned(text: str) -> str:
    """A strptime format with month and day in the other order."""
    return _ORDERED.sub(lambda found: found[0].translate(_TURNED), text)


def in_words(text: str) -> str:
    """A strptime format as people write it: %m/%d/%Y is MM/DD/YYYY."""
    for sign, word in _WORDS.items():
        text = text.replace(sign, word)
    return text


def day_sql(x: str, reading: Reading, *, may_be_future: bool = True) -> str:
    """SQL: the ISO day of the text `x`; a text that is no day stays as it is.

    A birth date in the future (a year of two digits) is a century earlier.
    """
    parsed = f"TRY_STRPTIME({x}, {_list(reading.formats)})" if reading.formats else ""
    if parsed and not may_be_future:
        parsed = (
            f"CASE WHEN {parsed} > CAST($as_of AS TIMESTAMP) "
            f"THEN {parsed} - INTERVAL 100 YEAR ELSE {parsed} END"
        )
    iso = f"CASE WHEN REGEXP_MATCHES({x}, '^{ISO}[T ]') THEN LEFT({x}, 10) ELSE {x} END"
    return f"COALESCE(STRFTIME({parsed}, '{DAY}'), {iso})" if parsed else iso


def moment_sql(x: str, reading: Reading) -> str:
    """SQL: the ISO time of the text `x`; a text that is none stays as it is."""
    if not reading.formats:
        return x
    return f"COALESCE(STRFTIME(TRY_STRPTIME({x}, {_list(reading.formats)}), '{MOMENT}'), {x})"


def joined_sql(day: str, reading: Reading, time: str) -> str:
    """SQL: the ISO time of a day and a time of day in two texts."""
    clock = f"STRFTIME(TRY_STRPTIME({time}, {_list(_CLOCKS)}), 'T%H:%M:%S')"
    return (
        f"{day_sql(day, reading)} || CASE WHEN {time} IS NULL THEN '' "
        f"ELSE COALESCE({clock}, ' ' || {time}) END"
    )


def _list(formats: Sequence[str]) -> str:
    return f"[{', '.join(literal(text) for text in formats)}]"


def _split(shape: str) -> tuple[str, str]:
    """The day and the time of day of a shape; the day may hold blanks."""
    for day in _DAYS:
        if shape.startswith(day) and shape.removeprefix(day) in _TIMES:
            return day, shape.removeprefix(day)
    return shape, ""


def _formats(shapes: Sequence[str], order: str | None) -> Iterator[str]:
    # Years of two digits first: %Y would read 65 as the year 65.
    for shape in sorted(shapes, key=lambda one: "%y" not in _DAYS.get(_split(one)[0], "")):
        day, time = _split(shape)
        if day not in _DAYS or ("{1}" in _DAYS[day] and order is None):
            continue
        first, second = ("%d", "%m") if order == DAY_FIRST else ("%m", "%d")
        written = _DAYS[day].replace("{1}", first).replace("{2}", second) + _TIMES[time]
        yield written
        if "%b" in written:
            yield written.replace("%b", "%B")  # November


def _shapes(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> Iterator[tuple[str, _Shapes]]:
    """The shapes of each column's values, ISO days left out."""
    for column in columns:
        x = f"TRIM(s.{identifier(column)})"
        # One digit for all leaves few texts to apply patterns to.
        alike = f"TRANSLATE({x}, '123456789', '000000000')"
        parts = f"STRING_SPLIT(TRANSLATE({x}, '-.', '//'), '/')"
        shape = "g.alike"
        for pattern, kind in _KINDS:
            shape = f"REGEXP_REPLACE({shape}, {literal(pattern)}, '{kind}', 'g')"
        rows = con.execute(
            f"WITH numbered AS (SELECT {alike} AS alike, "
            f"TRY_CAST({parts}[1] AS INTEGER) AS first, TRY_CAST({parts}[2] AS INTEGER) AS second "
            f"FROM source.{identifier(relation)} AS s "
            f"WHERE {x} <> '' AND NOT REGEXP_MATCHES({x}, '^{ISO}')), "
            "grouped AS (SELECT n.alike, COUNT(*) AS often, "
            "COUNT(*) FILTER (n.first BETWEEN 1 AND 12 AND n.second BETWEEN 13 AND 31) AS month, "
            "COUNT(*) FILTER (n.first BETWEEN 13 AND 31 AND n.second BETWEEN 1 AND 12) AS day "
            "FROM numbered AS n GROUP BY n.alike) "
            f"SELECT {shape} AS shape, SUM(g.month), SUM(g.day) FROM grouped AS g "
            "GROUP BY shape ORDER BY SUM(g.often) DESC, shape"
        ).fetchall()
        known = [row for row in rows if _split(row[0])[0] in _DAYS][:MOST_SHAPES]
        ordered = [row for row in known if "{1}" in _DAYS[_split(row[0])[0]]]
        yield (
            column,
            _Shapes(
                tuple(row[0] for row in known),
                int(sum(row[1] for row in ordered)),
                int(sum(row[2] for row in ordered)),
            ),
        )
