"""One measurement: every scheme, alone and rescored, on all dimensions and on the first ones.

Everything is compared with the exact scan of the same float32 vectors. Nothing is extrapolated: a point is what the
queries found among these vectors, with the 95 % interval of its mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.frontier.judged import Judge
from retrieval.evaluation.frontier.points import Interval, LeftOut, Point, Rescoring, SampleRecall
from retrieval.evaluation.frontier.scheme import CannotFitError, Index, Scheme
from retrieval.evaluation.frontier.schemes import SCHEMES, one_thread
from retrieval.evaluation.frontier.scores import AllScores, Truth
from retrieval.evaluation.frontier.vectors import FirstDimensions, Vectors, chunks, sample_of
from retrieval.quantization import Float32s, Int8Quantizer

OVERSAMPLINGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
_FIT_VECTORS = 32_768
_TIMED_QUERIES = 3
_JUDGED_DEPTH = 10
GROWTH_PARTS = (16, 4, 1)
"""Recall is also measured on these parts of the vectors, to show how it falls as more compete."""


Progress = Callable[[float, str], None]
"""Takes the share that is done, in [0, 1], and the key of the scheme that is being measured."""


@dataclass(frozen=True, slots=True)
class FrontierOptions:
    """What is measured, and on how much."""

    k: int = 10
    metric: str = "cosine"
    """`cosine`, `inner product` or `euclidean`."""
    max_queries: int = 200
    dim_parts: tuple[int, ...] = (1, 2, 4, 8)
    """The first 1/2, 1/4, ... of the dimensions are measured, too."""
    schemes: Sequence[Scheme] = SCHEMES
    judge: Judge | None = None
    """Judges the results for the given queries."""
    max_seconds: float = float("inf")
    """Points not begun in three quarters of this time are left out and listed; whole vectors come first."""


class Run:
    """One measurement of the frontier."""

    def __init__(
        self,
        vectors: Vectors,
        queries: Float32s,
        positions: Rows,
        options: FrontierOptions,
        progress: Progress,
        deadline: float,
    ) -> None:
        """Takes the `positions` of the queries among those given, and `deadline` by `time.perf_counter`."""
        self._vectors, self._queries, self._positions, self._deadline = vectors, queries, positions, deadline
        self._options, self._progress = options, progress
        self._inner_product = options.metric != "euclidean"
        quantizer = Int8Quantizer.fit(chunk for _, chunk in chunks(vectors))
        self._scores = AllScores.of(vectors, queries, quantizer, inner_product=self._inner_product)
        self._truth = Truth.of(self._scores.exact, options.k)
        self._depth = min(OVERSAMPLINGS[-1] * options.k, len(vectors))
        sizes = [len(vectors) // part for part in GROWTH_PARTS]
        self._truths = {size: Truth.of(self._scores.exact[:, :size], options.k) for size in sizes if size > options.k}
        """By how many of the vectors compete."""
        self._growth: list[SampleRecall] = []
        self._num_loaded = 0
        """Vectors in the chunk that was loaded last."""

    def points(self) -> tuple[tuple[Point, ...], tuple[LeftOut, ...]]:
        """Returns a point for everything that could be measured, and why the rest could not."""
        points: list[Point] = []
        left_out: list[LeftOut] = []
        work = self._work()
        for done, (dim, scheme) in enumerate(work):
            self._progress(done / len(work), scheme.key)
            if time.perf_counter() > self._deadline:
                left_out.append(LeftOut(scheme.key, dim, "time ran out"))
                continue
            try:
                points.extend(self._points_of(scheme, dim))
            except CannotFitError as error:
                left_out.append(LeftOut(scheme.key, dim, str(error)))
        self._progress(1.0, "")
        return tuple(points), tuple(left_out)

    def growth(self) -> tuple[SampleRecall, ...]:
        """Returns the recall of each scheme alone on the first 1/16, 1/4 and all of the vectors."""
        return tuple(self._growth)

    def _work(self) -> list[tuple[int, Scheme]]:
        """Returns all there is to measure: whole vectors first, product quantizers of the others, the slowest, last."""
        dims = sorted({self._vectors.dim // part for part in self._options.dim_parts} - {0}, reverse=True)
        work = [(dim, scheme) for dim in dims for scheme in self._options.schemes]
        return sorted(work, key=lambda each: each[1].key == "PQ" and each[0] < dims[0])

    def _points_of(self, scheme: Scheme, dim: int) -> Iterator[Point]:
        vectors: Vectors = self._vectors
        queries = self._queries
        if dim < vectors.dim:
            cut = FirstDimensions(vectors, dim, self._options.metric == "cosine")
            vectors, queries = cut, cut.cut(queries)
        index = scheme.fit(sample_of(vectors, _FIT_VECTORS), inner_product=self._inner_product)
        rows = self._nearest(index, vectors, queries, scheme.key if dim == self._vectors.dim else None)
        scan_ns = self._scan_ns(index, queries)
        exact = self._looked_up(self._scores.exact, rows)
        k = self._options.k

        def point(rescoring: Rescoring, oversampling: int, recalls: Float32s, ndcg: float | None) -> Point:
            disk_bytes = {"none": 0, "int8": 1, "float32": 4}[rescoring] * self._vectors.dim
            read = min(oversampling * k, len(self._vectors)) if disk_bytes else 0
            shares, size = Interval.of(recalls, k), index.bytes_per_vector
            return Point(scheme.key, dim, rescoring, oversampling, shares, size, disk_bytes, read, scan_ns, ndcg)

        yield point("none", 1, self._truth.recall(exact, [k])[:, 0], self._judged(rows))
        if scheme.key == "float32" and dim == self._vectors.dim:
            return
        by_float = self._truth.recall(exact, [k * each for each in OVERSAMPLINGS])
        int8 = self._looked_up(self._scores.int8, rows)
        for column, oversampling in enumerate(OVERSAMPLINGS):
            depth = oversampling * k
            yield point("float32", oversampling, by_float[:, column], self._judged(rows, exact[:, :depth]))
            yield point("int8", oversampling, self._rescored(exact, int8, depth), self._judged(rows, int8[:, :depth]))

    def _rescored(self, exact: Float32s, int8: Float32s, depth: int) -> Float32s:
        order = np.argsort(-int8[:, :depth], axis=1, kind="stable")[:, : self._options.k]
        return self._truth.recall(np.take_along_axis(exact, order, axis=1), [self._options.k])[:, 0]

    def _judged(self, rows: Rows, scores: Float32s | None = None) -> float | None:
        """Returns the mean nDCG@10 of what was found, in the order of `scores` where they are given."""
        judge = self._options.judge
        if judge is None or not len(self._positions):
            return None
        if scores is not None:
            rows = np.take_along_axis(rows, np.argsort(-scores, axis=1, kind="stable")[:, :_JUDGED_DEPTH], axis=1)
        return judge(self._positions, rows[:, :_JUDGED_DEPTH])

    def _nearest(self, index: Index, vectors: Vectors, queries: Float32s, growing: str | None) -> Rows:
        """Returns the rows of the best of each query, `(m, depth)`, best first; -1 where there is none.

        With the key of a scheme as `growing`, the recall of its first `k` is noted on the way, as the vectors grow.
        """
        best_scores = np.empty((len(queries), 0), np.float32)
        best_rows = np.empty((len(queries), 0), np.int64)
        for start, chunk in chunks(vectors, tuple(self._truths) if growing else ()):
            index.load(chunk)
            self._num_loaded = len(chunk)
            scores, rows = index.best_of(queries, self._depth)
            best_scores = np.concatenate([best_scores, scores], axis=1)
            best_rows = np.concatenate([best_rows, np.where(rows < 0, -1, rows + start)], axis=1)
            order = np.argsort(-best_scores, axis=1, kind="stable")[:, : self._depth]
            best_scores = np.take_along_axis(best_scores, order, axis=1)
            best_rows = np.take_along_axis(best_rows, order, axis=1)
            truth = self._truths.get(start + len(chunk)) if growing else None
            if growing and truth is not None:
                k = self._options.k
                recalls = truth.recall(self._looked_up(self._scores.exact, best_rows[:, :k]), [k])[:, 0]
                self._growth.append(SampleRecall(growing, start + len(chunk), Interval.of(recalls, k)))
        return best_rows

    def _looked_up(self, scores: Float32s, rows: Rows) -> Float32s:
        found = np.take_along_axis(scores, np.maximum(rows, 0), axis=1)
        return np.where(rows < 0, np.float32(-np.inf), found)

    def _scan_ns(self, index: Index, queries: Float32s) -> float | None:
        """Returns the time per vector of the chunk that the index holds, the best of a few single queries."""
        if not index.scans_natively:
            return None
        best = float("inf")
        with one_thread():
            for query in queries[:_TIMED_QUERIES]:
                started = time.perf_counter_ns()
                index.best_of(query[np.newaxis], self._options.k)
                best = min(best, time.perf_counter_ns() - started)
        return best / self._num_loaded
