"""Packed sign bits, scanned by the kernel in `fast_scan.c`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from retrieval.bundle.neighbours import Neighbours
from retrieval.quantization import Bits, Float32s, num_code_bytes
from retrieval.search.scans import kernel
from retrieval.search.scans.packed_bits import PackedBits
from retrieval.search.scans.sign_patterns import BLOCK_ROWS, packed_chunks
from retrieval.system import usable_cores

_PART_ROWS = 256 * BLOCK_ROWS
"""A core takes parts of this many rows, 0.8 MB of 384 bits, until none is left: a busy one takes fewer."""
_CACHE_LINE_BYTES = 64


class KernelBits(PackedBits):
    """Sign bits in one array. Safe to use from many threads."""

    def __init__(self, codes: Bits, dim: int, after_chunk: Callable[[], None] = lambda: None) -> None:
        """Rearranges `codes`, uint8 `(n, ceil(dim / 8))`; see `pack`. The kernel must be able to scan them."""
        super().__init__(len(codes), dim, can_share=usable_cores() > 1 and len(codes) > _PART_ROWS)
        self._block_bytes = BLOCK_ROWS * num_code_bytes(dim)
        shape = -(-len(codes) // BLOCK_ROWS), self._block_bytes
        room = np.empty(math.prod(shape) + _CACHE_LINE_BYTES, np.uint8)
        # A register is read in one go if it does not lie across two cache lines.
        self._packed = room[-room.ctypes.data % _CACHE_LINE_BYTES :][: math.prod(shape)].reshape(shape)
        for blocks, own in packed_chunks(codes, dim, after_chunk):
            self._packed[blocks] = own[:, : self._block_bytes]  # without the zeros that faiss needs
        starts = np.arange(0, len(codes), _PART_ROWS)
        self._parts = np.zeros(len(starts), kernel.PART)
        self._parts["codes"] = self._packed.ctypes.data + starts // BLOCK_ROWS * self._block_bytes
        self._parts["first_id"] = starts
        self._parts["num_rows"] = np.minimum(_PART_ROWS, len(codes) - starts)

    @property
    def nbytes(self) -> int:
        return self._packed.nbytes

    def codes_at(self, rows: npt.NDArray[np.int64]) -> Bits:
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are not all among {len(self):,} codes")
        return kernel.codes_at(self._packed, num_code_bytes(self.dim), self._block_bytes, rows)

    def highest_dots(
        self, vectors: Float32s, k: int, *, several_cores: bool = False
    ) -> list[tuple[Float32s, npt.NDArray[np.int64]]]:
        tables = kernel.float_tables(vectors)
        return [
            (tables.dots(query, found.sums), found.ids)
            for query, found in enumerate(self._best(tables.steps, k, several_cores))
        ]

    def nearest(self, codes: Bits, k: int, *, several_cores: bool = False) -> list[Neighbours | None]:
        found = self._best(kernel.agreement_tables(codes), k, several_cores)
        num_bits = 8 * codes.shape[1]
        return [Neighbours((num_bits - each.sums).astype(np.int32)[None], each.ids[None]) for each in found]

    def _best(self, tables: Bits, k: int, several_cores: bool) -> list[kernel.Found]:
        return kernel.best(self._parts, self._block_bytes, tables, k, usable_cores() if several_cores else 1)
