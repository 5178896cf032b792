"""How many cases a property is tried with, and any value that a stranger could send.

`make test` tries few, always the same; `make faults` sets FUZZ_TIMES, and tries that many times as many.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FUZZ_TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
Test = TypeVar("Test", bound=Callable[..., None])


class Tally:
    """Counts the cases that were tried."""

    cases = 0


def cases(count: int) -> Callable[[Test], Test]:
    """Returns what has a property tried with so many cases, the same each time; it stands above `given`."""
    return settings(
        max_examples=count * FUZZ_TIMES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def counted(test: Test) -> Test:
    """Has each case of a property counted; it stands below `given`."""

    @functools.wraps(test)
    def counting(*arguments: Any, **named: Any) -> None:
        Tally.cases += 1
        test(*arguments, **named)

    return counting  # type: ignore[return-value]


def assert_sentence(error: Exception) -> None:
    """Checks that an error says something, and does not repeat all that was sent."""
    assert 10 < len(str(error)) < 2_000


texts = st.text(st.characters(codec=None), max_size=60)
"""Lone surrogates and control characters, too."""
NAUGHTY: tuple[Any, ...] = (
    "", " ", "\0", "\ud800", "a" * 30_000, "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "../../etc/passwd",
    "${7*7}", "\u202e", "null", "NaN", 0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, -0.0, math.nan, math.inf, True,
    None, [], {},
)  # fmt: skip
_plain = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(NAUGHTY)
json_values = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)
"""What JSON can say, and Python reads."""
any_values = json_values | st.sampled_from([
    b"bytes", Decimal("2.5"), Fraction(1, 3), 3j, object(), len, np.float32(2), np.int8(-3), np.uint64(2**64 - 1),
    np.float64("nan"), np.bool_(True), np.zeros(3), np.zeros((2, 2)), np.array("x"), np.datetime64("2020-01-01"),
    (1, 2), {1, 2}, range(3),
])  # fmt: skip
"""What Python can pass."""
