"""The exact scan: every vector against every query, in bounded memory. Slow, but exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Float32s

CHUNK_ROWS = 32_768
QUERIES_AT_ONCE = 128
"""With `CHUNK_ROWS`, 17 MB of scores at once."""
SAME_SCORE = 1e-6
"""Two float32 sums of the same products differ by this much when they are added in another order."""


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """The nearest distinct texts of one query, found by comparing it with all of them."""

    rows: Rows
    """`(k,)` first row of each text, nearest first; equal scores are in order of row."""
    scores: Float32s
    """`(k,)` dot products: cosine similarities, when the vectors have length 1."""


def agreeing(scores: Float32s, truth: ExactAnswer) -> npt.NDArray[np.bool_]:
    """Returns which of the texts found, with exact scores `(m,)`, count as part of the answer, `(m,)`.

    Any text that ties with the last one of the answer counts; texts above it must be found themselves.
    """
    if len(truth.rows) == 0:
        return np.zeros(len(scores), np.bool_)
    last = truth.scores[-1]
    above = scores > last + SAME_SCORE
    tied = np.abs(scores - last) <= SAME_SCORE
    places = len(truth.rows) - int(np.sum(truth.scores > last + SAME_SCORE))
    agrees: npt.NDArray[np.bool_] = above | (tied & (np.cumsum(tied) <= places))
    return agrees


def best_of(rows: Rows, scores: Float32s, top_k: int) -> ExactAnswer:
    """Returns the `top_k` of `rows` with the highest of `scores`, both `(n,)`; equal ones in the order they come."""
    best = _highest(scores, top_k)
    return ExactAnswer(rows[best], scores[best])


def scan(
    queries: Float32s,
    rows: Rows,
    fetch: Callable[[Rows], Float32s],
    top_k: int,
    *,
    chunk_rows: int = CHUNK_ROWS,
    queries_at_once: int = QUERIES_AT_ONCE,
) -> list[ExactAnswer]:
    """Returns the `top_k` of `rows` with the highest dot product for each query, float32 `(m, dim)`.

    Args:
        queries: `(m, dim)`.
        rows: `(n,)`, ascending; they are read in chunks, each once for all queries.
        fetch: returns the vectors at some rows, float32 `(len(rows), dim)`.
        top_k: how many, from 1 on.
        chunk_rows: how many rows are read at once.
        queries_at_once: how many queries are compared with a chunk at once.
    """
    best = [ExactAnswer(np.empty(0, np.int64), np.empty(0, np.float32))] * len(queries)
    for start in range(0, len(rows), chunk_rows):
        chunk = rows[start : start + chunk_rows]
        vectors = fetch(chunk)
        for first in range(0, len(queries), queries_at_once):
            scores = queries[first : first + queries_at_once] @ vectors.T
            for query, own in enumerate(scores, start=first):
                best[query] = _merged(best[query], chunk, own, top_k)
    return best


def _merged(best: ExactAnswer, rows: Rows, scores: Float32s, top_k: int) -> ExactAnswer:
    found = _highest(scores, top_k)
    all_rows = np.concatenate([best.rows, rows[found]])
    all_scores = np.concatenate([best.scores, scores[found]])
    order = np.argsort(-all_scores, kind="stable")[:top_k]
    return ExactAnswer(all_rows[order], all_scores[order])


def _highest(scores: Float32s, k: int) -> npt.NDArray[np.int64]:
    """Returns the positions of the `k` highest scores, best first; equal ones in order of position."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    last = np.partition(scores, len(scores) - k)[len(scores) - k]
    positions = np.flatnonzero(scores >= last)
    return positions[np.argsort(-scores[positions], kind="stable")[:k]]
