"""One query against every vector of a file, on every core, block by block.

The blocks are read from the file, not through a memory map: a map of all vectors would leave 912 MB of float32 in this
process after one query, and releasing its pages costs more than copying them out of the system's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Float32s
from retrieval.system import usable_cores

BLOCK_VALUES = 1 << 18
"""Values in a block: 1 MB of float32 stays in a core's cache. OpenBLAS gives a product of this size one thread of its
own, so that the threads here do not compete with OpenBLAS's."""
_WIDEST_SPAN = 4
"""A block is read in one go, with repeated texts, if it is at most this many times larger than the needed rows."""

ReadRows = Callable[[int, npt.NDArray[Any]], None]
"""Fills an array `(any, dim)` with the vectors from a row on; called from many threads."""


def all_scores(
    query: Float32s, rows: Rows, read: ReadRows, dtype: npt.DTypeLike, *, block_values: int = BLOCK_VALUES
) -> Float32s:
    """Returns the dot products `(len(rows),)` of a query `(dim,)` with the vectors at `rows`, ascending.

    Args:
        query: float32 `(dim,)`.
        rows: which vectors of the file; adjacent rows are read together.
        read: reads the vectors, of type `dtype`.
        dtype: float32, or a type that becomes float32 on the way, such as int8.
        block_values: how many values are read at once; at least one vector is.
    """
    scores = np.empty(len(rows), np.float32)
    size = max(1, block_values // len(query))
    # One iterator for all threads: a free thread takes the next block, however busy the other core is.
    starts = iter(range(0, len(rows), size))
    num_threads = max(1, min(usable_cores(), -(-len(rows) // size)))
    if num_threads == 1:
        _score_blocks(query, rows, read, dtype, starts, size, scores)
        return scores
    with ThreadPoolExecutor(num_threads, thread_name_prefix="scan") as pool:
        pending = [
            pool.submit(_score_blocks, query, rows, read, dtype, starts, size, scores) for _ in range(num_threads)
        ]
        for each in pending:
            each.result()
    return scores


def _score_blocks(
    query: Float32s,
    rows: Rows,
    read: ReadRows,
    dtype: npt.DTypeLike,
    starts: Iterator[int],
    size: int,
    scores: Float32s,
) -> None:
    """Takes blocks of `size` rows from `starts` until there are none, and writes their scores."""
    stored = np.empty((min(size, len(rows)) * _WIDEST_SPAN, len(query)), dtype)
    floats = stored if stored.dtype == np.float32 else np.empty((min(size, len(rows)), len(query)), np.float32)
    for start in starts:
        wanted = rows[start : start + size]
        vectors = _fetched(wanted, read, stored)
        if vectors.dtype != np.float32:
            np.copyto(floats[: len(wanted)], vectors)
            vectors = floats[: len(wanted)]
        np.matmul(vectors, query, out=scores[start : start + len(wanted)])


def _fetched(wanted: Rows, read: ReadRows, buffer: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns the vectors at `wanted`; in `buffer`, if they are adjacent."""
    first, span = int(wanted[0]), int(wanted[-1] - wanted[0]) + 1
    if span == len(wanted):
        read(first, buffer[:span])
        return buffer[:span]
    if span <= len(buffer):
        read(first, buffer[:span])
        return buffer[wanted - first]
    for place, row in enumerate(wanted.tolist()):
        read(row, buffer[place : place + 1])
    return buffer[: len(wanted)]


def taken(matrix: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    """Returns `matrix[rows]`, `(len(rows), dim)`: a view rather than a copy if the rows are consecutive."""
    if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
        first, end = int(rows[0]), int(rows[-1]) + 1
        if np.array_equal(rows, np.arange(first, end)):
            return matrix[first:end]
    return matrix[rows]
