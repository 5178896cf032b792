"""float32 vectors in a `.npy` file that is appended to, and read in batches, without holding it in RAM.

Plain writes rather than a memory map: a full disk is then an error to report, not a signal that ends the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.quantization import Float32s
from retrieval.system import read_into


class VectorFile:
    """A `.npy` file of float32 `(num_vectors, dim)`, filled from the front."""

    def __init__(self, path: Path, num_vectors: int, dim: int) -> None:
        self.path = path
        self.num_vectors = num_vectors
        self.dim = dim
        self._row_bytes = 4 * dim

    def truncate(self, num_kept: int) -> None:
        """Keeps the first `num_kept` vectors; 0 restarts the file with its header.

        Raises:
            OSError: if the file cannot be written, or holds fewer vectors than are to be kept.
        """
        if num_kept == 0:
            with self.path.open("wb") as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": (self.num_vectors, self.dim)}
                np.lib.format.write_array_header_1_0(file, header)
            return
        size = self._header_bytes() + num_kept * self._row_bytes
        if self.path.stat().st_size < size:
            raise OSError(f"{self.path} is shorter than its checkpoint says: delete its folder and build again")
        os.truncate(self.path, size)

    def append(self, vectors: Float32s) -> None:
        """Appends vectors `(any, dim)`, and flushes them to the disk.

        Raises:
            OSError: if the disk is full, or the file cannot be written.
        """
        with self.path.open("ab") as file:
            file.write(np.ascontiguousarray(vectors, dtype="<f4").data)
            file.flush()
            os.fsync(file.fileno())

    def batches(self, size: int) -> Iterator[Float32s]:
        """Yields the vectors in order, `(size, dim)` at a time."""
        with self.path.open("rb") as file:
            file.seek(self._header_bytes())
            while len(batch := np.fromfile(file, dtype="<f4", count=size * self.dim)):
                yield batch.reshape(-1, self.dim)

    def gather(self, ids: npt.NDArray[np.int32] | npt.NDArray[np.int64], size: int) -> Iterator[Float32s]:
        """Yields the vectors at `ids`, `(size, dim)` at a time.

        Raises:
            OSError: if the file cannot be read, or was truncated.
        """
        header_bytes = self._header_bytes()
        with self.path.open("rb") as file:
            for start in range(0, len(ids), size):
                wanted = ids[start : start + size].astype(np.int64)
                vectors = np.empty((len(wanted), self.dim), "<f4")
                # Read, not mapped: a page fault maps the 64 KB around a vector, 2 GB for a batch of far ones.
                ends = [*(np.flatnonzero(np.diff(wanted) != 1) + 1).tolist(), len(wanted)]
                for first, end in pairwise([0, *ends]):
                    offset = header_bytes + int(wanted[first]) * self._row_bytes
                    if not read_into(file.fileno(), vectors[first:end], offset):
                        raise OSError(f"{self.path} is shorter than it was: delete its folder and build again")
                yield vectors

    def _header_bytes(self) -> int:
        with self.path.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            return file.tell()
