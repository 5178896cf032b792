"""The stages after encoding: scan -> asymmetric -> int8 -> documents, for one query vector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Bits, Float32s
from retrieval.results import Hit, SearchResponse, SearchSettings
from retrieval.search.measurement import StageClock
from retrieval.search.rescoring import asymmetric_scores, int8_scores
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.stores.store import Store


class Ranker:
    """An opened index, searched stage by stage. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        """Takes the store of the index, wherever it is."""
        self._store = store
        self._num_texts = store.manifest.distinct_text_count
        self._quantizer = store.manifest.quantizer
        self._signs = store.manifest.signs

    def candidates(self, queries: Queries, settings: SearchSettings) -> list[Candidates]:
        """Returns what the scan of `settings` passes on for each query: distinct texts, nearest first."""
        return self._store.scan(settings.scan).search(queries, _num_wanted(settings), settings.probes)

    def stage(self, settings: SearchSettings) -> str:
        """Returns the stage for the time of a scan, after preparing the scan if necessary."""
        return self._store.scan(settings.scan).stage

    def nearest_texts(self, vectors: Float32s, settings: SearchSettings) -> list[Rows]:
        """Returns the first row of each of the `top_k` distinct texts closest to each of the vectors `(m, dim)`.

        Nearest first. This is `answer` without documents and groups: what recall is measured on.
        """
        num_rescored = settings.rescore_multiplier * settings.top_k
        found = []
        for vector, own in zip(vectors, self.candidates(Queries.of(vectors, self._signs), settings), strict=True):
            order, _, _ = self._score(vector, own, num_rescored, settings, StageClock())
            found.append(self._store.first_row_of(own.texts[order[: settings.top_k]]))
        return found

    def answer(
        self,
        query: str,
        queries: Queries,
        candidates: Candidates,
        settings: SearchSettings,
        clock: StageClock,
        notes: tuple[str, ...],
    ) -> SearchResponse:
        """Returns the answer to the one query in `queries`, whose text was `query`, from what the scan passed on."""
        vector = queries.vectors[0]
        wanted = min(settings.top_k, self._store.num_results)
        num_rescored = settings.rescore_multiplier * settings.top_k
        int8_rows_read = 0
        are_all = len(candidates.texts) == self._num_texts
        while True:
            order, scores, num_read = self._score(vector, candidates, num_rescored, settings, clock)
            int8_rows_read += num_read
            with clock.stage("rescore"):
                rows, positions = self._store.best_rows(candidates.texts[order], scores, settings.top_k)
            if len(rows) >= wanted or (are_all and len(order) == len(candidates.texts)):
                break
            # Few groups contain all the best texts: search further until there are enough groups.
            num_rescored *= 4
            scan, num_before = self._store.scan(settings.scan), len(candidates.texts)
            with clock.stage(scan.stage):
                [candidates] = scan.search(queries, 4 * num_before, settings.probes)
            are_all = len(candidates.texts) in (num_before, self._num_texts)
        with clock.stage("documents"):
            documents = self._store.documents(rows)
            members = self._store.members(rows, candidates.texts[order])
            distances = self._distances(queries.codes[0], candidates, order[positions])
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
            num_documents=self._store.manifest.row_count,
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
                products = asymmetric_scores(vector, self._codes(candidates, order))
                scores = self._signs.cosines_of_products(vector, products)
                order = np.argsort(-scores, kind="stable")
                scores = scores[order]
        if not settings.rescore:
            return order, scores, 0
        with clock.stage("rescore"):
            order = order[:num_rescored]
            codes = self._store.int8_codes(candidates.texts[order])
            scores = int8_scores(vector, codes, self._quantizer)
            best_first = np.argsort(-scores, kind="stable")
        return order[best_first], scores[best_first], len(order)

    def _distances(self, query: Bits, candidates: Candidates, places: Rows) -> npt.NDArray[np.integer]:
        """Returns how many bits of the candidates at `places` `(m,)` differ from a query's, `(m,)`."""
        if candidates.distances is not None:
            return candidates.distances[places]
        distances: npt.NDArray[np.uint64] = np.bitwise_count(self._codes(candidates, places) ^ query).sum(axis=1)
        return distances

    def _codes(self, candidates: Candidates, places: npt.NDArray[np.int64]) -> Bits:
        """Returns the sign bits of the candidates at `places` `(m,)`, uint8 `(m, ceil(dim / 8))`."""
        if candidates.codes is not None:
            return candidates.codes[places]
        return self._store.codes_at(candidates.texts[places])


def _num_wanted(settings: SearchSettings) -> int:
    """Returns how many texts the scan passes on: only rescoring changes an order by float query x bits."""
    if settings.scan == "hamming":
        return settings.num_candidates
    return settings.rescore_multiplier * settings.top_k if settings.rescore else settings.top_k
