"""A judged collection in an index: which queries can be scored, and which documents stand behind a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.row_tables import Rows
from retrieval.corpus.beir import BeirTask
from retrieval.encoding.encoder import clean_text
from retrieval.errors import CorpusError
from retrieval.evaluation.judged import CUTOFF, JudgedScores, judged_scores


def scored_queries(task: BeirTask, source: Path | str) -> dict[str, str]:
    """Returns the queries that can tell systems apart, by id: with words, and with a document that is relevant.

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
        """Returns the ids of the first ten documents behind `rows`, which name one row a distinct text.

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
