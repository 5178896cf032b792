"""What `retrieval.benchmark.quick.measure_quickly` gives, read back: missing figures are None or empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from retrieval.benchmark.figures.reading import items_at, list_at, number_at, numbers_at, text_at


@dataclass(frozen=True, slots=True)
class ScanTime:
    """One query against all vectors of a precision, in milliseconds."""

    p50_ms: float
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What could not be measured, and what to do about it."""

    what: str
    why: str
    how_to_get_it: str


@dataclass(frozen=True, slots=True)
class QuickFigures:
    """A bounded measurement of one index."""

    query_set: str | None
    took_s: float | None
    scans: Mapping[str, ScanTime]
    """By precision."""
    ratios: Mapping[str, float]
    """By precision: float32's median over its own."""
    recall: float | None
    path_ms: float | None
    """Median of the whole search, the encoding of the query included."""
    without_encode_ms: float | None
    int8_rows_read: float | None
    not_measured: tuple[NotMeasured, ...]

    @classmethod
    def from_json(cls, figures: object) -> Self:
        """Returns what can be read of a measurement; never fails."""
        return cls(
            query_set=text_at(figures, "query_set"),
            took_s=number_at(figures, "took_s"),
            scans={
                name: ScanTime(ms, number_at(scan, "p95_ms"))
                for name, scan in items_at(figures, "scans").items()
                if (ms := number_at(scan, "p50_ms")) is not None
            },
            ratios=numbers_at(figures, "ratios"),
            recall=number_at(figures, "recall", "mean"),
            path_ms=number_at(figures, "path", "total", "p50_ms"),
            without_encode_ms=number_at(figures, "path", "without_encode", "p50_ms"),
            int8_rows_read=number_at(figures, "path", "int8_rows_read"),
            not_measured=tuple(
                NotMeasured(what, why, how)
                for each in list_at(figures, "not_measured")
                if (what := text_at(each, "what"))
                and (why := text_at(each, "why"))
                and (how := text_at(each, "how_to_get_it"))
            ),
        )
