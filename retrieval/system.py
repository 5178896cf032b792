"""Things that differ between systems: the cores of this process, their benefit, and reading from an offset."""

from __future__ import annotations

import ctypes
import math
import os
import threading
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def usable_cores() -> int:
    """Returns how many cores this process may use; if the system does not say, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


LIBC = ctypes.CDLL(None, use_errno=True)
"""The C library, whose functions differ by system: ask with `getattr` for one that not all have."""
_TRIALS = 16
_WORTH_IT = 0.95
"""Several cores are used for one call if that saves a twentieth of its time: less may be chance."""
_MOMENT_S = 0.1
_IDLE = 0.1
"""Less than this share of a core is nothing: threads that wait, and a server without visitors."""


class UnderWay:
    """Counts the running calls: `with` it tells whether this call has the cores to itself.

    It has if no other is running, and none has met another in the last moment: calls that did will meet again, and
    would then wait for the cores that one of them took. Safe to use from many threads.
    """

    def __init__(self) -> None:
        self._count = 0
        self._met_at = -math.inf
        self._lock = threading.Lock()

    def __enter__(self) -> bool:
        with self._lock:
            self._count += 1
            now = time.monotonic()
            if self._count > 1:
                self._met_at = now
            return now - self._met_at > _MOMENT_S

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._count > 1:
                self._met_at = time.monotonic()
            self._count -= 1


def is_worth_it(several: Callable[[], object], one: Callable[[], object]) -> bool:
    """Returns whether a call on several cores was found to take less time than on one, by a twentieth at least."""
    elapsed_s: dict[Callable[[], object], list[float]] = {several: [], one: []}
    for _ in range(_TRIALS + 1):
        for call, own in elapsed_s.items():
            start = time.perf_counter()
            call()
            own.append(time.perf_counter() - start)
    # The first calls warm up. Other work on the machine makes a call slower, never faster.
    return min(elapsed_s[several][1:]) <= _WORTH_IT * min(elapsed_s[one][1:])


def wait_until_idle(most_s: float) -> None:
    """Waits until the other threads of this process compute nothing for a moment, or the main one has ended."""
    end = time.monotonic() + most_s
    while time.monotonic() < end and threading.main_thread().is_alive():
        before_s = time.process_time()
        time.sleep(_MOMENT_S)
        if time.process_time() - before_s < _IDLE * _MOMENT_S:
            return


def give_back_freed() -> None:
    """Returns freed memory to the system if the C library keeps it: glibc, after many small allocations."""
    if (trim := getattr(LIBC, "malloc_trim", None)) is not None:
        trim(0)


def read_into(file: int, into: npt.NDArray[np.generic], start: int) -> bool:
    """Fills an array from an open file, from byte `start` on, and returns whether there was enough.

    From many threads at once: the file's own position is neither used nor moved.
    """
    buffer = into.data.cast("B")
    if hasattr(os, "preadv"):
        return os.preadv(file, [buffer], start) == into.nbytes
    content = os.pread(file, into.nbytes, start)  # macOS before 11: one extra copy
    buffer[: len(content)] = content
    return len(content) == into.nbytes
