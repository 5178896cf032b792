"""Cold and warm: the same queries with the int8 vectors and documents put out of RAM before each, and left there.

mincore(2) is asked after every eviction: of what reads pages that stayed there is no cold figure, but the reason why.
The machine's own disk cache, below the system's, is beyond reach.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import Searcher, SearchResponse
from retrieval.benchmark.timings import Timings, stage_percentiles
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import DOCUMENTS_FILE, INT8_FILE
from retrieval.quantization import Float32s
from scripts.bench.cold_start import STARTS, Evict, measure_starts
from scripts.bench.job import TOP_K, Job, Report, prepare_as_served
from scripts.bench.pages import Pages, count_pages, evict

_QUERIES_OF_EACH_SET = 50
_PUT_OUT = {"int8": INT8_FILE, "documents": DOCUMENTS_FILE}
"""What stays on disk between queries; the codes are in RAM by design."""
_READ_BY = {"rescore": ("int8",), "documents": ("documents",), "total": ("int8", "documents")}
"""What each stage that can be cold reads."""
_BLOCK_BYTES = 512


@dataclass(slots=True)
class _Asked:
    """What a series of queries took."""

    responses: list[SearchResponse] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)
    major_faults: list[int] = field(default_factory=list)
    read_bytes: list[int] = field(default_factory=list)

    def ask(self, searcher: Searcher, vector: Float32s) -> None:
        """Asks one query, and notes what it took."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        self.responses.append(self.timings.add(searcher.search_vector, vector, TOP_K))
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.major_faults.append(after.ru_majflt - before.ru_majflt)
        self.read_bytes.append(_BLOCK_BYTES * (after.ru_inblock - before.ru_inblock))

    def to_json(self) -> dict[str, Any]:
        """Returns the percentiles by stage, and the medians of the rest."""
        stages = ({**each.latency.stages, "total": each.latency.total_ms} for each in self.responses)
        return {
            "stages": stage_percentiles(stages),
            "cpu_ms": self.timings.to_json()["cpu_ms"],
            "major_faults": float(np.median(self.major_faults)),
            "read_bytes": float(np.median(self.read_bytes)),
        }


@dataclass(slots=True)
class _Evictions:
    """What became of one file's pages, eviction by eviction."""

    path: Path
    before: Pages
    left: list[Pages] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)

    @property
    def went(self) -> bool:
        """Returns whether hardly a page stayed, every time."""
        return all(pages.is_evicted for pages in self.left)

    def to_json(self) -> dict[str, Any]:
        """Returns the numbers of pages."""
        return {
            "evicted": self.went,
            "pages": self.before.total,
            "resident_before": self.before.resident,
            "resident_after_eviction_most": max(pages.resident for pages in self.left),
            "touched_a_query": float(np.median(self.touched)),
        }


def measure(job: Job, report: Report, *, starts: int = STARTS, evict: Evict = evict) -> dict[str, Any]:
    """Returns `queries`: warm and cold figures, and `files`, pages touched; and `start`: see `cold_start`.

    `cold` has the stages whose files were evicted, and is None when none was; `note` then says what stayed.
    """
    return {"queries": _queries(job, report, evict), "start": measure_starts(job, report, starts=starts, evict=evict)}


def _queries(job: Job, report: Report, evict: Evict) -> dict[str, Any]:
    searcher = Searcher(Bundle.open(job.index), None)
    prepare_as_served(searcher, searcher.defaults.scan)
    vectors = job.all_vectors(_QUERIES_OF_EACH_SET)
    searcher.search_vector(vectors[0], TOP_K)
    report("warm queries")
    warm, cold = _Asked(), _Asked()
    for vector in vectors:
        warm.ask(searcher, vector)
    report("cold queries")
    files = {name: _Evictions(job.index / file, count_pages(job.index / file)) for name, file in _PUT_OUT.items()}
    for vector in vectors:
        for each in files.values():
            each.left.append(evict(each.path))
        cold.ask(searcher, vector)
        for each in files.values():
            each.touched.append(count_pages(each.path).resident - each.left[-1].resident)
    stayed = {name: each.to_json() for name, each in files.items() if not each.went}
    return {
        "note": unevicted_note(stayed) if stayed else None,
        "files": {name: each.to_json() for name, each in files.items()},
        "warm": warm.to_json(),
        "cold": cold_figures(cold.to_json(), stayed.keys()),
        "samples": len(vectors),
    }


def cold_figures(figures: dict[str, Any], stayed: Any) -> dict[str, Any] | None:
    """Returns the figures of what was cold: stages that read no file of `stayed`; None when there is no such stage."""
    if not stayed:
        return figures
    stages = {stage: figures["stages"][stage] for stage, files in _READ_BY.items() if not set(files) & set(stayed)}
    return {"stages": stages, "cpu_ms": None, "major_faults": None, "read_bytes": None} if stages else None


def unevicted_note(stayed: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns which pages stayed, and why that may be."""
    most = [
        f"{about['resident_after_eviction_most']:,} of {about['pages']:,} of {name}" for name, about in stayed.items()
    ]
    return (
        f"not all was measured: pages stayed in RAM after posix_fadvise(DONTNEED), {' and '.join(most)}. Another "
        f"process has the file mapped, or its file system ignores the request."
    )
