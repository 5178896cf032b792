"""The first stage of a search: the input and output of every scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Bits, Float32s, SignQuantizer


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a scan passes on for one query: distinct texts, best first."""

    texts: Rows
    """`(m,)` ids of distinct texts."""
    scores: Float32s
    """`(m,)` cosine estimates from the bits, before correcting for a subtracted mean."""
    distances: npt.NDArray[np.int32] | None = None
    """`(m,)` differing bits; None from a scan that ordered the texts by float query x sign bits."""
    codes: Bits | None = None
    """`(m, ceil(dim / 8))` their sign bits; None from a scan of bits in RAM, where they are looked up as needed."""

    def first(self, k: int) -> Candidates:
        """Returns the best `k` of them."""
        if k >= len(self.texts):
            return self
        return Candidates(
            self.texts[:k],
            self.scores[:k],
            None if self.distances is None else self.distances[:k],
            None if self.codes is None else self.codes[:k],
        )


@dataclass(frozen=True, slots=True)
class Queries:
    """Several queries, as numbers and as bits."""

    vectors: Float32s
    """`(m, dim)` of length 1."""
    codes: Bits
    """`(m, ceil(dim / 8))`: their sign bits."""

    @classmethod
    def of(cls, vectors: Float32s, signs: SignQuantizer) -> Self:
        """Returns the queries with these vectors `(m, dim)`, or one query `(dim,)`, and their bits by `signs`."""
        vectors = np.atleast_2d(vectors)
        return cls(vectors, signs.encode(vectors))

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, place: int) -> Queries:
        """Returns the query at `place` alone."""
        return Queries(self.vectors[place : place + 1], self.codes[place : place + 1])


class Scan(Protocol):
    """Compares queries with all sign bits of an index, or with a chosen part. Safe to use from many threads."""

    @property
    def stage(self) -> str:
        """Returns the stage for its time in a latency, one of `STAGES`."""

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the `k` nearest texts of each query, or all if there are fewer.

        Args:
            queries: one query gets the idle cores, or waits for one; several are compared as a batch, on all.
            k: how many texts, from 1 on.
            probes: how many lists are visited; scans without lists ignore it.
        """
