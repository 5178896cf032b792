"""Human judgments: nDCG@10 and MRR@10 of answers, and the confidence of a difference between two systems.

The metrics are trec_eval's, through pytrec_eval, as in BEIR and MTEB. Only this module imports it, and only when it is
needed: it is one of the optional tools for measuring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.row_tables import Rows
from retrieval.corpus.beir_task import BeirTask
from retrieval.encoding.encoder import clean_text
from retrieval.errors import CorpusError, DependencyError

CUTOFF = 10
CONFIDENCE_PERCENT = 95.0
Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """How good the answers are, per query, in [0, 1]."""

    ndcg: Float64s
    """`(m,)` nDCG@10, with the relevance itself as the gain."""
    mrr: Float64s
    """`(m,)` 1 / rank of the first relevant document among ten, 0 without one."""


@dataclass(frozen=True, slots=True)
class MeanRatio:
    """The mean of a system in percent of another's, with its 95 % interval; None if the other's mean is 0."""

    percent: float | None
    low: float | None
    high: float | None


def require_metrics() -> None:
    """Checks that the metrics can be computed.

    Raises:
        DependencyError: if pytrec_eval is not installed.
    """
    try:
        import pytrec_eval  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            "judged quality is computed by pytrec_eval, which is not installed: "
            ".venv/bin/python -m pip install -r requirements-bench.txt"
        ) from error


def judged_scores(judgments: Mapping[str, Mapping[str, int]], answers: Mapping[str, Sequence[str]]) -> JudgedScores:
    """Returns the scores of answers, in their order.

    Args:
        judgments: relevance by document id, by query id.
        answers: distinct document ids by query id, best first; only the first ten count.

    Raises:
        DependencyError: if pytrec_eval is not installed.
    """
    require_metrics()
    import pytrec_eval

    evaluator = pytrec_eval.RelevanceEvaluator(
        {query_id: dict(judgments[query_id]) for query_id in answers}, {f"ndcg_cut.{CUTOFF}", "recip_rank"}
    )
    # trec_eval sorts by score, and equal scores by id: give every rank a score of its own.
    run = {
        query_id: {document_id: -float(rank) for rank, document_id in enumerate(ids[:CUTOFF])}
        for query_id, ids in answers.items()
    }
    found = evaluator.evaluate(run)
    return JudgedScores(
        ndcg=np.array([found[query_id][f"ndcg_cut_{CUTOFF}"] for query_id in answers]),
        mrr=np.array([found[query_id]["recip_rank"] for query_id in answers]),
    )


def scored_queries(task: BeirTask, source: Path | str) -> dict[str, str]:
    """Returns the queries that can be scored, by id: with words, and with a relevant document.

    Raises:
        CorpusError: if there is none.
    """
    scored = {
        query_id: clean_text(text)
        for query_id, text in task.queries.items()
        if text.strip() and any(relevance > 0 for relevance in task.judgments.get(query_id, {}).values())
    }
    if not scored:
        raise CorpusError(
            f"{source} has no judged query: of its {len(task.queries):,} queries, {len(task.judgments):,} have "
            f"judgments and none has words and a document judged above 0. Check that the judgments (qrels/test.tsv) "
            f"name the queries by their ids."
        )
    return scored


class JudgedCollection:
    """The documents of an index under the ids that the judgments use."""

    def __init__(self, judgments: Mapping[str, Mapping[str, int]], documents: DocumentStore) -> None:
        """Takes the judgments by query id, and documents whose column `_id` has their ids, null for distractors."""
        self._judgments = judgments
        self._documents = documents
        self._text_ids = documents.text_ids()
        self._rows = np.argsort(self._text_ids, kind="stable")
        counts = np.bincount(self._text_ids)
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._ids: dict[int, str] = {}

    def scores(self, query_ids: Sequence[str], rankings: Sequence[Rows]) -> JudgedScores:
        """Returns the scores of rankings: for each query the rows of distinct texts, best first.

        Raises:
            DependencyError: if the library for metrics is not installed.
        """
        answers = {query_id: self.document_ids(rows) for query_id, rows in zip(query_ids, rankings, strict=True)}
        return judged_scores(self._judgments, answers)

    def document_ids(self, rows: Rows) -> list[str]:
        """Returns the ids of the first ten documents behind `rows`, which name one row per distinct text.

        Documents with the same text share a rank, since no system can tell them apart: each text stands for all its
        rows, in the order of the corpus, whatever the judgments say.
        """
        found: dict[str, None] = {}
        for text in self._text_ids[rows]:
            for row in self._rows[self._starts[text] : self._starts[text + 1]]:
                found.setdefault(self._document_id(int(row)))
            if len(found) >= CUTOFF:
                break
        return list(found)[:CUTOFF]

    def _document_id(self, row: int) -> str:
        if row not in self._ids:
            own = self._documents.fetch([row])[0].extra["_id"]
            # The judgments are separated by tabs: no id in them has one.
            self._ids[row] = f"distractor\t{row}" if own is None else str(own)
        return self._ids[row]


class PairedBootstrap:
    """Estimates how much a ratio of two means would vary with other queries of the same kind.

    Queries are drawn with replacement, and both systems are scored on the same draw: what makes a query hard for both
    cancels out (Sakai, 2006, "Evaluating evaluation metrics based on the bootstrap").
    """

    def __init__(self, num_queries: int, *, num_resamples: int = 5000, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        draws = rng.multinomial(num_queries, np.full(num_queries, 1.0 / num_queries), size=num_resamples)
        self._draws = draws.astype(np.float32)
        """`(num_resamples, num_queries)`: how often each query was drawn."""

    def ratio(self, scores: Float64s, other: Float64s) -> MeanRatio:
        """Returns the mean of `scores` in percent of the mean of `other`, both `(num_queries,)` on the same queries."""
        if other.sum() <= 0:
            return MeanRatio(None, None, None)
        ours, theirs = self._draws @ scores, self._draws @ other
        drawn = theirs > 0
        ratios = 100.0 * ours[drawn] / theirs[drawn]
        outside = (100.0 - CONFIDENCE_PERCENT) / 2
        low, high = np.percentile(ratios, [outside, 100.0 - outside])
        return MeanRatio(float(100.0 * scores.sum() / other.sum()), float(low), float(high))
