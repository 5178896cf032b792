"""What systems do in different ways: the cores of this process, and reading a file from a place on."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt


def usable_cores() -> int:
    """Returns how many cores this process may use; where the system does not say, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
