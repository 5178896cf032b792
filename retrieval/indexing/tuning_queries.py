"""The queries of a sweep: some texts of the corpus itself, each with the answer that is expected.

A text used as a query is left out of its answer, and so are texts with the same vector: only its neighbours count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, INT8_FILE
from retrieval.bundle.row_tables import Rows
from retrieval.indexing.ingestion import first_rows
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Float32s, Int8Quantizer, Int8s
from retrieval.search.exact_scan import SAME_SCORE, ExactAnswer, scan

TOP_K = 10
_MOST_QUERIES, FEWEST_QUERIES, _TEXTS_A_QUERY = 1000, 50, 150
"""One text in 150 is used as a query: the sweep then takes about 5 percent of the time to encode the corpus."""
MOST_DUPLICATES = 20
"""A text that shares its vector with more texts than this is not used."""
_SEED = 0


class StoredTexts:
    """The vectors and codes of the distinct texts in a build's folder."""

    def __init__(
        self, folder: Path, vectors: VectorFile, quantizer: Int8Quantizer, text_ids: npt.NDArray[np.int32]
    ) -> None:
        """Opens the codes; `text_ids` `(n,)` says which text each row has, `quantizer` made the int8 codes."""
        index = BinaryIndex.open(folder / BINARY_FILE, vectors.dim, mapped=True)
        self._first_rows = None if vectors.num_vectors == len(text_ids) else first_rows(text_ids)
        self.index = index if self._first_rows is None else index.subset(self._first_rows)
        self.quantizer = quantizer
        self._vectors = vectors
        self._int8 = Int8Store.open(folder / INT8_FILE, vectors.dim)

    def floats(self, texts: Rows) -> Float32s:
        """Returns the vectors of texts `(m,)`, float32 `(m, dim)`."""
        return next(self._vectors.gather(texts, len(texts)))

    def codes(self, texts: Rows) -> Int8s:
        """Returns the int8 codes of texts `(m,)`, int8 `(m, dim)`."""
        return self._int8.fetch(texts if self._first_rows is None else self._first_rows[texts])

    def decoded(self, texts: Rows) -> Float32s:
        """Returns what the int8 codes of texts `(m,)` stand for, float32 `(m, dim)`."""
        return self.quantizer.decode(self.codes(texts))


@dataclass(frozen=True, slots=True)
class TuningQuery:
    """A sampled text, and what is known of its answer without any setting."""

    vector: Float32s
    left_out: Rows
    """The text itself and those with its vector."""
    truth: ExactAnswer
    int8_nearest: Rows

    def shares_found(self, rankings: Rows, texts: StoredTexts) -> npt.NDArray[np.float64]:
        """Returns the share of the answer that each ranking holds, `(m,)` for `(m, k)`, counted as by `agreeing`."""
        found = np.unique(rankings)
        scores, last = texts.floats(found) @ self.vector, self.truth.scores[-1]
        places = np.sum(self.truth.scores <= last + SAME_SCORE)
        above = np.isin(rankings, found[scores > last + SAME_SCORE]).sum(axis=1)
        tied = np.isin(rankings, found[np.abs(scores - last) <= SAME_SCORE]).sum(axis=1)
        shares: npt.NDArray[np.float64] = (above + np.minimum(tied, places)) / len(self.truth.rows)
        return shares


def sampled_queries(texts: StoredTexts, fewest: int) -> list[TuningQuery]:
    """Returns the queries of a sweep; at least `fewest` texts are sampled, where there are as many."""
    num_texts = len(texts.index)
    count = min(num_texts, max(fewest, min(_MOST_QUERIES, num_texts // _TEXTS_A_QUERY)))
    sampled = np.sort(np.random.default_rng(_SEED).choice(num_texts, count, replace=False))
    vectors = texts.floats(sampled)
    depth = TOP_K + MOST_DUPLICATES
    exact = scan(vectors, np.arange(num_texts), texts.floats, depth)
    by_int8 = scan(vectors, np.arange(num_texts), texts.decoded, depth)
    queries = []
    for text, vector, answer, int8_answer in zip(sampled, vectors, exact, by_int8, strict=True):
        same = (answer.rows == text) | (answer.scores >= vector @ vector - SAME_SCORE)
        truth = ExactAnswer(answer.rows[~same][:TOP_K], answer.scores[~same][:TOP_K])
        wanted = TOP_K if num_texts > depth else len(truth.rows)
        if wanted and len(truth.rows) == wanted:
            left_out = answer.rows[same]
            int8_nearest = int8_answer.rows[~np.isin(int8_answer.rows, left_out)][:wanted]
            queries.append(TuningQuery(vector, left_out, truth, int8_nearest))
    return queries
