"""What a way to search is: one object that knows its key, its bytes, its work, its search and its scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import OpenedIndex
from retrieval.quantization import Float32s, vector_bytes

ScoreKind = Literal["cosine", "estimate", "bits differ", "raw dot"]
Work = Mapping[str, int]
"""How many vectors each step of a search handles, by the name of the step."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a way found for one query."""

    rows: Rows
    """`(k,)` first row of each text, best first."""
    all_scores: Float32s | None = None
    """`(num_texts,)` scores of every text, from a way that computes them all."""


class Way(ABC):
    """One way to search, with the numbers that shape it. It holds no index: that is passed in."""

    key: ClassVar[str]
    ram_bits: ClassVar[int]
    """Bits per dimension that must be in RAM, since every query reads those of all vectors."""

    @property
    @abstractmethod
    def score_kind(self) -> ScoreKind:
        """Returns what its scores are."""

    @property
    def disk_bits(self) -> int:
        """Returns the bits per dimension that may stay on disk, since a query reads few of those vectors."""
        return 0

    def ram_vector_bytes(self, dim: int) -> int:
        """Returns the bytes per vector of `ram_bits`."""
        return vector_bytes(dim, self.ram_bits)

    def disk_vector_bytes(self, dim: int) -> int:
        """Returns the bytes per vector of `disk_bits`."""
        return vector_bytes(dim, self.disk_bits)

    @abstractmethod
    def work(self, num_texts: int, top_k: int) -> Work:
        """Returns how many vectors each step of one search handles."""

    def can_search(self, index: OpenedIndex) -> bool:
        """Returns whether the index has the files that this way reads."""
        return True

    @abstractmethod
    def search(self, index: OpenedIndex, vector: Float32s, top_k: int) -> Found:
        """Returns the `top_k` best texts for a query `(dim,)`."""

    @abstractmethod
    def scores(self, index: OpenedIndex, vector: Float32s, found: Found) -> Float32s:
        """Returns the scores `(k,)` that this way gives to what it found for a query `(dim,)`."""

    def search_many(self, index: OpenedIndex, vectors: Float32s, top_k: int) -> list[Rows]:
        """Returns the rows that `search` finds for each query, float32 `(m, dim)`; scans read each vector once."""
        return [self.search(index, vector, top_k).rows for vector in vectors]
