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
"""The clock that counts the time of this thread now."""


class StageClock:
    """Adds up the wall-clock time of a query's stages. One clock a query; not shared between threads."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._elapsed = dict.fromkeys(STAGES, 0.0)
        self._stage: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time of the block to the stage `name`, but for what `count_apart` takes from it."""
        self._stage, before = name, _RUNNING.set(self)
        start = time.perf_counter()
        try:
            yield
        finally:
            self._elapsed[name] += time.perf_counter() - start
            _RUNNING.reset(before)

    def move(self, seconds: float, to: str) -> None:
        """Counts so much of the stage that runs to another one."""
        if self._stage is not None:
            self._elapsed[self._stage] -= seconds
            self._elapsed[to] += seconds

    def latency(self) -> Latency:
        """Returns the milliseconds by stage, and those since the clock was made."""
        total_ms = (time.perf_counter() - self._start) * 1e3
        return Latency({name: elapsed * 1e3 for name, elapsed in self._elapsed.items()}, total_ms)


def count_apart(stage: str, seconds: float) -> None:
    """Counts so much of the stage that runs in this thread to another one; nothing where none runs."""
    if (clock := _RUNNING.get()) is not None:
        clock.move(seconds, stage)


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
