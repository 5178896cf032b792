"""Which pages are open, by the connection that each holds, and what is done after one is closed."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LEFT_S = 300.0
"""A session without an open page is dropped after this long: a connection may break, and a program holds none."""
_SWEEP_S = 30.0
_LOG = logging.getLogger(__name__)


class OpenPages:
    """A register of open pages. Safe to use from many threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._sweeps: list[Callable[[], object]] = []
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        with self._lock:
            return len(self._counts)

    def is_open(self, session: str) -> bool:
        """Returns whether a page of the session is open."""
        with self._lock:
            return session in self._counts

    @contextmanager
    def held(self, session: str) -> Iterator[None]:
        """Counts a page as open while the block runs."""
        with self._lock:
            self._counts[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts[session] -= 1
                if self._counts[session] <= 0:
                    del self._counts[session]

    def sweep_with(self, sweep: Callable[[], object]) -> None:
        """Has `sweep` called every half minute from now on, to let go of what was left."""
        self._sweeps.append(sweep)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sweep-sessions", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_SWEEP_S)
            for sweep in list(self._sweeps):
                try:
                    sweep()
                except Exception:  # noqa: BLE001 - the next round is to come
                    _LOG.exception("sessions could not be dropped")


OPEN_PAGES = OpenPages()
"""Those of this process."""
