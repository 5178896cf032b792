"""The parts of the benchmark by name, and how they are run: each in its own process, none stopping the others."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrieval import RetrievalError, Searcher
from retrieval.benchmark.quick import measure_quickly
from retrieval.benchmark.timings import Timings
from retrieval.bundle.bundle import Bundle
from scripts.bench import peers
from scripts.bench.job import Job, NotMeasurableError, Report, open_for
from scripts.bench.processes import in_own_process, limited_to

_OPENINGS, _READINGS = 5, 30


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the benchmark."""

    target: str
    """`module:function`; the function takes a `Job` and a `Report`. Only the part's own process imports the module."""
    summary: str


PARTS: Mapping[str, Part] = {
    "opening": Part(
        "scripts.bench.parts:measure_opening", "seconds to open the index, milliseconds to read the codes once"
    ),
    "scans": Part(
        "scripts.bench.scans:measure", "exact float32, int8 and Hamming scans of all vectors, with the article's ratios"
    ),
    "paths": Part(
        "scripts.bench.paths:measure", "our path and the reference path by stage, with the recall each reaches"
    ),
    "sweep": Part("scripts.bench.sweep:measure", "candidates x int8 rows: recall, latency, reads and the frontier"),
    "cold": Part("scripts.bench.cold:measure", "cold and warm: int8 vectors and documents put out of RAM"),
    "memory": Part("scripts.bench.memory:measure", "codes, mapped, resident and RSS at defined moments"),
    "growth": Part("scripts.bench.growth:measure", "10,000 to 2,000,000 documents: latency, recall and bytes"),
    "peers": Part("scripts.bench.parts:measure_peers", "other engines on the same vectors"),
}
QUICK: Mapping[str, Part] = {
    "quick": Part("scripts.bench.parts:measure_quick", "what the page's button measures, in less than a minute")
}


def run_parts(names: Sequence[str], job: Job, on_part: Callable[[str, dict[str, Any]], None]) -> list[str]:
    """Runs parts in turn, each on `job.threads` cores, and returns the names of those that failed.

    A part that fails gives `{"error": ...}`, one that needs what the index lacks `{"not_measured": ...}`, and the
    others still run. `on_part` is called with each result as it comes.
    """
    failed = []
    for name in names:
        try:
            with limited_to(job.threads):
                figures = in_own_process(_measure, name, job)
        except RetrievalError as error:
            figures = {"error": str(error)}
            failed.append(name)
            print(f"error: {name}: {error}", file=sys.stderr)
        on_part(name, figures)
    return failed


def measure_opening(job: Job, report: Report) -> dict[str, Any]:
    """Returns the timings of `open` (without the encoder; the codes' checksum included) and of `read_codes_once`."""
    report("opening the index")
    openings = Timings()
    for _ in range(_OPENINGS):
        searcher = openings.add(lambda: Searcher(Bundle.open(job.index), None))
    codes = np.array(searcher.files.texts.codes)
    words = codes.reshape(-1).view(np.uint64 if codes.shape[1] % 8 == 0 else np.uint8)
    readings = Timings()
    for _ in range(_READINGS):
        readings.add(words.sum)
    return {"open": openings.to_json(), "read_codes_once": readings.to_json(), "codes_bytes": codes.nbytes}


def measure_peers(job: Job, report: Report) -> dict[str, Any]:
    """Returns what `peers.measure` gives."""
    vectors = {name: queries.vectors for name, queries in job.query_sets.items()}
    return peers.measure(job.index, vectors, threads=job.threads, work=job.work, report=report)


def measure_quick(job: Job, report: Report) -> dict[str, Any]:
    """Returns what `benchmark.quick.measure_quickly` gives for the first query set; its docstring has the keys."""
    name, queries = next(iter(job.query_sets.items()))
    searcher = open_for(job.index, [queries])
    figures = measure_quickly(searcher, queries.texts or queries.vectors, lambda share, what: report(what))
    return {"query_set": name, **figures}


def _measure(name: str, job: Job) -> dict[str, Any]:
    module, _, function = {**PARTS, **QUICK}[name].target.partition(":")
    try:
        figures: dict[str, Any] = getattr(importlib.import_module(module), function)(
            job, lambda what: print(f"{name}: {what}", file=sys.stderr, flush=True)
        )
    except NotMeasurableError as error:
        print(f"{name}: not measured: {error}", file=sys.stderr)
        return {"not_measured": str(error)}
    return figures
