"""How many candidates are enough: a slider over the number of candidates, with what each number keeps.

Everything the slider shows is in the HTML; `assets/compare-candidates-view.js` picks from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from retrieval.evaluation.comparison.answers import Comparison
from retrieval.evaluation.comparison.curve import CandidateCurve
from retrieval.ui.compare.words import reference_name
from retrieval.ui.markup import escaped, one_line

ANCHOR = "compare-candidates"
_SHOWN_FIRST = 40
"""What the 2024 demos use for ten results."""
_WIDTH, _HEIGHT = 460, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 22, 10, 40
_TEXT_CHARS = 70


def candidates_section(comparison: Comparison) -> str:
    """Returns the slider, the curve and the results of the reference; empty without a curve."""
    curve = comparison.curve
    if curve is None or comparison.num_wanted == 0:
        return ""
    levels = curve.levels
    start = next((place for place, level in enumerate(levels) if level >= _SHOWN_FIRST), len(levels) - 1)
    words = [_words(curve, place, comparison) for place in range(len(levels))]
    data = escaped(json.dumps({"levels": levels, "words": words, "places": [_across(curve, each) for each in levels]}))
    return (
        f'<section class="candidates" id="{ANCHOR}" data-candidates="{data}" aria-labelledby="{ANCHOR}-title">'
        f'<h3 id="{ANCHOR}-title">How many candidates are enough?</h3>'
        f'<p class="hint">The bits choose the candidates, and int8 vectors put them in order. {_about(curve)}</p>'
        f'<label class="level"><span>Candidates: <output data-level>{levels[start]:,}</output></span>'
        f'<input type="range" min="0" max="{len(levels) - 1}" value="{start}" step="1" data-slider '
        f'aria-valuetext="{escaped(words[start])}"/></label>'
        f'<p class="found" data-found>{escaped(words[start])}</p>'
        f'<div class="both">{_drawing(curve, comparison.num_wanted, start)}{_results(comparison, curve, start)}</div>'
        "</section>"
    )


def _about(curve: CandidateCurve) -> str:
    if not any(each is not None for each in curve.averages):
        return "What they keep on average was not measured when this index was built: rebuild it to see it."
    return (
        f"The average is over {curve.num_queries:,} texts of this corpus, which the build used as queries, "
        "each left out of its own answer."
    )


def _words(curve: CandidateCurve, place: int, comparison: Comparison) -> str:
    own = f"{curve.levels[place]:,} candidates keep {curve.found[place]} of {comparison.num_wanted} for this query"
    average = curve.averages[place]
    return f"{own}." if average is None else f"{own}, and {10 * average:.1f} of 10 on average."


def _results(comparison: Comparison, curve: CandidateCurve, start: int) -> str:
    items = "".join(
        f'<li data-kept="{"".join(str(int(kept[number])) for kept in curve.kept)}"'
        f'{"" if curve.kept[start][number] else " class=missed"}><span class="rank">{hit.rank}</span>'
        f'<span class="title" dir="auto">{escaped(one_line(hit.text, _TEXT_CHARS))}</span>'
        f'<span class="by-bits">{_rank(curve, number)}</span></li>'
        for number, hit in enumerate(comparison.reference.hits)
    )
    name = reference_name(comparison)
    return (
        f'<div class="wanted"><p class="head"><span>The results of {name}</span><span>rank by bits</span></p>'
        f"<ol>{items}</ol></div>"
    )


def _rank(curve: CandidateCurve, number: int) -> str:
    rank = curve.binary_ranks[number]
    return f"after #{curve.levels[-1]:,}" if rank is None else f"#{rank:,}"


def _across(curve: CandidateCurve, level: int) -> float:
    low, high = math.log10(curve.levels[0]), math.log10(curve.levels[-1])
    share = (math.log10(level) - low) / (high - low) if high > low else 0.5
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _down(share: float) -> float:
    return round(_TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _drawing(curve: CandidateCurve, num_wanted: int, start: int) -> str:
    """Returns the two curves: of this query, and on average."""
    floor = _down(0)
    own = [
        (_across(curve, level), _down(found / num_wanted))
        for level, found in zip(curve.levels, curve.found, strict=True)
    ]
    average = [
        (_across(curve, level), _down(share))
        for level, share in zip(curve.levels, curve.averages, strict=True)
        if share is not None
    ]
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_down(share)}" y2="{_down(share)}"/>'
        f'<text x="{_LEFT - 8}" y="{_down(share) + 4}" text-anchor="end">{round(100 * share)} %</text>'
        for share in (0.0, 0.5, 1.0)
    )
    columns = "".join(
        f'<text x="{_across(curve, level)}" y="{floor + 18}" text-anchor="middle">{level:,}</text>'
        for level in curve.levels
    )
    at = _across(curve, curve.levels[start])
    key = '<span><i class="swatch own"></i>this query</span>'
    if average:
        key += '<span><i class="swatch average"></i>on average</span>'
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="What is kept by the number of '
        f'candidates: the sentence above says it for each">{rows}{columns}'
        f'<line class="at" data-at x1="{at}" x2="{at}" y1="{_TOP}" y2="{floor}"/>'
        f"{_line('average', average)}{_line('own', own)}"
        f'<text class="name" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 4}" text-anchor="middle">candidates'
        f'</text></svg><figcaption class="key">{key}</figcaption></figure>'
    )


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x},{y}" for x, y in points)
    marks = "".join(f'<circle cx="{x}" cy="{y}" r="3.5"/>' for x, y in points)
    return f'<g class="{kind}"><polyline points="{path}"/>{marks}</g>' if points else ""
