"""The stages after encoding: Hamming -> asymmetric -> int8 -> documents, for one query vector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.row_tables import Candidates, Rows, RowTables
from retrieval.quantization import Bits, Float32s, Int8Quantizer, SignQuantizer
from retrieval.results import Hit, SearchResponse, SearchSettings
from retrieval.search.measurement import StageClock
from retrieval.search.rescoring import asymmetric_scores, hamming_scores, int8_scores


class Ranker:
    """The opened files of an index, searched stage by stage. Safe to use from many threads."""

    def __init__(
        self,
        texts: BinaryIndex,
        int8: Int8Store,
        documents: DocumentStore,
        tables: RowTables,
        quantizer: Int8Quantizer,
        signs: SignQuantizer,
    ) -> None:
        """Takes the sign bits of the distinct texts, the int8 vectors and documents of all rows, and what joins them.

        Args:
            texts: the index that is searched, one code a distinct text.
            int8: int8 vectors of all rows.
            documents: documents of all rows.
            tables: which rows share a text or a group.
            quantizer: what made the int8 vectors.
            signs: what made the sign bits.
        """
        self._texts = texts
        self._int8 = int8
        self._documents = documents
        self._tables = tables
        self._quantizer = quantizer
        self._signs = signs
        self._dim = texts.dim

    def candidates(self, code: Bits, num_candidates: int) -> Candidates:
        """Returns what the Hamming stage hands on for sign bits `(ceil(dim / 8),)`: distinct texts, nearest first."""
        found = self._texts.search(code, num_candidates)
        return Candidates(found.ids[0], found.distances[0])

    def nearest_texts(self, vector: Float32s, settings: SearchSettings) -> Rows:
        """Returns the first row of each of the `top_k` distinct texts closest to a vector `(dim,)`, nearest first.

        This is `answer` without documents and groups: what recall is measured on.
        """
        candidates = self.candidates(self._signs.encode(vector), settings.num_candidates)
        num_rescored = settings.rescore_multiplier * settings.top_k
        order, _, _ = self._score(vector, candidates, num_rescored, settings, StageClock())
        return self._tables.first_row_of(candidates.texts[order[: settings.top_k]])

    def answer(
        self,
        query: str,
        vector: Float32s,
        code: Bits,
        candidates: Candidates,
        settings: SearchSettings,
        clock: StageClock,
        notes: tuple[str, ...],
    ) -> SearchResponse:
        """Returns the answer for the candidates that left the Hamming stage, nearest first."""
        wanted = min(settings.top_k, self._tables.num_results)
        num_rescored = settings.rescore_multiplier * settings.top_k
        int8_rows_read = 0
        while True:
            order, scores, num_read = self._score(vector, candidates, num_rescored, settings, clock)
            int8_rows_read += num_read
            with clock.stage("rescore"):
                rows, positions = self._tables.best_rows(candidates.texts[order], scores, settings.top_k)
            if len(rows) >= wanted or len(candidates.texts) == len(self._texts) == len(order):
                break
            # Few groups hold all the best texts: look further, until there are enough of them.
            num_rescored *= 4
            with clock.stage("hamming"):
                candidates = self.candidates(code, 4 * len(candidates.texts))
        with clock.stage("documents"):
            documents = self._documents.fetch(rows.tolist())
            members = self._tables.members(rows, candidates.texts[order])
        hits = tuple(
            Hit(
                rank=rank,
                row=int(row),
                score=min(1.0, max(-1.0, float(scores[position]))),
                is_estimate=not settings.rescore,
                hamming_distance=int(candidates.distances[order[position]]),
                binary_rank=int(order[position]) + 1,
                document=document,
                member_rows=others,
            )
            for rank, (row, position, document, others) in enumerate(
                zip(rows, positions, documents, members, strict=True), start=1
            )
        )
        return SearchResponse(
            query=query,
            hits=hits,
            latency=clock.latency(),
            settings=settings,
            num_documents=len(self._documents),
            num_candidates=len(candidates.texts),
            int8_rows_read=int8_rows_read,
            notes=notes,
        )

    def _score(
        self, vector: Float32s, candidates: Candidates, num_rescored: int, settings: SearchSettings, clock: StageClock
    ) -> tuple[npt.NDArray[np.int64], Float32s, int]:
        """Returns positions among the candidates, best first, their scores, and how many int8 rows were read."""
        order = np.arange(len(candidates.texts))
        scores = self._signs.cosines_of_angles(vector, hamming_scores(candidates.distances, self._dim))
        if settings.asymmetric:
            with clock.stage("asymmetric"):
                products = asymmetric_scores(vector, self._texts.codes[candidates.texts])
                scores = self._signs.cosines_of_products(vector, products)
                order = np.argsort(-scores, kind="stable")
                scores = scores[order]
        if not settings.rescore:
            return order, scores, 0
        with clock.stage("rescore"):
            order = order[:num_rescored]
            codes = self._int8.fetch(self._tables.first_row_of(candidates.texts[order]))
            scores = int8_scores(vector, codes, self._quantizer)
            best_first = np.argsort(-scores, kind="stable")
        return order[best_first], scores[best_first], len(order)
