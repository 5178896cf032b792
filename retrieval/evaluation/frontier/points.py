"""The frontier: a measured point per scheme, number of dimensions and oversampling."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from retrieval.errors import QueryError
from retrieval.evaluation.cost import MOST_DIMENSIONS
from retrieval.quantization import Float32s

Rescoring = Literal["none", "int8", "float32"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries, with its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Float32s, k: int = 1) -> Self:
        """Returns the mean of the recalls of some queries `(m,)`, with its 95 % interval.

        1.96 standard errors to either side. If every query has the same recall, the error is not 0 but unknown: the
        rule of three (Hanley and Lippman-Hand 1983) gives 3 / trials, with `m * k` of them.
        """
        mean = float(np.mean(values))
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        margin = 1.96 * spread / len(values) ** 0.5 if spread else 3 / (len(values) * k)
        return cls(mean, max(0.0, mean - margin), min(1.0, mean + margin))


@dataclass(frozen=True, slots=True)
class Point:
    """What one scheme finds on some dimensions, with or without the best `oversampling * k` rescored."""

    scheme: str
    dim: int
    """How many of the first dimensions were kept; vectors are scaled to length 1 again after the cut."""
    rescoring: Rescoring
    oversampling: int
    """1 without rescoring."""
    recall: Interval
    ram_bytes: int
    """Bytes per vector that every query scans."""
    disk_bytes: int
    """Bytes per vector that are read only for rescored candidates; 0 without rescoring."""
    rows_read: int
    """Vectors read from disk per query: `oversampling * k`, or 0."""
    scan_ns: float | None
    """Measured nanoseconds of the scan per vector and query; None if the scheme was not scanned on its codes."""
    ndcg: float | None = None
    """nDCG@10 by people's judgments; None if there are none."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A scheme that was not measured on some dimensions, and why."""

    scheme: str
    dim: int
    reason: str


@dataclass(frozen=True, slots=True)
class SampleRecall:
    """The recall of one scheme alone on the first vectors: how it falls as more of them compete."""

    scheme: str
    num_vectors: int
    recall: Interval


@dataclass(frozen=True, slots=True)
class Frontier:
    """Everything that was measured on one set of vectors."""

    num_vectors: int
    """Vectors that were searched."""
    num_given: int
    """Vectors that were given, of which the first were used."""
    num_queries: int
    held_out: bool
    """Whether the queries are vectors of the set, left out of what is searched."""
    dim: int
    metric: str
    """`cosine`, `inner product` or `euclidean`."""
    k: int
    points: tuple[Point, ...]
    left_out: tuple[LeftOut, ...]
    growth: tuple[SampleRecall, ...]
    seconds: float

    @property
    def is_judged(self) -> bool:
        """Returns whether there are people's judgments of the results."""
        return any(point.ndcg is not None for point in self.points)

    def pareto(self) -> tuple[Point, ...]:
        """Returns the points that no other beats in both RAM and recall, from fewest bytes to most."""
        kept: list[Point] = []
        for point in sorted(self.points, key=lambda each: (each.ram_bytes, -each.recall.mean, each.rows_read)):
            if not kept or point.recall.mean > kept[-1].recall.mean:
                kept.append(point)
        return tuple(kept)

    def to_json(self) -> dict[str, Any]:
        """Returns everything as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Frontier:
        """Returns the frontier that `to_json` wrote.

        Raises:
            KeyError, TypeError: if something is missing or of another kind.
        """
        points = tuple(Point(**{**each, "recall": Interval(**each["recall"])}) for each in values["points"])
        growth = tuple(SampleRecall(**{**each, "recall": Interval(**each["recall"])}) for each in values["growth"])
        left_out = tuple(LeftOut(**each) for each in values["left_out"])
        return cls(**{**values, "points": points, "growth": growth, "left_out": left_out})


def for_dimensions(frontier: Frontier, dim: int) -> Frontier:
    """Returns the points as they were measured, with the bytes of vectors of `dim` dimensions.

    Bytes grow with the dimensions and are calculated; recall is as measured, on `frontier.dim`. A point on
    the first half of the dimensions stays one on the first half.

    Raises:
        QueryError: if the number of dimensions is out of range.
    """
    if not 1 <= dim <= MOST_DIMENSIONS:
        raise QueryError(f"{dim:,} dimensions: choose 1 to {MOST_DIMENSIONS:,}.")
    if dim == frontier.dim:
        return frontier
    ratio = dim / frontier.dim
    return replace(frontier, dim=dim, points=tuple(_scaled(point, ratio) for point in frontier.points))


def _scaled(point: Point, ratio: float) -> Point:
    return replace(
        point,
        dim=max(1, round(point.dim * ratio)),
        ram_bytes=math.ceil(point.ram_bytes * ratio),
        disk_bytes=math.ceil(point.disk_bytes * ratio),
    )
