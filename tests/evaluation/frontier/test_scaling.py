"""Measured points for vectors of another length: bytes in proportion, recall as it was measured."""

from __future__ import annotations

import pytest

from retrieval.errors import QueryError
from retrieval.evaluation.frontier.points import Frontier, Interval, Point, for_dimensions

SHARES = Interval(0.9, 0.8, 1.0)
FRONTIER = Frontier(
    num_vectors=900, num_given=1000, num_queries=100, held_out=True, dim=384, metric="cosine", k=10,
    points=(
        Point("bits", 384, "none", 1, SHARES, 48, 0, 0, 2.5),
        Point("bits", 192, "int8", 10, SHARES, 24, 384, 100, 2.5),
    ),
    left_out=(), growth=(), seconds=1.0,
)  # fmt: skip


def test_the_same_length_changes_nothing() -> None:
    assert for_dimensions(FRONTIER, 384) is FRONTIER


@pytest.mark.parametrize("dim", [96, 768, 1024, 1536])
def test_bytes_grow_with_the_dimensions_and_recall_stays(dim: int) -> None:
    scaled = for_dimensions(FRONTIER, dim)
    assert scaled.dim == dim
    assert [point.dim for point in scaled.points] == [dim, dim // 2]
    assert [point.ram_bytes for point in scaled.points] == [dim // 8, dim // 16]
    assert scaled.points[1].disk_bytes == dim
    assert all(point.recall == SHARES for point in scaled.points)


def test_a_part_of_a_byte_is_a_whole_one() -> None:
    assert [point.ram_bytes for point in for_dimensions(FRONTIER, 100).points] == [13, 7]


@pytest.mark.parametrize("dim", [0, -1, 65_537])
def test_a_length_that_no_vector_has_is_refused(dim: int) -> None:
    with pytest.raises(QueryError, match="dimensions"):
        for_dimensions(FRONTIER, dim)
