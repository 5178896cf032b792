"""The histogram of Hamming distances, on a logarithmic scale, with what coin tosses would give.

The bars are SVG that stretches; every word is HTML laid over it, so that letters keep their size on a phone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from retrieval.errors import counted
from retrieval.search.explanation.stages import DistanceCounts

_HEIGHT = 100.0
_MARGIN = 3
"""Empty distances at both ends."""


@dataclass(frozen=True, slots=True)
class DistanceScale:
    """From distances and counts to percent of the chart."""

    low: int
    high: int
    largest: int

    def x(self, distance: float) -> float:
        """Returns the left edge of a distance's bar, in percent of the width."""
        return 100 * (distance - self.low) / (self.high - self.low + 1)

    def middle(self, distance: float) -> float:
        """Returns the middle of a distance's bar, in percent of the width."""
        return self.x(distance + 0.5)

    def height(self, count: float) -> float:
        """Returns the height of a bar, in percent; 0 documents have none, 1 has a little."""
        return _HEIGHT * math.log10(1 + count) / math.log10(1 + self.largest)


def distance_chart(distances: DistanceCounts, chosen: int) -> str:
    """Returns the chart, with the candidates coloured and the chosen document's distance marked."""
    counts = distances.counts.tolist()
    present = [distance for distance, count in enumerate(counts) if count]
    low, high = min(present[0], chosen) - _MARGIN, max(present[-1], distances.cutoff) + _MARGIN
    dim = len(counts) - 1
    highest = max(max(counts), math.ceil(coin_tosses(dim, distances.num_documents, dim // 2)))
    scale = DistanceScale(max(low, 0), min(max(high, dim // 2 + _MARGIN), dim), highest)
    shown = range(scale.low, scale.high + 1)
    near = "".join(_bar(scale, d, counts[d]) for d in shown if counts[d] and d <= distances.cutoff)
    far = "".join(_bar(scale, d, counts[d]) for d in shown if counts[d] and d > distances.cutoff)
    label = (
        f"Histogram of {counted(distances.num_documents, 'document')} by Hamming distance: from {present[0]} to "
        f"{present[-1]}, mean {distances.mean:.0f}, deviation {distances.deviation:.1f}. The last candidate is at "
        f"{distances.cutoff}, this document at {chosen}."
    )
    return (
        f'<div class="chart" role="img" aria-label="{label}"><div class="plot">{_grid_lines(scale)}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><path class="far" d="{far}"/>'
        f'<path class="near" d="{near}"/><path class="coins" d="{_coins(scale, distances, dim)}"/></svg>'
        f"{_mark(scale, chosen, 'chosen', 'this document')}{_mark(scale, distances.cutoff, 'cutoff', 'last candidate')}"
        f"{_mark(scale, round(distances.mean), 'mean', 'mean')}</div>{_axis(scale)}</div>"
        '<p class="axis-name" aria-hidden="true">differing bits</p>'
        '<p class="key"><span><i class="swatch near"></i>candidates</span><span><i class="swatch far"></i>not '
        'kept</span><span><i class="swatch coins"></i>coin tosses</span>'
        "<span>height: documents, logarithmic</span></p>"
    )


def coin_tosses(dim: int, num_documents: int, distance: int) -> float:
    """Returns how many of the documents would be at a distance if every bit were a coin toss."""
    log_ways = math.lgamma(dim + 1) - math.lgamma(distance + 1) - math.lgamma(dim - distance + 1)
    return num_documents * math.exp(log_ways - dim * math.log(2))


def _bar(scale: DistanceScale, distance: int, count: int) -> str:
    width = 0.86 * (scale.x(distance + 1) - scale.x(distance))
    height = scale.height(count)
    return f"M{scale.x(distance):.2f} 100v-{height:.2f}h{width:.2f}v{height:.2f}z"


def _coins(scale: DistanceScale, distances: DistanceCounts, dim: int) -> str:
    points = []
    for distance in range(scale.low, scale.high + 1):
        height = scale.height(coin_tosses(dim, distances.num_documents, distance))
        points.append(f"{scale.middle(distance):.2f} {100 - min(height, _HEIGHT):.2f}")
    return "M" + "L".join(points)


def _mark(scale: DistanceScale, distance: int, kind: str, words: str) -> str:
    middle = scale.middle(distance)
    side = "left" if middle > 60 else "right"
    return f'<span class="mark {kind} {side}" style="left:{middle:.2f}%"><span>{words}: {distance:,}</span></span>'


def _grid_lines(scale: DistanceScale) -> str:
    powers = range(int(math.log10(max(scale.largest, 1))) + 1)
    step = 2 if len(powers) > 4 else 1
    return "".join(
        f'<span class="level" style="bottom:{scale.height(10**power):.2f}%">{10**power:,}</span>'
        for power in powers[::step]
    )


def _axis(scale: DistanceScale) -> str:
    span = scale.high - scale.low
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if span / step <= 8), 1000)
    first = -(-scale.low // step) * step
    ticks = "".join(
        f'<span style="left:{scale.middle(distance):.2f}%">{distance:,}</span>'
        for distance in range(first, scale.high, step)
    )
    return f'<div class="axis" aria-hidden="true">{ticks}</div>'
