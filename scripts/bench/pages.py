"""Pages of files: which are in RAM, and how to put them out. Linux: mincore(2), posix_fadvise(2), /proc/self/maps."""

from __future__ import annotations

import ctypes
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.system import LIBC

_EVICTED_SHARE = 0.01
"""Up to this share of the pages may stay: others may have the file mapped, and a header is read at once."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How many pages a file has, and how many of them are in RAM, whichever process read them."""

    total: int
    resident: int

    @property
    def is_evicted(self) -> bool:
        """Returns whether hardly any page is in RAM."""
        return self.resident <= max(1, self.total * _EVICTED_SHARE)


def count_pages(path: Path) -> Pages:
    """Returns how many pages of a file, not empty, are in RAM now.

    Raises:
        OSError: if the system does not say.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        found = ctypes.create_string_buffer(-(-len(mapped) // mmap.PAGESIZE))
        # The array is gone by the next line: for as long as it is there, the file stays mapped.
        address = np.frombuffer(mapped, np.uint8).ctypes.data
        if LIBC.mincore(ctypes.c_void_p(address), ctypes.c_size_t(len(mapped)), found) != 0:
            raise OSError(ctypes.get_errno(), f"cannot ask which pages of {path} are in RAM")
    return Pages(len(found), sum(byte & 1 for byte in found.raw))


def evict(path: Path) -> Pages:
    """Asks the system to put a file's pages out of RAM, and returns what is left there.

    Pages that a process has mapped stay: this process lets go of its own first. File systems that live in RAM ignore
    the request, and so do some others: look at what is returned.

    Raises:
        OSError: if the file cannot be opened.
    """
    _unmap_own_pages(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # a page that is not on the disk yet cannot go
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    return count_pages(path)


def _unmap_own_pages(path: Path) -> None:
    """Lets go of this process's pages of a file that it maps read-only; touching them brings them back."""
    wanted = str(path.resolve())
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5] == wanted and "w" not in fields[1]:
            start, end = (int(address, 16) for address in fields[0].split("-"))
            LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
