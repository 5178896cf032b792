"""The exact answer to each query, and how much of it a list of candidates contains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.frontier.vectors import Vectors, chunks
from retrieval.quantization import Float32s, Int8Quantizer
from retrieval.search.exact_scan import SAME_SCORE


@dataclass(frozen=True, eq=False)
class AllScores:
    """How close every vector is to every query, exactly and by int8: for judging and rescoring candidates."""

    exact: Float32s
    """`(m, n)`."""
    int8: Float32s
    """`(m, n)` with the vectors de-quantized from this project's int8."""

    @classmethod
    def of(cls, vectors: Vectors, queries: Float32s, quantizer: Int8Quantizer, *, inner_product: bool) -> AllScores:
        """Returns the scores of all `vectors` for `queries` `(m, dim)`: 8 bytes per query and vector."""
        exact = np.empty((len(queries), len(vectors)), np.float32)
        int8 = np.empty_like(exact)
        for start, chunk in chunks(vectors):
            columns = slice(start, start + len(chunk))
            exact[:, columns] = similarity(queries, chunk, inner_product=inner_product)
            decoded = quantizer.decode(quantizer.encode(chunk))
            int8[:, columns] = similarity(queries, decoded, inner_product=inner_product)
        return cls(exact, int8)


@dataclass(frozen=True, eq=False)
class Truth:
    """The exact answer to each query, as scores; any document with an equal score counts."""

    lowest: Float32s
    """`(m, 1)` score of the last of the `k` nearest."""
    num_above: Rows
    """`(m, 1)` how many of the answer are clearly closer than the last one."""
    k: int

    @classmethod
    def of(cls, exact: Float32s, k: int) -> Truth:
        """Returns the answer of `k` for exact scores `(m, n)`; of all `n`, if these are fewer."""
        k = min(k, exact.shape[1])
        best, _ = highest(exact, k)
        lowest = best[:, -1:]
        return cls(lowest, np.sum(best > lowest + _tolerance(lowest), axis=1, keepdims=True), k)

    def recall(self, exact: Float32s, depths: Sequence[int]) -> Float32s:
        """Returns the share of the answer among the first candidates, `(m, len(depths))` in [0, 1].

        Args:
            exact: `(m, c)` exact scores of the candidates, best candidate first; -inf where there is none.
            depths: how many of the first candidates are looked at.
        """
        slack = _tolerance(self.lowest)
        above = np.cumsum(exact > self.lowest + slack, axis=1)
        tied = np.cumsum(np.abs(exact - self.lowest) <= slack, axis=1)
        found = above + np.minimum(tied, self.k - self.num_above)
        at = np.minimum(np.asarray(depths), exact.shape[1]) - 1
        shares: Float32s = (found[:, at] / self.k).astype(np.float32)
        return shares


def _tolerance(scores: Float32s) -> Float32s:
    return np.float32(SAME_SCORE) * np.maximum(np.float32(1), np.abs(scores))


def similarity(queries: Float32s, vectors: Float32s, *, inner_product: bool) -> Float32s:
    """Returns how close each of `vectors` `(n, dim)` is to each query `(m, dim)`, `(m, n)`: higher is closer.

    Inner products, or twice these less the squared length, which orders vectors as their Euclidean distance does.
    """
    products: Float32s = queries @ vectors.T
    return products if inner_product else 2 * products - np.einsum("nd,nd->n", vectors, vectors)


def highest(scores: Float32s, depth: int) -> tuple[Float32s, Rows]:
    """Returns the `depth` highest of scores `(m, n)` per row and their positions, both `(m, k)`, best first."""
    depth = min(depth, scores.shape[1])
    found = np.argpartition(-scores, depth - 1, axis=1)[:, :depth] if depth < scores.shape[1] else None
    kept = scores if found is None else np.take_along_axis(scores, found, axis=1)
    order = np.argsort(-kept, axis=1, kind="stable")
    rows = order if found is None else np.take_along_axis(found, order, axis=1)
    return np.take_along_axis(kept, order, axis=1), rows.astype(np.int64)
