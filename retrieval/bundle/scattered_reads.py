"""Rows that are far apart in a file, read in one call of the system where it has one.

Python hands over the interpreter lock for every `os.pread`, and waits to get it back. With two callers, 150 reads per
search cost a fifth of the throughput. Linux takes a list of reads in one call (`man 2 io_submit`) and tells the results
in another. Other systems, and containers that forbid these calls, read row by row.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from retrieval.system import LIBC

_ROWS_AT_ONCE = 256
_READ = 0
"""`IOCB_CMD_PREAD` of `linux/aio_abi.h`, which also has the two structures below."""
_REQUEST = np.dtype(
    [("data", "<u8"), ("key", "<u4"), ("rw_flags", "<i4"), ("opcode", "<u2"), ("priority", "<i2"), ("file", "<u4"),
     ("buffer", "<u8"), ("num_bytes", "<u8"), ("start", "<i8"), ("reserved", "<u8"), ("flags", "<u4"),
     ("event_file", "<u4")]
)  # fmt: skip
_EVENT = np.dtype([("data", "<u8"), ("request", "<u8"), ("result", "<i8"), ("result2", "<i8")])
_NUMBERS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""The numbers of `io_setup`, `io_destroy`, `io_getevents` and `io_submit`, by processor."""
_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 6, use_errno=True)
_SYSTEM_CALL = ctypes.cast(LIBC.syscall, _FUNCTION) if sys.platform == "linux" and hasattr(LIBC, "syscall") else None


def read_rows(file: int, starts: npt.NDArray[np.int64], into: npt.NDArray[np.generic]) -> bool:
    """Fills each row of an array from its own place in an open file, and returns whether all of them were there.

    Safe to use from many threads: the file's own position is neither used nor moved.

    Args:
        file: the descriptor of a file.
        starts: the byte at which each row starts, `(m,)`.
        into: `(m, any)`, C-contiguous.

    Raises:
        OSError: if the file cannot be read.
    """
    # What goes wrong with a list of reads goes wrong again one by one, where Python tells what it is.
    return _read_as_lists(file, starts, into) or _read_one_by_one(file, starts, into)


class _List:
    """Room for a list of reads, and for what became of each; used by one thread at a time."""

    def __init__(self) -> None:
        """Asks the system for the room.

        Raises:
            OSError: if it does not know the call, forbids it, or has no room left.
        """
        numbers = _NUMBERS.get(platform.machine()) if sys.maxsize > 1 << 32 else None
        if _SYSTEM_CALL is None or numbers is None:
            raise OSError(errno.ENOSYS, "this system takes no list of reads")
        setup, destroy, self._get_events, self._submit = numbers
        room = ctypes.c_long(0)
        _called(_SYSTEM_CALL, setup, _ROWS_AT_ONCE, ctypes.addressof(room))
        self._call = partial(_called, _SYSTEM_CALL)
        self._room = room.value
        weakref.finalize(self, _SYSTEM_CALL, destroy, self._room, 0, 0, 0, 0)
        self._requests = np.zeros(_ROWS_AT_ONCE, _REQUEST)
        self._requests["opcode"] = _READ
        self._events = np.zeros(_ROWS_AT_ONCE, _EVENT)
        self._pointers = self._requests.ctypes.data + _REQUEST.itemsize * np.arange(_ROWS_AT_ONCE, dtype=np.uint64)

    def read(self, file: int, starts: npt.NDArray[np.int64], into: npt.NDArray[np.generic]) -> bool:
        """Fills the rows of `into`, at most `_ROWS_AT_ONCE`, and returns whether all of them were there.

        Raises:
            OSError: if the system does not take the list, such as in a process that was forked.
        """
        count, row_bytes = into.shape[0], into.shape[1] * into.itemsize
        requests = self._requests[:count]
        requests["file"], requests["num_bytes"], requests["start"] = file, row_bytes, starts
        requests["buffer"] = into.ctypes.data + row_bytes * np.arange(count, dtype=np.uint64)
        taken = self._call(self._submit, self._room, count, self._pointers.ctypes.data)
        told = 0
        while told < taken:
            rest, place = taken - told, self._events.ctypes.data + told * _EVENT.itemsize
            told += self._call(self._get_events, self._room, rest, rest, place)
        return taken == count and bool((self._events["result"][:count] == row_bytes).all())


_idle: list[_List] = []
"""As many as threads have read at once, kept for the next. `pop` and `append` are atomic."""
_is_refused = threading.Event()
"""Set once the system has refused a list: asking again would take longer than reading the rows."""


def _read_as_lists(file: int, starts: npt.NDArray[np.int64], into: npt.NDArray[np.generic]) -> bool:
    if _is_refused.is_set():
        return False
    try:
        try:
            own = _idle.pop()
        except IndexError:
            own = _List()
        for first in range(0, len(starts), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            if not own.read(file, starts[part], into[part]):
                return False
    except OSError:
        _is_refused.set()
        return False
    _idle.append(own)
    return True


def _read_one_by_one(file: int, starts: npt.NDArray[np.int64], into: npt.NDArray[np.generic]) -> bool:
    content = b"".join([os.pread(file, into.shape[1] * into.itemsize, start) for start in starts.tolist()])
    if len(content) != into.nbytes:
        return False
    into[:] = np.frombuffer(content, into.dtype).reshape(into.shape)
    return True


def _called(system_call: Callable[..., int], number: int, *arguments: int) -> int:
    """Returns what a system call returns; a signal that comes meanwhile does not end it.

    Raises:
        OSError: if it fails.
    """
    while (result := system_call(number, *arguments, *[0] * (5 - len(arguments)))) < 0:
        if (code := ctypes.get_errno()) != errno.EINTR:
            raise OSError(code, os.strerror(code))
    return result
