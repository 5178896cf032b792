"""Exact scans of all vectors at each precision, by the fastest kernel available, as in the article's speed table.

float32 by numpy (OpenBLAS), int8 by numkong, whose kernels usearch runs on, Hamming by our own index. All give the
`k` best rows of each query, and use the same number of threads. The only module that imports numkong.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Protocol

import numkong
import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Float32s, Int8Quantizer, Int8s, SignQuantizer

_BLOCK = 512
_QUERIES_AT_ONCE = 32
"""Queries whose scores are held at once: 76 MB for 593,891 vectors."""


class ExactScan(Protocol):
    """Compares queries with all vectors."""

    kernel: str
    """What computes, for people."""

    def search(self, queries: Float32s) -> Rows:
        """Returns the best rows of each query `(m, dim)`, best first, `(m, k)`."""


class Float32Scan:
    """All dot products of float32 vectors, through numpy."""

    kernel = "numpy matmul (OpenBLAS), float32 x float32"

    def __init__(self, embeddings: Float32s, k: int, num_threads: int) -> None:
        """Scans `embeddings`, float32 `(n, dim)`, in RAM or mapped."""
        self._embeddings = embeddings
        self._slices = Slices(len(embeddings), num_threads)
        self._k = k

    def search(self, queries: Float32s) -> Rows:
        """Returns the rows with the highest dot products with each query `(m, dim)`, `(m, k)`."""
        return np.concatenate([self._some(part) for part in _parts(queries)])

    def _some(self, queries: Float32s) -> Rows:
        # numpy has its own threads; one query is a matrix times a vector, which has its own kernel.
        scores = (self._embeddings @ queries[0])[None] if len(queries) == 1 else queries @ self._embeddings.T
        return self._slices.best(scores, self._k)


class Int8Scan:
    """All dot products of int8 codes with the int8 codes of the query, as the article's int8 search."""

    kernel = "numkong (the kernels of usearch), int8 x int8, whole-number sums"

    def __init__(self, codes: Int8s, quantizer: Int8Quantizer, k: int, num_threads: int) -> None:
        """Scans `codes`, int8 `(n, dim)`, in RAM or mapped."""
        self._codes = codes
        self._quantizer = quantizer
        self._slices = Slices(len(codes), num_threads)
        self._num_threads = num_threads
        self._k = k

    def search(self, queries: Float32s) -> Rows:
        """Returns the rows with the highest dot products of codes with each query `(m, dim)`, `(m, k)`."""
        codes = self._quantizer.encode(queries)
        return np.concatenate([self._some(part) for part in _parts(codes)])

    def _some(self, queries: Int8s) -> Rows:
        if len(queries) == 1:
            parts = self._slices.map(
                lambda start, end: np.asarray(numkong.cdist(queries, self._codes[start:end], "dot"))
            )
            return self._slices.best(np.concatenate(parts, axis=1), self._k)
        packed = numkong.dots_pack(np.ascontiguousarray(queries))
        scores = np.asarray(numkong.dots_packed(self._codes, packed, threads=self._num_threads))
        return self._slices.best(scores.T, self._k)


class HammingScan:
    """All Hamming distances of sign bits, through our index."""

    kernel = "our BinaryIndex (faiss's counting kernel), sign bits"

    def __init__(self, index: BinaryIndex, k: int, signs: SignQuantizer | None = None) -> None:
        """Searches `index`, whose bits `signs` made; without it, they are those of the vectors as they are."""
        self._index = index
        self._signs = signs or SignQuantizer()
        self._k = k

    def search(self, queries: Float32s) -> Rows:
        """Returns the rows with the fewest bits that differ from those of each query `(m, dim)`, `(m, k)`."""
        codes = self._signs.encode(queries)
        found = self._index.search(codes[0], self._k) if len(codes) == 1 else self._index.search_batch(codes, self._k)
        return found.ids


class Slices:
    """Rows cut into one slice per thread."""

    def __init__(self, num_rows: int, num_threads: int) -> None:
        bounds = np.linspace(0, num_rows, num_threads + 1).astype(int).tolist()
        self._bounds = [(start, end) for start, end in pairwise(bounds) if end > start]
        self._pool = ThreadPoolExecutor(max(1, num_threads), thread_name_prefix="scan")

    def map(self, work: Any) -> list[Any]:
        """Returns what `work(start, end)` gives for each slice, in order, computed at once."""
        return list(self._pool.map(lambda bounds: work(*bounds), self._bounds))

    def best(self, scores: npt.NDArray[Any], k: int) -> Rows:
        """Returns the positions of the `k` highest of `(m, n)` scores in each row, best first, `(m, k)`."""
        parts = self.map(lambda start, end: start + best_positions(scores[:, start:end], k))
        positions = np.concatenate(parts, axis=1)
        return _ordered(positions, np.take_along_axis(scores, positions, axis=1), k)


def best_positions(scores: npt.NDArray[Any], k: int) -> Rows:
    """Returns the positions of the `k` highest of `(m, n)` scores in each row, best first, `(m, min(k, n))`.

    The `k` best are in the `k` blocks with the highest maxima: only those are searched, which is several
    times faster than a partition of the whole row.
    """
    scores = np.ascontiguousarray(scores)
    num_queries, width = scores.shape
    num_blocks = width // _BLOCK
    if num_blocks <= k:
        positions = np.broadcast_to(np.arange(width), scores.shape)
        return _ordered(positions, scores, k)
    whole = num_blocks * _BLOCK
    highest = scores[:, :whole].reshape(num_queries, num_blocks, _BLOCK).max(axis=2)
    blocks = np.argpartition(highest, num_blocks - k, axis=1)[:, num_blocks - k :]
    inside = (blocks[:, :, None] * _BLOCK + np.arange(_BLOCK)).reshape(num_queries, -1)
    tail = np.broadcast_to(np.arange(whole, width), (num_queries, width - whole))
    positions = np.concatenate([inside, tail], axis=1)
    return _ordered(positions, np.take_along_axis(scores, positions, axis=1), k)


def _ordered(positions: Rows, scores: npt.NDArray[Any], k: int) -> Rows:
    k = min(k, positions.shape[1])
    if k < positions.shape[1]:
        kept = np.argpartition(scores, positions.shape[1] - k, axis=1)[:, positions.shape[1] - k :]
        positions = np.take_along_axis(positions, kept, axis=1)
        scores = np.take_along_axis(scores, kept, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(positions, order, axis=1)


def _parts(queries: Any) -> list[Any]:
    return [queries[start : start + _QUERIES_AT_ONCE] for start in range(0, len(queries), _QUERIES_AT_ONCE)]
