"""What each stage of one search saw: every document's Hamming distance, then the order of the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Bits, Float32s, binarize
from retrieval.results import Hit, SearchResponse
from retrieval.search.rescoring import asymmetric_scores
from retrieval.search.scans.scan import Candidates
from retrieval.search.searcher import Searcher

_MOST_ROWS_READ = 2_000
"""Rows whose int8 codes are read to compare the two ways of scoring; settings may ask for any number of them."""
_CHUNK_ROWS = 16_384
"""The differing bits of this many codes of 48 bytes fit in the processor's cache."""


@dataclass(frozen=True, slots=True)
class DistanceCounts:
    """How many documents are at each distance from the query, and how near the candidates are."""

    counts: npt.NDArray[np.int64]
    """`(dim + 1,)`: documents at distance 0, 1, ... dim; their sum is the number of documents."""
    cutoff: int
    """The distance of the farthest candidate; by Hamming distance, nothing farther was kept."""
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


@dataclass(frozen=True, slots=True)
class Move:
    """A hit's ranks: by bits it is `hit.binary_rank`, in the end `hit.rank`."""

    hit: Hit
    asymmetric_rank: int | None
    """1-based rank among the candidates by float query x bits; None when that stage was off."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The candidates of one search, nearest first, and the order in which they were considered for rescoring."""

    candidates: Candidates
    order: npt.NDArray[np.int64]
    """`(m,)` positions among the candidates, best first, after the asymmetric stage if it is on."""
    is_asymmetric: bool
    num_read: int
    """How many of `order`, from the front, are compared by their int8 codes."""
    num_results: int
    """Hits of the search."""

    @classmethod
    def of(cls, searcher: Searcher, vector: Float32s, candidates: Candidates, response: SearchResponse) -> Self:
        """Returns the orders for a query `(dim,)` whose search left these candidates and gave this response."""
        settings = response.settings
        order = np.arange(len(candidates.texts))
        is_asymmetric = settings.asymmetric and candidates.distances is not None
        if is_asymmetric:
            scores = asymmetric_scores(vector, searcher.files.texts.codes[candidates.texts])
            order = np.argsort(-scores, kind="stable")
        wanted = max(response.int8_rows_read, settings.rescore_multiplier * settings.top_k)
        return cls(candidates, order, is_asymmetric, min(wanted, len(order), _MOST_ROWS_READ), len(response.hits))

    def move_of(self, hit: Hit) -> Move:
        """Returns the ranks of a hit."""
        return Move(hit, self.place_of(hit) + 1 if self.is_asymmetric else None)

    def place_of(self, hit: Hit) -> int:
        """Returns the 0-based position of a hit's text in `order`."""
        return int(np.flatnonzero(self.order == hit.binary_rank - 1)[0])

    def texts_with(self, hit: Hit) -> Rows:
        """Returns the texts compared by their int8 codes `(num_read or more,)`, best first; the hit is among them."""
        return self.candidates.texts[self.order[: max(self.num_read, self.place_of(hit) + 1)]]


def hamming_distances(code: Bits, codes: Bits) -> npt.NDArray[np.uint32]:
    """Returns the number of differing bits `(n,)` between one code `(bytes,)` and each of `(n, bytes)`."""
    width = next(width for width in (8, 4, 2, 1) if codes.shape[1] % width == 0)
    words = codes.view(f"u{width}")
    own = np.ascontiguousarray(code).view(f"u{width}")
    distances = np.zeros(len(codes), np.uint32)
    for start in range(0, len(codes), _CHUNK_ROWS):
        differing = np.bitwise_count(words[start : start + _CHUNK_ROWS] ^ own)
        chunk = distances[start : start + _CHUNK_ROWS]
        # Adding up columns is several times faster than summing rows of six numbers.
        for column in range(differing.shape[1]):
            chunk += differing[:, column]
    return distances
