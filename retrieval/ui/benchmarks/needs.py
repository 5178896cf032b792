"""What Benchmarks opens with: which scheme suits a number of documents, of dimensions, and a recall."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import gradio as gr

from retrieval.benchmark.figures.kept import KeptFrontier, read_frontier
from retrieval.errors import QueryError, RetrievalError
from retrieval.evaluation.cost import ARTICLE_PRICE, dollars
from retrieval.evaluation.frontier.points import Frontier, Point, for_dimensions
from retrieval.evaluation.frontier.recommend import Choice, Recommendation, recommend
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.ui.asking import OF_OPEN_VIEW, Asking, searcher_of
from retrieval.ui.benchmarks.charts import figure
from retrieval.ui.frontier.charts import frontier_charts
from retrieval.ui.frontier.values import plan_of
from retrieval.ui.frontier.words import cautions, label, size
from retrieval.ui.markup import as_sentence, escaped, wide_table
from retrieval.ui.theme import ASSETS, QUIET
from retrieval.ui.your_data.own_index import OwnIndex

KEPT = ASSETS / "benchmarks" / "frontier-packages.json"
DISK_PRICE = 0.08
"""Dollars per GB per month: AWS gp3."""
MOST_OVERSAMPLING = 20
"""The most candidates per result to rescore: each is a read from disk."""
_DOCUMENTS, _DIMENSIONS, _TARGET = 10_000_000, 384, 0.95
_COMPARED = ("float32", "int8", "bits")
"""Schemes listed below the answer for comparison, without rescoring."""
_HEAD = (
    '<section class="bench" id="needs"><h2>What do you need?</h2><p>Enter how many documents you have and what recall '
    "you need. Of all measured points that rescore at most "
    f"{MOST_OVERSAMPLING} candidates per result, the one with the least RAM is taken. Bytes and prices are calculated: "
    f"${ARTICLE_PRICE:.2f} per GB of RAM per month (AWS x2gd), ${DISK_PRICE:.2f} per GB of disk (AWS gp3).</p>"
    "</section>"
)


class NeedsView:
    """Builds its part of the view inside the layout that is open, and answers its own events."""

    def __init__(self, library: Library, asking: Asking, frontiers: IndexFrontiers, tab: gr.Tab) -> None:
        self._library, self._frontiers = library, frontiers
        gr.HTML(_HEAD, apply_default_css=False)
        with gr.Row(elem_id="needs-inputs"):
            self.documents = gr.Number(_DOCUMENTS, label="Documents", precision=0, min_width=150)
            self.dimensions = gr.Number(_DIMENSIONS, label="Dimensions", precision=0, min_width=120)
            self.target = gr.Slider(0.8, 0.99, value=_TARGET, step=0.01, label="Recall wanted", min_width=240)
        # This is read when the tab opens: most visitors never open it.
        self.answer = gr.HTML(elem_id="needs-answer", apply_default_css=False)
        self.chart = gr.HTML(elem_id="needs-chart", apply_default_css=False)
        wanted = [asking.index, asking.own, self.documents, self.dimensions, self.target]
        changed = [each.change for each in (self.documents, self.dimensions, self.target)]
        gr.on(
            [*changed, tab.select, asking.index.change],
            self.show, [asking.active, *wanted], [self.answer, self.chart],
            js=OF_OPEN_VIEW, trigger_mode="always_last", **QUIET,
        )  # fmt: skip

    def show(self, active: str, index: str | None, own: OwnIndex | None, *wanted: Any) -> tuple[str, str]:
        """Returns the answer and the chart; nothing while another view is open."""
        if active != "benchmarks":
            return gr.skip(), gr.skip()
        measured = self._measured(index, own)
        if measured is None:
            return "", ""
        return needs_answer(measured, *wanted), needs_chart(measured)

    def _measured(self, index: str | None, own: OwnIndex | None) -> KeptFrontier | None:
        """Returns what was measured on the selected index, or else the project's saved measurement."""
        try:
            searcher = searcher_of(self._library, index, own)
        except RetrievalError:
            return _kept()
        frontier = self._frontiers.kept(searcher)
        return _kept() if frontier is None else KeptFrontier(frontier, f"this index, {searcher.manifest.corpus.title}")


@cache
def _kept() -> KeptFrontier | None:
    return read_frontier(KEPT)


