"""From values to positions in a chart, and the round numbers along its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MOST_TICKS = 6
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` onto 0 to 1."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Returns the position of a value, 0 to 1; values beyond an end are placed at it."""
        low, high, own = self._even(self.low), self._even(self.high), self._even(value)
        return min(1.0, max(0.0, (own - low) / (high - low)))

    def _even(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def linear_scale(values: Sequence[float], at_most: float | None = None, ticks: Sequence[float] = ()) -> Scale:
    """Returns a scale over values, at least one, with a small margin; `at_most` is an end that nothing can exceed."""
    low, high = min(values), max(values)
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    if ticks:
        return Scale(low - room, high + room, False, tuple(tick for tick in ticks if low <= tick <= high))
    bottom, top = max(0.0, low - room) if low >= 0 else low - room, high + room
    if at_most is not None:
        top = max(at_most, high)
    step = _round_step((top - bottom) / (_MOST_TICKS - 1))
    first = math.floor(bottom / step) * step
    count = math.ceil((top - first) / step - 1e-9)
    round_ticks = tuple(round(first + step * number, 10) for number in range(count + 1))
    if at_most is None:
        # The axis ends a little beyond the values, not at the next round number: nothing is there.
        return Scale(bottom, top, False, tuple(tick for tick in round_ticks if bottom <= tick <= top))
    return Scale(first, top + 0.03 * (top - first), False, tuple(tick for tick in round_ticks if tick <= top + 1e-9))


def log_scale(values: Sequence[float], ticks: Sequence[float] = ()) -> Scale:
    """Returns a logarithmic scale over positive values, at least one; with those of the ticks that are within it."""
    low, high = min(values) / 1.25, max(values) * 1.25
    return Scale(low, high, True, tuple(tick for tick in ticks if low <= tick <= high) or _log_ticks(low, high))


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        inside = tuple(tick for tick in ticks if low <= tick <= high)
        if len(inside) <= _MOST_TICKS:
            return inside
    return inside[:: math.ceil(len(inside) / _MOST_TICKS)]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in _ROUND if factor * power >= step * 0.999)


def short_number(value: float) -> str:
    """Returns a number for the edge of a chart: `0.05`, `1`, `20k`, `2M`."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
