"""The frontier as charts: bytes in RAM per vector against recall."""

from __future__ import annotations

import math

from retrieval.evaluation.frontier.points import Frontier, Point
from retrieval.ui.benchmarks import charts
from retrieval.ui.benchmarks.charts import Axis, Chart, Series
from retrieval.ui.frontier.words import label

_SIGNS = {
    "float32": ("float32", "square"),
    "float16": ("float32", "diamond"),
    "bfloat16": ("float32", "triangle"),
    "int8": ("int8", "square"),
    "8 bits": ("int8", "diamond"),
    "6 bits": ("int8", "triangle"),
    "4 bits": ("int8", "wedge"),
    "RaBitQ 4 bits": ("two", "square"),
    "RaBitQ 3 bits": ("two", "diamond"),
    "RaBitQ 2 bits": ("two", "triangle"),
    "RaBitQ 1 bit": ("two", "wedge"),
    "PQ": ("one", "cross"),
    "float-bits": ("binary", "diamond"),
    "bits": ("binary", "circle"),
}
"""Colour and marker of each scheme; those of one family share a colour."""
_DRAWN_OVERSAMPLINGS = (2, 4, 10, 20, 50, 100)
_STEP = 1.15
"""Schemes of about the same size are drawn side by side: each at least this factor from the next."""


def frontier_charts(frontier: Frontier) -> tuple[Chart, Chart]:
    """Returns the chart of all schemes with their oversampling, and that of the first dimensions."""
    return oversampling_chart(frontier), dimensions_chart(frontier)


def oversampling_chart(frontier: Frontier) -> Chart:
    """Returns recall against bytes: per scheme a line of growing oversampling, and the frontier of all points."""
    places = _side_by_side(frontier)
    lines = tuple(
        _line(scheme, points) for scheme, place in places.items() if (points := _oversamplings(frontier, scheme, place))
    )
    best = tuple(charts.Point(each.ram_bytes, each.recall.mean, note(each)) for each in frontier.pareto())
    return Chart(
        f"Recall@{frontier.k} against memory",
        _bytes_axis(frontier),
        _recall_axis(frontier),
        (*lines, Series("the Pareto frontier", "ink", best, "ring", "dashed")),
        "Each line is one scheme with all dimensions: alone at its lower end, then with the best 2, 4, 10, 20, 50 "
        f"and 100 times {frontier.k} rescored by int8 from disk. The frontier includes every point, also of shorter "
        "vectors and of rescoring by float32. Schemes of about the same size are drawn side by side.",
    )


def dimensions_chart(frontier: Frontier) -> Chart:
    """Returns recall against bytes: per scheme alone, on the first 1/8, 1/4, 1/2 and all of the dimensions."""
    series = []
    for scheme in dict.fromkeys(each.scheme for each in frontier.points):
        alone = sorted(
            (each for each in frontier.points if each.scheme == scheme and each.rescoring == "none"),
            key=lambda each: each.dim,
        )
        points = tuple(charts.Point(each.ram_bytes, each.recall.mean, note(each)) for each in alone)
        series.append(_line(scheme, points))
    return Chart(
        "Fewer dimensions, without rescoring",
        _bytes_axis(frontier),
        _recall_axis(frontier),
        tuple(series),
        "The first dimensions of each vector. A model with Matryoshka training keeps most of its recall there; others "
        "lose what the chart shows.",
    )


def note(point: Point) -> str:
    """Returns the numbers of a point in one line."""
    rescored = (
        "alone" if point.rescoring == "none" else f"{point.oversampling}x oversampling, rescored by {point.rescoring}"
    )
    judged = "" if point.ndcg is None else f", nDCG@10 {point.ndcg:.3f}"
    return (
        f"{label(point.scheme)}, {point.dim:,} dimensions, {rescored}: recall {point.recall.mean:.3f} "
        f"[{point.recall.low:.3f}, {point.recall.high:.3f}] from {point.ram_bytes:,} bytes per vector in RAM{judged}"
    )


def _line(scheme: str, points: tuple[charts.Point, ...]) -> Series:
    colour, marker = _SIGNS.get(scheme, ("other", "hexagon"))
    return Series(label(scheme), colour, points, marker, "solid")


def _side_by_side(frontier: Frontier) -> dict[str, float]:
    """Returns the position of each scheme: at its bytes, or next to others of the same size, around their middle."""
    sizes = {
        each.scheme: float(each.ram_bytes)
        for each in frontier.points
        if each.rescoring == "none" and each.dim == frontier.dim
    }
    groups: list[list[str]] = []
    place = 0.0
    for scheme in sorted(sizes, key=lambda key: sizes[key]):
        if not groups or sizes[scheme] >= place * _STEP:
            groups.append([])
            place = sizes[scheme]
        else:
            place *= _STEP
        groups[-1].append(scheme)
    return {
        scheme: math.prod(sizes[each] for each in group) ** (1 / len(group)) * _STEP ** (number - (len(group) - 1) / 2)
        for group in groups
        for number, scheme in enumerate(group)
    }


def _oversamplings(frontier: Frontier, scheme: str, place: float) -> tuple[charts.Point, ...]:
    own = [each for each in frontier.points if (each.scheme, each.dim) == (scheme, frontier.dim)]
    drawn = [
        each
        for each in own
        if each.rescoring == "none" or (each.rescoring == "int8" and each.oversampling in _DRAWN_OVERSAMPLINGS)
    ]
    return tuple(charts.Point(place, each.recall.mean, note(each)) for each in drawn)


def _bytes_axis(frontier: Frontier) -> Axis:
    sizes = tuple(float(max(1, frontier.dim * bits // 64)) for bits in (1, 2, 4, 8, 32, 64, 256, 1024, 2048))
    return Axis(
        "bytes per vector in RAM",
        is_log=True,
        ticks=tuple(dict.fromkeys(sizes)),
        show=lambda value: f"{value:,.0f}",
    )


def _recall_axis(frontier: Frontier) -> Axis:
    return Axis(f"recall@{frontier.k}", at_most=1.0)
