"""Charts of what is kept: of judged quality, and of recall for the settings that a build tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from retrieval.benchmark.figures.judged import JudgedFigures
from retrieval.bundle.tuning import Tuning, TuningPoint
from retrieval.ui.benchmarks.charts import COLOURS, MARKERS, Axis, Chart, Point, Series

_NAMES: Mapping[str, str] = {
    "conala_train": "Python how-to questions",
    "conala_test": "Python how-to questions, test",
    "cosqa_dev": "web queries for Python code",
    "cran": "aeronautics abstracts",
    "med": "medical abstracts",
}


def collection_name(name: str) -> str:
    """Returns a readable name for a collection; an unknown one keeps its own.

    Args:
        name: as the figures have it, such as `cran` or `cran among 117,581`.
    """
    own, among, rest = name.partition(" among ")
    return _NAMES.get(own, own) + among + (f"{rest} texts" if among else "")


_MULTIPLIER = Axis("rescore multiplier", ticks=(1, 2, 4, 6, 8, 10))


def kept_charts(collections: Sequence[JudgedFigures]) -> Iterator[Chart]:
    """Yields the percent of nDCG@10 that is kept against the rescore multiplier."""
    curves = (
        ("binary_depth_10", "Bits, rescored by float query x bits"),
        ("int8_first_raw_codes", "int8, rescored by float query x codes"),
    )
    for curve, title in curves:
        series = tuple(
            Series(
                collection_name(collection.name),
                COLOURS[number % len(COLOURS)],
                tuple(
                    Point(multiplier, percent, f"{collection_name(collection.name)}, {multiplier}x: {percent:.1f} %")
                    for multiplier, percent in collection.curves.get(curve, ())
                ),
                MARKERS[number % len(MARKERS)],
                "dashed" if collection.is_planted else "solid",
            )
            for number, collection in enumerate(collections)
        )
        yield Chart(title, _MULTIPLIER, Axis("% of float32's nDCG@10", include=(100.0,)), series)


def tuning_chart(tuning: Tuning) -> Chart:
    """Returns recall kept against int8 rows read, the chosen setting marked."""
    own = (tuning.num_candidates, tuning.rescore_multiplier)
    chosen = [point for point in tuning.curve if (point.num_candidates, point.rescore_multiplier) == own]
    best = _best_by_rows(tuning)
    others = [point for point in tuning.curve if point not in best and point not in chosen]

    def points(found: Sequence[TuningPoint]) -> tuple[Point, ...]:
        return tuple(
            Point(
                point.int8_rows,
                100 * point.share,
                f"{point.num_candidates:,} candidates, {point.int8_rows:,} int8 rows: {100 * point.share:.1f} %",
            )
            for point in found
        )

    return Chart(
        "Recall kept against int8 rows read",
        Axis("int8 rows read per query", is_log=True),
        Axis("% of rescoring all int8", include=(100.0,)),
        (
            Series("settings that were tried", "other", points(others), "ring"),
            Series("the Pareto frontier: the most kept for its number of rows", "int8", points(best), line="solid"),
            Series("chosen for this index", "int8", points(chosen), "star"),
        ),
    )


def _best_by_rows(tuning: Tuning) -> list[TuningPoint]:
    """Returns the settings that keep more than any with fewer rows."""
    best: list[TuningPoint] = []
    for point in sorted(tuning.curve, key=lambda point: (point.int8_rows, -point.share)):
        if not best or point.share > best[-1].share:
            best.append(point)
    return best
