"""The interval of a mean of few queries: against published values, and never beyond what can be."""

from __future__ import annotations

import pytest

from retrieval.evaluation.interval import share_interval


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),  # Newcombe (1998) gives Wilson's interval for 5 of 10
        (81 / 263, 263, 0.2553, 0.3662),  # and for 81 of 263
        (0.0, 20, 0.0, 0.1611),
        (1.0, 60, 0.9398, 1.0),
    ],
)
def test_the_interval_is_wilsons(share: float, count: int, low: float, high: float) -> None:
    assert share_interval(share, count) == pytest.approx((low, high), abs=5e-5)


def test_no_queries_have_no_interval() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        share_interval(0.5, 0)
