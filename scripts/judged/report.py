"""The figures of evaluate.py as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from retrieval.evaluation.judged import CUTOFF
from retrieval.evaluation.published import ARTICLE_DEPTH
from scripts.report.markdown import Figures, bytes_cell, kept_cell, markdown

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


def report(figures: Figures) -> Iterator[str]:
    """Yields the figures of one collection as lines."""
    yield from _head(figures)
    yield ""
    header = ["search", "bytes per vector", "nDCG@10", "% of float32", "MRR@10", "% of float32", "recall@10"]
    rows = [
        [
            rung["label"], bytes_cell(rung), f"{rung['ndcg']['mean']:.4f}", kept_cell(rung["ndcg"]["kept"]),
            f"{rung['mrr']['mean']:.4f}", kept_cell(rung["mrr"]["kept"]), f"{rung['recall']:.3f}",
        ]
        for rung in figures["rungs"]
    ]  # fmt: skip
    yield from markdown(header, rows)
    against = figures["ours_against_published_4x"]
    yield ""
    yield (
        f"Ours has {kept_cell(against['ndcg']['kept'])} % of the nDCG@10 of the path of the 2024 demo, and "
        f"{kept_cell(against['mrr']['kept'])} % of its MRR@10. In brackets: 95 % intervals."
    )
    yield ""
    yield from _curves(figures["curves"])
    yield ""


def _head(figures: Figures) -> Iterator[str]:
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


def _curves(curves: Mapping[str, Sequence[Figures]]) -> Iterator[str]:
    named = {
        f"binary_depth_{CUTOFF}": f"bits, float query x bits, multiplier x {CUTOFF}",
        f"binary_depth_{ARTICLE_DEPTH}": f"the same, multiplier x {ARTICLE_DEPTH} as in the article",
        "int8_first_raw_codes": f"int8 x int8, then float query x raw codes, x {CUTOFF}",
        "int8_first_float32": f"int8 x int8, then float32, x {CUTOFF}",
    }
    points = {key: {point["multiplier"]: point for point in curves[key]} for key in named}
    rows = [
        [str(multiplier), *(_cell(points[key].get(multiplier)) for key in named)]
        for multiplier in sorted({multiplier for curve in points.values() for multiplier in curve})
    ]
    yield from markdown(["% of float32's nDCG@10 by rescore multiplier", *named.values()], rows)


def _cell(point: Figures | None) -> str:
    return "" if point is None else kept_cell(point["ndcg"]["kept"])
