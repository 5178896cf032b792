"""Many runs of one thing, timed: wall clock and CPU time of the whole process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")
_AT_LEAST = 3
"""So many runs are timed in any case."""


@dataclass(slots=True)
class Timings:
    """Milliseconds of each run."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    """CPU time of all threads of this process, spinning ones included; empty when it was not taken."""

    def add(self, call: Callable[..., Any], *arguments: Any, items: int = 1) -> Any:
        """Returns what `call(*arguments)` returns, and records its time, divided by the `items` it worked on."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = call(*arguments)
        self.wall_ms.append((time.perf_counter() - wall) * 1e3 / items)
        self.cpu_ms.append((time.process_time() - cpu) * 1e3 / items)
        return result

    def to_json(self) -> dict[str, float | int | None]:
        """Returns the percentiles of the wall clock, the mean CPU time and the number of runs."""
        return {
            **percentiles(self.wall_ms),
            "cpu_ms": float(np.mean(self.cpu_ms)) if self.cpu_ms else None,
            "samples": len(self.wall_ms),
        }


def percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    """Returns the median, the 95th and the 99th percentile of some milliseconds, at least one."""
    found = np.percentile(np.asarray(values_ms, dtype=np.float64), (50, 95, 99))
    return {"p50_ms": float(found[0]), "p95_ms": float(found[1]), "p99_ms": float(found[2])}


def timed(
    call: Callable[[Item], Any],
    items: Sequence[Item],
    *,
    until: float,
    progress: Callable[[float], None] = lambda share: None,
) -> Timings:
    """Returns the times of one call per item, in turn, after one call to warm up.

    Args:
        call: what is timed.
        items: what it is called with, at least one; each once.
        until: no call starts after this `time.monotonic()`, except the first three.
        progress: called with the share of the items that is done, between calls; what it raises ends the measurement.
    """
    call(items[0])
    timings = Timings()
    for number, item in enumerate(items):
        if number >= _AT_LEAST and time.monotonic() >= until:
            break
        progress(number / len(items))
        timings.add(call, item)
    return timings


def stage_percentiles(stages_ms: Iterable[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Returns the percentiles of each stage, from the milliseconds by stage of each run, at least one."""
    runs = list(stages_ms)
    return {stage: percentiles([run[stage] for run in runs]) for stage in runs[0]}
