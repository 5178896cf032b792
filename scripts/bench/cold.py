"""Cold beside warm: the same queries with the int8 vectors and documents put out of RAM before each, and left there.

Every number says whether the eviction worked: mincore(2) is asked after each one, and where the file system ignores
it, there is no cold figure. The machine's own disk cache, below the system's, is beyond reach.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import Searcher, SearchResponse
from retrieval.bundle import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE, Bundle
from retrieval.timings import Timings, percentiles, stage_percentiles
from scripts.bench.job import TOP_K, Job, QuerySet, Report
from scripts.bench.pages import Pages, count_pages, evict
from scripts.bench.processes import in_own_process

_QUERIES_OF_EACH_SET = 50
_STARTS = 5
_PUT_OUT = {"int8": INT8_FILE, "documents": DOCUMENTS_FILE}
"""What stays on disk between queries; the codes are in RAM by design."""
_ALL_FILES = {**_PUT_OUT, "binary": BINARY_FILE}


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns `queries`: cold and warm figures, pages touched; and `start`: the first query of a fresh process.

    `evicted` says whether the pages went; where they did not, `cold` is None and `note` says why.
    """
    return {"queries": _queries(job, report), "start": _starts(job, report)}


def _queries(job: Job, report: Report) -> dict[str, Any]:
    searcher = Searcher(Bundle.open(job.index), None)
    files = {name: job.index / file for name, file in _PUT_OUT.items()}
    vectors = job.all_vectors(_QUERIES_OF_EACH_SET)
    searcher.search_vector(vectors[0], TOP_K)
    report("warm queries")
    warm, warm_time = _ask(searcher, vectors)
    report("cold queries")
    before = {name: count_pages(path) for name, path in files.items()}
    left: dict[str, list[Pages]] = {name: [] for name in files}
    touched: dict[str, list[int]] = {name: [] for name in files}
    faults, blocks, cold, cold_time = [], [], [], Timings()
    for vector in vectors:
        for name, path in files.items():
            left[name].append(evict(path))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cold.append(cold_time.add(searcher.search_vector, vector, TOP_K))
        now = resource.getrusage(resource.RUSAGE_SELF)
        faults.append(now.ru_majflt - usage.ru_majflt)
        blocks.append(now.ru_inblock - usage.ru_inblock)
        for name, path in files.items():
            touched[name].append(count_pages(path).resident - left[name][-1].resident)
    about = {
        name: {
            "pages": before[name].total,
            "resident_before": before[name].resident,
            "resident_after_eviction_most": max(pages.resident for pages in left[name]),
            "touched_a_query": float(np.median(touched[name])),
        }
        for name in files
    }
    went = all(pages.is_evicted for several in left.values() for pages in several)
    cold_figures = {
        **_figures(cold, cold_time),
        "major_faults": float(np.median(faults)),
        "read_bytes": 512 * float(np.median(blocks)),
    }
    return {
        "evicted": went,
        "note": None if went else unevicted_note(about),
        "files": about,
        "warm": _figures(warm, warm_time),
        "cold": cold_figures if went else None,
        "samples": len(vectors),
    }


def unevicted_note(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns why there is no cold figure, for the JSON."""
    most = {name: f"{about['resident_after_eviction_most']:,} of {about['pages']:,}" for name, about in files.items()}
    return (
        f"not measured: pages stayed in RAM after posix_fadvise(DONTNEED) ({most}). The file system ignores it, or "
        f"another process has the files mapped."
    )


def _ask(searcher: Searcher, vectors: Any) -> tuple[list[SearchResponse], Timings]:
    timings = Timings()
    return [timings.add(searcher.search_vector, vector, TOP_K) for vector in vectors], timings


def _figures(responses: list[SearchResponse], timings: Timings) -> dict[str, Any]:
    return {
        "stages": stage_percentiles(
            {**response.latency.stages, "total": response.latency.total_ms} for response in responses
        ),
        "cpu_ms": timings.to_json()["cpu_ms"],
    }


def _starts(job: Job, report: Report) -> dict[str, Any]:
    first = next(iter(job.query_sets.values())).first(_STARTS + 1)
    warm = []
    for number in range(_STARTS):
        report(f"warm start {number + 1} of {_STARTS}")
        warm.append(in_own_process(start_once, job.index, first))
    cold = []
    for number in range(_STARTS):
        report(f"cold start {number + 1} of {_STARTS}")
        left = {name: evict(job.index / file) for name, file in _ALL_FILES.items()}
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
        "samples": _STARTS,
    }


def start_once(index: Path, queries: QuerySet) -> dict[str, float]:
    """Returns the milliseconds to open an index, of its first query, and of the later ones, in this fresh process."""
    opening, asked = Timings(), Timings()
    if queries.texts:
        searcher = opening.add(Searcher.open, index)
        for text in queries.texts:
            asked.add(searcher.search, text, TOP_K)
    else:
        searcher = opening.add(_open_without_model, index)
        for vector in queries.vectors:
            asked.add(searcher.search_vector, vector, TOP_K)
    later = asked.wall_ms[1:] or asked.wall_ms
    return {"open": opening.wall_ms[0], "first_query": asked.wall_ms[0], "later_queries": float(np.median(later))}


def _percentiles_of(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {name: percentiles([run[name] for run in runs]) for name in runs[0]}


def _open_without_model(index: Path) -> Searcher:
    return Searcher(Bundle.open(index), None)
