"""Hamming search over packed sign bits.

The index on disk is a plain `faiss.IndexBinaryFlat`. It is read into RAM, where every query needs all of it: mapping it
would take as much RAM, and end the process if the file is truncated. It is searched with faiss's counting kernel
(`hammings_knn_mc`), which stays fast at a thousand neighbours, where a heap slows down. faiss gives one query one
thread; here a single query is split into one slice per core. Queries that meet get one core each; see `UnderWay`.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_file import read_binary_codes
from retrieval.bundle.neighbours import Neighbours, nearest_by_sorting
from retrieval.quantization import Bits
from retrieval.system import LIBC, UnderWay, usable_cores

_MIN_ROWS_PER_SLICE = 20_000
"""Below this, handing a slice to another thread costs more than it saves."""
_COUNTING_ENTRIES = 1 << 25
"""faiss's counting kernel needs 8 bytes per query, distance and neighbour: a batch is limited to 256 MB of them. One
query for more neighbours than that is answered by sorting."""

_openmp = threading.local()
"""How many threads OpenMP was told to use, by calling thread."""


def use_threads(num_threads: int) -> None:
    """Tells OpenMP how many threads this thread may use from now on; otherwise each thread keeps a spinning team.

    Each call into faiss releases the interpreter lock and waits for it again, so faiss is called only if that changes
    something.
    """
    if getattr(_openmp, "num_threads", None) != num_threads:
        faiss.omp_set_num_threads(num_threads)
        _openmp.num_threads = num_threads


class BinaryIndex:
    """Exact k-nearest search by Hamming distance. Safe to use from many threads."""

    def __init__(self, codes: Bits, dim: int, *, num_threads: int | None = None, is_mapped: bool = False) -> None:
        """Searches `codes`, uint8 `(n, ceil(dim / 8))`, C-contiguous; they are used in place, not copied."""
        self.codes = codes
        self.dim = dim
        self.is_mapped = is_mapped
        """Whether the codes are those of a mapped file, rather than an array in RAM."""
        self._num_threads = num_threads or usable_cores()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._batch = threading.Lock()
        self._under_way = UnderWay()
        self._may_slice = self._num_threads > 1 and len(codes) >= 2 * _MIN_ROWS_PER_SLICE

    @classmethod
    def open(cls, path: Path, dim: int, *, num_threads: int | None = None, mapped: bool = False) -> BinaryIndex:
        """Returns the index in `path`, read into RAM, or mapped.

        If a mapped file is truncated, reading its lost pages ends the process; its RAM can be released with
        `release`.

        Raises:
            BundleError: see `read_binary_codes`.
        """
        return cls(read_binary_codes(path, dim, mapped=mapped), dim, num_threads=num_threads, is_mapped=mapped)

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"BinaryIndex({len(self):,} x {self.dim} bits, {self.codes.nbytes / 1e6:.1f} MB)"

    def subset(self, rows: npt.NDArray[np.int64]) -> BinaryIndex:
        """Returns an index over copies of the codes at `rows`; its ids are positions in `rows`."""
        return BinaryIndex(np.ascontiguousarray(self.codes[rows]), self.dim, num_threads=self._num_threads)

    def release(self) -> None:
        """Releases the pages of a mapped file, if the system can: they are read again when they are touched."""
        if not (self.is_mapped and hasattr(mmap, "MADV_DONTNEED")):
            return
        if (madvise := getattr(LIBC, "madvise", None)) is not None:
            start = -(-self.codes.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
            end = self.codes.ctypes.data + self.codes.nbytes
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(max(0, end - start)), mmap.MADV_DONTNEED)

    def codes_at(self, rows: npt.NDArray[np.int64]) -> Bits:
        """Returns the codes at `rows` `(m,)`, uint8 `(m, ceil(dim / 8))`; no page of a mapped file stays for them."""
        codes = self.codes[rows]
        self.release()
        return codes

    def distances(self, query: Bits, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Returns how many bits of the codes at `rows` `(m,)` differ from a query's `(ceil(dim / 8),)`, `(m,)`."""
        differing: npt.NDArray[np.int32] = np.bitwise_count(self.codes[rows] ^ query).sum(axis=1, dtype=np.int32)
        return differing

    def search(self, query: Bits, k: int) -> Neighbours:
        """Returns the `min(k, len(self))` nearest codes of one query, uint8 `(ceil(dim / 8),)`, as `(1, k)` arrays.

        A single query gets all cores; those that meet get one each.
        """
        queries = query.reshape(1, -1)
        with self._under_way as is_alone:
            search = self._search_slices if is_alone and self._may_slice else _knn
            return search(queries, self.codes, min(k, len(self)))

    def search_batch(self, queries: Bits, k: int) -> Neighbours:
        """Returns the `min(k, len(self))` nearest codes of each query, uint8 `(m, bytes)`, one core per query."""
        k = min(k, len(self))
        at_once = max(self._num_threads, _COUNTING_ENTRIES // ((8 * self.codes.shape[1] + 1) * max(1, k)))
        parts = []
        for start in range(0, len(queries), at_once):
            with self._batch:
                parts.append(_knn(queries[start : start + at_once], self.codes, k, num_threads=self._num_threads))
        return Neighbours(
            np.concatenate([part.distances for part in parts]), np.concatenate([part.ids for part in parts])
        )

    def _search_slices(self, queries: Bits, codes: Bits, k: int) -> Neighbours:
        pool = self._threads()
        num_slices = min(self._num_threads, len(codes) // _MIN_ROWS_PER_SLICE)
        bounds = np.linspace(0, len(codes), num_slices + 1).astype(int)
        slices = [(codes[start:end], int(start)) for start, end in pairwise(bounds)]
        pending = [pool.submit(_knn, queries, codes, k, start) for codes, start in slices[1:]]
        found = [_knn(queries, slices[0][0], k), *(future.result() for future in pending)]
        distances = np.concatenate([part.distances[0] for part in found])
        ids = np.concatenate([part.ids[0] for part in found])
        # Stable, and the slices are in order of position: equal distances stay in that order.
        order = np.argsort(distances, kind="stable")[:k]
        return Neighbours(distances[order][None], ids[order][None])

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._num_threads - 1, thread_name_prefix="hamming")
            return self._pool


def _knn(queries: Bits, codes: Bits, k: int, offset: int = 0, num_threads: int = 1) -> Neighbours:
    k = min(k, len(codes))
    if (8 * codes.shape[1] + 1) * k > _COUNTING_ENTRIES:
        found = nearest_by_sorting(queries, codes, k)
        return Neighbours(found.distances, found.ids + offset)
    use_threads(num_threads)
    distances, ids = faiss.knn_hamming(np.ascontiguousarray(queries), codes, k, variant="mc")
    return Neighbours(distances, ids + offset)
