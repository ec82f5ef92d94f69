"""How an export writes its days and times, found from all values of a column.

3/4/2026 is March or April: other values of the column decide (12/31/2026), else other columns of
the source, else what an earlier delivery showed, else the mapping file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.sql_files import identifier, literal

MONTH_FIRST, DAY_FIRST = "M/D/YYYY", "D/M/YYYY"
LARGEST_MONTH = 12
# Letters and digits of a value replaced by their kind: L 8 digits, Y 4 digits, 9 fewer, p AM or PM,
# a other letters.
_KINDS = (  # letters before digits: what stands for digits is a letter
    (r"(?i)([0-9 ])[ap]\.?m\b\.?", r"\1p"),
    (r"[A-Zac-oq-z][A-Za-z]*|[a-z]{2,}", "a"),
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
    " 9:9:9.9": " %H:%M:%S.%f",
    " 9:9 p": " %I:%M %p",
    " 9:9p": " %I:%M%p",
    " 9:9:9 p": " %I:%M:%S %p",
    " 9:9:9p": " %I:%M:%S%p",
    " 9:9:9.9 p": " %I:%M:%S.%f %p",
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
    "%f": "fff",
    "%p": "AM",
}
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H%M")
DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Reading:
    """How a column's days are written: strptime formats of all shapes that are not ISO.

    `order` is MONTH_FIRST or DAY_FIRST where the values show it; `is_open`: both would fit.
    """

    formats: tuple[str, ...] = ()
    order: str | None = None
    is_open: bool = False


@dataclass(frozen=True)
class _Shapes:
    """What the values of one column look like, and the largest first and second number."""

    shapes: tuple[str, ...]
    first: int
    second: int

    @property
    def has_order(self) -> bool:
        return any("{1}" in _DAYS.get(_split(shape)[0], "") for shape in self.shapes)

    @property
    def order(self) -> str | None:
        """The order that the values show; None where both fit, or neither."""
        if not self.has_order or (self.first > LARGEST_MONTH) == (self.second > LARGEST_MONTH):
            return None
        return DAY_FIRST if self.first > LARGEST_MONTH else MONTH_FIRST


def readings(
    con: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Sequence[str]],
    stated: str | None,
    earlier: Mapping[tuple[str, str], str],
) -> dict[tuple[str, str], Reading]:
    """How these columns of the tables `source.NAME` write days, by (relation, column).

    `stated` is the order of the mapping file, which wins; `earlier` has the orders that earlier
    deliveries showed.
    """
    looked = {
        (relation, column): shapes
        for relation, names in columns.items()
        for column, shapes in _shapes(con, relation, names)
    }
    shown = {shapes.order for shapes in looked.values() if shapes.order is not None}
    usual = shown.pop() if len(shown) == 1 else None
    found: dict[tuple[str, str], Reading] = {}
    for place, shapes in looked.items():
        order = stated or earlier.get(place) or shapes.order or usual
        is_open = order is None and shapes.has_order
        formats = tuple(_formats(shapes.shapes, order))
        found[place] = Reading(formats, shapes.order, is_open)
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
        written = _DAYS[day].replace("{1}", first).replace("{2}", second)
        yield written + _TIMES[time]


def _shapes(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> Iterator[tuple[str, _Shapes]]:
    """The shapes of each column's values, ISO days left out."""
    for column in columns:
        x = f"TRIM(s.{identifier(column)})"
        shape = x
        for pattern, kind in _KINDS:
            shape = f"REGEXP_REPLACE({shape}, {literal(pattern)}, '{kind}', 'g')"
        first = f"TRY_CAST(REGEXP_EXTRACT({x}, '^([0-9]{{1,2}})[/.-]', 1) AS INTEGER)"
        second = (
            f"TRY_CAST(REGEXP_EXTRACT({x}, '^[0-9]{{1,2}}[/.-]([0-9]{{1,2}})[/.-]', 1) AS INTEGER)"
        )
        rows = con.execute(
            f"SELECT {shape} AS shape, MAX({first}), MAX({second}), COUNT(*) "
            f"FROM source.{identifier(relation)} AS s "
            f"WHERE {x} <> '' AND NOT REGEXP_MATCHES({x}, '^{ISO}') "
            "GROUP BY shape ORDER BY COUNT(*) DESC, shape LIMIT 50"
        ).fetchall()
        known = [row for row in rows if _split(row[0])[0] in _DAYS]
        yield (
            column,
            _Shapes(
                tuple(row[0] for row in known),
                max((row[1] or 0 for row in known), default=0),
                max((row[2] or 0 for row in known), default=0),
            ),
        )
