"""One timed query of a whole path, ours or the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrieval.benchmark.timings import stage_percentiles


@dataclass(frozen=True, slots=True)
class Timed:
    """One query's milliseconds by stage, `total` included, and the CPU time of the process meanwhile."""

    stages_ms: dict[str, float]
    cpu_ms: float


def path_figures(answers: Sequence[Timed]) -> dict[str, Any]:
    """Returns the percentiles of each stage and of what is not `encode`, the mean CPU time, and how many there were."""
    return {
        "stages": stage_percentiles(
            {**answer.stages_ms, "without_encode": answer.stages_ms["total"] - answer.stages_ms["encode"]}
            for answer in answers
        ),
        "cpu_ms": float(np.mean([answer.cpu_ms for answer in answers])),
        "samples": len(answers),
    }
