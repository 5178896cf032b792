"""The ways to search an index with what the product builds.

The comparison, the ladder and the lesson loop over these objects. Another way is one class, its line in `ways_compared`
(`comparison/compare.py`) or in the ladder (`ladder.py`), and its words in `retrieval/ui/compare/words.py`. The ways of
the article and of the 2024 demos are in `published.py`. All ways answer with distinct texts.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline, OpenedIndex
from retrieval.evaluation.way import Found, ScoreKind, Way, Work
from retrieval.quantization import Float32s
from retrieval.results import SearchSettings
from retrieval.search.exact_scan import best_of, scan
from retrieval.search.full_scan import all_scores, taken
from retrieval.search.rescoring import asymmetric_scores, hamming_scores, int8_scores

CANDIDATES, BITS_SCORED, INT8_READ = "candidates", "bits scored", "int8 read"
"""Steps of a search: texts that Hamming distance chooses, those scored by float query x bits, int8 vectors read."""
FLOAT_SCANNED, LISTS_SCANNED = "float bits scanned", "lists scanned"
"""Steps of the other scans: texts scored by float query x bits in the scan, and texts in the lists it chooses from."""


class Scan(Way):
    """A way that scores every text."""

    @abstractmethod
    def all_scores(self, index: OpenedIndex, vector: Float32s) -> Float32s:
        """Returns the scores `(num_texts,)` of every text for a query `(dim,)`."""

    def search(self, index: OpenedIndex, vector: Float32s, top_k: int) -> Found:
        scores = self.all_scores(index, vector)
        return Found(best_of(index.text_rows, scores, top_k).rows, scores)

    def scores(self, index: OpenedIndex, vector: Float32s, found: Found) -> Float32s:
        scores = self.all_scores(index, vector) if found.all_scores is None else found.all_scores
        return scores[index.places(found.rows)]


class Float32(Scan):
    """The query times every float32 vector: the exact answer."""

    key = "float32"
    score_kind: ScoreKind = "cosine"
    ram_bits = 32

    def work(self, num_texts: int, top_k: int) -> Work:
        return {"float32 scanned": num_texts}

    def can_search(self, index: OpenedIndex) -> bool:
        return index.baseline is not None

    def all_scores(self, index: OpenedIndex, vector: Float32s) -> Float32s:
        return _exact(index).scores(vector)

    def search_many(self, index: OpenedIndex, vectors: Float32s, top_k: int) -> list[Rows]:
        return [answer.rows for answer in _exact(index).search(vectors, top_k)]


class Int8(Scan):
    """The float32 query times every de-quantized int8 vector."""

    key = "int8"
    score_kind: ScoreKind = "cosine"
    ram_bits = 8

    def work(self, num_texts: int, top_k: int) -> Work:
        return {"int8 scanned": num_texts}

    def all_scores(self, index: OpenedIndex, vector: Float32s) -> Float32s:
        scaled, constant = index.searcher.manifest.quantizer.fold(vector)
        return int8_products(index, scaled) + np.float32(constant)

    def search_many(self, index: OpenedIndex, vectors: Float32s, top_k: int) -> list[Rows]:
        codes, decode = index.searcher.files.int8.codes, index.searcher.manifest.quantizer.decode
        found = scan(vectors, index.text_rows, lambda rows: decode(taken(codes, rows)), top_k)
        return [answer.rows for answer in found]


class FromBits(Way):
    """A way that runs the project's search path with its own settings."""

    ram_bits = 1

    @abstractmethod
    def settings(self, top_k: int) -> SearchSettings:
        """Returns the settings of a search for `top_k` texts."""

    @property
    def score_kind(self) -> ScoreKind:
        return "cosine" if self.settings(1).rescore else "estimate"

    @property
    def disk_bits(self) -> int:
        return 8 if self.settings(1).rescore else 0

    def work(self, num_texts: int, top_k: int) -> Work:
        used = self.settings(top_k)
        if used.scan != "hamming":
            step = FLOAT_SCANNED if used.scan == "float-bits" else LISTS_SCANNED
            read = {INT8_READ: min(used.rescore_multiplier * top_k, num_texts)} if used.rescore else {}
            return {step: num_texts, **read}
        num_candidates = min(used.num_candidates, num_texts)
        work = {"codes compared": num_texts, CANDIDATES: num_candidates}
        if used.asymmetric:
            work[BITS_SCORED] = num_candidates
        if used.rescore:
            work[INT8_READ] = min(used.rescore_multiplier * top_k, num_candidates)
        return work

    def search(self, index: OpenedIndex, vector: Float32s, top_k: int) -> Found:
        return Found(index.searcher.nearest_texts(vector, self.settings(top_k)))

    def scores(self, index: OpenedIndex, vector: Float32s, found: Found) -> Float32s:
        used, signs = self.settings(1), index.searcher.manifest.signs
        by_float_query = used.asymmetric or used.scan != "hamming"
        if used.rescore:
            return int8_scores(vector, index.searcher.files.int8.fetch(found.rows), index.searcher.manifest.quantizer)
        if by_float_query:
            return signs.cosines_of_products(vector, asymmetric_scores(vector, index.codes(found.rows)))
        return signs.cosines_of_angles(vector, hamming_scores(index.distances(vector, found.rows), index.dim))


class Bits(FromBits):
    """The texts nearest by Hamming distance, and nothing else."""

    key = "bits"
    score_kind: ScoreKind = "bits differ"

    def settings(self, top_k: int) -> SearchSettings:
        return SearchSettings(top_k=top_k, num_candidates=top_k, asymmetric=False, rescore=False)

    def scores(self, index: OpenedIndex, vector: Float32s, found: Found) -> Float32s:
        return index.distances(vector, found.rows).astype(np.float32)


@dataclass(frozen=True)
class FloatBits(FromBits):
    """The texts nearest by Hamming distance, ordered by the float32 query times their sign bits."""

    key = "float_bits"
    num_candidates: int

    def settings(self, top_k: int) -> SearchSettings:
        return SearchSettings(top_k=top_k, num_candidates=self.num_candidates, asymmetric=True, rescore=False)


@dataclass(frozen=True)
class FloatScan(FromBits):
    """The float32 query times the sign bits of every text, then int8 for as many rows as the chosen settings read."""

    key = "float_scan"
    chosen: SearchSettings

    def settings(self, top_k: int) -> SearchSettings:
        return replace(self.chosen, top_k=top_k, rescore=True, scan="float-bits", probes=None)


@dataclass(frozen=True)
class Ours(FromBits):
    """The project's search path with chosen settings, whose `top_k` is replaced by the requested one."""

    key = "ours"
    chosen: SearchSettings

    def settings(self, top_k: int) -> SearchSettings:
        return replace(self.chosen, top_k=top_k)


def _exact(index: OpenedIndex) -> ExactBaseline:
    if index.baseline is None:
        raise ValueError("this index has no float32 vectors: check `can_search` first")
    return index.baseline


def int8_products(index: OpenedIndex, vector: Float32s) -> Float32s:
    """Returns the dot products `(num_texts,)` of a vector `(dim,)` with the int8 codes of every text, as they are."""
    return all_scores(vector, index.text_rows, index.searcher.files.int8.read_into, np.int8)
