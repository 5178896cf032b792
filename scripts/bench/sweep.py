"""Candidates x int8 rows: the recall, the latency and the reads of our path at every setting, and the best of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from retrieval import Searcher, SearchSettings
from retrieval.benchmark.timings import percentiles
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import ExactAnswer
from scripts.bench.job import TOP_K, Job, QuerySet, Report, prepare_as_served, require_baseline
from scripts.bench.reference_path import ReferenceRanking

CANDIDATES = (10, 40, 100, 200, 400, 1000, 2000, 4000)
INT8_ROWS = (10, 40, 100, 200, 400, 1000)


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns, in `sets`, the `points` of the sweep, their `frontier` and the `raw_codes` curve of each query set.

    A point has `num_candidates`, `int8_rows_read`, `recall` and the percentiles of the vector part (no encoding, no
    documents). The frontier lists the points that no other beats: at least as good in recall and median, better in one.
    `raw_codes` is the recall of rescoring as the 2024 demos did it, with that many candidates, all of them rescored.

    Raises:
        NotMeasurableError: if the index has no float32 baseline.
    """
    bundle = Bundle.open(job.index)
    require_baseline(job.index, bundle.manifest.has_baseline)
    searcher, reference = Searcher(bundle, None), ReferenceRanking(job.index)
    baseline = ExactBaseline.open(bundle)
    default = searcher.defaults
    prepare_as_served(searcher, default.scan)
    figures = {}
    for name, queries in job.query_sets.items():
        truths = baseline.search(queries.vectors, TOP_K)
        points = []
        for settings in grid(len(baseline.text_rows), default):
            report(f"{name}: {settings.num_candidates} candidates, {settings.rescore_multiplier * TOP_K} int8 rows")
            points.append(_point(searcher, baseline, queries, truths, settings))
        counts = sorted({point["num_candidates"] for point in points})
        raw = {str(count): _raw_codes(reference, baseline, queries, truths, count) for count in counts}
        figures[name] = {"points": points, "frontier": frontier(points), "raw_codes": raw}
    return {
        "sets": figures,
        "default": {"num_candidates": default.num_candidates, "int8_rows": default.rescore_multiplier * TOP_K},
    }


def grid(num_texts: int, default: SearchSettings) -> list[SearchSettings]:
    """Returns the settings of the sweep, the default among them: never more int8 rows than candidates or texts."""
    pairs = {(default.num_candidates, default.rescore_multiplier * TOP_K)}
    pairs |= {(candidates, rows) for candidates in CANDIDATES for rows in INT8_ROWS}
    usable = {(min(candidates, num_texts), rows) for candidates, rows in pairs}
    smaller = sorted((candidates, rows) for candidates, rows in usable if rows <= max(TOP_K, candidates))
    return [
        SearchSettings(top_k=TOP_K, num_candidates=candidates, rescore_multiplier=rows // TOP_K)
        for candidates, rows in smaller
    ]


def _point(
    searcher: Searcher,
    baseline: ExactBaseline,
    queries: QuerySet,
    truths: Sequence[ExactAnswer],
    settings: SearchSettings,
) -> dict[str, Any]:
    times: list[float] = []

    def nearest(vector: Float32s) -> Rows:
        start = time.perf_counter()
        rows = searcher.nearest_texts(vector, settings)
        times.append((time.perf_counter() - start) * 1e3)
        return rows

    nearest(queries.vectors[0])
    times.clear()
    recalls = baseline.recalls(queries.vectors, map(nearest, queries.vectors), truths)
    return {
        "num_candidates": settings.num_candidates,
        "int8_rows_read": min(settings.rescore_multiplier * TOP_K, settings.num_candidates),
        "recall": float(recalls.mean()),
        **percentiles(times),
    }


def _raw_codes(
    reference: ReferenceRanking,
    baseline: ExactBaseline,
    queries: QuerySet,
    truths: Sequence[ExactAnswer],
    count: int,
) -> float:
    rank = partial(reference.rank, top_k=TOP_K, num_candidates=count)
    return float(baseline.recalls(queries.vectors, map(rank, queries.vectors), truths).mean())


def frontier(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the points that none beats in `recall` and `p50_ms`, fastest first."""
    order = sorted(points, key=lambda point: (point["p50_ms"], -point["recall"]))
    best = -np.inf
    kept = []
    for point in order:
        if point["recall"] > best:
            best = point["recall"]
            kept.append(point)
    return kept
