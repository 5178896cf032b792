"""What one visitor did. Kept in that visitor's session, never on a shared object."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

_KEPT = 1000
"""Totals kept for the percentiles."""


@dataclass(frozen=True, slots=True)
class Visit:
    """The queries of one visitor so far."""

    num_queries: int = 0
    totals_ms: tuple[float, ...] = ()
    """Whole-call times of the last queries, oldest first."""

    def after(self, total_ms: float) -> Self:
        """Returns the visit with one more query."""
        return dataclasses.replace(
            self,
            num_queries=self.num_queries + 1,
            totals_ms=(*self.totals_ms[1 - _KEPT :], total_ms),
        )

    def percentile_ms(self, percent: float) -> float:
        """Returns a percentile of the times, 0.0 before the first query."""
        return float(np.percentile(self.totals_ms, percent)) if self.totals_ms else 0.0
