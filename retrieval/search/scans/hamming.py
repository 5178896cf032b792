"""The `hamming` scan: the query cut to bits, compared with every text by Hamming distance. Exact."""

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


class Hamming:
    """Counts differing bits. Safe to use from many threads."""

    stage = "hamming"

    def __init__(self, texts: BinaryIndex, packed: Callable[[], PackedBits | None]) -> None:
        """Searches `texts`, one code per distinct text; by their packed bits, once `packed` gives them."""
        self._texts = texts
        self._packed = packed

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the nearest texts of each query with their distances; see `Scan.search`."""
        k, packed = min(k, len(self._texts)), self._packed()
        if packed is None and len(queries) > 1:
            batch = self._texts.search_batch(queries.codes, k)
            return [self._candidates(*each) for each in zip(batch.ids, batch.distances, strict=True)]
        return [self._nearest(code, k, packed) for code in queries.codes]

    def _nearest(self, code: Bits, k: int, packed: PackedBits | None) -> Candidates:
        found = None if packed is None else packed.nearest(code, k)
        if found is None:
            found = self._texts.search(code, k)
        return self._candidates(found.ids[0], found.distances[0])

    def _candidates(self, ids: Rows, distances: npt.NDArray[np.int32]) -> Candidates:
        return Candidates(ids, hamming_scores(distances, self._texts.dim), distances)
