"""The ladder: one set of embeddings searched at every precision, from float32 down to bits.

Every rung answers with distinct texts. The rungs that start from bits use the project's search path with
other settings, so they differ only in the method. Where the 2024 demos spend candidates on rows that repeat
a text, these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline, OpenedIndex
from retrieval.evaluation.judged import CUTOFF
from retrieval.evaluation.published import (
    ARTICLE_DEPTH,
    ARTICLE_MULTIPLIER,
    Int8Query,
    RawInt8,
    RawRescored,
    ranked,
    raw_codes,
)
from retrieval.evaluation.way import Way
from retrieval.evaluation.ways import Bits, Float32, FloatBits, Int8, Ours
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import ExactAnswer
from retrieval.search.full_scan import taken
from retrieval.search.searcher import Searcher

_BINARY_MULTIPLIERS = range(1, 11)
_INT8_MULTIPLIERS = (1, 4, 10)
_ARTICLE_CANDIDATES = (ARTICLE_MULTIPLIER * CUTOFF, ARTICLE_MULTIPLIER * ARTICLE_DEPTH)
"""Of the article's binary search: for ten results, and for the 100 that it requests."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to search, and what it answered."""

    key: str
    way: Way
    rankings: list[Rows]
    """For each query, the rows of ten distinct texts, best first."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a search answers with one rescore multiplier."""

    multiplier: int
    num_candidates: int
    """Distinct texts that were rescored: `multiplier * depth`, or all there are."""
    rankings: list[Rows]


class Ladder:
    """Searches the embeddings of one index for the same queries in every way."""

    def __init__(self, searcher: Searcher, vectors: Float32s) -> None:
        """Takes the queries, float32 `(m, dim)` of length 1.

        Raises:
            BundleMissingError: if the index was built without the float32 baseline.
        """
        self.baseline = ExactBaseline.open(searcher.bundle)
        self.index = OpenedIndex(searcher, self.baseline, self.baseline.text_rows)
        self.vectors = vectors
        self.ways: Mapping[str, Way] = {
            "float32": Float32(),
            "int8_both": Int8Query(),
            "int8_codes": RawInt8(),
            "int8_dequantized": Int8(),
            "bits": Bits(),
            **{f"bits_{count}_float_bits": FloatBits(count) for count in _ARTICLE_CANDIDATES},
            **{f"bits_{times * CUTOFF}_int8_codes": RawRescored(times) for times in (1, ARTICLE_MULTIPLIER)},
            "ours": Ours(searcher.defaults),
        }
        """The rungs by name, float32 first and our path last. A way may be on several, with different numbers."""

    @cached_property
    def truths(self) -> list[ExactAnswer]:
        """Returns the exact float32 answer of each query."""
        return self.baseline.search(self.vectors, CUTOFF)

    def rungs(self) -> Iterator[Rung]:
        """Yields what each way answers, in the order of `ways`."""
        for key, way in self.ways.items():
            yield Rung(key, way, way.search_many(self.index, self.vectors, CUTOFF))

    def binary_curve(self, depth: int) -> Iterator[CurvePoint]:
        """Yields bits rescored by float query x bits, for the multipliers 1 to 10 of `depth` candidates."""
        for multiplier in _BINARY_MULTIPLIERS:
            count = self._at_most(multiplier * depth)
            yield CurvePoint(multiplier, count, FloatBits(count).search_many(self.index, self.vectors, CUTOFF))

    def int8_curve(self, *, float_documents: bool) -> Iterator[CurvePoint]:
        """Yields int8 x int8 search rescored with the float query, for the multipliers 1, 4 and 10 of ten candidates.

        Args:
            float_documents: rescore with the float32 documents; otherwise with their raw int8 codes, as the article.
        """
        fetch = partial(taken, self.baseline.embeddings) if float_documents else partial(raw_codes, self.index)
        for multiplier in _INT8_MULTIPLIERS:
            count = self._at_most(multiplier * CUTOFF)
            yield CurvePoint(multiplier, count, self._rescored(count, fetch))

    def _at_most(self, count: int) -> int:
        return min(count, len(self.baseline.text_rows))

    @cached_property
    def _int8_nearest(self) -> list[Rows]:
        return Int8Query().search_many(self.index, self.vectors, max(_INT8_MULTIPLIERS) * CUTOFF)

    def _rescored(self, count: int, fetch: Callable[[Rows], Float32s]) -> list[Rows]:
        return [
            ranked(vector, rows[:count], fetch(rows[:count]), CUTOFF)
            for vector, rows in zip(self.vectors, self._int8_nearest, strict=True)
        ]
