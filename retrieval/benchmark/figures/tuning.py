"""How the settings of an index were chosen, read from its manifest; older indexes do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrieval.benchmark.figures.reading import count_at, list_at, number_at, numbers_at, text_at, value_at


@dataclass(frozen=True, slots=True)
class TriedSetting:
    """One setting that the build tried on its own corpus."""

    num_candidates: int
    int8_rows: int
    share: float
    """Its recall over that of rescoring all int8 vectors."""
    rescore_multiplier: int

    @property
    def setting(self) -> tuple[int, int]:
        """Returns candidates and multiplier."""
        return self.num_candidates, self.rescore_multiplier


@dataclass(frozen=True, slots=True)
class TuningFigures:
    """The curve that a build measured, and what it chose."""

    source: str | None
    chosen: tuple[int, int]
    """Candidates and multiplier."""
    target_share: float | None
    reached_share: float | None
    is_reached: bool
    sampled_queries: int | None
    recall: Mapping[str, float]
    """`bits`, `float_bits`, `int8_all`, `chosen`."""
    curve: tuple[TriedSetting, ...]


def tuning_figures(search: Mapping[str, Any]) -> TuningFigures | None:
    """Returns what `Manifest.search` tells of the choice; None where there is no curve."""
    candidates, multiplier = count_at(search, "num_candidates"), count_at(search, "rescore_multiplier")
    curve = tuple(found for each in list_at(search, "curve") if (found := _tried(each)) is not None)
    if candidates is None or multiplier is None or not curve:
        return None
    return TuningFigures(
        source=text_at(search, "source"),
        chosen=(candidates, multiplier),
        target_share=number_at(search, "target_share"),
        reached_share=number_at(search, "reached_share"),
        is_reached=value_at(search, "reached") is True,
        sampled_queries=count_at(search, "sampled_queries"),
        recall=numbers_at(search, "recall"),
        curve=curve,
    )


def _tried(point: object) -> TriedSetting | None:
    candidates, multiplier = count_at(point, "num_candidates"), count_at(point, "rescore_multiplier")
    rows, share = count_at(point, "int8_rows"), number_at(point, "share")
    if candidates is None or multiplier is None or not rows or share is None:
        return None
    return TriedSetting(candidates, rows, share, multiplier)
