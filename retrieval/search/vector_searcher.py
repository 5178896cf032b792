"""An opened index, searched by vectors: what needs no text and no model.

binarize -> scan -> asymmetric -> int8 -> documents, timed stage by stage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Unpack

import numpy as np
import numpy.typing as npt

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.row_tables import Rows
from retrieval.errors import QueryError, brief, memory_errors
from retrieval.quantization import Bits, Float32s, Int8s
from retrieval.results import Document, SearchKnobs, SearchResponse, SearchSettings
from retrieval.search.measurement import StageClock
from retrieval.search.query_checks import chosen_settings, unit_vector
from retrieval.search.ranking import Ranker
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.stores.files import FileStore
from retrieval.search.stores.store import Store


class VectorSearcher:
    """An opened index. Safe to use from many threads."""

    def __init__(self, index: Bundle | Store) -> None:
        """Takes an index, in a folder or opened wherever it lies."""
        self.store: Store = FileStore(index) if isinstance(index, Bundle) else index
        self.manifest = self.store.manifest
        self.defaults = self.manifest.defaults
        """The settings that the manifest recommends for this corpus."""
        self._quantizer = self.manifest.quantizer
        self._signs = self.manifest.signs
        self._ranker = Ranker(self.store)

    def __len__(self) -> int:
        return self.manifest.row_count

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.manifest.corpus.name}, {len(self):,} rows, {self.store!r})"

    @property
    def has_files(self) -> bool:
        """Returns whether the index is in files on this machine, rather than in another engine."""
        return isinstance(self.store, FileStore)

    @property
    def files(self) -> FileStore:
        """Returns the opened files of the index, for comparing or showing all of its vectors.

        Raises:
            QueryError: if it is in another engine.
        """
        if not isinstance(self.store, FileStore):
            raise QueryError(
                f"this needs every vector of the index, and they are at {self.store.name}: open the folder "
                f"that was loaded there."
            )
        return self.store

    @property
    def bundle(self) -> Bundle:
        """Returns the folder of the index; see `files`."""
        return self.files.bundle

    @property
    def scans(self) -> tuple[str, ...]:
        """Returns the names of the scans that this index has, of `SCANS`; `lists` only when it was built with them."""
        return self.store.scans

    def candidates(
        self, vector: Float32s, num_candidates: int, scan: str = "hamming", probes: int | None = None
    ) -> Candidates:
        """Returns what a scan, one of `scans`, passes on for a vector `(dim,)`: that many texts, nearest first."""
        return self.store.scan(scan).search(Queries.of(vector, self._signs), num_candidates, probes)[0]

    def binarize(self, vectors: Float32s) -> Bits:
        """Returns the bits of queries `(m, dim)` or `(dim,)` as those of the documents were made, packed as uint8."""
        return self._signs.encode(vectors)

    def int8_codes(self, texts: Rows) -> Int8s:
        """Returns the int8 codes of distinct texts `(m,)`, as `candidates` names them, int8 `(m, dim)`."""
        return self.store.int8_codes(texts)

    @memory_errors("to search")
    def search_vector(
        self, vector: npt.ArrayLike, top_k: int | None = None, **knobs: Unpack[SearchKnobs]
    ) -> SearchResponse:
        """Returns the documents closest to a vector `(dim,)`, which need not have length 1; see `search`.

        Raises:
            QueryError: if the vector has another shape, is not finite or has no length, or a setting is below 1.
            BundleCorruptError: if the background check found an altered file.
        """
        clock = StageClock()
        self.store.raise_if_failed()
        settings = self._settings(top_k, knobs)
        usable = unit_vector(vector, self.manifest.dim)
        return self._search("", usable, settings, clock, ())

    def more_like(self, row: int, top_k: int | None = None) -> SearchResponse:
        """Returns the documents closest to the one in `row`, itself and its group left out; needs no model.

        The query is the document's de-quantized int8 vector from the index.

        Raises:
            QueryError: if the row is not in the corpus, or `top_k` is below 1.
            BundleCorruptError: if the background check found an altered file.
        """
        if not isinstance(row, int | np.integer) or isinstance(row, bool) or not 0 <= row < len(self):
            raise QueryError(f"row {brief(row)} is not in this index: its rows are 0 to {len(self) - 1:,}.")
        settings = self._settings(top_k, {})
        vector = self._quantizer.decode(self.store.int8_codes_of_row(row))[0]
        response = self.search_vector(vector, settings.top_k + 1)
        others = [hit for hit in response.hits if row != hit.row and row not in hit.member_rows]
        hits = tuple(dataclasses.replace(hit, rank=rank) for rank, hit in enumerate(others[: settings.top_k], start=1))
        return dataclasses.replace(response, hits=hits, settings=settings)

    def nearest_texts(self, vector: Float32s, settings: SearchSettings) -> Rows:
        """Returns the first row of each of the `top_k` distinct texts closest to a vector `(dim,)`, nearest first.

        This is `search` without documents and groups: what recall is measured on.
        """
        return self._ranker.nearest_texts(vector[None], settings)[0]

    def nearest_texts_of_each(self, vectors: Float32s, settings: SearchSettings) -> list[Rows]:
        """Returns what `nearest_texts` does for each of the vectors `(m, dim)`, which are compared as a batch."""
        return self._ranker.nearest_texts(vectors, settings)

    def documents(self, rows: Sequence[int]) -> tuple[Document, ...]:
        """Returns the documents at `rows`.

        Raises:
            IndexError: if a row is not in the corpus.
            BundleCorruptError: if a file was found altered.
        """
        self.store.raise_if_failed()
        return self.store.documents(np.asarray(rows, dtype=np.int64))

    def _settings(self, top_k: int | None, knobs: SearchKnobs) -> SearchSettings:
        return chosen_settings(
            self.defaults,
            top_k,
            knobs,
            num_rows=len(self),
            num_texts=self.manifest.distinct_text_count,
            scans=self.scans,
        )

    def _search(
        self, query: str, vector: Float32s, settings: SearchSettings, clock: StageClock, notes: tuple[str, ...]
    ) -> SearchResponse:
        with clock.stage("binarize"):
            queries = Queries.of(vector, self._signs)
        with clock.stage(self._ranker.stage(settings)):
            [candidates] = self._ranker.candidates(queries, settings)
        response = self._ranker.answer(query, queries, candidates, settings, clock, notes)
        self.store.raise_if_failed()  # a file may have changed in the meantime
        return response
