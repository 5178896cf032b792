"""The ladder: one set of embeddings searched at every precision, from float32 down to bits.

Every rung answers with distinct texts. The rungs that start from bits go through the search path of the product, with
other settings: what they differ in is the method alone. Where the published demos spend candidates on rows that repeat
a text, these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from retrieval.bundle.bundle import INT8_FILE, Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.evaluation.judged import CUTOFF
from retrieval.quantization import Float32s, num_code_bytes
from retrieval.results import SearchSettings
from retrieval.search.exact_scan import ExactAnswer, scan
from retrieval.search.full_scan import taken

ARTICLE_DEPTH = 100
"""The article asks for 100 documents and scores the first ten: its multiplier of 4 is 400 candidates."""
ARTICLE_MULTIPLIER = 4
"""The published demos rescore this many candidates for each result, too."""
_BINARY_MULTIPLIERS = range(1, 11)
_INT8_MULTIPLIERS = (1, 4, 10)

NearestTexts = Callable[[Float32s, SearchSettings], Rows]
"""`Searcher.nearest_texts`: one vector `(dim,)` and settings to the first row of each of the closest texts."""


def bits_alone(count: int) -> SearchSettings:
    """Returns the settings of a search that answers with the `count` texts nearest by Hamming distance."""
    return SearchSettings(top_k=count, num_candidates=count, asymmetric=False, rescore=False)


def ranked(vector: Float32s, rows: Rows, vectors: Float32s, top_k: int) -> Rows:
    """Returns the `top_k` of `rows` `(m,)` whose vectors `(m, dim)` have the highest dot product with `(dim,)`."""
    return rows[np.argsort(-(vectors @ vector), kind="stable")[:top_k]]


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to search, and what it answered."""

    key: str
    label: str
    scanned_bytes: int
    """Bytes a vector that every query reads, in RAM."""
    rescored_bytes: int
    """Bytes a vector that only the candidates' are read of, on disk; 0 when all is in what was scanned."""
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
    """Searches the embeddings of one bundle for the same queries in every way."""

    def __init__(
        self, bundle: Bundle, vectors: Float32s, nearest_texts: NearestTexts, defaults: SearchSettings
    ) -> None:
        """Takes the queries, float32 `(m, dim)` of length 1, and the search path of the product with its defaults.

        Raises:
            BundleMissingError: if the bundle was built without the float32 baseline.
        """
        self.baseline = ExactBaseline.open(bundle)
        self._int8 = Int8Store.open(bundle.file(INT8_FILE), bundle.manifest.dim)
        self._quantizer = bundle.manifest.quantizer
        self.vectors = vectors
        self._nearest_texts = nearest_texts
        self._defaults = replace(defaults, top_k=CUTOFF)

    @cached_property
    def truths(self) -> list[ExactAnswer]:
        """Returns the exact float32 answer of each query."""
        return self.baseline.search(self.vectors, CUTOFF)

    def rungs(self) -> Iterator[Rung]:
        """Yields the rungs, float32 first and our path last."""
        dim = self.vectors.shape[1]
        bits = num_code_bytes(dim)
        yield Rung("float32", "float32", 4 * dim, 0, [truth.rows for truth in self.truths])
        yield Rung("int8_both", "int8 query x raw int8 codes (the article's int8)", dim, 0, self._int8_first(CUTOFF))
        yield Rung("int8_codes", "float query x raw int8 codes", dim, 0, self._scan(self._codes))
        yield Rung("int8_dequantized", "float query x de-quantized int8", dim, 0, self._scan(self._dequantized))
        yield Rung("bits", "bits alone", bits, 0, self._bits(CUTOFF))
        for depth, whose in ((CUTOFF, "the article's binary"), (ARTICLE_DEPTH, "the same as the article measured it")):
            count = ARTICLE_MULTIPLIER * depth
            label = f"bits, best {count} by float query x bits ({whose})"
            yield Rung(f"bits_{count}_float_bits", label, bits, 0, self._float_bits(count))
        for count, whose in ((CUTOFF, "the seed's demo"), (ARTICLE_MULTIPLIER * CUTOFF, "the published demo, 4x")):
            label = f"bits, best {count} by raw int8 codes ({whose})"
            yield Rung(f"bits_{count}_int8_codes", label, bits, dim, self._raw_rescored(self._bits(count)))
        yield Rung("ours", self._our_label(), bits, dim, self._search(self._defaults))

    def binary_curve(self, depth: int) -> Iterator[CurvePoint]:
        """Yields bits rescored by float query x bits, for the multipliers 1 to 10 of `depth` candidates."""
        for multiplier in _BINARY_MULTIPLIERS:
            count = self._at_most(multiplier * depth)
            yield CurvePoint(multiplier, count, self._float_bits(count))

    def int8_curve(self, *, float_documents: bool) -> Iterator[CurvePoint]:
        """Yields int8 x int8 search rescored with the float query, for the multipliers 1, 4 and 10 of ten candidates.

        Args:
            float_documents: rescore with the float32 documents; otherwise with their raw int8 codes, as the article.
        """
        for multiplier in _INT8_MULTIPLIERS:
            count = self._at_most(multiplier * CUTOFF)
            candidates = self._int8_first(count)
            rescored = self._rescored(candidates, self._floats) if float_documents else self._raw_rescored(candidates)
            yield CurvePoint(multiplier, count, rescored)

    def _at_most(self, count: int) -> int:
        return min(count, len(self.baseline.text_rows))

    def _our_label(self) -> str:
        settings = self._defaults
        rescored = settings.rescore_multiplier * settings.top_k
        return f"ours: bits, best {settings.num_candidates} -> {rescored} by float query x bits -> int8"

    def _search(self, settings: SearchSettings) -> list[Rows]:
        return [self._nearest_texts(vector, settings) for vector in self.vectors]

    def _bits(self, count: int) -> list[Rows]:
        return self._search(bits_alone(count))

    def _float_bits(self, count: int) -> list[Rows]:
        return self._search(SearchSettings(top_k=CUTOFF, num_candidates=count, asymmetric=True, rescore=False))

    def _scan(self, fetch: Callable[[Rows], Float32s]) -> list[Rows]:
        return [answer.rows for answer in scan(self.vectors, self.baseline.text_rows, fetch, CUTOFF)]

    @cached_property
    def _int8_nearest(self) -> list[Rows]:
        # Whole numbers below 2^24, as long as there are at most 1,024 dimensions: float32 adds them exactly.
        queries = self._quantizer.encode(self.vectors).astype(np.float32)
        deepest = max(_INT8_MULTIPLIERS) * CUTOFF
        return [answer.rows for answer in scan(queries, self.baseline.text_rows, self._codes, deepest)]

    def _int8_first(self, count: int) -> list[Rows]:
        return [rows[:count] for rows in self._int8_nearest]

    def _raw_rescored(self, candidates: list[Rows]) -> list[Rows]:
        return self._rescored(candidates, self._codes)

    def _rescored(self, candidates: list[Rows], fetch: Callable[[Rows], Float32s]) -> list[Rows]:
        return [
            ranked(vector, rows, fetch(rows), CUTOFF) for vector, rows in zip(self.vectors, candidates, strict=True)
        ]

    def _floats(self, rows: Rows) -> Float32s:
        return np.asarray(taken(self.baseline.embeddings, rows))

    def _codes(self, rows: Rows) -> Float32s:
        return taken(self._int8.codes, rows).astype(np.float32)

    def _dequantized(self, rows: Rows) -> Float32s:
        return self._quantizer.decode(taken(self._int8.codes, rows))
