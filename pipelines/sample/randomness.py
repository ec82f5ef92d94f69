"""Reproducible random draws: every draw is a hash of (seed, name of the draw, key).

So it is the same on every machine, with every library version, for any order and batch size.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Dice:
    """Draws for arrays of keys (record numbers); draws of different names are independent."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _bits(self, name: str, keys: Ints) -> NDArray[np.uint64]:
        start = np.array(
            [(self._seed * _GOLDEN + zlib.crc32(name.encode())) & _MASK], dtype=np.uint64
        )
        return _mixed(keys.astype(np.uint64) * np.uint64(_GOLDEN) + _mixed(start))

    def share(self, name: str, keys: Ints) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1)."""
        return (self._bits(name, keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def happens(self, name: str, keys: Ints, chance: float | NDArray[np.float64]) -> Flags:
        """True with this probability."""
        return self.share(name, keys) < chance

    def between(self, name: str, keys: Ints, low: int | Ints, high: int | Ints) -> Ints:
        """Uniform whole numbers from low to high, both included."""
        span = np.asarray(high, dtype=np.int64) - low + 1
        return low + (self._bits(name, keys) % span.astype(np.uint64)).astype(np.int64)

    def pick(self, name: str, keys: Ints, weights: Sequence[float]) -> Ints:
        """Positions 0 … len(weights) - 1 with these probabilities, which add up to 1."""
        return np.searchsorted(
            np.cumsum(weights)[:-1], self.share(name, keys), side="right"
        ).astype(np.int64)

    def graded(self, name: str, keys: Ints, *grades: tuple[float, int, int]) -> Ints:
        """Whole numbers from one of several spans (weight, low, high)."""
        grade = self.pick(name, keys, [weight for weight, _, _ in grades])
        lows, highs = (np.array([span[i] for span in grades], dtype=np.int64) for i in (1, 2))
        return self.between(name + " within", keys, lows[grade], highs[grade])
