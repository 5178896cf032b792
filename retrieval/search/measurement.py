"""Clocks and memory, as the operating system and the monotonic clock give them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from retrieval.results import STAGES, Latency


class StageClock:
    """Adds up the wall-clock time of a query's stages. One clock a query; not shared between threads."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._elapsed = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time of the block to the stage `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._elapsed[name] += time.perf_counter() - start

    def latency(self) -> Latency:
        """Returns the milliseconds by stage, and those since the clock was made."""
        total_ms = (time.perf_counter() - self._start) * 1e3
        return Latency({name: elapsed * 1e3 for name, elapsed in self._elapsed.items()}, total_ms)


def process_rss_bytes() -> int:
    """Returns the resident set size of this process: all its pages in RAM, shared ones included."""
    return int(psutil.Process().memory_info().rss)


def resident_bytes(paths: list[Path]) -> dict[Path, int]:
    """Returns, for each mapped file, how many of its bytes are resident in this process now (0 if not mapped).

    Read from `/proc/self/smaps`; where the system has no such thing, every answer is 0.
    """
    process = psutil.Process()
    if not hasattr(process, "memory_maps"):
        return dict.fromkeys(paths, 0)
    by_name = {entry.path: int(entry.rss) for entry in process.memory_maps(grouped=True)}
    return {path: by_name.get(str(path.resolve()), 0) for path in paths}
