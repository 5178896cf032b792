"""The bounded measurement that the page's button runs, as a part: in a process of its own."""

from __future__ import annotations

from typing import Any

from retrieval import Searcher
from retrieval.benchmark.quick import measure_quickly
from retrieval.bundle.bundle import Bundle
from scripts.bench.job import Job, Report


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns what `benchmark.quick.measure_quickly` gives for the first query set; its docstring has the keys."""
    name, queries = next(iter(job.query_sets.items()))
    searcher = Searcher.open(job.index, verify="never") if queries.texts else Searcher(Bundle.open(job.index), None)
    figures = measure_quickly(searcher, queries.texts or queries.vectors, lambda share, what: report(what))
    return {"query_set": name, **figures}
