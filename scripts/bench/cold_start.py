"""The first query of a fresh process, with all files of the index in RAM, and with none of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import Searcher
from retrieval.benchmark.timings import Timings, percentiles
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE
from scripts.bench.job import TOP_K, Job, QuerySet, Report, open_for
from scripts.bench.pages import Pages, evict
from scripts.bench.processes import in_own_process

STARTS = 5
Evict = Callable[[Path], Pages]
"""Puts a file's pages out of RAM, and returns what is left there."""
_FILES = {"binary": BINARY_FILE, "int8": INT8_FILE, "documents": DOCUMENTS_FILE}


def measure_starts(job: Job, report: Report, *, starts: int = STARTS, evict: Evict = evict) -> dict[str, Any]:
    """Returns `warm` and `cold`: milliseconds to open the index and its model, of the first query, of the later ones.

    `cold` is None when pages stayed in RAM, and `note` says of which files.
    """
    first = next(iter(job.query_sets.values())).first(starts + 1)
    warm = []
    for number in range(starts):
        report(f"warm start {number + 1} of {starts}")
        warm.append(in_own_process(start_once, job.index, first))
    cold = []
    for number in range(starts):
        report(f"cold start {number + 1} of {starts}")
        left = {name: evict(job.index / file) for name, file in _FILES.items()}
        if stayed := [name for name, pages in left.items() if not pages.is_evicted]:
            note = f"not measured: pages of {', '.join(stayed)} stayed in RAM; is the index open elsewhere?"
            break
        cold.append(in_own_process(start_once, job.index, first))
    else:
        note = None
    return {
        "warm": _percentiles_of(warm),
        "cold": None if note else _percentiles_of(cold),
        "note": note,
        "encoded": bool(first.texts),
        "samples": starts,
    }


def start_once(index: Path, queries: QuerySet) -> dict[str, float]:
    """Returns the milliseconds to open an index, of its first query, and of the later ones, in this fresh process."""
    opening, asked = Timings(), Timings()
    if queries.texts:
        searcher = opening.add(Searcher.open, index)
        for text in queries.texts:
            asked.add(searcher.search, text, TOP_K)
    else:
        searcher = opening.add(open_for, index, [queries])
        for vector in queries.vectors:
            asked.add(searcher.search_vector, vector, TOP_K)
    later = asked.wall_ms[1:] or asked.wall_ms
    return {"open": opening.wall_ms[0], "first_query": asked.wall_ms[0], "later_queries": float(np.median(later))}


def _percentiles_of(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {name: percentiles([run[name] for run in runs]) for name in runs[0]}
