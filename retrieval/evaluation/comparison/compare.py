"""One query through every precision: float32, int8, bits alone, bits as the published demos rescore them, and ours.

All ways answer with distinct texts, start from the same query vector, and are timed over the same stages: from that
vector to the ranked texts. Encoding the query and reading the texts is in none of the times. Ours, the bits and the
candidates of the demos go through `Searcher`; float32 and int8 are scans of all vectors, with every core.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median_low
from typing import Generic, TypeVar

import numpy as np

from retrieval.errors import RetrievalError
from retrieval.evaluation.comparison.compared import (
    BITS,
    FLOAT32,
    INT8,
    OURS,
    PUBLISHED,
    Comparison,
    Method,
    compare_values,
    in_words,
)
from retrieval.evaluation.comparison.kept_and_lost import Ranking, Reference, methods_of
from retrieval.evaluation.comparison.ways import FullVectors, Ways
from retrieval.quantization import Float32s
from retrieval.results import SearchSettings
from retrieval.search.exact_scan import best_of
from retrieval.search.measurement import process_rss_bytes
from retrieval.search.searcher import Searcher

__all__ = ["MAX_TOP_K", "Comparison", "Method", "compare", "compare_values", "in_words"]

MAX_TOP_K = 20
"""More results than this cannot be taken in side by side."""
_NUM_RUNS = 3
_LONG_MS = 100.0
"""After so much time, what is timed is not run again."""
_MAX_WAITING = 8
"""A comparison takes all cores: they are made one at a time, and whoever finds this many waiting is sent away."""

_turn = threading.Lock()
_places = threading.BoundedSemaphore(_MAX_WAITING + 1)
_vectors: weakref.WeakKeyDictionary[Searcher, FullVectors] = weakref.WeakKeyDictionary()
"""Opened once for each searcher, and let go with it: a visitor's own index does not outlive the visit."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Timed(Generic[Answer]):
    answer: Answer
    time_ms: float
    num_runs: int


def compare(searcher: Searcher, text: str, settings: SearchSettings) -> Comparison:
    """Returns the answers of all ways to one query.

    Args:
        searcher: an open index; without float32 vectors, overlap is counted with int8 over all of them.
        text: the query.
        settings: those of our path; `top_k` is at most `MAX_TOP_K` here.

    Raises:
        QueryError: if the query is blank, the index has no model, or a setting is below 1.
        BundleError: if a file of the index is altered or missing.
        RetrievalError: if too many comparisons wait for their turn.
    """
    start = time.perf_counter()
    vector, notes = searcher.encode_query(text)
    encode_ms = (time.perf_counter() - start) * 1e3
    with _one_at_a_time():
        start = time.perf_counter()
        ways = _ways_of(searcher)
        used = _checked(searcher, vector, settings, len(ways.vectors.text_rows))
        references, rankings = _scanned(ways, vector, used.top_k)
        reference_key, reference = next(iter(references.items()))
        rankings.update(_searched(ways, vector, used))
        methods = methods_of(searcher, ways, used, reference, rankings)
        return Comparison(
            query=text,
            methods=methods,
            reference_key=reference_key,
            settings=used,
            num_texts=len(ways.vectors.text_rows),
            dim=searcher.manifest.dim,
            encode_ms=encode_ms,
            total_ms=(time.perf_counter() - start) * 1e3 + encode_ms,
            rss_bytes=process_rss_bytes(),
            notes=notes,
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise RetrievalError(
            f"{_MAX_WAITING} comparisons are waiting for their turn already, and each takes all cores: "
            f"try again in a few seconds."
        )
    try:
        with _turn:
            yield
    finally:
        _places.release()


def _ways_of(searcher: Searcher) -> Ways:
    """Returns the ways of an index, whose files are opened once; called by one thread at a time."""
    if (vectors := _vectors.get(searcher)) is None:
        vectors = _vectors[searcher] = FullVectors(searcher.bundle)
    return Ways(searcher, vectors)


def _checked(searcher: Searcher, vector: Float32s, settings: SearchSettings, num_texts: int) -> SearchSettings:
    """Returns the settings as `Searcher` uses them, which it checks; the search warms our path."""
    response = searcher.search_vector(
        vector,
        min(settings.top_k, MAX_TOP_K, num_texts),
        num_candidates=settings.num_candidates,
        rescore_multiplier=settings.rescore_multiplier,
        asymmetric=settings.asymmetric,
        rescore=settings.rescore,
    )
    return response.settings


def _scanned(ways: Ways, vector: Float32s, top_k: int) -> tuple[dict[str, Reference], dict[str, Ranking]]:
    """Returns all scores and the ranking of each scan of all vectors, the most exact one first."""
    scans = {FLOAT32: ways.vectors.baseline.scores} if ways.vectors.baseline is not None else {}
    scans[INT8] = ways.int8_scan
    references, rankings = {}, {}
    for key, scan in scans.items():
        timed = _timed(partial(_scan, ways, scan, vector, top_k), warm_up=not ways.vectors.are_warm)
        found = references[key] = timed.answer
        rankings[key] = Ranking(found.answer.rows, found.answer.scores, timed.time_ms, timed.num_runs)
    ways.vectors.are_warm = True
    return references, rankings


def _scan(ways: Ways, scan: Callable[[Float32s], Float32s], vector: Float32s, top_k: int) -> Reference:
    scores = scan(vector)
    return Reference(scores, best_of(ways.vectors.text_rows, scores, top_k))


def _searched(ways: Ways, vector: Float32s, settings: SearchSettings) -> dict[str, Ranking]:
    """Returns the ranking of each way that starts from bits."""
    bits = _timed(lambda: ways.bits(vector, settings.top_k))
    published = _timed(lambda: ways.published(vector, settings.top_k))
    ours = _timed(lambda: ways.ours(vector, settings))
    scores = {
        BITS: ways.distances(vector, bits.answer).astype(np.float32),
        PUBLISHED: ways.raw_scores(vector, published.answer),
        OURS: ways.our_scores(vector, ours.answer, settings),
    }
    found = {BITS: bits, PUBLISHED: published, OURS: ours}
    return {key: Ranking(each.answer, scores[key], each.time_ms, each.num_runs) for key, each in found.items()}


def _timed(search: Callable[[], Answer], *, warm_up: bool = True) -> _Timed[Answer]:
    """Returns what a search answers and the median of its times: of three runs, or fewer where they take long.

    Args:
        search: what is timed.
        warm_up: run it once before: what ran last has filled the caches with other vectors.
    """
    if warm_up:
        search()
    times_ms: list[float] = []
    while not times_ms or (len(times_ms) < _NUM_RUNS and sum(times_ms) < _LONG_MS):
        start = time.perf_counter()
        answer = search()
        times_ms.append((time.perf_counter() - start) * 1e3)
    # The lower one of two: another program that took a core must not make ours look faster.
    return _Timed(answer, median_low(times_ms), len(times_ms))
