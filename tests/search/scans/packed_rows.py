"""Random codes as the kernel reads them, and what plain numpy finds among them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits
from retrieval.search.scans import kernel
from retrieval.search.scans.sign_patterns import block_bytes, packed_codes


class Rows:
    """Random codes in parts of these sizes, with ids of their own or consecutive ones."""

    def __init__(self, num_bytes: int, sizes: list[int], have_ids: bool, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.codes = random.integers(0, 256, (sum(sizes), num_bytes), dtype=np.uint8)
        self.block_bytes = block_bytes(8 * num_bytes)
        starts = np.cumsum([0, *sizes])
        self.ids = random.permutation(10 * sum(sizes))[: sum(sizes)] if have_ids else np.arange(sum(sizes))
        packed = [
            packed_codes(self.codes[start:end], 8 * num_bytes) for start, end in np.stack([starts[:-1], starts[1:]], 1)
        ]
        self.parts = np.zeros(len(sizes), kernel.PART)
        ids = [np.ascontiguousarray(self.ids[start:]) for start in starts[:-1]]
        self._kept = packed, ids
        for number, own in enumerate(packed):
            place = ids[number].ctypes.data if have_ids else 0
            self.parts[number] = (own.ctypes.data, place, starts[number], sizes[number])

    def expected(self, tables: Bits, k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Returns the ids and the sums of the best rows by one query's tables `(num_tables, 16)`."""
        nibbles = np.stack([self.codes >> 4, self.codes & 15], axis=2).reshape(len(self.codes), len(tables))
        sums = tables[np.arange(len(tables)), nibbles].astype(np.int64).sum(axis=1)
        order = np.lexsort((self.ids, -sums))[:k]
        return self.ids[order], sums[order]
