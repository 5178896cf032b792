"""The order of the candidates after each stage of one search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Float32s
from retrieval.results import Hit, SearchResponse
from retrieval.search.rescoring import asymmetric_scores
from retrieval.search.scans.scan import Candidates
from retrieval.search.searcher import Searcher

_MOST_ROWS_READ = 2_000
"""Rows whose int8 codes are read to compare the two ways of scoring; settings may ask for any number of them."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a hit stood: its rank by bits is `hit.binary_rank`, its last one `hit.rank`."""

    hit: Hit
    asymmetric_rank: int | None
    """1-based rank among the candidates by float query x bits; None when that stage was off."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The candidates of one search, nearest first, and the order in which they were considered for rescoring."""

    candidates: Candidates
    order: npt.NDArray[np.int64]
    """`(m,)` positions among the candidates, best first, after the asymmetric stage where it is on."""
    is_asymmetric: bool
    num_read: int
    """How many of `order`, from the front, are compared by their int8 codes."""
    num_results: int
    """Hits of the search."""

    @classmethod
    def of(cls, searcher: Searcher, vector: Float32s, candidates: Candidates, response: SearchResponse) -> Self:
        """Returns the orders for a query `(dim,)` whose search left these candidates and gave this response."""
        settings = response.settings
        order = np.arange(len(candidates.texts))
        is_asymmetric = settings.asymmetric and candidates.distances is not None
        if is_asymmetric:
            scores = asymmetric_scores(vector, searcher.codes[candidates.texts])
            order = np.argsort(-scores, kind="stable")
        wanted = max(response.int8_rows_read, settings.rescore_multiplier * settings.top_k)
        return cls(candidates, order, is_asymmetric, min(wanted, len(order), _MOST_ROWS_READ), len(response.hits))

    def move_of(self, hit: Hit) -> Move:
        """Returns where a hit stood."""
        return Move(hit, self.place_of(hit) + 1 if self.is_asymmetric else None)

    def place_of(self, hit: Hit) -> int:
        """Returns the 0-based position of a hit's text in `order`."""
        return int(np.flatnonzero(self.order == hit.binary_rank - 1)[0])

    def texts_with(self, hit: Hit) -> Rows:
        """Returns the texts compared by their int8 codes `(num_read or more,)`, best first; the hit is among them."""
        return self.candidates.texts[self.order[: max(self.num_read, self.place_of(hit) + 1)]]
