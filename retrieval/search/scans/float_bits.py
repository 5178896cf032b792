"""The `float-bits` scan: the float query against the sign bits of every text.

It does the work of the Hamming and the asymmetric stage in one pass: the query can stay in floats, because a sum of
table lookups costs no more than counting differing bits. Exact up to FastScan's 8-bit tables.
"""

from __future__ import annotations

from retrieval.quantization import Float32s
from retrieval.search.scans.packed_bits import PackedBits
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.scans.sign_patterns import cosine_estimates
from retrieval.search.scans.together import Together
from retrieval.system import usable_cores


class FloatBits:
    """Float queries against all sign bits. Safe to use from many threads."""

    stage = "float_bits"

    def __init__(self, bits: PackedBits) -> None:
        """Searches the sign bits of the texts.

        A single query gets several cores if that was measured to be faster. In a batch, queries share each piece of the
        bits while it is in the processor's cache, and each takes less time than alone: waiting queries are batched.
        """
        self._bits = bits
        self._together = Together(self._in_turn, usable_cores())

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the best texts of each query with cosine estimates; see `Scan.search`."""
        k = min(k, len(self._bits))
        if len(queries) == 1:
            return [self._together.search(queries.vectors, k)]
        return self._compared(queries.vectors, k, several_cores=True)

    def _in_turn(self, vectors: Float32s, k: int, is_alone: bool) -> list[Candidates]:
        return self._compared(vectors, k, several_cores=is_alone and self._bits.several_pay)

    def _compared(self, vectors: Float32s, k: int, several_cores: bool) -> list[Candidates]:
        found = self._bits.highest_dots(vectors, k, several_cores=several_cores)
        return [Candidates(rows, cosine_estimates(dots, self._bits.dim)) for dots, rows in found]
