"""One document next to the query: its bits, its int8 codes, and the score term by term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.bundle.embeddings import row_of
from retrieval.bundle.manifest import EMBEDDINGS_FILE
from retrieval.quantization import Bits, Float32s, Int8Quantizer, Int8s
from retrieval.results import Hit
from retrieval.search.explanation.stages import Orders
from retrieval.search.rescoring import int8_scores
from retrieval.search.searcher import Searcher


@dataclass(frozen=True, slots=True)
class RawScoring:
    """The result of multiplying with raw codes, as the 2024 demos did."""

    score: float
    """`query @ codes`: not a cosine, because every dimension has its own step."""
    rank: int
    """1-based rank of the document among those compared, by raw codes."""
    dequantized_rank: int
    """The same by de-quantized codes."""
    num_compared: int
    num_first: int
    """How many results there are."""
    num_moved: int
    """How many of the first `num_first` would have another rank by raw codes."""


@dataclass(frozen=True, slots=True)
class ChosenDocument:
    """One hit, in every form that the index stores."""

    hit: Hit
    code: Bits
    """`(ceil(dim / 8),)` uint8: its sign bits."""
    bits: Bits
    """`(dim,)` uint8 of 0 and 1."""
    differs: npt.NDArray[np.bool_]
    """`(dim,)`: where its bit is not the query's."""
    codes: Int8s
    """`(dim,)` int8."""
    decoded: Float32s
    """`(dim,)` float32: the values that the codes stand for."""
    float32: Float32s | None
    """`(dim,)`: what the model gave; None when the index was built without the baseline."""
    batch_codes: Int8s
    """`(dim,)`: its codes, if the ranges had been fitted only on the documents compared here."""
    terms: Float32s
    """`(dim,)` float32: query times decoded value; their sum is the score."""
    scaled_dot: float
    """`(query * step) @ codes`."""
    constant: float
    """What is added to `scaled_dot`, once for all documents of a query."""
    score: float
    """Cosine similarity from de-quantized int8."""
    raw: RawScoring

    @property
    def errors(self) -> Float32s | None:
        """Returns the rounding error of each dimension, float32 `(dim,)`, at least 0; None without the baseline."""
        return None if self.float32 is None else np.abs(self.decoded - self.float32)

    def largest_terms(self, count: int) -> npt.NDArray[np.int64]:
        """Returns the dimensions with the largest terms, positive or negative, largest first."""
        return np.argsort(-np.abs(self.terms), kind="stable")[:count]


def choose(searcher: Searcher, hit: Hit, vector: Float32s, quantizer: Int8Quantizer, orders: Orders) -> ChosenDocument:
    """Returns a hit in every form, for the query `(dim,)` that found it."""
    dim = len(vector)
    code = searcher.files.index.codes[hit.row].copy()
    bits = np.unpackbits(code, count=dim)
    texts = orders.texts_with(hit)
    all_codes = searcher.int8_codes(texts)
    place = orders.place_of(hit)
    codes = all_codes[place]
    decoded = quantizer.decode(codes)
    scaled, constant = quantizer.fold(vector)
    num_hits = min(len(all_codes), 10)
    own_batch = Int8Quantizer.fit([quantizer.decode(all_codes[np.unique([*range(num_hits), place])])])
    return ChosenDocument(
        hit=hit,
        code=code,
        bits=bits,
        differs=bits != np.unpackbits(searcher.binarize(vector), count=dim),
        codes=codes,
        decoded=decoded,
        float32=baseline_vector(searcher, hit.row),
        batch_codes=own_batch.encode(decoded),
        terms=vector * decoded,
        scaled_dot=float(scaled @ codes.astype(np.float32)),
        constant=constant,
        score=float(int8_scores(vector, codes[None], quantizer)[0]),
        raw=_raw(vector, all_codes, place, quantizer, num_first=orders.num_results),
    )


def _raw(vector: Float32s, codes: Int8s, place: int, quantizer: Int8Quantizer, num_first: int) -> RawScoring:
    raw = codes.astype(np.float32) @ vector
    right = int8_scores(vector, codes, quantizer)
    num_first = min(num_first, len(codes))
    by_raw = np.argsort(-raw, kind="stable")[:num_first]
    by_value = np.argsort(-right, kind="stable")[:num_first]
    return RawScoring(
        score=float(raw[place]),
        rank=1 + int(np.sum(raw > raw[place])),
        dequantized_rank=1 + int(np.sum(right > right[place])),
        num_compared=len(codes),
        num_first=num_first,
        num_moved=int(np.sum(by_raw != by_value)),
    )


def baseline_vector(searcher: Searcher, row: int) -> Float32s | None:
    """Returns the float32 vector `(dim,)` of a row, or None when the index was built without them."""
    if not searcher.manifest.has_baseline:
        return None
    return row_of(searcher.bundle.file(EMBEDDINGS_FILE), row)
