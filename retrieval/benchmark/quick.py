"""A bounded measurement of an opened index on this machine: what the page's button and `benchmark.py --quick` run.

`measure_quickly` returns, ready for JSON:

    queries, top_k, threads, took_s
    load_average     of the minute before: above the number of cores, the machine was busy with other work
    path             the whole search: percentiles of its `stages`, of `total` and of `without_encode`; `cpu_ms`,
                     `samples`, `int8_rows_read`
    scans            {precision: `kernel` and timings} over all rows, one query at a time; no float32 without baseline
    ratios           {precision: float32's median over its own}; empty without baseline
    recall           recall@10 of the default path: `mean`, `queries`; None without baseline
    memory           `items`, as `Searcher.memory` has them, and `by_arithmetic`
    not_measured     [{what, why, how_to_get_it}]
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from retrieval.benchmark.scan_kernels import ExactScan, Float32Scan, HammingScan, Int8Scan
from retrieval.benchmark.timings import Timings, percentiles, stage_percentiles, timed
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.embeddings import map_embeddings
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.errors import QueryError
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.results import MemoryReport, SearchResponse
from retrieval.search.query_checks import usable_text
from retrieval.search.searcher import Searcher
from retrieval.system import usable_cores

TOP_K = 10
PRECISIONS = ("float32", "int8", "binary")
_MOST_QUERIES = 100
_SHARES = {"path": 0.35, "float32": 0.7, "int8": 0.8, "binary": 0.85}
"""The share of the budget at which each measurement ends at the latest; recall always takes about a second."""

Report = Callable[[float, str], None]
"""Called with the share that is done, 0 to 1, and what is being measured."""
Progress = Callable[[float], None]
"""The same for a part of it."""


def measure_quickly(
    searcher: Searcher,
    queries: Sequence[str] | Float32s,
    report: Report = lambda share, what: None,
    *,
    budget_s: float = 45.0,
) -> dict[str, Any]:
    """Returns speed, recall and memory of an index, measured now, in about `budget_s` seconds.

    Args:
        searcher: the opened index.
        queries: texts, or vectors `(m, dim)` of length 1 where the index has no model; the first hundred are used.
        report: called with the share done, before every search too; what it raises ends the measurement.
        budget_s: when it runs out, there are fewer repeats, but never fewer than three.

    Raises:
        QueryError: if there is no query, or a text is blank.
    """
    if len(queries) == 0:
        raise QueryError("there is no query to measure with: give at least one.")
    started, load_average = time.monotonic(), os.getloadavg()[0]
    ends = {name: started + share * budget_s for name, share in _SHARES.items()}
    threads = usable_cores()
    progress = partial(_within, report, 0.0, _SHARES["path"], "the whole search")
    path = _path(searcher, queries[:_MOST_QUERIES], ends["path"], progress)
    vectors = query_vectors(searcher, queries[:_MOST_QUERIES])
    scans = _scans(searcher, vectors, threads, ends, report)
    report(_SHARES["binary"], "recall against the exact answer")
    recall = _recall(searcher, vectors)
    report(1.0, "done")
    return {
        "queries": len(vectors),
        "threads": threads,
        "top_k": TOP_K,
        "load_average": load_average,
        "path": path,
        "scans": scans,
        "ratios": ratios(scans),
        "recall": recall,
        "memory": memory_json(searcher.memory()),
        "not_measured": not_measured(searcher),
        "took_s": time.monotonic() - started,
    }


def query_vectors(searcher: Searcher, queries: Sequence[str] | Float32s) -> Float32s:
    """Returns the embeddings of the queries, float32 `(m, dim)`; vectors are returned as they are.

    Raises:
        QueryError: if they are texts, and the index has no model.
    """
    if isinstance(queries, np.ndarray):
        return queries
    if searcher.encoder is None:
        raise QueryError("this index has no model for texts: measure it with vectors.")
    return searcher.encoder.encode_query(list(queries))


def ratios(scans: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Returns how many times faster than float32 each precision is, by medians; empty without float32."""
    if "float32" not in scans:
        return {}
    return {name: scans["float32"]["p50_ms"] / scan["p50_ms"] for name, scan in scans.items()}


