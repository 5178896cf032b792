"""One query at every precision: float32, int8, bits alone, bits as the 2024 demos did it, float-bits, and ours.

All ways answer with distinct texts, start from the same query vector, and are timed over the same stages: from that
vector to the ranked texts. Encoding the query and reading the texts is in none of the times. Ours, the bits and the
candidates of the demos go through `Searcher`; float32 and int8 are scans of all vectors, with every core.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np

from retrieval.bundle.manifest import EMBEDDINGS_FILE
from retrieval.errors import RetrievalError
from retrieval.evaluation.baseline import ExactBaseline, OpenedIndex
from retrieval.evaluation.comparison.answers import Comparison, Reference, WayAnswer
from retrieval.evaluation.comparison.averages import averages
from retrieval.evaluation.comparison.curve import candidate_curve
from retrieval.evaluation.comparison.turns import Clock, Timed, in_turns, times_shown
from retrieval.evaluation.published import RawRescored
from retrieval.evaluation.way import Found, Way
from retrieval.evaluation.ways import INT8_READ, Bits, Float32, FloatScan, Int8, Ours
from retrieval.quantization import Float32s
from retrieval.results import SearchSettings
from retrieval.search.exact_scan import best_of
from retrieval.search.measurement import process_rss_bytes
from retrieval.search.query_checks import chosen_settings
from retrieval.search.searcher import Searcher

MAX_TOP_K = 20
"""More results than this cannot be compared side by side."""

_baselines: weakref.WeakKeyDictionary[Searcher, ExactBaseline | None] = weakref.WeakKeyDictionary()
"""Opened once per searcher, and released with it: a visitor's index does not outlive the visit."""


def ways_compared(settings: SearchSettings) -> tuple[Way, ...]:
    """Returns the ways that a comparison shows, the most exact scan first; `settings` are those of our path."""
    return (
        Float32(),
        Int8(),
        Bits(),
        RawRescored(),
        FloatScan(settings),
        Ours(settings),
    )


class Gate:
    """Lets one comparison through at a time, since each takes all cores."""

    def __init__(self, max_waiting: int = 8) -> None:
        self._max_waiting = max_waiting
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(max_waiting + 1)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Waits for a turn, and holds it for the block.

        Raises:
            RetrievalError: if too many are waiting.
        """
        if not self._places.acquire(blocking=False):
            raise RetrievalError(
                f"{self._max_waiting} comparisons are waiting for their turn already, and each takes all cores: "
                f"try again in a few seconds."
            )
        try:
            with self._turn:
                yield
        finally:
            self._places.release()


GATE = Gate()
"""Of this process, for all that scans with every core."""


def compare(
    searcher: Searcher,
    text: str,
    settings: SearchSettings,
    *,
    ways: Callable[[SearchSettings], Sequence[Way]] = ways_compared,
    gate: Gate = GATE,
    clock: Clock = time.perf_counter,
) -> Comparison:
    """Returns the answers of all ways to one query.

    Args:
        searcher: an open index; without float32 vectors, overlap is counted with int8 over all of them.
        text: the query.
        settings: those of our path; `top_k` is at most `MAX_TOP_K` here.
        ways: returns what is compared, given those settings as they are used.
        gate: lets one comparison through at a time.
        clock: the clock, in seconds.

    Raises:
        QueryError: if the query is blank, the index has no model, or a setting is below 1.
        BundleError: if a file of the index is altered or missing.
        RetrievalError: if too many comparisons wait for their turn.
    """
    start = time.perf_counter()
    vector, notes = searcher.encode_query(text)
    encode_ms = (time.perf_counter() - start) * 1e3
    with gate():
        start = time.perf_counter()
        used = _checked(searcher, settings)
        are_warm = searcher in _baselines
        index = opened_index(searcher)
        shown = ways(used)
        searches = {way.key: partial(way.search, index, vector, used.top_k) for way in shown if way.can_search(index)}
        timed = in_turns(searches, are_warm=are_warm, clock=clock)
        reference_key, reference = _reference(index, timed, used.top_k)
        curve = candidate_curve(index, vector, reference.best.rows, searcher.manifest.tuning)
        return Comparison(
            query=text,
            answers=_answers(index, shown, vector, timed, reference, used),
            reference_key=reference_key,
            settings=used,
            num_texts=len(index.text_rows),
            dim=index.dim,
            encode_ms=encode_ms,
            total_ms=(time.perf_counter() - start) * 1e3 + encode_ms,
            rss_bytes=process_rss_bytes(),
            curve=curve,
            notes=notes,
        )


def opened_index(searcher: Searcher) -> OpenedIndex:
    """Returns an index whose float32 file is opened once; called by one thread at a time."""
    bundle, rows = searcher.bundle, searcher.files.text_rows
    if searcher not in _baselines:
        bundle.check_current()  # its searcher has the other files open; this one is opened now
        exact = ExactBaseline(bundle.file(EMBEDDINGS_FILE), rows) if bundle.manifest.has_baseline else None
        _baselines[searcher] = exact
    return OpenedIndex(searcher, _baselines[searcher], rows)


def _checked(searcher: Searcher, settings: SearchSettings) -> SearchSettings:
    """Returns the settings as `Searcher` uses them, with no more texts than can be shown."""
    num_texts = len(searcher.files.texts.codes)
    shown = dataclasses.replace(settings, top_k=min(settings.top_k, MAX_TOP_K, num_texts))
    return chosen_settings(shown, None, {}, num_rows=len(searcher), num_texts=num_texts, scans=searcher.scans)


def _reference(index: OpenedIndex, timed: Mapping[str, Timed[Found]], top_k: int) -> tuple[str, Reference]:
    """Returns the first way that scored every text, by key, and its scores."""
    for key, each in timed.items():
        if (scores := each.answer.all_scores) is not None:
            return key, Reference(scores, best_of(index.text_rows, scores, top_k), index.text_rows)
    raise ValueError("none of the compared ways scores every text, so there is nothing to compare with")


def _answers(
    index: OpenedIndex,
    ways: Sequence[Way],
    vector: Float32s,
    timed: Mapping[str, Timed[Found]],
    reference: Reference,
    used: SearchSettings,
) -> tuple[WayAnswer, ...]:
    num_texts = len(index.text_rows)
    known = averages(index.searcher.manifest.tuning, used)
    work = {way.key: way.work(num_texts, used.top_k) for way in ways}
    times_ms = times_shown({key: each.median_ms for key, each in timed.items()}, work)
    rows = np.unique(np.concatenate([each.answer.rows for each in timed.values()])).tolist()
    documents = dict(zip(rows, index.searcher.documents(rows), strict=True))
    answers = []
    for way in ways:
        own = timed.get(way.key)
        found = None if own is None else own.answer
        answers.append(
            WayAnswer(
                way=way,
                hits=() if found is None else reference.hits(found.rows, way.scores(index, vector, found), documents),
                lost=() if found is None else reference.lost(found.rows, documents),
                time_ms=times_ms.get(way.key),
                num_runs=0 if own is None else len(own.times_ms),
                work=work[way.key],
                vector_bytes=way.ram_vector_bytes(index.dim),
                ram_bytes=way.ram_vector_bytes(index.dim) * num_texts,
                disk_bytes=way.disk_vector_bytes(index.dim) * num_texts,
                disk_read_bytes=way.disk_vector_bytes(index.dim) * work[way.key].get(INT8_READ, 0),
                average=known.get(way.key),
            )
        )
    return tuple(answers)
