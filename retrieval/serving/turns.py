"""How many searches are at work at once: as many as there are cores. The others wait in order, up to a bound."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from retrieval.errors import BusyError

MAX_WAITING = 200
"""Some seconds of work on two cores: whoever comes then is better told than kept."""
T = TypeVar("T")


class Turns:
    """Runs calls in a few threads of its own, in the order in which they came. Safe to use from many threads."""

    def __init__(self, workers: int | None = None, max_waiting: int = MAX_WAITING) -> None:
        """Takes how many calls are at work at once, by default one per core, and how many may wait."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._max_waiting = max_waiting
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="search")
        self._lock = threading.Lock()
        self.taken = 0
        """Calls that are at work or wait."""

    @property
    def waiting(self) -> int:
        """Returns how many calls wait for their turn."""
        return max(0, self.taken - self._workers)

    def call(self, work: Callable[[], T]) -> T:
        """Returns what `work()` returns, or raises what it raises; blocks until then.

        Raises:
            BusyError: if too many calls wait already.
        """
        return self._submit(work).result()

    async def run(self, work: Callable[[], T]) -> T:
        """Returns what `work()` returns, or raises what it raises; the event loop goes on meanwhile.

        A call that is cancelled before its turn has come is never made.

        Raises:
            BusyError: if too many calls wait already.
        """
        return await asyncio.wrap_future(self._submit(work))

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self.taken >= self._workers + self._max_waiting:
                raise BusyError(f"{self.waiting:,} searches are waiting here already: try again in a few seconds.")
            self.taken += 1
        # What Gradio knows of a call is in the context, and would be lost in another thread.
        future = self._pool.submit(contextvars.copy_context().run, work)
        future.add_done_callback(self._leave)
        return future

    def _leave(self, future: Future[T]) -> None:
        with self._lock:
            self.taken -= 1


SEARCHES = Turns()
"""Those of the page and of programs together."""
