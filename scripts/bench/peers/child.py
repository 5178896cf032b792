"""The program of one measured process: builds an index, or opens it and searches.

    python -m scripts.bench.peers.child JOB.json

`process.run_child` starts it. It imports one engine, and nothing of `retrieval` unless that engine is ours.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil

from scripts.bench.peers.engine import EngineModule, Float32s, Opened, Vectors

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Job:
    """What one child is to do."""

    task: str
    """`build`, `sweep` or `measure`."""
    module: str
    """Of the engine; with a leading dot, of this package."""
    folder: str
    """Of the index that is written or opened."""
    threads: int
    embeddings: str = ""
    """To build: a `.npy` of float32 vectors, and one that names the rows of it to take."""
    rows: str = ""
    queries: Mapping[str, str] = field(default_factory=dict)
    """To search: `.npy` files of float32 `(m, dim)`, by query set."""
    top_k: int = 10
    settings: Sequence[Mapping[str, int]] = ()
    """To sweep: all that are tried; to measure: the one."""
    warm_up: int = 30
    rounds: int = 3
    saturate_s: float = 3.0
    callers: Sequence[int] = (1, 2, 4)
    """To measure: how many threads ask at once, each number in turn."""


def main(path: str) -> int:
    """Does the job in the file `path`, writes the figures next to it and returns the exit status."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    keep_to_cores(job.threads)
    engine = cast("EngineModule", importlib.import_module(job.module, "scripts.bench.peers"))
    tasks = {"build": build, "sweep": sweep, "measure": measure}
    figures = tasks[job.task](engine, job)
    Path(path).with_suffix(".figures").write_text(json.dumps(figures), encoding="utf-8")
    return 0


def end_with_parent() -> None:
    """Ends this process when the pipe that its parent holds open is closed, however the parent ended."""
    while os.read(0, 1):
        pass
    os._exit(3)


def keep_to_cores(threads: int) -> None:
    """Pins this process to `threads` of its cores: pools that no setting reaches are bounded, too."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def build(engine: EngineModule, job: Job) -> dict[str, Any]:
    """Returns the seconds of a build, and the most memory it took."""
    vectors = Vectors(Path(job.embeddings), Path(job.rows))
    start = time.perf_counter()
    engine.build(vectors, Path(job.folder), job.threads)
    seconds = time.perf_counter() - start
    return {"build_s": seconds, "build_peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def sweep(engine: EngineModule, job: Job) -> dict[str, Any]:
    """Returns what every setting finds, `{query set: ids}`, and the median milliseconds of a query."""
    opened = engine.open_index(Path(job.folder), job.threads)
    sets = _read(job.queries)
    _ask(opened, next(iter(sets.values()))[: job.warm_up], job.top_k, job.settings[0])
    tried = []
    for setting in job.settings:
        asked = {name: _ask(opened, queries, job.top_k, setting) for name, queries in sets.items()}
        elapsed = [ms for answers in asked.values() for ms in answers.elapsed_ms]
        tried.append({"ids": {name: answers.ids for name, answers in asked.items()}, "ms": float(np.median(elapsed))})
    return {"tried": tried}


def measure(engine: EngineModule, job: Job) -> dict[str, Any]:
    """Returns ids, latency, processor time, memory and throughput at one setting."""
    sets, (setting,) = _read(job.queries), job.settings
    before = psutil.Process().memory_info()
    opened = engine.open_index(Path(job.folder), job.threads)
    _ask(opened, next(iter(sets.values()))[: job.warm_up], job.top_k, setting)
    cpu_start = time.process_time()
    rounds = [
        {name: _ask(opened, queries, job.top_k, setting) for name, queries in sets.items()} for _ in range(job.rounds)
    ]
    cpu_s = time.process_time() - cpu_start
    after = psutil.Process().memory_info()
    elapsed = {name: [ms for one in rounds for ms in one[name].elapsed_ms] for name in sets}
    every_query = np.concatenate(list(sets.values()))
    by_callers = {str(count): _saturated(opened, every_query, job, setting, count) for count in job.callers}
    return {
        "ids": {name: answers.ids for name, answers in rounds[0].items()},
        "latency_ms": {name: _percentiles(values) for name, values in elapsed.items()},
        "cpu_ms_per_query": cpu_s * 1e3 / sum(map(len, elapsed.values())),
        "rss_growth_bytes": after.rss - before.rss,
        "anonymous_growth_bytes": (after.rss - after.shared) - (before.rss - before.shared),
        "rss_after_bytes": after.rss,
        "held_bytes": opened.held_bytes(),
        "queries_per_s": max(by_callers.values()),
        "by_callers": by_callers,
        "batch_queries_per_s": _in_batches(opened, every_query, job, setting),
    }


@dataclass(frozen=True, slots=True)
class Answers:
    """What a sequence of queries got."""

    ids: list[list[int]]
    elapsed_ms: list[float]


def _read(files: Mapping[str, str]) -> dict[str, Float32s]:
    return {name: np.load(file) for name, file in files.items()}


def _ask(opened: Opened, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> Answers:
    ids, elapsed_ms = [], []
    for query in queries:
        start = time.perf_counter()
        found = opened.search(query, top_k, setting)
        elapsed_ms.append((time.perf_counter() - start) * 1e3)
        ids.append(found.tolist())
    return Answers(ids, elapsed_ms)


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {f"p{p}": float(np.percentile(values, p)) for p in PERCENTILES}


def _saturated(opened: Opened, queries: Float32s, job: Job, setting: Mapping[str, int], num_callers: int) -> float:
    """Returns the queries per second of so many threads that each ask again as soon as they are answered."""
    answered = [0] * num_callers
    start_line = threading.Barrier(num_callers + 1)
    done = threading.Event()

    def call(caller: int) -> None:
        if num_callers > 1:
            opened.enter_caller()
        start_line.wait()
        position = caller * len(queries) // num_callers
        while not done.is_set():
            opened.search(queries[position % len(queries)], job.top_k, setting)
            position += 1
            answered[caller] += 1

    callers = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(num_callers)]
    for caller in callers:
        caller.start()
    start_line.wait()
    start = time.perf_counter()
    time.sleep(job.saturate_s)
    done.set()
    for caller in callers:
        caller.join()
    return sum(answered) / (time.perf_counter() - start)


def _in_batches(opened: Opened, queries: Float32s, job: Job, setting: Mapping[str, int]) -> float | None:
    """Returns the queries per second when all are asked in one call, again and again; None without such a call."""
    if opened.search_batch(queries, job.top_k, setting) is None:
        return None
    answered, start = 0, time.perf_counter()
    while (elapsed_s := time.perf_counter() - start) < job.saturate_s:
        opened.search_batch(queries, job.top_k, setting)
        answered += len(queries)
    return answered / elapsed_s


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
