"""The parts of the benchmark by name, and how they are run: each in a process of its own, none stopping the others."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retrieval import RetrievalError
from scripts.bench.job import Job, NotMeasurableError
from scripts.bench.processes import in_own_process, limited_to


@dataclass(frozen=True, slots=True)
class Part:
    """A part: a module with `measure(job, report)`."""

    module: str
    summary: str


PARTS: Mapping[str, Part] = {
    "opening": Part("scripts.bench.opening", "seconds to open the index, milliseconds to read the codes once"),
    "scans": Part(
        "scripts.bench.scans", "exact float32, int8 and Hamming scans of all vectors, with the article's ratios"
    ),
    "paths": Part("scripts.bench.paths", "our path and the reference path by stage, with the recall each reaches"),
    "sweep": Part("scripts.bench.sweep", "candidates x int8 rows: recall, latency, reads and the frontier"),
    "cold": Part("scripts.bench.cold", "cold beside warm: int8 vectors and documents put out of RAM"),
    "memory": Part("scripts.bench.memory", "codes, mapped, resident and RSS at defined moments"),
    "growth": Part("scripts.bench.growth", "10,000 to 2,000,000 documents: latency, recall and bytes"),
    "peers": Part("scripts.bench.peers_part", "other engines on the same vectors"),
}
QUICK: Mapping[str, Part] = {
    "quick": Part("scripts.bench.quick", "what the page's button measures, in less than a minute")
}


def run_parts(names: Sequence[str], job: Job, on_part: Callable[[str, dict[str, Any]], None]) -> list[str]:
    """Runs parts in turn, each on `job.threads` cores, and returns the names of those that failed.

    A part that fails gives `{"error": ...}`, one that needs what the index lacks `{"not_measured": ...}`, and the
    others still run. `on_part` is told each result as it comes.
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


def _measure(name: str, job: Job) -> dict[str, Any]:
    module = importlib.import_module({**PARTS, **QUICK}[name].module)
    try:
        figures: dict[str, Any] = module.measure(
            job, lambda what: print(f"{name}: {what}", file=sys.stderr, flush=True)
        )
    except NotMeasurableError as error:
        print(f"{name}: not measured: {error}", file=sys.stderr)
        return {"not_measured": str(error)}
    return figures
