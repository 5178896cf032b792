"""The `hamming` scan: the query's bits, compared with every text by Hamming distance. Exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Bits
from retrieval.search.rescoring import hamming_scores
from retrieval.search.scans.packed_bits import PackedBits
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.scans.together import Together
from retrieval.system import usable_cores


class Hamming:
    """Counts differing bits. Safe to use from many threads."""

    stage = "hamming"

    def __init__(self, texts: BinaryIndex, packed: Callable[[], PackedBits | None]) -> None:
        """Searches `texts`, one code per distinct text; by their packed bits, once `packed` returns them."""
        self._texts = texts
        self._packed = packed
        self._together = Together(self._in_turn, usable_cores())

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the nearest texts of each query with their distances; see `Scan.search`."""
        k = min(k, len(self._texts))
        if len(queries) == 1:
            return [self._together.search(queries.codes, k)]
        return self._compared(queries.codes, k, self._packed(), several_cores=True)

    def _in_turn(self, codes: Bits, k: int, is_alone: bool) -> list[Candidates]:
        packed = self._packed()
        return self._compared(codes, k, packed, is_alone and packed is not None and packed.several_pay)

    def _compared(self, codes: Bits, k: int, packed: PackedBits | None, several_cores: bool) -> list[Candidates]:
        if packed is None:
            return self._counted(codes, k)
        nearest = packed.nearest(codes, k, several_cores=several_cores)
        return [
            self._candidates(found.ids[0], found.distances[0]) if found else self._counted(code[None], k)[0]
            for code, found in zip(codes, nearest, strict=True)
        ]

    def _counted(self, codes: Bits, k: int) -> list[Candidates]:
        found = self._texts.search(codes[0], k) if len(codes) == 1 else self._texts.search_batch(codes, k)
        return [self._candidates(*each) for each in zip(found.ids, found.distances, strict=True)]

    def _candidates(self, ids: Rows, distances: npt.NDArray[np.int32]) -> Candidates:
        return Candidates(ids, hamming_scores(distances, self._texts.dim), distances)
