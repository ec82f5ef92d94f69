"""From how many records on a change of values is one that work does not make."""

from __future__ import annotations

import pytest

from pipelines.runs.guards.values import Change, Counted

PLAIN = Change("amount", "", "")
HALF = Change("therapist_id", "", "", limit=0.5)
ALIKE = Change("released_at, filled alike", "", "", limit=0.95, alike="released_at")


def counted(
    total: int, changed: int, values: int = 0, earlier: int = 0, distinct: int = 0
) -> Counted:
    return Counted(total, changed, values, earlier, distinct)


@pytest.mark.parametrize(
    ("change", "counts", "others"),
    [
        (PLAIN, counted(10, 5), 0),  # the floor
        (PLAIN, counted(10, 6), 6),
        (PLAIN, counted(30, 6), 0),  # a fifth
        (PLAIN, counted(30, 7), 7),
        (HALF, counted(30, 15), 0),
        (HALF, counted(30, 16), 16),
    ],
)
def test_the_floor_and_the_share(change: Change, counts: Counted, others: int) -> None:
    assert change.others(counts, limit=0.2, fewest=5) == others


@pytest.mark.parametrize(
    ("counts", "others"),
    [
        (counted(9, 9, 1), 9),  # all that were empty have one value
        (counted(9, 9, 4), 6),  # three were work, six have one value
        (counted(9, 9, 5), 0),  # five alike are the floor
        (counted(9, 8, 1), 0),  # one stayed empty, so nobody filled them all
        (counted(900, 9, 1), 0),
        (counted(900, 9, 1, earlier=51, distinct=46), 9),  # but moments were never alike before
        (counted(900, 9, 1, earlier=51, distinct=45), 0),
        (counted(900, 9, 1, earlier=50, distinct=50), 0),  # too few to know
    ],
)
def test_one_value_entered_wherever_there_was_none(counts: Counted, others: int) -> None:
    assert ALIKE.others(counts, limit=0.2, fewest=5) == others
