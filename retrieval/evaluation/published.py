"""What the article and its demos do: their numbers, and their ways to search.

The article is https://huggingface.co/blog/embedding-quantization. It and both 2024 demos multiply the query with
int8 codes as they are; sentence-transformers has de-quantized them before rescoring since version 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import OpenedIndex
from retrieval.evaluation.way import Found, ScoreKind, Way, Work
from retrieval.evaluation.ways import INT8_READ, Bits, Scan, int8_products
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import scan
from retrieval.search.full_scan import taken

ARTICLE_DEPTH = 100
"""The article asks for 100 documents and scores the first ten: its multiplier of 4 is 400 candidates."""
ARTICLE_MULTIPLIER = 4
"""The 2024 demos rescored this many candidates for each result, too."""


class RawInt8(Scan):
    """The float32 query times every int8 code as it is, which ignores that each dimension has its own step."""

    key = "int8_codes"
    score_kind: ScoreKind = "raw dot"
    ram_bits = 8

    def multiplier(self, index: OpenedIndex, vectors: Float32s) -> Float32s:
        """Returns what the codes are multiplied with, for queries `(..., dim)`."""
        return vectors

    def work(self, num_texts: int, top_k: int) -> Work:
        return {"int8 scanned": num_texts}

    def all_scores(self, index: OpenedIndex, vector: Float32s) -> Float32s:
        return int8_products(index, self.multiplier(index, vector))

    def search_many(self, index: OpenedIndex, vectors: Float32s, top_k: int) -> list[Rows]:
        found = scan(self.multiplier(index, vectors), index.text_rows, partial(raw_codes, index), top_k)
        return [answer.rows for answer in found]


class Int8Query(RawInt8):
    """The int8 query times every int8 code: the article's int8."""

    key = "int8_both"

    def multiplier(self, index: OpenedIndex, vectors: Float32s) -> Float32s:
        # Whole numbers below 2^24, as long as there are at most 1,024 dimensions: float32 adds them exactly.
        return index.searcher.manifest.quantizer.encode(vectors).astype(np.float32)


@dataclass(frozen=True)
class RawRescored(Way):
    """The texts nearest by Hamming distance, ordered by the float32 query times raw int8 codes, as the demos do."""

    key = "published"
    score_kind: ClassVar[ScoreKind] = "raw dot"
    ram_bits = 1
    disk_bits: ClassVar[int] = 8
    multiplier: int = ARTICLE_MULTIPLIER
    """Candidates per result."""

    def work(self, num_texts: int, top_k: int) -> Work:
        num_candidates = min(self.multiplier * top_k, num_texts)
        return {**Bits().work(num_texts, num_candidates), INT8_READ: num_candidates}

    def search(self, index: OpenedIndex, vector: Float32s, top_k: int) -> Found:
        candidates = Bits().search(index, vector, self.multiplier * top_k).rows
        return Found(ranked(vector, candidates, self._codes(index, candidates), top_k))

    def scores(self, index: OpenedIndex, vector: Float32s, found: Found) -> Float32s:
        return np.asarray(self._codes(index, found.rows) @ vector)

    def _codes(self, index: OpenedIndex, rows: Rows) -> Float32s:
        return index.searcher.files.int8.fetch(rows).astype(np.float32)


def ranked(vector: Float32s, rows: Rows, vectors: Float32s, top_k: int) -> Rows:
    """Returns the `top_k` of `rows` `(m,)` whose vectors `(m, dim)` have the highest dot product with `(dim,)`."""
    return rows[np.argsort(-(vectors @ vector), kind="stable")[:top_k]]


def raw_codes(index: OpenedIndex, rows: Rows) -> Float32s:
    """Returns the int8 codes of texts as float32 `(m, dim)`, through the map of the file: for scans of most of it."""
    return taken(index.searcher.files.int8.codes, rows).astype(np.float32)
