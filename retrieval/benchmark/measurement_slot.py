"""One bounded measurement at a time per process, in its own thread, while searches continue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from retrieval.benchmark.machine import when_and_where
from retrieval.benchmark.quick import measure_quickly
from retrieval.benchmark.sampled_queries import sampled_queries
from retrieval.bundle.manifest import BINARY_FILE
from retrieval.errors import RetrievalError
from retrieval.search.searcher import Searcher

BUDGET_S = 40.0
ABANDONED_AFTER_S = 20.0
"""A measurement that nobody has asked about for this long is ended: the visitor who started it has left."""
_ENDING_S = 3.0
"""A cancelled measurement may be in the middle of a scan: the next one waits at most this long for its end."""
MOST_QUERIES, _SEED = 100, 0
_LOG = logging.getLogger(__name__)

Measure = Callable[..., dict[str, Any]]
"""What measures: takes what `measure_quickly` takes, and returns what it returns."""


class _Ended(Exception):
    """Raised between two searches of a measurement that is no longer wanted."""


@dataclass(eq=False)
class Measurement:
    """A running or finished measurement. Read it from any thread."""

    searcher: Searcher
    budget_s: float = BUDGET_S
    measure: Measure = measure_quickly
    abandoned_after_s: float = ABANDONED_AFTER_S
    share: float = 0.0
    what: str = "choosing queries"
    figures: dict[str, Any] | None = None
    """What was measured, once it is: the figures of a run of `scripts/benchmark.py --quick`."""
    error: str | None = None
    _is_cancelled: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _asked_at: float = field(default_factory=time.monotonic)

    def __deepcopy__(self, memo: object) -> Measurement:
        return self  # a session's state may be copied; the measurement must not be

    @property
    def is_over(self) -> bool:
        """Returns whether it has ended, for any reason. Asking keeps it from being abandoned."""
        self._asked_at = time.monotonic()
        return self._ended.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Returns whether it was told to end."""
        return self._is_cancelled.is_set()

    def cancel(self) -> None:
        """Ends it before its next search."""
        self._is_cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Returns whether it ended in time."""
        return self._ended.wait(timeout_s)

    def run(self) -> None:
        """Measures; to be called once, in its own thread."""
        try:
            self.figures = self._measured()
        except _Ended:
            self._is_cancelled.set()
        except RetrievalError as error:
            self.error = str(error)
        except Exception:  # noqa: BLE001 - the border of the thread: the page says that it failed, the log why
            _LOG.exception("a measurement failed")
            self.error = "the measurement failed on this side; the log has the reason."
        finally:
            self._ended.set()

    def _measured(self) -> dict[str, Any]:
        manifest = self.searcher.manifest
        sampled = sampled_queries(self.searcher, MOST_QUERIES, _SEED)
        quick = self.measure(self.searcher, sampled.queries, self._report, budget_s=self.budget_s)
        return {
            **when_and_where(),
            "load_average": quick["load_average"],
            "threads": quick["threads"],
            "index": {
                "title": manifest.corpus.title,
                "rows": manifest.row_count,
                "dim": manifest.dim,
                "binary_sha256": manifest.files[BINARY_FILE].sha256,
            },
            "query_sets": {sampled.name: {"count": quick["queries"]}},
            "parts": {"quick": {"query_set": sampled.name, **quick}},
        }

    def _report(self, share: float, what: str) -> None:
        if self._is_cancelled.is_set() or time.monotonic() - self._asked_at > self.abandoned_after_s:
            raise _Ended
        self.share, self.what = share, what


class MeasurementSlot:
    """Lets one measurement run at a time: two would disturb each other."""

    def __init__(self, measure: Measure = measure_quickly, *, abandoned_after_s: float = ABANDONED_AFTER_S) -> None:
        self._measure = measure
        self._abandoned_after_s = abandoned_after_s
        self._lock = threading.Lock()
        self._current: Measurement | None = None

    def start(self, searcher: Searcher, *, budget_s: float = BUDGET_S) -> Measurement | None:
        """Returns the measurement that was started; None while another is running."""
        with self._lock:
            if self._current is not None and not self._current.wait(_ENDING_S if self._current.is_cancelled else 0):
                return None
            measurement = Measurement(searcher, budget_s, self._measure, self._abandoned_after_s)
            self._current = measurement
        threading.Thread(target=self._run, args=(measurement,), name="measurement", daemon=True).start()
        return measurement

    def _run(self, measurement: Measurement) -> None:
        measurement.run()
        with self._lock:
            if self._current is measurement:
                self._current = None  # it holds an index, maybe a visitor's, whose deleted files would stay on the disk