def needs_answer(measured: KeptFrontier, documents: Any, dimensions: Any, target: Any) -> str:
    """Returns what to use, and what the usual precisions would cost, or what is wrong with a value."""
    try:
        wish, dim = plan_of(documents, dimensions, target, DISK_PRICE)
        frontier = for_dimensions(measured.frontier, dim)
    except QueryError as error:
        return f'<div class="needs"><p class="note bad" role="status">{escaped(as_sentence(str(error)))}</p></div>'
    found = recommend(frontier, wish, among=lambda point: point.oversampling <= MOST_OVERSAMPLING)
    rows = "".join(_row(name, choice, css_class) for name, choice, css_class in _choices(frontier, found))
    return (
        f'<div class="needs"><div class="answer" role="status">{_take(found)}</div>'
        f"{wide_table(['Choice', 'Recall', 'RAM', 'Disk', 'Per month'], rows, 'What each choice costs')}"
        f'<p class="source">{_origin(measured)} {_caution(measured, found, dim)}</p></div>'
    )


def needs_chart(measured: KeptFrontier) -> str:
    """Returns the frontier that the answer comes from."""
    drawn = "".join(figure(chart) for chart in frontier_charts(measured.frontier))
    return f'<section class="frontier"><div class="charts">{drawn}</div></section>'


def _take(found: Recommendation) -> str:
    best = found.best
    if best is None:
        return (
            '<p class="take">Keep float32.</p><p>Nothing smaller that was measured reaches a recall of '
            f"{found.wish.target:g}.</p>"
        )
    disk = f" and {size(best.disk.size_bytes)} of disk" if best.disk.size_bytes else ""
    return (
        f'<p class="take">Take {escaped(_scheme(best.point))}.</p>'
        f"<p>{size(best.ram.size_bytes)} of RAM{disk}: <strong>{dollars(best.monthly)} a month</strong>, with a recall "
        f"of {best.point.recall.mean:.3f} ({best.point.recall.low:.3f} to {best.point.recall.high:.3f}).</p>"
    )


def _scheme(point: Point) -> str:
    alone = f"{label(point.scheme)} on {point.dim:,} dimensions"
    if point.rescoring == "none":
        return alone
    return f"{alone}, {point.oversampling} candidates per result rescored by {point.rescoring} from disk"


def _short(point: Point) -> str:
    """Returns a scheme as in the table."""
    rescored = "" if point.rescoring == "none" else f", {point.oversampling}x {point.rescoring}"
    return f"{label(point.scheme)}, {point.dim:,} dimensions{rescored}"


def _choices(frontier: Frontier, found: Recommendation) -> Iterator[tuple[str, Choice, str]]:
    """Yields the answer and the runner-up, then the usual precisions alone, each once."""
    for choice, css_class in ((found.best, "ours"), (found.runner_up, "")):
        if choice is not None:
            yield _short(choice.point), choice, css_class
    for scheme in _COMPARED:
        wanted = (scheme, frontier.dim, "none")
        alone = [each for each in frontier.points if (each.scheme, each.dim, each.rescoring) == wanted]
        if alone and (found.best is None or found.best.point != alone[0]):
            yield f"{label(scheme)}, all in RAM", Choice.of(alone[0], found.wish), ""


def _row(name: str, choice: Choice, css_class: str) -> str:
    disk = size(choice.disk.size_bytes) if choice.disk.size_bytes else "&ndash;"
    return (
        f'<tr class="{css_class}"><th scope="row">{escaped(name)}</th><td>{choice.point.recall.mean:.3f}</td>'
        f"<td>{size(choice.ram.size_bytes)}</td><td>{disk}</td><td>{dollars(choice.monthly)}</td></tr>"
    )


def _origin(measured: KeptFrontier) -> str:
    frontier = measured.frontier
    machine = "" if measured.cpu is None else f" on {measured.cpu}, {measured.cores or '?'} cores"
    taken = "" if measured.taken_at is None else f", {measured.taken_at[:10]}"
    return escaped(
        f"Measured among {frontier.num_vectors:,} vectors of {measured.title} with {frontier.num_queries:,} queries, "
        f"recall@{frontier.k}{machine}{taken}."
    )


def _caution(measured: KeptFrontier, found: Recommendation, dim: int) -> str:
    told = [] if found.best is None else cautions(measured.frontier, found)
    if dim != measured.frontier.dim:
        told.append(
            f"The recall is that of {measured.frontier.dim:,} dimensions; a model with {dim:,} may differ. "
            "Measure your own vectors in Your data."
        )
    return " ".join(told)
