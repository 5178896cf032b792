"""One index searched in files and in Milvus: speed, recall, and the memory of every process that takes part.

Each way is asked in its own process, whose memory is then that of this way alone. Searched is the vector part:
from a query vector to the ranked texts, without documents.
"""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from retrieval import Searcher
from retrieval.benchmark.timings import Timings
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.load import LoadOptions, load
from retrieval.quantization import Float32s
from retrieval.results import SearchSettings
from retrieval.search.stores.opening import open_store
from scripts.bench.job import TOP_K
from scripts.bench.processes import peak_rss_bytes

_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Way:
    """A way to search the index."""

    name: str
    place: str
    """The folder, or the address."""
    scan: str = "hamming"


def measure(way: Way, vectors: Float32s, rounds: int, visitors: int, seconds: float) -> dict[str, Any]:
    """Returns the figures of one way, and the rows found for each vector of `(m, dim)`.

    Args:
        way: what is asked; to be called in its own process.
        vectors: the queries.
        rounds: how often each is asked, one at a time.
        visitors: how many ask at once, for the throughput.
        seconds: how long they do.
    """
    store = open_store(way.place, "never")
    store.prepare("never", way.scan)
    searcher = Searcher(store, None)
    settings = dataclasses.replace(searcher.defaults, top_k=TOP_K, scan=way.scan)
    if searcher.has_files:  # as the background does after an index is opened
        searcher.files.prepare_scan(way.scan)
    found = [searcher.nearest_texts(vector, settings).tolist() for vector in vectors]
    timings, stages = Timings(), []
    for _ in range(rounds):
        for vector in vectors:
            timings.add(searcher.nearest_texts, vector, settings)
    stages = [dict(searcher.search_vector(vector, **settings.knobs).latency.stages) for vector in vectors[:100]]
    return {
        "found": found,
        "settings": dataclasses.asdict(settings),
        "alone": timings.to_json(),
        "stages_p50_ms": {name: float(np.median([each[name] for each in stages])) for name in stages[0]},
        "queries_per_s": _throughput(searcher, vectors, settings, visitors, seconds),
        "visitors": visitors,
        "rss_bytes": psutil.Process().memory_info().rss,
    }


def measure_load(path: Path, address: MilvusAddress, scan: str, probes: int | None) -> dict[str, Any]:
    """Returns what loading an index took; to be called in its own process."""
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    phases: dict[str, float] = {}

    def report(phase: str, done: int, total: int) -> None:
        phases.setdefault(phase, time.perf_counter() - start)

    loaded = load(path, address, LoadOptions(scan=scan, probes=probes), report)
    return {
        "seconds": loaded.seconds,
        "rows_written": loaded.num_written,
        "documents_cut": loaded.num_cut,
        "phases_started_after_s": phases,
        "client_rss_before_bytes": before,
        "client_peak_rss_bytes": peak_rss_bytes(),
    }


def _throughput(
    searcher: Searcher, vectors: Float32s, settings: SearchSettings, visitors: int, seconds: float
) -> float:
    """Returns the queries per second that so many threads get together, after a few to warm up."""
    deadline = time.perf_counter() + seconds

    def ask(first: int) -> int:
        asked = 0
        while time.perf_counter() < deadline:
            searcher.nearest_texts(vectors[(first + asked) % len(vectors)], settings)
            asked += 1
        return asked

    start = time.perf_counter()
    with ThreadPoolExecutor(visitors) as pool:
        total = sum(pool.map(ask, range(0, visitors * _WARM_UP, _WARM_UP)))
    return total / (time.perf_counter() - start)