def memory_json(memory: MemoryReport) -> dict[str, Any]:
    """Returns a memory report as JSON values: every item, and what the vectors take by arithmetic."""
    return {
        "items": {item.name: {"bytes": item.size_bytes, "kind": item.kind, "is": item.label} for item in memory.items},
        "by_arithmetic": {"float32": memory.float32_bytes, "int8": memory.int8_bytes, "binary": memory.binary_bytes},
    }


def not_measured(searcher: Searcher) -> list[dict[str, str]]:
    """Returns what cannot be measured on this index, why, and how to get it."""
    if searcher.manifest.has_baseline:
        return []
    return [
        {
            "what": "the float32 scan, what is faster than it, and recall",
            "why": f"the index has no {EMBEDDINGS_FILE}, the float32 baseline",
            "how_to_get_it": "build the index again without --no-baseline",
        }
    ]


def _within(report: Report, begin: float, end: float, what: str, share: float) -> None:
    report(begin + (end - begin) * share, what)


def _path(searcher: Searcher, queries: Sequence[str] | Float32s, until: float, progress: Progress) -> dict[str, Any]:
    responses: list[SearchResponse] = []

    def search(query: Any) -> None:
        if isinstance(query, str) and searcher.query_vectors is not None:
            searcher.query_vectors.forget(usable_text(query))  # its encoding is measured, too
        found = searcher.search(query, TOP_K) if isinstance(query, str) else searcher.search_vector(query, TOP_K)
        responses.append(found)

    progress(0.0)
    timings = timed(search, list(queries), until=until, progress=progress)
    return path_json(responses[1:], timings)


def path_json(responses: Sequence[SearchResponse], timings: Timings) -> dict[str, Any]:
    """Returns the figures of searches, at least one, and of the calls that made them."""
    totals = [response.latency.total_ms for response in responses]
    encodes = [response.latency.stages["encode"] for response in responses]
    return {
        "stages": stage_percentiles(dict(response.latency.stages) for response in responses),
        "total": percentiles(totals),
        "without_encode": percentiles([total - encode for total, encode in zip(totals, encodes, strict=True)]),
        "cpu_ms": timings.to_json()["cpu_ms"],
        "samples": len(responses),
        "int8_rows_read": float(np.mean([response.int8_rows_read for response in responses])),
    }


def _scans(
    searcher: Searcher, vectors: Float32s, threads: int, ends: Mapping[str, float], report: Report
) -> dict[str, dict[str, Any]]:
    one_by_one, scans = [vector[None] for vector in vectors], {}
    for begins, precision in zip(("path", *PRECISIONS), PRECISIONS, strict=False):
        what = f"the exact scan of all {precision} vectors"
        progress = partial(_within, report, _SHARES[begins], _SHARES[precision], what)
        progress(0.0)
        scan = _open_scan(searcher, precision, threads)
        if scan is not None:
            timings = timed(scan.search, one_by_one, until=ends[precision], progress=progress)
            scans[precision] = {"kernel": scan.kernel, **timings.to_json()}
    return scans


def _open_scan(searcher: Searcher, precision: str, threads: int) -> ExactScan | None:
    bundle, manifest = searcher.bundle, searcher.manifest
    if precision == "binary":
        index = BinaryIndex.open(bundle.file(BINARY_FILE), manifest.dim, num_threads=threads)
        return HammingScan(index, TOP_K, manifest.signs)
    if precision == "int8":
        codes = Int8Store.open(bundle.file(INT8_FILE), manifest.dim).codes
        return Int8Scan(codes, manifest.quantizer, TOP_K, threads)
    if not manifest.has_baseline:
        return None
    # Mapped only during the scan: afterwards its pages no longer belong to this process.
    return Float32Scan(map_embeddings(bundle.file(EMBEDDINGS_FILE)), TOP_K, threads)


def _recall(searcher: Searcher, vectors: Float32s) -> dict[str, Any] | None:
    if not searcher.manifest.has_baseline:
        return None
    baseline = ExactBaseline.open(searcher.bundle)
    settings = replace(searcher.defaults, top_k=TOP_K)
    truths = baseline.search(vectors, TOP_K)
    found = (searcher.nearest_texts(vector, settings) for vector in vectors)
    return {"mean": float(baseline.recalls(vectors, found, truths).mean()), "queries": len(vectors)}
