"""The measured points of one set of vectors, with the bytes for another number of dimensions."""

from __future__ import annotations

import math
from dataclasses import replace

from retrieval.errors import QueryError
from retrieval.evaluation.cost import MOST_DIMENSIONS
from retrieval.evaluation.frontier.points import Frontier, Point


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
