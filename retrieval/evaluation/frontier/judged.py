"""Judged quality of a scheme's results: nDCG@10 by people's judgments, next to recall."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.judged import judged_scores

Judge = Callable[[npt.NDArray[np.int64], Rows], float]
"""Takes the positions of queries `(m,)` and the rows found for each `(m, c)`, best first and -1 for none; returns the
mean nDCG@10."""


def judge_of(
    judgments: Mapping[str, Mapping[str, int]], query_ids: Sequence[str], document_ids: Sequence[str]
) -> Judge:
    """Returns the judge of a collection.

    Args:
        judgments: relevance by document id, by query id.
        query_ids: the id of each query vector.
        document_ids: the id of each document vector.
    """

    def judge(positions: npt.NDArray[np.int64], rows: Rows) -> float:
        answers = {
            query_ids[position]: [document_ids[row] for row in found if row >= 0]
            for position, found in zip(positions.tolist(), rows.tolist(), strict=True)
        }
        return float(judged_scores(judgments, answers).ndcg.mean())

    return judge
