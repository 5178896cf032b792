"""Hamming search over packed sign bits. The only module that imports faiss.

The index on disk is a plain `faiss.IndexBinaryFlat`. It is read into RAM, where every query needs all of it: a map
would take as much, and end the process when the file is cut short. It is searched through faiss's counting kernel
(`hammings_knn_mc`), which stays fast at a thousand neighbours where a heap slows down. faiss gives one query one
thread; here an idle machine cuts the codes into one slice a core for a single query, and a busy one gives each query
a core, so that many at once do not fight over them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.bundle.neighbours import Neighbours, nearest_by_sorting
from retrieval.errors import BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.quantization import Bits, num_code_bytes
from retrieval.system import usable_cores

_MIN_ROWS_PER_SLICE = 20_000
"""Below this, handing a slice to another thread costs more than it saves."""
_COUNTING_ENTRIES = 1 << 25
"""faiss's counting kernel asks for 8 bytes a query, a distance and a neighbour: a batch is cut to 256 MB of them, and
whoever wants so many neighbours that one query alone takes more is answered by sorting."""

_openmp = threading.local()
"""How many threads OpenMP was told to use, by calling thread."""


def write_binary_index(path: Path, dim: int, batches: Iterable[Bits]) -> None:
    """Writes a `faiss.IndexBinaryFlat` of packed codes, each batch uint8 `(any, ceil(dim / 8))`, to `path`.

    Raises:
        OSError: if the file cannot be written.
    """
    index = faiss.IndexBinaryFlat(8 * num_code_bytes(dim))
    for codes in batches:
        index.add(np.ascontiguousarray(codes))
    try:
        faiss.write_index_binary(index, str(path))
        # faiss lets the error of the last write pass: on a full disk the file is short, which reading notices.
        faiss.read_index_binary(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise OSError(f"faiss could not write {path}: {error}") from error


class BinaryIndex:
    """Exact k-nearest search by Hamming distance. Safe to use from many threads."""

    def __init__(self, codes: Bits, dim: int, *, num_threads: int | None = None) -> None:
        """Searches `codes`, uint8 `(n, ceil(dim / 8))`, C-contiguous; they are used in place, not copied."""
        self.codes = codes
        self.dim = dim
        self._num_threads = num_threads or usable_cores()
        self._pool: ThreadPoolExecutor | None = None
        self._pool_lock = threading.Lock()
        self._all_cores = threading.Lock()

    @classmethod
    def open(cls, path: Path, dim: int, *, num_threads: int | None = None) -> BinaryIndex:
        """Returns the index in `path`, read into RAM.

        Raises:
            BundleMissingError: if the file is not there.
            BundleCorruptError: if faiss cannot read it.
            BundleIncompatibleError: if it holds codes of another length.
        """
        if not path.is_file():
            raise BundleMissingError(f"{path} is missing: build the index again, or copy the whole folder.")
        try:
            index = faiss.read_index_binary(str(path))
        except RuntimeError as error:
            raise BundleCorruptError(f"faiss cannot read {path}: {error}. Build the index again.") from error
        if not isinstance(index, faiss.IndexBinaryFlat) or index.code_size != num_code_bytes(dim):
            raise BundleIncompatibleError(
                f"{path} holds {type(index).__name__} codes of {index.code_size} bytes; "
                f"IndexBinaryFlat codes of {num_code_bytes(dim)} bytes are needed. Build the index again."
            )
        codes = faiss.rev_swig_ptr(index.xb.data(), index.ntotal * index.code_size)
        opened = cls(codes.reshape(index.ntotal, index.code_size), dim, num_threads=num_threads)
        opened._read = index
        return opened

    _read: object = None
    """The faiss index that owns the memory of `codes`."""

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"BinaryIndex({len(self):,} x {self.dim} bits, {self.codes.nbytes / 1e6:.1f} MB)"

    def subset(self, rows: npt.NDArray[np.int64]) -> BinaryIndex:
        """Returns an index over copies of the codes at `rows`; its ids are positions in `rows`."""
        return BinaryIndex(np.ascontiguousarray(self.codes[rows]), self.dim, num_threads=self._num_threads)

    def search(self, query: Bits, k: int) -> Neighbours:
        """Returns the `min(k, len(self))` nearest codes of one query, uint8 `(ceil(dim / 8),)`, as `(1, k)` arrays."""
        k = min(k, len(self))
        queries = query.reshape(1, -1)
        if len(self) < 2 * _MIN_ROWS_PER_SLICE or self._num_threads == 1:
            return _knn(queries, self.codes, k, offset=0)
        # Whoever comes while another query has all cores takes one core for itself.
        if not self._all_cores.acquire(blocking=False):
            return _knn(queries, self.codes, k, offset=0)
        try:
            return self._search_slices(queries, k)
        finally:
            self._all_cores.release()

    def search_batch(self, queries: Bits, k: int) -> Neighbours:
        """Returns the `min(k, len(self))` nearest codes of each query, uint8 `(m, bytes)`, one core a query."""
        k = min(k, len(self))
        at_once = max(self._num_threads, _COUNTING_ENTRIES // ((8 * self.codes.shape[1] + 1) * max(1, k)))
        parts = []
        for start in range(0, len(queries), at_once):
            with self._all_cores:
                parts.append(
                    _knn(queries[start : start + at_once], self.codes, k, offset=0, num_threads=self._num_threads)
                )
        return Neighbours(
            np.concatenate([part.distances for part in parts]), np.concatenate([part.ids for part in parts])
        )

    def _search_slices(self, queries: Bits, k: int) -> Neighbours:
        pool = self._threads()
        num_slices = min(self._num_threads, len(self) // _MIN_ROWS_PER_SLICE)
        bounds = np.linspace(0, len(self), num_slices + 1).astype(int)
        slices = [(self.codes[start:end], int(start)) for start, end in pairwise(bounds)]
        pending = [pool.submit(_knn, queries, codes, k, start) for codes, start in slices[1:]]
        found = [_knn(queries, slices[0][0], k, offset=0), *(future.result() for future in pending)]
        distances = np.concatenate([part.distances[0] for part in found])
        ids = np.concatenate([part.ids[0] for part in found])
        # Stable, and the slices are in order of position: equal distances stay in that order.
        order = np.argsort(distances, kind="stable")[:k]
        return Neighbours(distances[order][None], ids[order][None])

    def _threads(self) -> ThreadPoolExecutor:
        with self._pool_lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._num_threads - 1, thread_name_prefix="hamming")
            return self._pool


def _knn(queries: Bits, codes: Bits, k: int, offset: int, num_threads: int = 1) -> Neighbours:
    k = min(k, len(codes))
    if (8 * codes.shape[1] + 1) * k > _COUNTING_ENTRIES:
        found = nearest_by_sorting(queries, codes, k)
        return Neighbours(found.distances, found.ids + offset)
    # The setting belongs to the calling thread: OpenMP would otherwise keep a team a thread, spinning. Each call into
    # faiss gives the interpreter lock away, and waits for it again: so it is called only when it changes something.
    if getattr(_openmp, "num_threads", None) != num_threads:
        faiss.omp_set_num_threads(num_threads)
        _openmp.num_threads = num_threads
    distances, ids = faiss.knn_hamming(np.ascontiguousarray(queries), codes, k, variant="mc")
    return Neighbours(distances, ids + offset)
