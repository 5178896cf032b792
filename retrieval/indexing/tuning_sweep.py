"""Measures the settings of the search on a corpus that is being built, with its own texts as queries.

The stages are those of the search path, done once per query as far as the largest setting needs them. All smaller
settings follow from them: the nearest 100 are the first of the nearest 5,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.manifest import LISTS_FILE
from retrieval.bundle.row_tables import Rows
from retrieval.bundle.tuning import ScanRecall, Tuning, TuningPoint, TuningRecall
from retrieval.indexing.tuning_choice import choose
from retrieval.indexing.tuning_queries import (
    FEWEST_QUERIES,
    MOST_DUPLICATES,
    TOP_K,
    StoredTexts,
    TuningQuery,
    sampled_queries,
)
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Int8Quantizer, SignQuantizer
from retrieval.search.rescoring import asymmetric_scores, int8_scores
from retrieval.search.scans.float_bits import FloatBits
from retrieval.search.scans.lists import Lists, nearest_list
from retrieval.search.scans.pack import pack
from retrieval.search.scans.scan import Queries, Scan

_CANDIDATES = (10, 20, 40, 50, 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000)
_MULTIPLIERS = (1, 2, 3, 4, 6, 8, 10, 12, 15, 20, 30, 40, 50)
_PUBLISHED_ROWS = 4 * TOP_K
"""What the 2024 demos rescore."""
_QUERIES_AT_ONCE = 20
_FIXED = 3
"""Recalls that no setting changes: of all int8 vectors, of the bits alone, and of the demos."""
_SHARES_OF_LISTS = (1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 7 / 16, 1 / 2, 3 / 4, 1)
_KEPT_BY_LISTS = 0.994
"""The smallest number of lists that keeps this share of what visiting all of them finds is chosen."""
_WITHIN_REACH = 0.995
"""Lists are skipped that are farther from the query than those of this share of what is to be found."""
_LEAST_VISITED = 0.5
"""A reach is not believed unless it leaves more than this share of the lists for the sampled texts."""
OnQueries = Callable[[int, int], None]


class TuningSweep:
    """Searches the sampled texts of a corpus in every setting."""

    def __init__(
        self,
        folder: Path,
        vectors: VectorFile,
        quantizer: Int8Quantizer,
        text_ids: npt.NDArray[np.int32],
        signs: SignQuantizer,
    ) -> None:
        """Opens the codes in a build's folder.

        Args:
            folder: where the build writes.
            vectors: float32 `(num_texts, dim)` of length 1, of the distinct texts.
            quantizer: what made the int8 codes.
            text_ids: `(n,)` which text each row has.
            signs: what made the sign bits.
        """
        self._texts = StoredTexts(folder, vectors, quantizer, text_ids)
        self._index = self._texts.index
        self._signs = signs
        self._lists_path = folder / LISTS_FILE
        self._grid = _grid(len(self._index))
        self._levels = sorted({num_candidates for num_candidates, _, _ in self._grid})

    def run(
        self,
        target_share: float,
        on_queries: OnQueries = lambda done, total: None,
        fewest_queries: int = FEWEST_QUERIES,
    ) -> Tuning | None:
        """Returns the chosen settings, or None when no text has a neighbour to be found.

        Args:
            target_share: the share of what rescoring all int8 vectors finds that must be kept.
            on_queries: called with the queries done and their total.
            fewest_queries: the least number of queries, if there are as many texts.
        """
        queries = sampled_queries(self._texts, fewest_queries)
        if not queries:
            return None
        recalls = np.empty((len(queries), len(self._grid) + len(self._levels) + _FIXED))
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            on_queries(start, len(queries))
            block = queries[start : start + _QUERIES_AT_ONCE]
            recalls[start : start + len(block)] = self._recalls(block)
        on_queries(len(queries), len(queries))
        chosen = self._chosen(recalls.mean(axis=0), len(queries), target_share)
        return replace(chosen, scans=tuple(self._scans(queries, chosen)))

    def _scans(self, queries: list[TuningQuery], chosen: Tuning) -> Iterator[ScanRecall]:
        """Yields what the other scans find with the chosen number of int8 rows, `lists` with more and more lists."""
        num_rows, int8_all = TOP_K * chosen.rescore_multiplier, chosen.recall.int8_all

        def measured(name: str, scan: Scan, probes: int | None = None, reach: float | None = None) -> ScanRecall:
            recall = float(np.mean([self._found_by(scan, query, num_rows, probes) for query in queries]))
            return ScanRecall(name, recall, recall / int8_all if int8_all else 1.0, probes, reach)

        yield (everything := measured("float-bits", FloatBits(pack(self._index.codes, self._index.dim))))
        # These bits are not kept while the lists, which contain them again, are in RAM.
        self._index.release()
        if not self._lists_path.is_file():
            return
        lists = Lists.open(self._lists_path, self._index.dim, len(self._index))
        for probes in sorted({max(1, round(share * lists.num_lists)) for share in _SHARES_OF_LISTS}):
            found = measured("lists", lists, probes)
            if found.recall >= _KEPT_BY_LISTS * everything.recall:
                break
            yield found
        lists.probes = probes
        lists.reach = None if probes == lists.num_lists else self._reach(lists, queries)
        yield measured("lists", lists, probes, lists.reach)

    def _reach(self, lists: Lists, queries: list[TuningQuery]) -> float | None:
        """Returns how much less similar to a query than the nearest list those lists are that need a visit.

        None where that would skip most lists: the texts then have near copies, which say little about what a question
        needs.
        """
        centroids = lists.centroids
        behind = np.stack([centroids @ query.vector for query in queries])
        behind = behind.max(axis=1, keepdims=True) - behind
        needed = [
            own[nearest_list(centroids, self._texts.floats(query.truth.rows))]
            for own, query in zip(behind, queries, strict=True)
        ]
        reach = float(np.quantile(np.concatenate(needed), _WITHIN_REACH))
        is_visited = np.sort(behind, axis=1)[:, : lists.probes] <= reach
        return reach if is_visited.mean() > _LEAST_VISITED else None

    def _found_by(self, scan: Scan, query: TuningQuery, num_rows: int, probes: int | None) -> float:
        """Returns the share of a query's answer that a scan and the rescoring of `num_rows` find."""
        [found] = scan.search(Queries.of(query.vector, self._signs), num_rows + MOST_DUPLICATES, probes)
        texts = found.texts[~np.isin(found.texts, query.left_out)][:num_rows]
        if not len(texts):
            return 0.0
        scores = int8_scores(query.vector, self._texts.codes(texts), self._texts.quantizer)
        best = texts[np.argsort(-scores, kind="stable")[: len(query.truth.rows)]]
        return float(query.shares_found(best[None], self._texts)[0])

    def _chosen(self, recalls: npt.NDArray[np.float64], num_queries: int, target_share: float) -> Tuning:
        int8_all, bits, published = (float(value) for value in recalls[:_FIXED])
        float_bits = dict(zip(self._levels, recalls[_FIXED:], strict=False))
        curve = [
            TuningPoint(*setting, share=float(recall) / int8_all if int8_all else 1.0, recall=float(recall))
            for setting, recall in zip(self._grid, recalls[_FIXED + len(self._levels) :], strict=True)
        ]
        best = choose(curve, target_share)
        return Tuning(
            num_candidates=best.num_candidates,
            rescore_multiplier=best.rescore_multiplier,
            top_k=TOP_K,
            target_share=target_share,
            reached_share=best.share,
            reached=best.share >= target_share,
            sampled_queries=num_queries,
            recall=TuningRecall(bits, float(float_bits[best.num_candidates]), int8_all, best.recall, published),
            curve=tuple(curve),
        )

    def _recalls(self, queries: list[TuningQuery]) -> npt.NDArray[np.float64]:
        """Returns recall by query: by all int8 vectors, bits, demos, float x bits by level, and each setting."""
        deepest = self._levels[-1] + MOST_DUPLICATES
        found = self._index.search_batch(self._signs.encode(np.stack([query.vector for query in queries])), deepest)
        recalls = []
        for query, texts in zip(queries, found.ids, strict=True):
            candidates = texts[~np.isin(texts, query.left_out)][: self._levels[-1]]
            rankings = np.stack([query.int8_nearest, *self._rankings(query, candidates)])
            recalls.append(query.shares_found(rankings, self._texts))
        return np.array(recalls)

    def _rankings(self, query: TuningQuery, candidates: Rows) -> list[Rows]:
        """Returns the texts `(k,)` found by bits, by the demos, by float x bits at each level, and by each setting."""
        wanted = len(query.truth.rows)
        scores = asymmetric_scores(query.vector, self._index.codes[candidates])
        order = np.argsort(-scores, kind="stable")
        most_rows = TOP_K * _MULTIPLIERS[-1]
        leading = {level: order[order < level][:most_rows] for level in self._levels}
        pool = np.unique(np.concatenate(list(leading.values())))
        rescored = np.empty(len(candidates), np.float32)
        rescored[pool] = int8_scores(query.vector, self._texts.codes(candidates[pool]), self._texts.quantizer)
        best_first = {level: np.argsort(-rescored[own], kind="stable") for level, own in leading.items()}
        raw = self._texts.codes(candidates[:_PUBLISHED_ROWS]).astype(np.float32) @ query.vector
        published = np.argsort(-raw, kind="stable")[:wanted]
        positions = [np.arange(wanted), published, *(leading[level][:wanted] for level in self._levels)]
        for level, _, num_rows in self._grid:
            best = best_first[level]
            positions.append(leading[level][best[best < num_rows][:wanted]])
        return [candidates[own] for own in positions]


def _grid(num_texts: int) -> list[tuple[int, int, int]]:
    """Returns candidates, multiplier and int8 rows of every setting that is worth trying among so many texts."""
    grid = []
    for level in sorted({min(level, num_texts) for level in _CANDIDATES}):
        for multiplier in _MULTIPLIERS:
            grid.append((level, multiplier, min(level, TOP_K * multiplier)))
            if TOP_K * multiplier >= level:
                break
    return grid
