"""Find patients by a search text: names, birth date, id or phone.

The connection is one on which `staging` resolves, as after `USE snapshot`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable

import duckdb
import pandas as pd

from pipelines.records import sql
from pipelines.warehouse import snapshots

LONGEST_SEARCH = 80  # characters; no name, number or date is longer
MOST_WORDS = 4  # a name of more words is found by its four longest
SHORTEST_PHONE_END = 4  # digits; fewer would find a tenth of a practice
COMMON, COMMON_PLAIN = "áàâäãåçéèêëíîïñóòôöõøúùûü", "aaaaaaceeeeiiinoooooouuuu"
RARE, RARE_PLAIN = (
    "āăąćčďđēėęěğģìīįıķłļľńņňōőŕřśşšșţťțūůűųýÿźżž",
    "aaaccddeeeeggiiiiklllnnnoorrsssstttuuuuyyzzz",
)
# Accents as letters of their own, apostrophes, quotes.
DROPPED = "\u0300\u0301\u0302\u0303\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328’ʼ“”"
WRITTEN_OUT = {"ß": "ss", "æ": "ae", "œ": "oe"}  # as in find_patients.sql
FOLD = str.maketrans(
    {
        **dict(zip(COMMON + RARE, COMMON_PLAIN + RARE_PLAIN, strict=True)),
        **dict.fromkeys(DROPPED + "'", ""),
        **WRITTEN_OUT,
    }
)
MAY_BE_ACCENTED = frozenset(COMMON_PLAIN + RARE_PLAIN).union(*WRITTEN_OUT.values())
BETWEEN_WORDS = re.compile(r'[\s,;()"-]+')
AROUND_WORDS = "".join(chr(n) for n in range(33, 127) if not chr(n).isalnum())
DAYS = re.compile(
    r"(?<!\S)(?:(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)"
    r"|(?P<us_m>\d\d?)/(?P<us_d>\d\d?)/(?P<us_y>\d{4}))(?!\S)",
    re.ASCII,
)


def find_patients(con: duckdb.DuckDBPyConnection, text: str, limit: int = 20) -> pd.DataFrame:
    """Patients that match a text, an exact id first, then by name; see find_patients.sql.

    Words are beginnings of first or last names in any order, whatever their case and accents. A
    date is the birth date; digits are an id, with or without leading zeros, or the last four or
    more of a phone. All parts of the text must match.
    """
    folds = {
        "common": COMMON,
        "common_plain": COMMON_PLAIN,
        "rare": RARE + DROPPED,
        "rare_plain": RARE_PLAIN,
    }
    return snapshots.frame(con, sql("find_patients"), limit=limit, **folds, **_search(text))


def _search(text: str) -> dict[str, object]:
    """The parameters of find_patients.sql for a text as typed."""
    text = unicodedata.normalize(
        "NFC", "".join(c if c.isprintable() else " " for c in text[:LONGEST_SEARCH])
    ).strip()
    day = DAYS.search(text)
    born_on = _day(day) if day else None
    rest = text.replace(day[0], " ") if day and born_on else text
    # What is left inside a word, as in J.R. or Smith/Jones, stands in the name as well.
    parts = [
        part
        for part in (
            part.strip(AROUND_WORDS) for part in BETWEEN_WORDS.split(rest.lower().translate(FOLD))
        )
        if part
    ]
    numbers = {
        part: number for part in parts if (number := "".join(filter(str.isalnum, part))).isdecimal()
    }
    digits = "".join(numbers[part] for part in parts if part in numbers)
    if len(digits) < SHORTEST_PHONE_END and not numbers.keys() >= set(
        parts
    ):  # a name, as in Test Patient 2
        numbers, digits = {}, ""
    words = sorted((part for part in parts if part not in numbers), key=len, reverse=True)[
        :MOST_WORDS
    ]
    longest = words[0] if words else ""
    phone_end = (
        digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    )  # +1 555 …: the country is seldom stored
    is_phone_end = len(phone_end) >= SHORTEST_PHONE_END
    return {
        "id": text,
        "short_id": (text.lstrip("0") or None) if text.isdecimal() else None,
        "is_description": bool(parts or born_on),
        "born_on": born_on,
        "short_digits": digits.lstrip("0") if digits else None,
        "phone_end": phone_end if is_phone_end else None,
        "phone_sketch": _sketch(phone_end) if is_phone_end else None,
        "sketch": _sketch(longest)
        if len(longest) > 1
        else None,  # nearly every name has any one letter
        "bare_sketch": _sketch(c for c in longest if c not in MAY_BE_ACCENTED),
        **{f"word_{n + 1}": f" {words[n]}" if n < len(words) else None for n in range(MOST_WORDS)},
    }


def _sketch(letters: Iterable[str]) -> str:
    """A LIKE pattern of what has these letters or digits in this order, whatever stands between."""
    return "%".join(["", *(c for c in letters if c.isalnum()), ""])


def _day(found: re.Match[str]) -> dt.date | None:
    """The day of a match of DAYS, None for 2026-02-30."""
    year, month, day = (int(found[name] or found[f"us_{name}"]) for name in "ymd")
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
