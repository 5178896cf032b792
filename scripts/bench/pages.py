"""Pages of files: which are in RAM, and how to put them out. Linux: mincore(2), posix_fadvise(2), /proc/self/maps."""

from __future__ import annotations

import ctypes
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

_FAILED = ctypes.c_void_p(-1).value
_MADV_DONTNEED = 4
_PROT_READ, _MAP_SHARED = 1, 1
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


def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
    library.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    library.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    library.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    return library


def count_pages(path: Path) -> Pages:
    """Returns how many pages of a file, not empty, are in RAM now.

    Raises:
        OSError: if the system does not say.
    """
    size = path.stat().st_size
    total = -(-size // mmap.PAGESIZE)
    libc = _libc()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        address = libc.mmap(None, size, _PROT_READ, _MAP_SHARED, descriptor, 0)
    finally:
        os.close(descriptor)
    if address == _FAILED:
        raise OSError(ctypes.get_errno(), f"cannot map {path}")
    try:
        found = ctypes.create_string_buffer(total)
        if libc.mincore(address, size, found) != 0:
            raise OSError(ctypes.get_errno(), f"cannot ask which pages of {path} are in RAM")
        return Pages(total, sum(byte & 1 for byte in found.raw))
    finally:
        libc.munmap(address, size)


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
    libc = _libc()
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5] == wanted and "w" not in fields[1]:
            start, end = (int(address, 16) for address in fields[0].split("-"))
            libc.madvise(start, end - start, _MADV_DONTNEED)
