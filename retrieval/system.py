"""What systems do in different ways: the cores of this process, what they gain, and reading from a place on."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def usable_cores() -> int:
    """Returns how many cores this process may use; where the system does not say, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


LIBC = ctypes.CDLL(None)
"""The C library, for what Python has no function for; not each has everything."""
_TRIALS = 8
_WORTH_IT = 0.9
"""Several cores are taken for one call when that saves a tenth of its time: for all calls together, it costs some."""


class UnderWay:
    """Counts the calls that are under way: `with` it, and be told whether this one is alone. Safe from many threads."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> bool:
        with self._lock:
            self._count += 1
            return self._count == 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1


def is_worth_it(several: Callable[[], object], one: Callable[[], object]) -> bool:
    """Returns whether a call on several cores was found to take less time than on one, by a tenth at least."""
    elapsed_s: dict[Callable[[], object], list[float]] = {several: [], one: []}
    for _ in range(_TRIALS + 1):
        for call, own in elapsed_s.items():
            start = time.perf_counter()
            call()
            own.append(time.perf_counter() - start)
    # The first ones prepare what they need. What else happens on the machine makes a call slower, never faster.
    return min(elapsed_s[several][1:]) <= _WORTH_IT * min(elapsed_s[one][1:])


def give_back_freed() -> None:
    """Gives freed memory back to the system where the C library keeps it: glibc, after many small pieces."""
    if (trim := getattr(LIBC, "malloc_trim", None)) is not None:
        trim(0)


def read_into(file: int, into: npt.NDArray[np.generic], start: int) -> bool:
    """Fills an array from an open file, from byte `start` on, and returns whether there was enough.

    From many threads at once: the file's own position is neither used nor moved.
    """
    buffer = into.data.cast("B")
    if hasattr(os, "preadv"):
        return os.preadv(file, [buffer], start) == into.nbytes
    content = os.pread(file, into.nbytes, start)  # macOS before 11: one copy more
    buffer[: len(content)] = content
    return len(content) == into.nbytes
