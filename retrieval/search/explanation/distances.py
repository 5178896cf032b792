"""How far one query is from every document, counted by Hamming distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from retrieval.quantization import Bits, Float32s, binarize

_CHUNK_ROWS = 16_384
"""The differing bits of so many codes of 48 bytes stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class DistanceCounts:
    """How many documents are at each distance from the query, and how near the candidates are."""

    counts: npt.NDArray[np.int64]
    """`(dim + 1,)`: documents at distance 0, 1, ... dim; their sum is the number of documents."""
    cutoff: int
    """The distance of the farthest candidate: by Hamming distance, whatever is farther was left behind."""
    num_candidates: int
    """Distinct texts that went on."""

    @classmethod
    def of(cls, vector: Float32s, codes: Bits, candidate_distances: npt.NDArray[np.int32]) -> Self:
        """Returns the counts for a query `(dim,)`, all codes `(n, ceil(dim / 8))` and the candidates' distances."""
        distances = hamming_distances(binarize(vector), codes)
        counts = np.bincount(distances, minlength=len(vector) + 1)
        return cls(counts, int(candidate_distances.max()), len(candidate_distances))

    @property
    def num_documents(self) -> int:
        """Returns the number of documents."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Returns the mean distance, in bits."""
        return float(self.counts @ np.arange(len(self.counts))) / self.num_documents

    @property
    def deviation(self) -> float:
        """Returns the standard deviation of the distances, in bits."""
        squares = (np.arange(len(self.counts)) - self.mean) ** 2
        return float(np.sqrt(self.counts @ squares / self.num_documents))

    def nearer_than(self, distance: int) -> int:
        """Returns how many documents are nearer than `distance`."""
        return int(self.counts[:distance].sum())


def hamming_distances(code: Bits, codes: Bits) -> npt.NDArray[np.uint32]:
    """Returns the number of differing bits `(n,)` between one code `(bytes,)` and each of `(n, bytes)`."""
    width = next(width for width in (8, 4, 2, 1) if codes.shape[1] % width == 0)
    words = codes.view(f"u{width}")
    own = np.ascontiguousarray(code).view(f"u{width}")
    distances = np.zeros(len(codes), np.uint32)
    for start in range(0, len(codes), _CHUNK_ROWS):
        differing = np.bitwise_count(words[start : start + _CHUNK_ROWS] ^ own)
        chunk = distances[start : start + _CHUNK_ROWS]
        # Adding up columns is several times as fast as summing rows of six numbers.
        for column in range(differing.shape[1]):
            chunk += differing[:, column]
    return distances
