"""One index, opened for every way to search it: the searcher, and the vector files that scans read from end to end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.bundle.bundle import DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE, Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.row_tables import Rows, RowTables
from retrieval.evaluation.baseline import ExactBaseline, missing_baseline
from retrieval.quantization import Bits, Float32s, Int8Quantizer, binarize
from retrieval.search.full_scan import all_scores, taken
from retrieval.search.searcher import Searcher


class VectorFiles:
    """The float32 and int8 vectors of a bundle, opened for scans. Safe to use from many threads."""

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
        """Whether they have been read once: the first time may wait for the disk."""


@dataclass(frozen=True, slots=True)
class OpenedIndex:
    """What a way of searching needs of an index. Safe to use from many threads."""

    searcher: Searcher
    files: VectorFiles

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return self.searcher.manifest.dim

    @property
    def quantizer(self) -> Int8Quantizer:
        """Returns what made the int8 vectors."""
        return self.searcher.manifest.quantizer

    @property
    def text_rows(self) -> Rows:
        """Returns the first row of each distinct text, `(num_texts,)`, ascending."""
        return self.files.text_rows

    @property
    def baseline(self) -> ExactBaseline:
        """Returns the float32 vectors.

        Raises:
            BundleMissingError: if the index was built without them.
        """
        if self.files.baseline is None:
            raise missing_baseline(self.searcher.bundle)
        return self.files.baseline

    def places(self, rows: Rows) -> Rows:
        """Returns the positions `(m,)` of texts, known by their first rows, among all texts."""
        return np.searchsorted(self.text_rows, rows)

    def codes(self, rows: Rows) -> Bits:
        """Returns the sign bits of texts, uint8 `(m, ceil(dim / 8))`."""
        return self.searcher.codes[self.places(rows)]

    def distances(self, vector: Float32s, rows: Rows) -> npt.NDArray[np.int32]:
        """Returns how many sign bits of each text differ from those of a query `(dim,)`, `(m,)`."""
        differing = binarize(vector) ^ self.codes(rows)
        return np.asarray(np.bitwise_count(differing).sum(axis=1), dtype=np.int32)

    def int8_products(self, vector: Float32s) -> Float32s:
        """Returns the dot products `(num_texts,)` of a vector `(dim,)` with the raw int8 codes of every text."""
        return all_scores(vector, self.text_rows, self.files.int8.read_into, np.int8)

    def raw_codes(self, rows: Rows) -> Float32s:
        """Returns the int8 codes of texts as float32 `(m, dim)`, for scans of most of the file."""
        return taken(self.files.int8.codes, rows).astype(np.float32)
