"""The ways to search one index that a comparison shows: each from a query vector to the rows of ranked texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval.bundle.bundle import DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE, Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.row_tables import Rows, RowTables
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.evaluation.ladder import ARTICLE_MULTIPLIER, bits_alone, ranked
from retrieval.quantization import Bits, Float32s, binarize
from retrieval.results import SearchSettings
from retrieval.search.full_scan import all_scores
from retrieval.search.rescoring import asymmetric_scores, hamming_scores, int8_scores
from retrieval.search.searcher import Searcher


class FullVectors:
    """The vectors of one index that a scan of all reads: float32 and int8. Safe to use from many threads."""

    def __init__(self, bundle: Bundle) -> None:
        """Opens the files of a bundle that is open already.

        Raises:
            BundleError: if the index was replaced since it was opened, or a file of it cannot be read.
        """
        manifest = bundle.manifest
        bundle.check_current()  # its searcher has the files open; these are opened now
        documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
        tables = RowTables.of(documents, distinct_text_count=manifest.distinct_text_count, grouped=False)
        first_rows = tables.first_rows
        self.text_rows: Rows = np.arange(manifest.row_count) if first_rows is None else first_rows
        """`(num_texts,)` first row of each distinct text, ascending."""
        self.baseline = ExactBaseline(bundle.file(EMBEDDINGS_FILE), first_rows) if manifest.has_baseline else None
        """None where the index was built without float32 vectors."""
        self.int8 = Int8Store.open(bundle.file(INT8_FILE), manifest.dim)
        self.are_warm = False
        """Whether they were read before: the first reading may wait for the disk."""


class Ways:
    """The ways to search one index. Safe to use from many threads."""

    def __init__(self, searcher: Searcher, vectors: FullVectors) -> None:
        self.vectors = vectors
        self._searcher = searcher
        self._quantizer = searcher.manifest.quantizer

    def int8_scan(self, vector: Float32s) -> Float32s:
        """Returns the dot products `(num_texts,)` of a query `(dim,)` with every de-quantized int8 vector."""
        scaled, constant = self._quantizer.fold(vector)
        return all_scores(scaled, self.vectors.text_rows, self.vectors.int8.read_into, np.int8) + np.float32(constant)

    def bits(self, vector: Float32s, top_k: int) -> Rows:
        """Returns the texts nearest by Hamming distance alone."""
        return self._searcher.nearest_texts(vector, bits_alone(top_k))

    def published(self, vector: Float32s, top_k: int) -> Rows:
        """Returns the nearest by Hamming distance, four times as many as wanted, ordered by their raw int8 codes."""
        candidates = self._searcher.nearest_texts(vector, bits_alone(ARTICLE_MULTIPLIER * top_k))
        return ranked(vector, candidates, self._raw_codes(candidates), top_k)

    def ours(self, vector: Float32s, settings: SearchSettings) -> Rows:
        """Returns what the search path of the product answers."""
        return self._searcher.nearest_texts(vector, settings)

    def distances(self, vector: Float32s, rows: Rows) -> npt.NDArray[np.int32]:
        """Returns how many sign bits of each text differ from the query's, `(m,)`."""
        differing = binarize(vector) ^ self._codes(rows)
        return np.asarray(np.bitwise_count(differing).sum(axis=1), dtype=np.int32)

    def raw_scores(self, vector: Float32s, rows: Rows) -> Float32s:
        """Returns the dot products `(m,)` with raw int8 codes, which are no cosines."""
        return np.asarray(self._raw_codes(rows) @ vector)

    def our_scores(self, vector: Float32s, rows: Rows, settings: SearchSettings) -> Float32s:
        """Returns the scores `(m,)` that the last stage of our path gives."""
        if settings.rescore:
            return int8_scores(vector, self.vectors.int8.fetch(rows), self._quantizer)
        if settings.asymmetric:
            return asymmetric_scores(vector, self._codes(rows))
        return hamming_scores(self.distances(vector, rows), len(vector))

    def places(self, rows: Rows) -> Rows:
        """Returns the positions of texts `(m,)`, known by their first rows, among all texts."""
        return np.searchsorted(self.vectors.text_rows, rows)

    def _codes(self, rows: Rows) -> Bits:
        return self._searcher.codes[self.places(rows)]

    def _raw_codes(self, rows: Rows) -> Float32s:
        return self.vectors.int8.fetch(rows).astype(np.float32)
