"""A comparison as columns: the same text carries the same `data-row` in each, so that the page can link them.

`ways_compared` in `retrieval/evaluation/comparison/compare.py` decides which columns there are.
"""

from __future__ import annotations

from retrieval.errors import counted
from retrieval.evaluation.comparison.answers import ComparedHit, Comparison, LostText, WayAnswer
from retrieval.evaluation.comparison.averages import Average
from retrieval.ui.compare.words import MISSING, WAY_WORDS, dots, reference_name, speed_words
from retrieval.ui.markup import data_size, escaped, milliseconds, safe_url

MAX_TITLE_CHARS = 200
_SCORE_WORDS = {
    "cosine": "Cosine similarity",
    "estimate": "Cosine similarity, estimated from the bits",
    "bits differ": "Sign bits that differ from the query's",
    "raw dot": "Dot product with raw int8 codes. Not a cosine: it ignores that each dimension has its own step",
}


def columns(comparison: Comparison) -> str:
    """Returns the columns, float32 first, and above them the line with the rank of a selected text in each."""
    inside = "".join(_column(answer, comparison) for answer in comparison.answers)
    return (
        '<p class="trace" role="status" data-trace>Point at a result, or select one: '
        "it is highlighted in every column. Esc clears.</p>"
        f'<div class="columns" role="group" aria-label="Results of each way" tabindex="0">{inside}</div>'
    )


def _column(answer: WayAnswer, comparison: Comparison) -> str:
    words = WAY_WORDS[answer.key]
    colour = words.colours.split()[0]
    name = escaped(words.name)
    body = (
        f'<p class="missing">{MISSING}</p>'
        if answer.time_ms is None
        else f"<ol>{''.join(_hit(hit, answer, comparison) for hit in answer.hits)}</ol>{_lost(answer, comparison)}"
    )
    is_reference = " data-reference" if answer.key == comparison.reference_key else ""
    return (
        f'<section class="column {colour} {answer.key}" data-method="{name}"{is_reference} aria-label="{name}">'
        f"<header><h3>{dots(answer.key)}{name}</h3>{_figures(answer, comparison)}</header>"
        f'{body}<p class="about">{escaped(words.about(answer))}</p></section>'
    )


def _figures(answer: WayAnswer, comparison: Comparison) -> str:
    if answer.time_ms is None:
        kept, time = "&ndash;", "&ndash;"
    else:
        kept = f"<strong>{answer.overlap}</strong> of {comparison.num_wanted}"
        time = f"{milliseconds(answer.time_ms)} ms"
    head = "the reference" if answer.key == comparison.reference_key else "kept"
    disk = f"<small>+ {data_size(answer.disk_read_bytes)} disk</small>" if answer.disk_read_bytes else ""
    return (
        f'<dl><div class="kept"><dt>{head}</dt><dd>{kept}</dd></div>{_average(answer, comparison)}'
        f"<div><dt>time</dt><dd>{time}{_faster(answer, comparison)}</dd></div>"
        f"<div><dt>RAM read</dt><dd>{data_size(answer.ram_bytes)}{disk}</dd></div></dl>"
    )


def _average(answer: WayAnswer, comparison: Comparison) -> str:
    """Returns what a way finds on average; an empty cell if that is unknown, nothing if no way has an average."""
    average = answer.average
    if average is None:
        return '<div class="average"></div>' if any(each.average for each in comparison.answers) else ""
    return (
        f'<div class="average"><dt>on average</dt><dd>{_mean(average)} of {average.out_of}</dd>'
        f'<dd class="over">over {counted(average.num_queries, "query", "queries")}</dd></div>'
    )


def _mean(average: Average) -> str:
    """Returns the mean; one below the maximum is not rounded up to it."""
    shown = f"{average.found:.1f}"
    return f"{average.found:.2f}" if float(shown) == average.out_of != average.found else shown


def _faster(answer: WayAnswer, comparison: Comparison) -> str:
    faster = comparison.times_faster(answer.key)
    if faster is None or answer.key == comparison.reference_key:
        return ""
    return f"<small>{speed_words(faster)}</small>"


def _hit(hit: ComparedHit, answer: WayAnswer, comparison: Comparison) -> str:
    known = "" if hit.in_reference else " stray"
    words = f"result {hit.rank} of {escaped(WAY_WORDS[answer.key].name)}"
    return (
        f'<li class="pick{known}" data-row="{hit.row}" data-rank="{hit.rank}" data-there="{hit.reference_rank:,}">'
        f'<button type="button" aria-pressed="false" aria-label="Find {words} in every column">{hit.rank}</button>'
        f"{_source(hit.url, words)}"
        f'<div><span class="title" dir="auto">{_title(hit.text)}</span>'
        f'<span class="small">{_score(hit.score, answer.way.score_kind)}{_move(hit, answer, comparison)}</span>'
        "</div></li>"
    )


def _title(text: str) -> str:
    return escaped(text if len(text) <= MAX_TITLE_CHARS else f"{text[:MAX_TITLE_CHARS]}…")


def _source(url: str | None, words: str) -> str:
    """Returns a separate link: a tap on the title highlights it and does not leave the page."""
    address = safe_url(url)
    if address is None:
        return ""
    return (
        f'<a class="open" href="{address}" target="_blank" rel="noopener noreferrer" title="Open the source" '
        f'aria-label="Open the source of {words}">&#8599;</a>'
    )


def _score(score: float, kind: str) -> str:
    shown = {"bits differ": f"{score:,.0f} bits", "raw dot": f"{score:,.0f} raw"}.get(kind, f"{score:.3f}")
    sign = "~" if kind == "estimate" else ""
    return f'<span title="{_SCORE_WORDS[kind]}">{sign}{shown}</span>'


def _move(hit: ComparedHit, answer: WayAnswer, comparison: Comparison) -> str:
    if answer.key == comparison.reference_key:
        return ""
    there = f"{'float32' if comparison.reference_key == 'float32' else 'int8'} #{hit.reference_rank:,}"
    if not hit.in_reference:
        about = f"Not among the results of {reference_name(comparison)}, where it is number {hit.reference_rank:,}"
        return f'<span class="bad" title="{about}">{there}<span class="unseen">, not among its results</span></span>'
    return f"<span>{there}</span>" if hit.reference_rank != hit.rank else ""


def _lost(answer: WayAnswer, comparison: Comparison) -> str:
    if answer.key == comparison.reference_key:
        return ""
    if not answer.lost:
        return '<p class="lost none">Nothing missed.</p>'
    items = "".join(_lost_item(lost) for lost in answer.lost)
    return f'<div class="lost"><h4>Missed, with the rank in {reference_name(comparison)}</h4><ul>{items}</ul></div>'


def _lost_item(lost: LostText) -> str:
    words = f"missed result, number {lost.reference_rank}"
    return (
        f'<li class="pick gone" data-row="{lost.row}">'
        f'<button type="button" aria-pressed="false" aria-label="Find {words}, in every column">'
        f"#{lost.reference_rank}</button>"
        f'<div><span class="title" dir="auto">{_title(lost.text)}</span></div></li>'
    )
