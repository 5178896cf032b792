"""How far a job in the background is, in words: plain functions from reports to statuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_FIRST_GUESS_S = 5.0
"""A phase is watched for so long before its end is foretold."""
_WORDS = {
    "reading": "reading the documents",
    "encoding": "encoding",
    "writing": "writing the files",
    "tuning": "choosing the search settings",
    "fetching": "fetching",
    "checking": "checking what arrived",
}


@dataclass(frozen=True, slots=True)
class BackgroundStatus:
    """How far a job is."""

    phase: str
    """`starting`, the phases of a build or a fetch, `ready` or `failed`."""
    message: str
    """One or two sentences for people."""
    fraction: float | None = None
    """Of the phase, in [0, 1]; None where that is not known."""
    seconds_left: float | None = None
    """Of the phase; None where there is no telling."""
    failed: bool = False
    index_name: str | None = None
    """The name under which the index is searched, once it is."""

    @property
    def is_settled(self) -> bool:
        """Returns whether there is nothing left to wait for."""
        return self.failed or self.index_name is not None


class Pace:
    """Foretells the end of a phase from how it went so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase = ""
        self._started_at = 0.0
        self._started_done = 0

    def seconds_left(self, phase: str, done: int, total: int | None) -> float | None:
        """Returns how long the phase will go on, or None while there is no telling."""
        now = self._clock()
        if phase != self._phase:
            self._phase, self._started_at, self._started_done = phase, now, done
        elapsed, gained = now - self._started_at, done - self._started_done
        if total is None or elapsed < _FIRST_GUESS_S or gained <= 0:
            return None
        return elapsed / gained * (total - done)


def starting(label: str) -> BackgroundStatus:
    """Returns the status before the first report."""
    return BackgroundStatus("starting", f"{label} is being made ready in the background.")


def in_progress(label: str, report: Mapping[str, Any], pace: Pace) -> BackgroundStatus:
    """Returns the status that a report of the child stands for: phase, done, total, message."""
    phase, done, total = str(report["phase"]), int(report["done"]), report["total"]
    fraction = min(1.0, done / total) if total else None
    left = pace.seconds_left(phase, done, total)
    parts = [_WORDS.get(phase, phase)]
    if fraction is not None:
        parts.append(f"{100 * fraction:.0f} %")
    if left is not None:
        parts.append(f"{in_words(left)} left")
    made = "fetched" if phase in ("fetching", "checking") else "built"
    message = f"{label} is being {made} in the background: {', '.join(parts)}. It takes over when it is ready."
    return BackgroundStatus(phase, message, fraction, left)


def ready(label: str, index_name: str, detail: str = "") -> BackgroundStatus:
    """Returns the status of an index that is in service; `detail` says more about which one it is."""
    more = f" ({detail})" if detail else ""
    return BackgroundStatus("ready", f"{label} is ready{more}.", 1.0, 0.0, index_name=index_name)


def failed(label: str, reason: str) -> BackgroundStatus:
    """Returns the status of a job that ended without an index."""
    return BackgroundStatus(
        "failed", f"{label} cannot be had: {reason.rstrip('.')}. This page goes on with what it has.", failed=True
    )


def in_words(seconds: float) -> str:
    """Returns a duration for people: `about 40 s`, `about 12 min`, `about 2.5 h`."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5)):.0f} s"
    if seconds < 5_400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3_600:.1f} h"
