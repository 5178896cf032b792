"""How many searches run at once: as many as there are cores. The others wait, in one queue per visitor.

The queues are served in turn, so that a busy visitor waits for their own searches, and does not delay others.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from retrieval.errors import BusyError

MAX_WAITING = 200
"""Some seconds of work on two cores: after that, an error is better than waiting."""
T = TypeVar("T")
_ASKED_BY: contextvars.ContextVar[str] = contextvars.ContextVar("asked_by", default="")


@contextmanager
def asked_by(visitor: str) -> Iterator[None]:
    """Says whose calls those of the block are, such as the address that they come from."""
    token = _ASKED_BY.set(visitor)
    try:
        yield
    finally:
        _ASKED_BY.reset(token)


class Turns:
    """Runs calls in a few threads of its own, one of each visitor in turn. Safe to use from many threads."""

    def __init__(self, workers: int | None = None, max_waiting: int = MAX_WAITING) -> None:
        """Takes how many calls are at work at once, by default one per core, and how many may wait."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._max_waiting = max_waiting
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="search")
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        """The calls that wait, by visitor; whose turn is next comes first."""
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
        future: Future[T] = Future()
        # What Gradio knows about a call is in the context, and would be lost in another thread.
        context, visitor = contextvars.copy_context(), _ASKED_BY.get()
        with self._lock:
            if self.taken >= self._workers + self._max_waiting:
                raise BusyError(f"{self.waiting:,} searches are already waiting here: try again in a few seconds.")
            self.taken += 1
            self._lines.setdefault(visitor, deque()).append(lambda: _answer(future, context, work))
        future.add_done_callback(self._leave)
        self._pool.submit(self._run_next)
        return future

    def _run_next(self) -> None:
        with self._lock:
            visitor, line = self._lines.popitem(last=False)
            run = line.popleft()
            if line:
                self._lines[visitor] = line  # behind all others
        run()

    def _leave(self, future: Future[Any]) -> None:
        with self._lock:
            self.taken -= 1


def _answer(future: Future[T], context: contextvars.Context, work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = context.run(work)
    except BaseException as error:  # noqa: BLE001 - it belongs to the caller
        future.set_exception(error)
    else:
        future.set_result(result)


SEARCHES = Turns()
"""Those of the page and of programs together."""
HEAVY = Turns(1, 100)
"""Long computations, such as Compare and Under the hood: one at a time, next to the searches."""
