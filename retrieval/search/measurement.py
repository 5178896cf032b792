"""Clocks and memory, as the operating system and the monotonic clock give them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import psutil

from retrieval.results import STAGES, Latency

_RUNNING: ContextVar[StageClock | None] = ContextVar("running", default=None)
"""The clock that currently counts this thread's time."""


class StageClock:
    """Adds up the wall-clock time of a query's stages. One clock per query; not shared between threads."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._elapsed = dict.fromkeys(STAGES, 0.0)
        self._stage: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time of the block as stage `name`, except what `count_apart` moves to another."""
        self._stage, before = name, _RUNNING.set(self)
        start = time.perf_counter()
        try:
            yield
        finally:
            self._elapsed[name] += time.perf_counter() - start
            _RUNNING.reset(before)

    def move(self, seconds: float, to: str) -> None:
        """Moves this much time from the current stage to another."""
        if self._stage is not None:
            self._elapsed[self._stage] -= seconds
            self._elapsed[to] += seconds

    def latency(self) -> Latency:
        """Returns the milliseconds by stage, and those since the clock was made."""
        total_ms = (time.perf_counter() - self._start) * 1e3
        return Latency({name: elapsed * 1e3 for name, elapsed in self._elapsed.items()}, total_ms)


def count_apart(stage: str, seconds: float) -> None:
    """Moves this much time from this thread's current stage to another; does nothing if there is none."""
    if (clock := _RUNNING.get()) is not None:
        clock.move(seconds, stage)


def process_rss_bytes() -> int:
    """Returns the resident set size of this process: all its pages in RAM, including shared ones; 0 if unknown."""
    try:
        return int(psutil.Process().memory_info().rss)
    except (psutil.Error, OSError):  # a Linux without /proc
        return 0


def resident_bytes(paths: list[Path]) -> dict[Path, int]:
    """Returns, for each mapped file, how many of its bytes are resident in this process now (0 if not mapped).

    Read from `/proc/self/smaps`. On systems without it, such as macOS, the answer is empty.
    """
    try:
        by_name = {entry.path: int(entry.rss) for entry in psutil.Process().memory_maps(grouped=True)}
    except (AttributeError, psutil.Error, OSError):
        return {}
    return {path: by_name.get(str(path.resolve()), 0) for path in paths}
