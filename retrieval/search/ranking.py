"""The stages after encoding: scan -> asymmetric -> int8 -> documents, for one query vector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.row_tables import Rows, RowTables
from retrieval.quantization import Float32s, Int8Quantizer, SignQuantizer
from retrieval.results import Hit, SearchResponse, SearchSettings
from retrieval.search.measurement import StageClock
from retrieval.search.rescoring import asymmetric_scores, int8_scores
from retrieval.search.scans.available import Scans
from retrieval.search.scans.scan import Candidates, Queries


class Ranker:
    """The opened files of an index, searched stage by stage. Safe to use from many threads."""

    def __init__(
        self,
        texts: BinaryIndex,
        scans: Scans,
        int8: Int8Store,
        documents: DocumentStore,
        tables: RowTables,
        quantizer: Int8Quantizer,
        signs: SignQuantizer,
    ) -> None:
        """Takes the sign bits of the distinct texts, the int8 vectors and documents of all rows, and what joins them.

        Args:
            texts: the sign bits that are searched, one code per distinct text.
            scans: the ways to search them.
            int8: int8 vectors of all rows.
            documents: documents of all rows.
            tables: which rows share a text or a group.
            quantizer: what made the int8 vectors.
            signs: what made the sign bits.
        """
        self._texts = texts
        self._scans = scans
        self._int8 = int8
        self._documents = documents
        self._tables = tables
        self._quantizer = quantizer
        self._signs = signs

    def candidates(self, queries: Queries, settings: SearchSettings) -> list[Candidates]:
        """Returns what the scan of `settings` hands on for each query: distinct texts, nearest first."""
        return self._scans[settings.scan].search(queries, _num_wanted(settings), settings.probes)

    def stage(self, settings: SearchSettings) -> str:
        """Returns the stage that the time of a scan is counted to; a scan that must be prepared is ready then."""
        return self._scans[settings.scan].stage

    def nearest_texts(self, vector: Float32s, settings: SearchSettings) -> Rows:
        """Returns the first row of each of the `top_k` distinct texts closest to a vector `(dim,)`, nearest first.

        This is `answer` without documents and groups: what recall is measured on.
        """
        [candidates] = self.candidates(Queries.of(vector, self._signs), settings)
        num_rescored = settings.rescore_multiplier * settings.top_k
        order, _, _ = self._score(vector, candidates, num_rescored, settings, StageClock())
        return self._tables.first_row_of(candidates.texts[order[: settings.top_k]])

    def answer(
        self,
        query: str,
        queries: Queries,
        candidates: Candidates,
        settings: SearchSettings,
        clock: StageClock,
        notes: tuple[str, ...],
    ) -> SearchResponse:
        """Returns the answer to the one query in `queries`, whose text was `query`, from what the scan handed on."""
        vector = queries.vectors[0]
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
            scan = self._scans[settings.scan]
            with clock.stage(scan.stage):
                [candidates] = scan.search(queries, 4 * len(candidates.texts), settings.probes)
        with clock.stage("documents"):
            documents = self._documents.fetch(rows.tolist())
            members = self._tables.members(rows, candidates.texts[order])
            differing = np.bitwise_count(self._scans.codes_at(candidates.texts[order[positions]]) ^ queries.codes[0])
            distances = differing.sum(axis=1)
        hits = tuple(
            Hit(
                rank=rank,
                row=int(row),
                score=min(1.0, max(-1.0, float(scores[position]))),
                is_estimate=not settings.rescore,
                hamming_distance=int(distance),
                binary_rank=int(order[position]) + 1,
                document=document,
                member_rows=others,
            )
            for rank, (row, position, document, others, distance) in enumerate(
                zip(rows, positions, documents, members, distances, strict=True), start=1
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
        order, scores = np.arange(len(candidates.texts)), candidates.scores
        if candidates.distances is None:
            scores = self._signs.cosines_of_products(vector, scores)
        elif not settings.asymmetric:
            scores = self._signs.cosines_of_angles(vector, scores)
        else:
            with clock.stage("asymmetric"):
                products = asymmetric_scores(vector, self._scans.codes_at(candidates.texts))
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


def _num_wanted(settings: SearchSettings) -> int:
    """Returns how many texts the scan hands on: what float query x bits has ordered, only rescoring orders anew."""
    if settings.scan == "hamming":
        return settings.num_candidates
    return settings.rescore_multiplier * settings.top_k if settings.rescore else settings.top_k
