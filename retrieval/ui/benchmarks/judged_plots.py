"""From judged quality to charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retrieval.benchmark.figures.judged import JudgedFigures
from retrieval.ui.benchmarks.charts import MARKERS, Axis, Chart, Point, Series

_MULTIPLIER = Axis("rescore multiplier", ticks=(1, 2, 4, 6, 8, 10))


def kept_charts(collections: Sequence[JudgedFigures]) -> Iterator[Chart]:
    """Yields the percent of nDCG@10 that is kept against the rescore multiplier."""
    curves = (
        ("binary_depth_10", "binary", "Bits, rescored by float query x bits"),
        ("int8_first_raw_codes", "int8", "int8, rescored by float query x codes"),
    )
    for curve, colour, title in curves:
        series = tuple(
            Series(
                collection.name,
                colour,
                tuple(
                    Point(multiplier, percent, f"{collection.name}, {multiplier}x: {percent:.1f} %")
                    for multiplier, percent in collection.curves.get(curve, ())
                ),
                MARKERS[number % len(MARKERS)],
                "dashed" if collection.is_planted else "solid",
            )
            for number, collection in enumerate(collections)
        )
        yield Chart(title, _MULTIPLIER, Axis("% of float32's nDCG@10", include=(95.0, 100.0)), series)
