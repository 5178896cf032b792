"""The plots of the documents: the page's charts, side by side in SVG files with their own colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retrieval.benchmark.figures.judged import read_judged
from retrieval.benchmark.figures.reading import read_object
from retrieval.benchmark.figures.run import RunFigures
from retrieval.ui.benchmarks.charts import HEIGHT, WIDTH, Axis, Chart, Point, Series, drawing, sign
from retrieval.ui.benchmarks.kept_plots import kept_charts
from retrieval.ui.benchmarks.plots import growth_charts, latency_charts, memory_charts
from retrieval.ui.markup import escaped
from scripts.report.markdown import Figures

RUN_PLOTS: Mapping[str, Callable[[RunFigures], Iterator[Chart]]] = {
    "recall-latency": latency_charts,
    "recall-bytes": memory_charts,
    "growth": growth_charts,
}
"""File names, each with the function for its charts from a run of benchmark.py."""
JUDGED_PLOT, LOAD_PLOT = "kept-multiplier", "load-growth"
_STYLE = """
svg { --card: #ffffff; --ink: #1a1917; --muted: #62615b; --line: #e7e6e1; --edge: #c9c8c2;
      --float32: #3b6fd4; --int8: #b8690b; --binary: #0f766e; --other: #62615b;
      --one: #7c3aed; --two: #be185d; --three: #4d7c0f; --four: #0369a1; }
@media (prefers-color-scheme: dark) {
svg { --card: #1b1d1c; --ink: #ecebe6; --muted: #a5a49c; --line: #2c2f2d; --edge: #474b48;
      --float32: #7ea6f5; --int8: #e9a54a; --binary: #3ec3ae; --other: #a5a49c;
      --one: #b794f6; --two: #f38bb4; --three: #a3d65c; --four: #63b8ea; } }
.card { fill: var(--card); stroke: var(--line); }
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--muted); }
.name, .key { fill: var(--ink); }
.title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.grid { stroke: var(--line); }
.edge, .tick { stroke: var(--edge); }
.c-float32 { --c: var(--float32); } .c-int8 { --c: var(--int8); }
.c-binary { --c: var(--binary); } .c-other { --c: var(--other); } .c-ink { --c: var(--ink); }
.c-one { --c: var(--one); } .c-two { --c: var(--two); }
.c-three { --c: var(--three); } .c-four { --c: var(--four); }
polyline { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 4; }
circle, g rect, path { fill: var(--c); stroke: var(--card); stroke-width: 1; }
.hollow { fill: var(--card); stroke: var(--c); stroke-width: 1.6; }
"""
_TOP, _KEY_ROW, _MARGIN, _GAP = 44, 20, 12, 24
_SIGN_WIDTH, _LETTER_WIDTH = 48, 6.6


def plots(run: Path, judged: Path, load: Figures) -> Iterator[tuple[str, str]]:
    """Yields the name and the SVG of every plot that there are figures for.

    Args:
        run: a JSON file of benchmark.py.
        judged: a folder with the JSON files of evaluate.py.
        load: what load.py wrote; empty if it was not run.
    """
    figures = RunFigures.from_json(read_object(run))
    for name, charts in RUN_PLOTS.items():
        if found := list(charts(figures)):
            yield f"{name}.svg", picture(found)
    if found := [chart for chart in kept_charts(read_judged(judged)) if any(each.points for each in chart.series)]:
        yield f"{JUDGED_PLOT}.svg", picture(found)
    if found := list(load_charts(load)):
        yield f"{LOAD_PLOT}.svg", picture(found)


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


def picture(charts: Sequence[Chart]) -> str:
    """Returns an SVG file with charts side by side, each with at least one point.

    The charts are on a card, light or dark like the reader's system, so they can be read on any page. The same
    charts give the same file, byte for byte.
    """
    charts = _on_one_scale(charts)
    keys = [tuple(replace(each, points=()) for each in chart.series if each.points) for chart in charts]
    is_shared = len(charts) > 1 and len(set(keys)) == 1
    width = len(charts) * WIDTH + (len(charts) - 1) * _GAP + 2 * _MARGIN
    drawn, rows = [], 0
    for number, (chart, key) in enumerate(zip(charts, keys, strict=True)):
        left = _MARGIN + number * (WIDTH + _GAP)
        title = f'<text class="title" x="{WIDTH / 2}" y="-14" text-anchor="middle">{escaped(chart.title)}</text>'
        drawn.append(f'<g transform="translate({left} {_TOP})">{title}{drawing(chart)}</g>')
        if not is_shared or number == 0:
            lines = _key(key, left, width - 2 * _MARGIN if is_shared else WIDTH)
            drawn += lines
            rows = max(rows, len(lines))
    height = _TOP + HEIGHT + rows * _KEY_ROW + _MARGIN + 8
    label = escaped("; ".join(f"{chart.title}: {chart.y.label} against {chart.x.label}" for chart in charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{label}"><style>{_STYLE}</style>'
        f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>'
        + "\n".join(drawn)
        + "</svg>\n"
    )


def _key(key: Sequence[Series], left: int, width: int) -> list[str]:
    """Returns the rows of a key below the charts, in as many columns as its longest label allows."""
    column = round(_SIGN_WIDTH + _LETTER_WIDTH * max(len(series.label) for series in key))
    columns = max(1, width // column)
    rows = []
    for row, first in enumerate(range(0, len(key), columns)):
        y = _TOP + HEIGHT + 14 + row * _KEY_ROW
        signs = (
            f'<g transform="translate({left + 24 + place * column} {y})">{sign(series)}'
            f'<text class="key" x="22" y="4">{escaped(series.label)}</text></g>'
            for place, series in enumerate(key[first : first + columns])
        )
        rows.append("".join(signs))
    return rows


def _on_one_scale(charts: Sequence[Chart]) -> list[Chart]:
    """Returns the charts with one vertical scale if all measure the same."""
    if len({chart.y.label for chart in charts}) > 1:
        return list(charts)
    values = [point.y for chart in charts for series in chart.series for point in series.points]
    ends = (min(values), max(values))
    return [replace(chart, y=replace(chart.y, include=(*chart.y.include, *ends))) for chart in charts]
