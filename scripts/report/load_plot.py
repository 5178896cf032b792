"""The plot of what a server holds over many searches, from what scripts/load.py measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retrieval.ui.benchmarks.charts import Axis, Chart, Point, Series
from scripts.report.markdown import Figures

LOAD_PLOT = "load-growth"


def load_charts(load: Figures) -> Iterator[Chart]:
    """Yields RSS, and threads, handles and temporary files, over the searches; nothing if they were not measured."""
    if "growth" not in load:
        return
    samples: list[dict[str, Any]] = load["growth"]["figures"]["samples"]
    searches = Axis("searches", include=(0,))
    memory = tuple(_point(each, each["rss_bytes"] / 1e6) for each in samples)
    yield Chart("Memory", searches, Axis("MB (RSS)", include=(0,)), (Series("the server's process", "binary", memory),))
    kinds = (("threads", "one", "square"), ("handles", "two", "diamond"), ("temporary_files", "three", "circle"))
    counts = tuple(
        Series(name.replace("_", " "), colour, tuple(_point(each, each[name]) for each in samples), marker)
        for name, colour, marker in kinds
    )
    yield Chart("Its other resources", searches, Axis("number", include=(0,)), counts)


def _point(sample: Figures, value: float) -> Point:
    return Point(sample["searches"], value, f"{sample['searches']:,} searches: {value:,.0f}")
