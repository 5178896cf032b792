"""What more candidates find: for one query, and on average if the build of the index measured it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.bundle.tuning import Tuning
from retrieval.evaluation.baseline import OpenedIndex
from retrieval.quantization import Float32s
from retrieval.search.rescoring import asymmetric_scores, int8_scores

LEVELS = (10, 20, 40, 100, 200, 500, 1000, 2000)
"""Numbers of candidates; 40 are those of the 2024 demos, for ten results."""
MOST_RESCORED = 500
"""int8 rows that are read: of more candidates, the best by float query x bits, as the build measured it."""


@dataclass(frozen=True, slots=True)
class CandidateCurve:
    """How many results of the reference are found as more candidates are taken from the bits and rescored by int8."""

    levels: tuple[int, ...]
    """Numbers of candidates, ascending."""
    kept: tuple[tuple[bool, ...], ...]
    """By level: whether each result of the reference is found, in its order."""
    binary_ranks: tuple[int | None, ...]
    """1-based rank of each result of the reference by Hamming distance; None beyond the last level."""
    averages: tuple[float | None, ...]
    """By level: the mean share of the exact ten that the build found, in [0, 1]; None if it did not measure."""
    num_queries: int
    """Those that the averages are over."""

    @property
    def found(self) -> tuple[int, ...]:
        """Returns how many results of the reference are found, by level."""
        return tuple(sum(each) for each in self.kept)


def candidate_curve(index: OpenedIndex, vector: Float32s, wanted: Rows, tuning: Tuning | None) -> CandidateCurve:
    """Returns the curve of a query `(dim,)`, whose exact answer are the texts at `wanted` `(k,)`.

    Each level does what a search does: the nearest by Hamming distance, the best of them by float query x bits
    if there are more than `MOST_RESCORED`, and those by de-quantized int8.
    """
    searcher = index.searcher
    levels = tuple(sorted({min(level, len(index.text_rows)) for level in LEVELS}))
    nearest = searcher.candidates(vector, levels[-1]).texts
    by_float = asymmetric_scores(vector, searcher.files.texts.codes[nearest])
    scores = int8_scores(vector, searcher.int8_codes(nearest), searcher.manifest.quantizer)
    places = {row: place for place, row in enumerate(index.text_rows[nearest].tolist(), start=1)}
    kept = []
    for level in levels:
        read = np.argsort(-by_float[:level], kind="stable")[:MOST_RESCORED]
        best = read[np.argsort(-scores[read], kind="stable")[: len(wanted)]]
        kept.append(_kept(index.text_rows[nearest[best]], wanted))
    return CandidateCurve(
        levels=levels,
        kept=tuple(kept),
        binary_ranks=tuple(places.get(row) for row in wanted.tolist()),
        averages=tuple(_average(tuning, level) for level in levels),
        num_queries=0 if tuning is None else tuning.sampled_queries,
    )


def _kept(found: Rows, wanted: Rows) -> tuple[bool, ...]:
    is_found: npt.NDArray[np.bool_] = np.isin(wanted, found)
    return tuple(is_found.tolist())


def _average(tuning: Tuning | None, level: int) -> float | None:
    if tuning is None:
        return None
    rows = min(level, MOST_RESCORED)
    return next((each.recall for each in tuning.curve if (each.num_candidates, each.int8_rows) == (level, rows)), None)
