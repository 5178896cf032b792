"""The slot for the peers: other engines on the same vectors, where `scripts.bench.peers` is there."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from scripts.bench.job import Job, Report

_MODULE = "scripts.bench.peers"


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns what `scripts.bench.peers.measure` gives, or `not_measured` where there is no such module."""
    if importlib.util.find_spec(_MODULE) is None:
        return {"not_measured": f"there is no {_MODULE}"}
    vectors = {name: queries.vectors for name, queries in job.query_sets.items()}
    peers = importlib.import_module(_MODULE)
    figures: dict[str, Any] = peers.measure(job.index, vectors, threads=job.threads, work=job.work, report=report)
    return figures
