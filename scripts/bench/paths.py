"""Our path and the reference path, stage by stage, in processes of their own, in turn, with the recall each reaches.

Thread pools that spin would otherwise slow each other down. The reference is timed with as many candidates as results
(10), and with four times as many, as the 2024 demos did it. Recall is agreement with the exact float32 scan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from retrieval import Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.search.measurement import process_rss_bytes
from retrieval.search.stores.files import PREPARATION
from scripts.bench import reference_path
from scripts.bench.job import TOP_K, Job, NotMeasurableError, QuerySet, Report
from scripts.bench.processes import answering_process
from scripts.bench.reference_path import ReferenceRanking, Timed, path_figures

_WARM_UP_QUERIES = 30
_REFERENCE_CANDIDATES = {"reference": TOP_K, "reference_4x": 4 * TOP_K}


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns, in `sets`, the stages, CPU time and recall of `ours`, `reference` and `reference_4x` for each query set.

    Also: `rss_bytes` of both processes in the end, and the `settings` of our path.

    Raises:
        NotMeasurableError: if the index has no model.
        RetrievalError: if a path cannot be opened.
    """
    if not all(queries.texts for queries in job.query_sets.values()):
        raise NotMeasurableError(
            "the whole paths start from texts, and this index has no model for them: build it with --model."
        )
    report("recall of both paths")
    recall = measure_recall(job)
    model_id = Bundle.open(job.index).manifest.model_id
    report("starting both paths")
    with (
        answering_process(serve_ours, job.index) as ours,
        answering_process(reference_path.serve, job.index, model_id) as reference,
    ):
        timings = _in_turn(job, ours, reference, report)
        ours.send(None)
        reference.send(None)
        our_rss, settings = ours.recv()
        reference_rss = reference.recv()
    return {
        "sets": {name: _of_set(timings[name], recall[name]) for name in job.query_sets},
        "rss_bytes": {"ours": our_rss, "reference": reference_rss},
        "settings": settings,
    }


def serve_ours(pipe: Connection, index: Path) -> None:
    """Answers `(queries, top_k, None)` with a list of `Timed`, until None comes; then with its RSS and its settings."""
    searcher = Searcher.open(index, verify="now")
    for thread in threading.enumerate():
        if thread.name == PREPARATION:
            thread.join()  # it measures how many cores a query gets: the other path, starting, would distort that
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        queries, top_k, _ = asked
        pipe.send([_timed(searcher, query, top_k) for query in queries])
    pipe.send((process_rss_bytes(), asdict(searcher.defaults)))


def _timed(searcher: Searcher, query: str, top_k: int) -> Timed:
    cpu = time.process_time()
    response = searcher.search(query, top_k)
    cpu_ms = (time.process_time() - cpu) * 1e3
    return Timed({**response.latency.stages, "total": response.latency.total_ms}, cpu_ms)


def _in_turn(job: Job, ours: Connection, reference: Connection, report: Report) -> dict[str, dict[str, list[Timed]]]:
    asked: dict[str, Callable[[Sequence[str]], list[Timed]]] = {"ours": partial(_ask, ours, None)}
    for name, count in _REFERENCE_CANDIDATES.items():
        asked[name] = partial(_ask, reference, count)
    first = next(iter(job.query_sets.values()))
    for ask in asked.values():
        ask(first.texts[:_WARM_UP_QUERIES])
    timings: dict[str, dict[str, list[Timed]]] = {set_: {name: [] for name in asked} for set_ in job.query_sets}
    for round_number in range(job.rounds):
        report(f"both paths, round {round_number + 1} of {job.rounds}")
        for set_, queries in job.query_sets.items():
            for name, ask in asked.items():
                timings[set_][name] += ask(queries.texts)
    return timings


def _ask(pipe: Connection, num_candidates: int | None, queries: Sequence[str]) -> list[Timed]:
    pipe.send((queries, TOP_K, num_candidates))
    answers: list[Timed] = pipe.recv()
    return answers


def _of_set(timings: Mapping[str, Sequence[Timed]], recall: Mapping[str, float | None]) -> dict[str, Any]:
    figures: dict[str, Any] = {name: {**path_figures(own), "recall": recall[name]} for name, own in timings.items()}
    medians = {name: own["stages"]["total"]["p50_ms"] for name, own in figures.items()}
    for name in _REFERENCE_CANDIDATES:
        figures[f"{name}_over_ours"] = medians[name] / medians["ours"]
    return figures


def measure_recall(job: Job) -> dict[str, dict[str, float | None]]:
    """Returns recall@10 of each path for each query set; None without the float32 baseline."""
    bundle = Bundle.open(job.index)
    names = ("ours", *_REFERENCE_CANDIDATES)
    if not bundle.manifest.has_baseline:
        return {name: dict.fromkeys(names) for name in job.query_sets}
    searcher, reference = Searcher(bundle, None), ReferenceRanking(job.index)
    baseline = ExactBaseline.open(bundle)
    return {name: _recall_of_set(searcher, reference, baseline, queries) for name, queries in job.query_sets.items()}


def _recall_of_set(
    searcher: Searcher, reference: ReferenceRanking, baseline: ExactBaseline, queries: QuerySet
) -> dict[str, float | None]:
    truths = baseline.search(queries.vectors, TOP_K)
    ours = partial(searcher.nearest_texts, settings=replace(searcher.defaults, top_k=TOP_K))
    ranks: dict[str, Callable[[Float32s], Sequence[int] | Rows]] = {"ours": ours}
    for name, count in _REFERENCE_CANDIDATES.items():
        ranks[name] = partial(reference.rank, top_k=TOP_K, num_candidates=count)
    vectors = queries.vectors
    return {name: float(baseline.recalls(vectors, map(rank, vectors), truths).mean()) for name, rank in ranks.items()}
