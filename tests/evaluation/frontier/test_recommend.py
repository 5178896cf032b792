"""The recommendation: the cheapest measured point that reaches the target, and nothing that was not measured."""

from __future__ import annotations

import pytest

from retrieval.errors import QueryError
from retrieval.evaluation.frontier.points import Frontier, Interval, Point, Rescoring
from retrieval.evaluation.frontier.recommend import Wish, recommend


def point(scheme: str, recall: float, ram: int, rescoring: Rescoring = "none", reads: int = 0, ns: float = 9) -> Point:
    interval = Interval(recall, recall - 0.01, min(1, recall + 0.01))
    disk = {"none": 0, "int8": 384, "float32": 1536}[rescoring]
    return Point(scheme, 384, rescoring, max(1, reads // 10), interval, ram, disk, reads, ns)


POINTS = (
    point("float32", 1.0, 1536, ns=50),
    point("4 bits", 0.91, 192, ns=30),
    point("4 bits", 0.992, 192, "int8", 20, ns=30),
    point("float-bits", 0.66, 48, ns=2),
    point("float-bits", 0.985, 48, "int8", 100, ns=2),
    point("float-bits", 0.991, 48, "int8", 200, ns=2),
    point("bits", 0.97, 48, "int8", 400, ns=3),
)


def frontier(points: tuple[Point, ...] = POINTS) -> Frontier:
    return Frontier(1000, 1000, 20, True, 384, "cosine", 10, points, (), (), 1.0)


def test_where_ram_is_scarce_the_fewest_bytes_win() -> None:
    found = recommend(frontier(), Wish(0.99, "ram"))
    assert found.best is not None
    assert (found.best.point.scheme, found.best.point.rows_read) == ("float-bits", 200)
    assert found.runner_up is not None
    assert found.runner_up.point.scheme == "4 bits"


def test_of_one_scheme_the_fewest_reads_that_reach_the_target_are_taken() -> None:
    found = recommend(frontier(), Wish(0.98, "ram"))
    assert found.best is not None
    assert found.best.point.rows_read == 100


def test_where_disk_reads_are_scarce_a_scheme_without_them_wins() -> None:
    found = recommend(frontier(), Wish(0.9, "disk reads"))
    assert found.best is not None
    assert (found.best.point.scheme, found.best.point.rows_read) == ("4 bits", 0)


def test_where_cpu_is_scarce_the_fastest_scan_wins() -> None:
    found = recommend(frontier(), Wish(0.96, "cpu"))
    assert found.best is not None
    assert found.best.point.scheme == "float-bits"


def test_nothing_is_recommended_where_nothing_reaches_the_target() -> None:
    found = recommend(frontier(POINTS[1:]), Wish(0.999))
    assert (found.best, found.runner_up, found.sign_bits_suffice) == (None, None, False)


def test_it_is_reported_that_sign_bits_do_not_suffice() -> None:
    assert not recommend(frontier(POINTS[:3]), Wish(0.95)).sign_bits_suffice
    assert recommend(frontier(), Wish(0.95)).sign_bits_suffice


def test_a_target_inside_the_interval_is_marked() -> None:
    assert recommend(frontier(), Wish(0.985)).within_noise
    assert not recommend(frontier(), Wish(0.97)).within_noise


def test_rescoring_more_than_a_tenth_of_the_vectors_is_marked() -> None:
    many, few = recommend(frontier(), Wish(0.99)), recommend(frontier(), Wish(0.98))
    assert (many.share_read, many.reads_too_large_a_part) == (0.2, True)
    assert (few.share_read, few.reads_too_large_a_part) == (0.1, False)
    assert recommend(frontier(POINTS[1:]), Wish(0.999)).share_read == 0


def test_the_cost_is_the_bytes_times_the_price() -> None:
    found = recommend(frontier(), Wish(0.99, "ram", num_vectors=2**30, price=2, disk_price=0.1))
    assert found.best is not None
    assert found.best.monthly == pytest.approx(48 * 2 + 384 * 0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"target": 1.0}, {"target": 0.1}, {"scarce": "time"}, {"num_vectors": 0}, {"price": -1}, {"target": float("nan")}],
)
def test_values_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(QueryError):
        Wish(**wrong)  # type: ignore[arg-type]
