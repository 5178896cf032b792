"""A measured frontier on the page: charts, the visitor's wish, the recommendation, settings and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from retrieval.errors import QueryError
from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.evaluation.frontier.neighbours import Neighbours
from retrieval.evaluation.frontier.points import Frontier
from retrieval.ui.frontier.advice_html import advice_html
from retrieval.ui.frontier.tables import charts_html, neighbours_html, tables_html
from retrieval.ui.frontier.values import wish_of
from retrieval.ui.markup import as_sentence, escaped
from retrieval.ui.theme import QUIET

_TARGETS = (0.90, 0.999)
_TARGET = 0.95
_CHOICES = [("RAM", "ram"), ("Disk reads", "disk reads"), ("CPU", "cpu")]


class FrontierPanel:
    """The components, hidden until there is a frontier; another wish is answered without measuring again."""

    def __init__(self, key: str) -> None:
        """Places the components in the layout that is being built; their ids begin with `key`."""
        self.kept = gr.State(None)
        """The frontier as it was measured."""
        with gr.Column(visible=False, elem_id=f"{key}-frontier", elem_classes="frontier-panel") as self.column:
            self.charts = gr.HTML("", apply_default_css=False)
            gr.HTML('<section class="frontier"><h3>What do you need?</h3></section>', apply_default_css=False)
            with gr.Row(elem_classes="frontier-wish"):
                self.target = gr.Slider(
                    *_TARGETS, value=_TARGET, step=0.001, label="Target recall", elem_id=f"{key}-target", min_width=220
                )
                self.scarce = gr.Radio(_CHOICES, value="ram", label="What is scarce", min_width=220)
                self.num_vectors = gr.Number(
                    1_000_000, label="Number of vectors", elem_id=f"{key}-count", precision=0, min_width=130
                )
                self.price = gr.Number(ARTICLE_PRICE, label="$ per GB of RAM per month", min_width=130)
            self.advice = gr.HTML("", elem_id=f"{key}-advice", apply_default_css=False)
            self.tables = gr.HTML("", apply_default_css=False)
        self.wish = [self.target, self.scarce, self.num_vectors, self.price]
        gr.on(
            [self.target.change, self.scarce.change, self.num_vectors.change, self.price.change],
            advise, [self.kept, *self.wish], self.advice,
            trigger_mode="always_last", **QUIET,
        )  # fmt: skip

    @property
    def outputs(self) -> list[Any]:
        """Returns the components that the methods below update."""
        return [self.kept, self.column, self.charts, self.advice, self.tables, *self.wish]

    def shown(
        self, frontier: Frontier, title: str, note: str = "", neighbours: Sequence[Neighbours] = ()
    ) -> dict[Any, Any]:
        """Returns the panel with a frontier, for the number of vectors given and the default wish."""
        told = f'<section class="frontier"><p class="hint">{escaped(note)}</p></section>' if note else ""
        return {
            self.kept: frontier,
            self.column: gr.Column(visible=True),
            self.charts: charts_html(frontier, title) + told,
            self.target: _TARGET,
            self.scarce: "ram",
            self.num_vectors: frontier.num_given,
            self.price: ARTICLE_PRICE,
            self.advice: advise(frontier, _TARGET, "ram", frontier.num_given, ARTICLE_PRICE),
            self.tables: tables_html(frontier) + neighbours_html(neighbours),
        }

    def hidden(self) -> dict[Any, Any]:
        """Returns the panel without a frontier."""
        return {self.kept: None, self.column: gr.Column(visible=False), self.charts: "", self.tables: ""}


def advise(frontier: Frontier | None, target: Any, scarce: Any, num_vectors: Any, price: Any) -> str:
    """Returns the recommendation for another wish, from the same measurement, or what is wrong with the wish."""
    if frontier is None:
        return ""
    try:
        return advice_html(frontier, wish_of(target, scarce, num_vectors, price))
    except QueryError as error:
        return (
            f'<section class="frontier"><div class="answer" role="status"><p class="warn">'
            f"{escaped(as_sentence(str(error)))}</p></div></section>"
        )
