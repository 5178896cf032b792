"""Measures the frontier of a set of vectors: how much recall is left in how few bytes.

Memory is bounded by the scores of every vector for every query (8 bytes each), so a large set takes fewer queries.
"""

from __future__ import annotations

import time

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.errors import VectorsError, counted
from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.run import FrontierOptions, Progress, Run
from retrieval.evaluation.frontier.vectors import Vectors, hold_out
from retrieval.quantization import Float32s

_SCORE_BYTES_LIMIT = 600 * 2**20
_FEWEST_QUERIES = 10
_SHARE_FOR_POINTS = 0.75


def measure_frontier(
    vectors: Vectors,
    queries: Float32s | None = None,
    options: FrontierOptions | None = None,
    progress: Progress = lambda share, scheme: None,
    *,
    num_given: int | None = None,
) -> Frontier:
    """Returns the frontier of `vectors`, which are of length 1 where the metric is cosine.

    Args:
        vectors: finite float32 vectors `(n, dim)`.
        queries: float32 `(m, dim)`; without them, vectors of the set are held out.
        options: what is measured.
        progress: called before each scheme; what it raises ends the measurement.
        num_given: how many vectors there were, when only the first of them are passed.

    Raises:
        VectorsError: if there are too few vectors, or the queries have another dimension.
    """
    options = options or FrontierOptions()
    started = time.perf_counter()
    most_queries = max(_FEWEST_QUERIES, min(options.max_queries, _SCORE_BYTES_LIMIT // (8 * max(1, len(vectors)))))
    held_out = queries is None
    positions = np.arange(0)
    if queries is None:
        vectors, queries = hold_out(vectors, min(most_queries, len(vectors) // 5))
    else:
        if queries.ndim != 2 or queries.shape[1] != vectors.dim or not len(queries):
            raise VectorsError(f"queries have shape {queries.shape}, the vectors {vectors.dim} dimensions.")
        positions = _spread(len(queries), most_queries)
        queries = queries[positions]
    if len(vectors) <= options.k:
        raise VectorsError(
            f"{counted(len(vectors), 'vector')} left to search, with {counted(len(queries), 'query', 'queries')}: for "
            f"the {options.k} nearest, more than {options.k} are needed. Give more vectors, or a smaller k."
        )
    run = Run(vectors, queries, positions, options, progress, started + _SHARE_FOR_POINTS * options.max_seconds)
    points, left_out = run.points()
    return Frontier(
        num_vectors=len(vectors),
        num_given=num_given or len(vectors) + (len(queries) if held_out else 0),
        num_queries=len(queries),
        held_out=held_out,
        dim=vectors.dim,
        metric=options.metric,
        k=options.k,
        points=points,
        left_out=left_out,
        growth=run.growth(),
        seconds=time.perf_counter() - started,
    )


def _spread(count: int, most: int) -> Rows:
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)
