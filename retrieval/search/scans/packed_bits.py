"""Sign bits in the order in which FastScan reads them: one copy for float queries and for Hamming distances.

A Hamming distance is a dot product of signs, so the same pass over the bits gives it, in half the time of counting
differing bits. It is exact when every entry of FastScan's 8-bit tables is a whole number of steps. faiss takes the
widest table for 255 steps: that of the zeros which follow each code is made just wide enough for it.
"""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import use_threads
from retrieval.bundle.neighbours import Neighbours
from retrieval.quantization import Bits, Float32s
from retrieval.search.scans.sign_patterns import (
    BLOCK_ROWS,
    MOST_STEPS,
    empty_index,
    float_queries,
    packed_codes,
    packed_dim,
    packed_in,
    padded_dim,
)

_CHUNK_ROWS = 1024 * BLOCK_ROWS
_STEPS = 31
"""Steps of a table for one unit of a dot product: 8 units, from four signs that differ to four that agree, are 248."""
_WIDEST_TABLE = 255 / _STEPS
_HALF = BLOCK_ROWS // 2
_PLACE = np.argsort([0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15])
"""Byte of a row's 4-bit code among 16; the row 16 further has the upper half of it (`pq4_pack_codes` in faiss)."""


class PackedBits:
    """A copy of sign bits for FastScan. Safe to use from many threads."""

    def __init__(self, codes: Bits, dim: int) -> None:
        """Rearranges `codes`, uint8 `(n, ceil(dim / 8))`, of `dim` dimensions."""
        self.dim = dim
        self._bits = padded_dim(dim)
        self._index = _fast_scan_index(codes, dim)
        self._blocks = packed_in(self._index).reshape(-1, packed_dim(dim) // 8, BLOCK_ROWS)
        self._tells_distances = _STEPS * (2 * self._bits + _WIDEST_TABLE) <= MOST_STEPS

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def nbytes(self) -> int:
        """Returns its bytes in RAM."""
        return int(self._blocks.nbytes)

    def codes_at(self, rows: npt.NDArray[np.int64]) -> Bits:
        """Returns the sign bits at `rows` `(m,)` as they were given, uint8 `(m, ceil(dim / 8))`."""
        blocks, within = np.divmod(rows, BLOCK_ROWS)
        places, shifts = _PLACE[within % _HALF], (4 * (within // _HALF)).astype(np.uint8)[:, None]
        num_bytes = self._bits // 8
        upper = (self._blocks[blocks, :num_bytes, places] >> shifts) & 15
        lower = (self._blocks[blocks, :num_bytes, places + _HALF] >> shifts) & 15
        return np.asarray((upper << 4) | lower, dtype=np.uint8)

    def highest_dots(self, vectors: Float32s, k: int) -> tuple[Float32s, npt.NDArray[np.int64]]:
        """Returns the highest dot products of float queries `(m, dim)` with signs, and their rows, both `(m, k)`."""
        queries, added = float_queries(vectors)
        dots, rows = self._search(queries, k)
        return dots - added, rows

    def nearest(self, code: Bits, k: int) -> Neighbours | None:
        """Returns the `k` nearest rows by Hamming distance to `(ceil(dim / 8),)`, as `(1, k)` arrays.

        None where so many rows are equally far that this cannot tell which ones come first, or where the dimensions
        are too many for exact distances.
        """
        if not self._tells_distances:
            return None
        query = np.zeros((1, self._index.d), np.float32)
        query[0, : self._bits] = np.where(np.unpackbits(code), 1.0, -1.0)
        query[0, self._bits] = -_WIDEST_TABLE / 2
        wanted = min(len(self), k + k // 4 + 128)
        dots, rows = self._search(query, wanted)
        found = np.rint((self._bits + _WIDEST_TABLE / 2 - dots[0]) / 2).astype(np.int32)
        order = np.lexsort((rows[0], found))
        distances, rows = found[order], rows[0][order]
        if wanted < len(self) and distances[k - 1] == distances[-1]:
            return None
        return Neighbours(distances[None, :k], rows[None, :k])

    def _search(self, queries: Float32s, k: int) -> tuple[Float32s, npt.NDArray[np.int64]]:
        use_threads(1)
        k = min(k, len(self))
        # For one result, faiss keeps sums as signed 16-bit numbers, and takes the highest for negative.
        dots, rows = self._index.search(queries, max(k, 2))
        return dots[:, :k], rows[:, :k]


def _fast_scan_index(codes: Bits, dim: int) -> faiss.IndexPQFastScan:
    index = faiss.IndexPQFastScan(empty_index(dim))
    num_padded = -(-len(codes) // BLOCK_ROWS) * BLOCK_ROWS
    index.codes.resize(num_padded * index.M2 // 2)
    packed = packed_in(index)
    filled = 0
    # By chunks: faiss rearranges codes in one go, from a copy of its own.
    for start in range(0, len(codes), _CHUNK_ROWS):
        own = packed_codes(codes[start : start + _CHUNK_ROWS], dim)
        packed[filled : filled + len(own)] = own
        filled += len(own)
    index.ntotal, index.ntotal2 = len(codes), num_padded
    return index
