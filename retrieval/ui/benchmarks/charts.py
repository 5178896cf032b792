"""Charts as SVG, for the page and the documents: drawn in classes that a style sheet gives their colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.ui.benchmarks.scales import Scale, linear_scale, log_scale, short_number
from retrieval.ui.markup import escaped

WIDTH, HEIGHT = 460, 300
"""Of a drawing, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 14, 52
COLOURS = ("one", "two", "three", "four")
"""For series that are not a precision: every precision has its own fixed colour."""
_COLOURS = ("float32", "int8", "binary", "other", "ink", *COLOURS)
_SIGNS = {
    "circle": '<circle r="3.8"/>',
    "ring": '<circle class="hollow" r="3.4"/>',
    "square": '<rect x="-4.5" y="-4.5" width="9" height="9"/>',
    "diamond": '<path d="M0-6.5 6.5 0 0 6.5-6.5 0Z"/>',
    "triangle": '<path d="M0-6 5.8 4.5-5.8 4.5Z"/>',
    "wedge": '<path d="M0 6-5.8-4.5 5.8-4.5Z"/>',
    "cross": '<path d="M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z"/>',
    "hexagon": '<path d="M-3-5.2h6l3 5.2-3 5.2h-6l-3-5.2Z"/>',
    "star": '<path d="M0-9 2.6-3 9-2.6 4.1 1.6 5.6 8 0 4.5-5.6 8-4.1 1.6-9-2.6-2.6-3Z"/>',
}
MARKERS = ("square", "diamond", "triangle", "wedge", "cross", "hexagon", "circle", "ring")
"""Markers for series that have one colour, most different first."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a chart, and the words for it."""

    x: float
    y: float
    note: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together. `colour` is a precision, `other`, `ink`, or one of `COLOURS`."""

    label: str
    colour: str
    points: tuple[Point, ...]
    marker: str = "circle"
    """`circle`, `star` or a name in `MARKERS`: colour alone must not distinguish series."""
    line: str = ""
    """`solid` or `dashed`; empty for points alone."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What is measured along one edge."""

    label: str
    is_log: bool = False
    at_most: float | None = None
    """An end of the scale that nothing can exceed, such as 1 for a recall."""
    include: tuple[float, ...] = ()
    """Values that the scale always spans: without them, small differences look large."""
    ticks: tuple[float, ...] = ()
    show: Callable[[float], str] = short_number


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that is not drawn yet."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    caption: str = ""


def figure(chart: Chart) -> str:
    """Returns the chart with its title, key, caption, and its numbers as a table; empty without a point."""
    series = tuple(each for each in chart.series if each.points)
    if not series:
        return ""
    label = f"{chart.title}: {chart.y.label} against {chart.x.label}. The numbers are in the table below."
    caption = f"<figcaption>{escaped(chart.caption)}</figcaption>" if chart.caption else ""
    return (
        f'<figure class="chart"><h4>{escaped(chart.title)}</h4><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escaped(label)}">{drawing(chart)}</svg>{_key(series)}{caption}{_table(chart, series)}</figure>'
    )


def drawing(chart: Chart) -> str:
    """Returns what a chart shows as the content of an SVG of `WIDTH` x `HEIGHT`: axes, lines and points."""
    series = tuple(each for each in chart.series if each.points)
    x = _scale(chart.x, [point.x for each in series for point in each.points])
    y = _scale(chart.y, [point.y for each in series for point in each.points])
    return _edges(chart, x, y) + "".join(_drawn(each, x, y) for each in series)


def sign(series: Series) -> str:
    """Returns the line and the marker of a series around 0, 0: 28 wide, as a key shows them."""
    line = f'<polyline class="{series.line}" points="-14,0 14,0"/>' if series.line else ""
    return f'<g class="{_colour(series)}">{line}{_mark(series.marker)}</g>'


def _scale(axis: Axis, points: Sequence[float]) -> Scale:
    values = [*points, *axis.include]
    return log_scale(values, axis.ticks) if axis.is_log else linear_scale(values, axis.at_most, axis.ticks)


def _across(scale: Scale, value: float) -> float:
    return round(_LEFT + scale.place(value) * (WIDTH - _LEFT - _RIGHT), 1)


def _down(scale: Scale, value: float) -> float:
    return round(HEIGHT - _BOTTOM - scale.place(value) * (HEIGHT - _TOP - _BOTTOM), 1)


def _edges(chart: Chart, x: Scale, y: Scale) -> str:
    floor, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{_down(y, tick)}" y2="{_down(y, tick)}"/>'
        f'<text x="{_LEFT - 8}" y="{_down(y, tick) + 4}" text-anchor="end">{escaped(chart.y.show(tick))}</text>'
        for tick in y.ticks
    )
    columns = "".join(
        f'<line class="tick" x1="{_across(x, tick)}" x2="{_across(x, tick)}" y1="{floor}" y2="{floor + 4}"/>'
        f'<text x="{_across(x, tick)}" y="{floor + 19}" text-anchor="middle">{escaped(chart.x.show(tick))}</text>'
        for tick in x.ticks
    )
    middle = (_LEFT + right) / 2
    return (
        f'{rows}<line class="edge" x1="{_LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/>{columns}'
        f'<text class="name" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escaped(chart.x.label)}</text>'
        f'<text class="name" transform="translate(13 {(_TOP + floor) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escaped(chart.y.label)}</text>"
    )


def _drawn(series: Series, x: Scale, y: Scale) -> str:
    places = [(_across(x, point.x), _down(y, point.y)) for point in series.points]
    line = ""
    if series.line and len(places) > 1:
        path = " ".join(f"{across},{down}" for across, down in places)
        line = f'<polyline class="{series.line}" points="{path}"/>'
    marks = "".join(
        f'<g transform="translate({across} {down})"><title>{escaped(point.note)}</title>{_mark(series.marker)}</g>'
        for (across, down), point in zip(places, series.points, strict=True)
    )
    return f'<g class="{_colour(series)}">{line}{marks}</g>'


def _mark(marker: str) -> str:
    return _SIGNS.get(marker, _SIGNS["circle"])


def _key(series: Sequence[Series]) -> str:
    items = "".join(
        f'<li><svg viewBox="-14 -10 28 20" aria-hidden="true">{sign(each)}</svg>{escaped(each.label)}</li>'
        for each in series
    )
    return f'<ul class="key">{items}</ul>'


def _colour(series: Series) -> str:
    return f"c-{series.colour if series.colour in _COLOURS else 'other'}"


def _table(chart: Chart, series: Sequence[Series]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(each.label)}</th><td>{point.x:,.6g}</td><td>{point.y:,.4g}</td></tr>'
        for each in series
        for point in each.points
    )
    return (
        '<details class="numbers"><summary>The numbers</summary>'
        f'<div class="wide" tabindex="0" role="region" aria-label="{escaped(chart.title)}, as a table"><table>'
        f'<thead><tr><th scope="col">Series</th><th scope="col">{escaped(chart.x.label)}</th>'
        f'<th scope="col">{escaped(chart.y.label)}</th></tr></thead><tbody>{rows}</tbody></table></div></details>'
    )
