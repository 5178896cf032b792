"""What each way to search kept of the reference's answer, what it lost, and where that should have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.comparison.compared import ComparedHit, LostText, Method
from retrieval.evaluation.comparison.method_facts import facts_of
from retrieval.evaluation.comparison.ways import Ways
from retrieval.quantization import Float32s
from retrieval.results import Document, SearchSettings
from retrieval.search.exact_scan import ExactAnswer, agreeing
from retrieval.search.searcher import Searcher

_NO_BASELINE = "This index was built without embeddings.npy. Build it without --no-baseline to see float32 here."


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one way answered, and how long it took."""

    rows: Rows
    """`(k,)` first rows of the texts, best first."""
    scores: Float32s
    """`(k,)` as this way gives them."""
    time_ms: float
    num_runs: int


@dataclass(frozen=True, slots=True)
class Reference:
    """What the overlap is counted with."""

    scores: Float32s
    """`(num_texts,)` of every text."""
    answer: ExactAnswer


def methods_of(
    searcher: Searcher, ways: Ways, settings: SearchSettings, reference: Reference, rankings: dict[str, Ranking]
) -> tuple[Method, ...]:
    """Returns every way as it is shown."""
    num_texts = len(ways.vectors.text_rows)
    shown = np.unique(np.concatenate([ranking.rows for ranking in rankings.values()]))
    documents = dict(zip(shown.tolist(), searcher.documents(shown.tolist()), strict=True))
    methods = []
    for facts in facts_of(searcher.manifest.dim, num_texts, settings):
        ranking = rankings.get(facts.key)
        places = ways.places(ranking.rows) if ranking is not None else np.empty(0, np.int64)
        methods.append(
            Method(
                key=facts.key,
                label=facts.label,
                about=facts.about,
                score_kind=facts.score_kind,
                hits=() if ranking is None else _hits(ranking, reference, places, documents),
                lost=() if ranking is None else _lost(ranking.rows, reference, places, documents),
                time_ms=None if ranking is None else ranking.time_ms,
                num_runs=0 if ranking is None else ranking.num_runs,
                vector_bytes=facts.vector_bytes,
                ram_bytes=facts.vector_bytes * num_texts,
                disk_bytes=facts.disk_vector_bytes * num_texts,
                disk_read_bytes=facts.disk_vector_bytes * facts.num_disk_rows,
                missing=_NO_BASELINE if ranking is None else None,
            )
        )
    return tuple(methods)


def _hits(
    ranking: Ranking, reference: Reference, places: Rows, documents: Mapping[int, Document]
) -> tuple[ComparedHit, ...]:
    exact = reference.scores[places]
    counted = agreeing(exact, reference.answer)
    known = {int(row): rank for rank, row in enumerate(reference.answer.rows, start=1)}
    hits = []
    for rank, (row, score, own, counts) in enumerate(
        zip(ranking.rows.tolist(), ranking.scores.tolist(), exact, counted, strict=True), start=1
    ):
        reference_rank = known.get(row) or 1 + int(np.count_nonzero(reference.scores > own))
        document = documents[row]
        hits.append(ComparedHit(rank, row, document.text, document.url, score, bool(counts), reference_rank))
    return tuple(hits)


def _lost(rows: Rows, reference: Reference, places: Rows, documents: Mapping[int, Document]) -> tuple[LostText, ...]:
    answer = reference.answer
    found = set(rows.tolist())
    missed = [(rank, row) for rank, row in enumerate(answer.rows.tolist(), start=1) if row not in found]
    # What stands in for a text that ties with the last one makes up for it: the last ones missed are not lost.
    num_lost = len(answer.rows) - int(np.sum(agreeing(reference.scores[places], answer)))
    return tuple(LostText(rank, row, documents[row].text, documents[row].url) for rank, row in missed[:num_lost])
