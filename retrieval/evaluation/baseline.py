"""What losses are measured against: the exact float32 answer, and an index opened for every way to search it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.embeddings import map_embeddings
from retrieval.bundle.manifest import DOCUMENTS_FILE, EMBEDDINGS_FILE
from retrieval.bundle.row_tables import Rows, RowTables
from retrieval.errors import BundleCorruptError, BundleMissingError
from retrieval.quantization import Bits, Float32s
from retrieval.search.exact_scan import ExactAnswer, agreeing, best_of, scan
from retrieval.search.full_scan import all_scores, taken
from retrieval.search.searcher import Searcher
from retrieval.system import read_into


class ExactBaseline:
    """Compares float32 queries with every distinct text of a bundle: slow, but exact."""

    def __init__(self, embeddings_path: Path, first_rows: Rows | None) -> None:
        """Reads `embeddings_path`, a `.npy` of float32 `(n, dim)`; `first_rows` has one row per distinct text.

        Raises:
            BundleCorruptError: if the file is missing or damaged.
        """
        mapped = map_embeddings(embeddings_path)
        self.embeddings: Float32s = mapped
        self._path = embeddings_path
        self._first_byte = int(mapped.offset)
        self._file = os.open(embeddings_path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self.text_rows: Rows = np.arange(len(self.embeddings)) if first_rows is None else first_rows
        """`(num_texts,)` first row of each distinct text."""

    @classmethod
    def open(cls, bundle: Bundle) -> ExactBaseline:
        """Returns the baseline of a bundle.

        Raises:
            BundleMissingError: if the bundle was built without it.
        """
        if not bundle.manifest.has_baseline:
            raise BundleMissingError(
                f"{bundle.path} has no {EMBEDDINGS_FILE}, so nothing can be compared with float32: "
                f"build the index without --no-baseline."
            )
        documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
        tables = RowTables.of(documents, distinct_text_count=bundle.manifest.distinct_text_count, grouped=False)
        return cls(bundle.file(EMBEDDINGS_FILE), tables.first_rows)

    def search(self, vectors: Float32s, top_k: int) -> list[ExactAnswer]:
        """Returns the exact answer of each query, float32 `(m, dim)` of length 1."""
        if len(vectors) == 1:
            return [best_of(self.text_rows, self.scores(vectors[0]), top_k)]
        return scan(vectors, self.text_rows, lambda rows: np.asarray(taken(self.embeddings, rows)), top_k)

    def scores(self, vector: Float32s) -> Float32s:
        """Returns the dot products `(num_texts,)` of a query `(dim,)` with every distinct text, read from the file.

        Nothing of the file stays in this process.

        Raises:
            BundleCorruptError: if the file was cut short since it was opened.
        """
        return all_scores(vector, self.text_rows, self._read_into, np.float32)

    def _read_into(self, first_row: int, into: Float32s) -> None:
        start = self._first_byte + first_row * 4 * self.embeddings.shape[1]
        if not read_into(self._file, into, start):
            raise BundleCorruptError(f"{self._path} was truncated. Copy it again, or build the index again.")

    def recall(self, vector: Float32s, found_rows: Sequence[int] | Rows, truth: ExactAnswer) -> float:
        """Returns the share of the exact answer that `found_rows` hold, in [0, 1].

        Any text that ties with the last one of the answer counts; texts above it must be found themselves.

        Args:
            vector: the query `(dim,)`.
            found_rows: rows of distinct texts, as many as the answer has.
            truth: the exact answer to `vector`.
        """
        if len(truth.rows) == 0:
            return 1.0
        exact = np.asarray(self.embeddings[np.asarray(found_rows, dtype=np.int64)]) @ vector
        return float(np.sum(agreeing(exact, truth))) / len(truth.rows)

    def recalls(
        self, vectors: Float32s, found_rows: Iterable[Sequence[int] | Rows], truths: Iterable[ExactAnswer]
    ) -> npt.NDArray[np.float64]:
        """Returns the `recall` of each query, float64 `(m,)`; vectors are float32 `(m, dim)`."""
        asked = zip(vectors, found_rows, truths, strict=True)
        return np.array([self.recall(vector, rows, truth) for vector, rows, truth in asked])


@dataclass(frozen=True, slots=True)
class OpenedIndex:
    """What a way to search needs from an index. Safe to use from many threads."""

    searcher: Searcher
    baseline: ExactBaseline | None
    """None if the index was built without float32 vectors."""
    text_rows: Rows
    """`(num_texts,)` first row of each distinct text, ascending."""

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return self.searcher.manifest.dim

    def places(self, rows: Rows) -> Rows:
        """Returns the positions `(m,)` of texts, known by their first rows, among all texts."""
        return np.searchsorted(self.text_rows, rows)

    def codes(self, rows: Rows) -> Bits:
        """Returns the sign bits of texts, uint8 `(m, ceil(dim / 8))`."""
        return self.searcher.files.texts.codes[self.places(rows)]

    def distances(self, vector: Float32s, rows: Rows) -> npt.NDArray[np.int32]:
        """Returns how many sign bits of each text differ from those of a query `(dim,)`, `(m,)`."""
        differing = self.searcher.binarize(vector) ^ self.codes(rows)
        return np.asarray(np.bitwise_count(differing).sum(axis=1), dtype=np.int32)
