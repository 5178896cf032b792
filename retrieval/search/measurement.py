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
    """Returns the resident set size of this process: all its pages in RAM, shared ones included; 0 if nobody tells."""
    try:
        return int(psutil.Process().memory_info().rss)
    except (psutil.Error, OSError):  # a Linux without /proc
        return 0


def resident_bytes(paths: list[Path]) -> dict[Path, int]:
    """Returns, for each mapped file, how many of its bytes are resident in this process now (0 if not mapped).

    Read from `/proc/self/smaps`. Where the system has no such thing, as macOS, nothing is known: the answer is empty.
    """
    try:
        by_name = {entry.path: int(entry.rss) for entry in psutil.Process().memory_maps(grouped=True)}
    except (AttributeError, psutil.Error, OSError):
        return {}
    return {path: by_name.get(str(path.resolve()), 0) for path in paths}
