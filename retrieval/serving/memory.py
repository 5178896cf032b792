"""What each open index holds in memory, read now and then instead of for every query."""

from __future__ import annotations

import threading
import time
import weakref

from retrieval.results import MemoryReport
from retrieval.search.searcher import Searcher

FRESH_S = 2.0
"""A report younger than this is reused."""


class RecentMemory:
    """The last memory report of each searcher, shared by all visitors. Safe to use from many threads.

    A report costs tens of milliseconds: the system walks through all pages of the mapped files for it.
    """

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._readings: weakref.WeakKeyDictionary[Searcher, tuple[float, MemoryReport]] = weakref.WeakKeyDictionary()
        """With the second, on the monotonic clock, at which each was taken."""

    def of(self, searcher: Searcher) -> MemoryReport:
        """Returns what a searcher holds, read within the last `fresh_s` seconds."""
        with self._lock:  # one reading at a time, however many ask
            reading = self._readings.get(searcher)
            if reading is None or time.monotonic() - reading[0] > self._fresh_s:
                report = searcher.memory()
                self._readings[searcher] = reading = (time.monotonic(), report)
            return reading[1]
