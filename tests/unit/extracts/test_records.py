"""Records: quotes that span lines, quotes that do not, and how long both take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from pipelines.extracts import records

NOTE = "\n".join(f"line {number}, of a note" for number in range(80))


def _read(text: str) -> list[tuple[int, int | None]]:
    """Line and number of fields of each record."""
    lines = iter(text.splitlines(keepends=True))
    return [
        (record.line, None if record.fields is None else len(record.fields))
        for record in records.records(lines, ",")
    ]


def test_a_long_note_is_one_record_beside_a_row_cut_short() -> None:
    text = f'a,b,c,d\n1,"{NOTE}",x,y\n2,x\n3,"{NOTE}\n""{NOTE}""",x,y\n4,x,y,z\n'
    assert _read(text) == [(1, 4), (2, 4), (82, 2), (83, 4), (243, 4)]


@pytest.mark.parametrize(
    "rows",
    [
        '1,"x,y,z\n2,x,y,z\n3,x,y,z\n',  # never closes
        '1,"x,y,z\n2,x,y,z\n3,"x",y,z\n',  # closes before a letter
        '1,"x,y,z\n2,x,y,z\n3,5",y,z\n',  # closes, and swallows rows
        '1,x,y,"z\n2,x,y,z\n3,x,"",z\n',
    ],
)
def test_a_stray_quote_spoils_its_own_line(rows: str) -> None:
    found = _read("a,b,c,d\n" + rows)
    assert found[:3] == [(1, 4), (2, None), (3, 4)]
    assert found[3][0] == 4


def test_a_row_cut_short_with_a_note_is_one_broken_record() -> None:
    assert _read('a,b,c,d\n1,"one\ntwo\nthree"\n2,x,y,z\n') == [(1, 4), (2, 2), (5, 4)]


def test_each_line_is_read_a_few_times_at_most() -> None:
    def timed(rows: Iterator[str], count: int) -> float:
        start = time.perf_counter()
        sum(1 for _ in records.records(itertools.islice(rows, count), ","))
        return time.perf_counter() - start

    def stray() -> Iterator[str]:
        yield "a,b,c,d\n"
        for number in itertools.count():
            yield f'{number},"x,""y"",z\n' if number % 3 == 0 else f'{number},"","",z\n'

    def open_at_the_top() -> Iterator[str]:
        yield 'a,b,c,d\n1,"x,y,z\n'
        for number in itertools.count():
            yield f'{number},"",""""""a,z\n'

    for rows in (stray, open_at_the_top):
        assert timed(rows(), 100_000) < 5  # one that starts again at each line takes minutes
