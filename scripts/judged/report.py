"""The figures of evaluate.py as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retrieval.evaluation.judged import CUTOFF
from retrieval.evaluation.published import ARTICLE_DEPTH

_PROVES_LITTLE = 10
"""Below this many texts per candidate, the candidates are a good part of all there is."""

_COUNTED = {
    "unjudged_queries": "queries have no judgment and are not scored",
    "queries_with_nothing_relevant": "queries are blank, or have no document judged above 0, and are not scored",
    "judgments_without_query": "judgments name a query that is not there and are left out",
    "judgments_without_document": "judgments name a document that is not there: nothing can find it",
    "repeated_judgments": "judgments repeat a pair; the last one counts",
    "duplicate_document_ids": "documents have the id of an earlier one; the best placed of them counts",
    "documents_without_text": "documents have no text and are not in the index",
}


def report(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields the figures of one collection as lines."""
    yield from _head(figures)
    yield ""
    yield "| search | bytes per vector | nDCG@10 | % of float32 | 95 % interval | MRR@10 | % of float32 | recall@10 |"
    yield "|---|---|---|---|---|---|---|---|"
    for rung in figures["rungs"]:
        ndcg, mrr = rung["ndcg"], rung["mrr"]
        yield (
            f"| {rung['label']} | {_bytes(rung)} | {ndcg['mean']:.4f} | {_percent(ndcg['kept'])} | "
            f"{_interval(ndcg['kept'])} | {mrr['mean']:.4f} | {_percent(mrr['kept'])} {_interval(mrr['kept'])} | "
            f"{rung['recall']:.3f} |"
        )
    against = figures["ours_against_published_4x"]
    yield ""
    yield (
        f"Ours has {_percent(against['ndcg']['kept'])} % {_interval(against['ndcg']['kept'])} of the nDCG@10 of the "
        f"path of the 2024 demo, and {_percent(against['mrr']['kept'])} % {_interval(against['mrr']['kept'])} of "
        f"its MRR@10."
    )
    yield ""
    yield from _curves(figures["curves"])
    yield ""


def _head(figures: Mapping[str, Any]) -> Iterator[str]:
    counts, settings = figures["counts"], figures["settings"]
    bootstrap, texts = figures["bootstrap"], figures["distinct_texts"]
    yield f"## {figures['title']}"
    yield ""
    yield f"{figures['rows']:,} documents, {texts:,} distinct texts; {counts['scored_queries']:,} judged queries."
    if distractors := figures["distractors"]:
        yield (
            f"{distractors['planted']:,} of them are distractors, without judgments; "
            f"{distractors['identical_left_out']:,} were left out because the collection has the same text."
        )
    for name, meaning in _COUNTED.items():
        if counts[name]:
            yield f"- {counts[name]:,} {meaning}."
    yield (
        f"Intervals: paired bootstrap over the {counts['scored_queries']:,} queries, {bootstrap['resamples']:,} "
        f"resamples, seed {bootstrap['seed']}. The queries are a small sample, and the figures are as noisy as the "
        f"intervals are wide: one that includes 100 shows no difference."
    )
    if texts < _PROVES_LITTLE * settings["num_candidates"]:
        yield (
            f"{min(settings['num_candidates'], texts):,} candidates out of {texts:,} texts prove little about our "
            f"path: plant the collection among others with --distractors."
        )


def _curves(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    named = {
        f"binary_depth_{CUTOFF}": f"bits, float query x bits, multiplier x {CUTOFF}",
        f"binary_depth_{ARTICLE_DEPTH}": f"the same, multiplier x {ARTICLE_DEPTH} as in the article",
        "int8_first_raw_codes": f"int8 x int8, then float query x raw codes, x {CUTOFF}",
        "int8_first_float32": f"int8 x int8, then float32, x {CUTOFF}",
    }
    points = {key: {point["multiplier"]: point for point in curves[key]} for key in named}
    yield f"| % of float32's nDCG@10 by rescore multiplier | {' | '.join(named.values())} |"
    yield "|---|" + "---|" * len(named)
    for multiplier in sorted({multiplier for curve in points.values() for multiplier in curve}):
        cells = [_cell(points[key].get(multiplier)) for key in named]
        yield f"| {multiplier} | {' | '.join(cells)} |"


def _cell(point: Mapping[str, Any] | None) -> str:
    return "" if point is None else f"{_percent(point['ndcg']['kept'])} {_interval(point['ndcg']['kept'])}"


def _bytes(rung: Mapping[str, Any]) -> str:
    more = f" + {rung['rescored_bytes']:,} on disk" if rung["rescored_bytes"] else ""
    return f"{rung['scanned_bytes']:,}{more}"


def _percent(kept: Mapping[str, float | None]) -> str:
    return "-" if kept["percent"] is None else f"{kept['percent']:.1f}"


def _interval(kept: Mapping[str, float | None]) -> str:
    return "-" if kept["low"] is None else f"[{kept['low']:.1f}, {kept['high']:.1f}]"
