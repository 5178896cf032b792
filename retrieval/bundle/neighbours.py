"""The nearest codes of queries, and how to find a great many of them in little memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest codes of each query, nearest first."""

    distances: npt.NDArray[np.int32]
    """`(num_queries, k)` differing bits."""
    ids: npt.NDArray[np.int64]
    """`(num_queries, k)` positions in the index; equal distances are in order of position."""


def nearest_by_sorting(queries: Bits, codes: Bits, k: int) -> Neighbours:
    """Returns the `k` nearest of the codes, uint8 `(n, bytes)`, for each query, uint8 `(m, bytes)`.

    Memory grows with `n` alone, whatever `k` is: the way for a `k` that is a large part of `n`.
    """
    distances = np.empty((len(queries), k), dtype=np.int32)
    ids = np.empty((len(queries), k), dtype=np.int64)
    for row, query in enumerate(queries):
        each = np.empty(len(codes), dtype=np.uint16)
        for start in range(0, len(codes), _ROWS_AT_ONCE):
            differing = np.bitwise_count(codes[start : start + _ROWS_AT_ONCE] ^ query)
            each[start : start + _ROWS_AT_ONCE] = differing.sum(axis=1, dtype=np.uint16)
        ids[row] = np.argsort(each, kind="stable")[:k]
        distances[row] = each[ids[row]]
    return Neighbours(distances, ids)
