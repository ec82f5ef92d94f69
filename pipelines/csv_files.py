"""Write the CSV files that people open: no text runs as a formula or turns into another value.

A spreadsheet runs `=1+1`, and makes 123 of 00123 and 5E+17 of an id, quoted or not. Such a text
gets an apostrophe in front, and so does one that begins with an apostrophe: whoever takes one
apostrophe off has the value. Numbers, days and times that are no text stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

MARK = "'"
# Behind blanks, too. The wide signs are formulas to Japanese Excel.
_FORMULA = re.compile(r"[\s\0\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r\n\0']")
_SAFE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")  # Excel keeps 15 digits
_NUMERIC = re.compile(r"[\d\s.,:/()%$€£¥+\-]+")  # numbers, fractions, amounts, days, times
_DIGIT = re.compile(r"\d")
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_OTHER_VALUE = re.compile(
    r"[\d.,]+e[+-]?\d+"  # 4e17
    r"|[\d:. ]+[ap](?:\.?m\.?)?"  # 9:30 PM, 9 a
    r"|\d{4}-\d\d?-\d\d?t\d[\d:.]*(?:z|[+-][\d:]+)?"  # 2026-11-02T09:30:00Z
    rf"|(?:\d{{1,4}}[\s./,-]*)?{_MONTH}[\s./,-]*\d[\d\s./,:-]*"  # MAR1, Nov 2, 2026
    rf"|\d{{1,4}}[\s./,-]*{_MONTH}"  # 1-MAR
    r"|true|false",
    re.IGNORECASE,
)


def protected(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet would run it or show another value."""
    return MARK + text if _FORMULA.match(text) or _is_changed(text.strip()) else text


def _is_changed(text: str) -> bool:
    if _NUMERIC.fullmatch(text):
        return bool(_DIGIT.search(text)) and not _SAFE_NUMBER.fullmatch(text)
    return bool(_OTHER_VALUE.fullmatch(text))


def protected_rows(rows: pd.DataFrame, plain: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The rows with every text protected.

    `plain` has patterns by column: a text that matches its column's is a number or day and stays.
    """
    patterns = {name: re.compile(pattern) for name, pattern in (plain or {}).items()}
    texts = rows.select_dtypes(exclude=["number", "bool", "datetime", "datetimetz"]).columns
    # As objects, since pandas would make 1.0 of a 1 beside None.
    return rows.assign(
        **{
            name: pd.Series(_cells(rows[name].tolist(), patterns.get(name)), rows.index, "object")
            for name in texts
        }
    )


def _cells(values: list[object], plain: re.Pattern[str] | None) -> list[object]:
    """Each distinct text is judged once: columns repeat days, names and words."""
    found = {
        text: text if plain is not None and plain.fullmatch(text) else protected(text)
        for text in {value for value in values if isinstance(value, str)}
    }
    return [found[value] if isinstance(value, str) else value for value in values]


def csv_text(rows: pd.DataFrame, written: Callable[[Any], object]) -> str:
    """The rows, protected, for standard output; `written` says how what is no text is written."""
    safe = protected_rows(rows)
    cells = {name: pd.Series(map(written, safe[name]), dtype="object") for name in safe.columns}
    return pd.DataFrame(cells).to_csv(index=False, lineterminator="\n")


def csv_bytes(rows: pd.DataFrame, plain: Mapping[str, str] | None = None) -> bytes:
    """The rows, protected, as a CSV file: UTF-8 with the byte order mark that Excel needs."""
    text = protected_rows(rows, plain).to_csv(index=False, lineterminator="\r\n")
    return text.encode("utf-8-sig")
