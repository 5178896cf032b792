"""Packed sign bits, scanned by faiss's FastScan.

A Hamming distance is exact when every entry of FastScan's 8-bit tables is a whole number of steps. faiss takes the
widest table for 255 steps: the table of the zeros that follow each code is made just wide enough for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import use_threads
from retrieval.bundle.neighbours import Neighbours
from retrieval.quantization import Bits, Float32s
from retrieval.search.scans.packed_bits import PackedBits
from retrieval.search.scans.sign_patterns import (
    BLOCK_ROWS,
    MOST_STEPS,
    best_first,
    block_bytes,
    empty_index,
    float_queries,
    packed_chunks,
    packed_dim,
    packed_in,
    padded_dim,
)
from retrieval.system import usable_cores

_MIN_ROWS_PER_SLICE = 20_000
"""Below this, handing a slice to another core costs more than it saves."""
_MOST_SLICES = 4
"""Each slice sorts as many candidates as all of them pass on: a core that searches many slices pays for that."""
_STEPS = 31
"""Steps of a table for one unit of a dot product: 8 units, from four signs that differ to four that agree, are 248."""
_WIDEST_TABLE = 255 / _STEPS
_GROUP_ROWS = 32
"""Rows whose 4-bit codes at one place lie together in a block: two rows to a byte, `_HALF` rows apart."""
_HALF = _GROUP_ROWS // 2
_PLACE = np.argsort([0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15])
"""Byte of a row's 4-bit code among 16; the row 16 further has the upper half of it (`pq4_pack_codes` in faiss)."""


class FaissBits(PackedBits):
    """Sign bits in slices for several cores. Safe to use from many threads."""

    def __init__(
        self, codes: Bits, dim: int, num_slices: int | None = None, after_chunk: Callable[[], None] = lambda: None
    ) -> None:
        """Rearranges `codes`, uint8 `(n, ceil(dim / 8))`, of `dim` dimensions.

        Args:
            codes: the sign bits.
            dim: their dimensions.
            num_slices: into how many parts they are cut; by default one per core, where each is large enough.
            after_chunk: called repeatedly while codes are read; earlier ones are not read again.
        """
        self._bits = padded_dim(dim)
        if num_slices is None:
            num_slices = max(1, min(usable_cores(), _MOST_SLICES, len(codes) // _MIN_ROWS_PER_SLICE))
        super().__init__(len(codes), dim, can_share=num_slices > 1)
        self._rows_each = -(-len(codes) // (num_slices * BLOCK_ROWS)) * BLOCK_ROWS
        starts = range(0, len(codes), self._rows_each)
        self._slices = [_fast_scan_index(codes[start : start + self._rows_each], dim, after_chunk) for start in starts]
        block = (packed_dim(dim) // 8, BLOCK_ROWS // _GROUP_ROWS, 2, _HALF)
        self._blocks = [packed_in(each).reshape(-1, *block) for each in self._slices]
        self._by_one_core = _joined(self._slices, at_once=False)
        self._by_several = _joined(self._slices, at_once=True)
        self._tells_distances = _STEPS * (2 * self._bits + _WIDEST_TABLE) <= MOST_STEPS

    @property
    def nbytes(self) -> int:
        return sum(int(blocks.nbytes) for blocks in self._blocks)

    def codes_at(self, rows: npt.NDArray[np.int64]) -> Bits:
        if len(self._blocks) == 1:
            return self._unpacked(self._blocks[0], rows)
        numbers, within = np.divmod(rows, self._rows_each)
        found = np.empty((len(rows), self._bits // 8), np.uint8)
        for number, blocks in enumerate(self._blocks):
            own = np.flatnonzero(numbers == number)
            found[own] = self._unpacked(blocks, within[own])
        return found

    def _unpacked(self, packed: Bits, rows: npt.NDArray[np.int64]) -> Bits:
        blocks, within = np.divmod(rows, BLOCK_ROWS)
        groups, within = np.divmod(within, _GROUP_ROWS)
        places, shifts = _PLACE[within % _HALF], (4 * (within // _HALF)).astype(np.uint8)[:, None, None]
        # Both halves of a code in one go: the bytes of a row are a cache line apart, and each comes from afar.
        halves = (packed[blocks, : self._bits // 8, groups, :, places] >> shifts) & 15
        return np.asarray((halves[:, :, 0] << 4) | halves[:, :, 1], dtype=np.uint8)

    def highest_dots(
        self, vectors: Float32s, k: int, *, several_cores: bool = False
    ) -> list[tuple[Float32s, npt.NDArray[np.int64]]]:
        queries, added = float_queries(vectors)
        dots, rows = self._search(queries, k, several_cores)
        return [best_first(*each) for each in zip(dots - added, rows, strict=True)]

    def nearest(self, codes: Bits, k: int, *, several_cores: bool = False) -> list[Neighbours | None]:
        if not self._tells_distances:
            return [None] * len(codes)
        queries = np.zeros((len(codes), packed_dim(self.dim)), np.float32)
        queries[:, : self._bits] = np.where(np.unpackbits(codes, axis=1), np.float32(1), np.float32(-1))
        queries[:, self._bits] = -_WIDEST_TABLE / 2
        wanted = min(len(self), k + k // 4 + 128)
        return [self._sorted(*each, k) for each in zip(*self._search(queries, wanted, several_cores), strict=True)]

    def _sorted(self, dots: Float32s, rows: npt.NDArray[np.int64], k: int) -> Neighbours | None:
        found = np.rint((self._bits + _WIDEST_TABLE / 2 - dots) / 2).astype(np.int32)
        order = np.lexsort((rows, found))
        distances, rows = found[order], rows[order]
        if len(rows) < len(self) and distances[k - 1] == distances[-1]:
            return None
        return Neighbours(distances[None, :k], rows[None, :k])

    def _search(self, queries: Float32s, k: int, several_cores: bool) -> tuple[Float32s, npt.NDArray[np.int64]]:
        # One query is compared with a slice on each core. Many queries are divided among the cores.
        use_threads(usable_cores() if several_cores and len(queries) > 1 else 1)
        k = min(k, len(self))
        index = self._by_several if several_cores and len(queries) == 1 else self._by_one_core
        # For one result, faiss keeps sums as signed 16-bit numbers, and reads the highest as negative.
        dots, rows = index.search(queries, max(k, 2))
        return dots[:, :k], rows[:, :k]


def _joined(slices: Sequence[faiss.IndexPQFastScan], *, at_once: bool) -> faiss.Index:
    """Returns slices as one index, which searches them at once, one core each, or one after the other."""
    if len(slices) == 1:
        return slices[0]
    successive_ids = True
    shards = faiss.IndexShards(slices[0].d, at_once, successive_ids)
    for each in slices:
        shards.add_shard(each)
    return shards


def _fast_scan_index(codes: Bits, dim: int, after_chunk: Callable[[], None]) -> faiss.IndexPQFastScan:
    index = faiss.IndexPQFastScan(empty_index(dim), BLOCK_ROWS)
    num_padded = -(-len(codes) // BLOCK_ROWS) * BLOCK_ROWS
    index.codes.resize(num_padded * index.M2 // 2)
    packed = packed_in(index).reshape(-1, block_bytes(dim))
    for blocks, own in packed_chunks(codes, dim, after_chunk):
        packed[blocks] = own
    index.ntotal, index.ntotal2 = len(codes), num_padded
    return index
