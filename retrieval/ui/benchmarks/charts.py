"""Charts as SVG: drawn with the colours of the page, so that they follow light and dark; a table beside each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.ui.benchmarks.scales import Scale, linear_scale, log_scale, short_number
from retrieval.ui.markup import escaped

_WIDTH, _HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 18, 14, 52
_COLOURS = ("float32", "int8", "binary", "other")


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a chart, and the words for it."""

    x: float
    y: float
    note: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together. `colour` is a precision, or `other`."""

    label: str
    colour: str
    points: tuple[Point, ...]
    marker: str = "circle"
    """`circle`, `ring`, `square`, `diamond` or `star`; what colour alone must not tell apart."""
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
    """Values that the scale spans in any case: without them, small differences look large."""
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
    """Returns the chart with its title, its key, its caption, and its numbers as a table; empty without a point."""
    series = tuple(each for each in chart.series if each.points)
    if not series:
        return ""
    caption = f"<figcaption>{escaped(chart.caption)}</figcaption>" if chart.caption else ""
    return (
        f'<figure class="chart"><h4>{escaped(chart.title)}</h4>{_svg(chart, series)}{_key(series)}{caption}'
        f"{_table(chart, series)}</figure>"
    )


def _svg(chart: Chart, series: Sequence[Series]) -> str:
    x = _scale(chart.x, [point.x for each in series for point in each.points])
    y = _scale(chart.y, [point.y for each in series for point in each.points])
    drawn = "".join(_drawn(each, x, y) for each in series)
    label = f"{chart.title}: {chart.y.label} against {chart.x.label}. The numbers are in the table below."
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escaped(label)}">'
        f"{_edges(chart, x, y)}{drawn}</svg>"
    )


def _scale(axis: Axis, points: Sequence[float]) -> Scale:
    values = [*points, *axis.include]
    return log_scale(values, axis.ticks) if axis.is_log else linear_scale(values, axis.at_most, axis.ticks)


def _across(scale: Scale, value: float) -> float:
    return round(_LEFT + scale.place(value) * (_WIDTH - _LEFT - _RIGHT), 1)


def _down(scale: Scale, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - scale.place(value) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _edges(chart: Chart, x: Scale, y: Scale) -> str:
    floor, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
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
        f'<text class="name" x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escaped(chart.x.label)}</text>'
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
    return {
        "ring": '<circle class="hollow" r="3.4"/>',
        "square": '<rect x="-5" y="-5" width="10" height="10"/>',
        "diamond": '<path d="M0-6.5 6.5 0 0 6.5-6.5 0Z"/>',
        "star": '<path d="M0-9 2.6-3 9-2.6 4.1 1.6 5.6 8 0 4.5-5.6 8-4.1 1.6-9-2.6-2.6-3Z"/>',
    }.get(marker, '<circle r="3.8"/>')


def _key(series: Sequence[Series]) -> str:
    items = "".join(
        f'<li><svg viewBox="-14 -10 28 20" class="{_colour(each)}" aria-hidden="true">'
        f"{_key_line(each)}{_mark(each.marker)}</svg>{escaped(each.label)}</li>"
        for each in series
    )
    return f'<ul class="key">{items}</ul>'


def _key_line(series: Series) -> str:
    return f'<polyline class="{series.line}" points="-14,0 14,0"/>' if series.line else ""


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
