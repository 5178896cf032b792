"""The comparison: the same query at every precision, side by side."""

from __future__ import annotations

import gradio as gr

from retrieval.evaluation.comparison.answers import Comparison
from retrieval.evaluation.comparison.compare import compare
from retrieval.search.searcher import Searcher
from retrieval.ui.asking import Question, Update
from retrieval.ui.compare.columns import columns
from retrieval.ui.compare.summary import figures, verdict
from retrieval.ui.visit import Visit


class CompareView:
    """Builds the view inside the `gr.Blocks` that is open, and answers the query."""

    key = "compare"

    def __init__(self, searcher: Searcher) -> None:
        self.board = gr.HTML(explanation(searcher), elem_id="compare", apply_default_css=False)
        self.outputs = [self.board]

    def on_index(self, searcher: Searcher) -> Update:
        """Returns the view over another index."""
        return self.empty(searcher)

    def empty(self, searcher: Searcher) -> Update:
        """Returns the view before there is a query."""
        return {self.board: explanation(searcher)}

    def show(self, message: str) -> Update:
        """Returns a message in the place of the columns."""
        return {self.board: message}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the columns for a question.

        Raises:
            RetrievalError: if the comparison cannot be made.
        """
        comparison = compare(question.searcher, question.text, question.settings)
        return {self.board: board(comparison)}


def board(comparison: Comparison) -> str:
    """Returns the whole view of a comparison, as HTML."""
    return (
        '<section class="compare" data-compare><h2 class="unseen">Comparison</h2>'
        f"{verdict(comparison)}{columns(comparison)}{figures(comparison)}</section>"
    )


def explanation(searcher: Searcher) -> str:
    """Returns what stands there before there is a query."""
    against = (
        "the exact float32 answer"
        if searcher.manifest.has_baseline
        else "int8 over all vectors, since this index was built without its float32 vectors"
    )
    return (
        '<div class="invitation"><p class="lead">What does one bit per dimension lose?</p>'
        "<p>Ask something above. Your query is searched in five ways at once: float32, int8, bits alone, bits rescored "
        "as the published demos do it, and ours. You see what each of them found, what it lost against "
        f"{against}, and the time and memory it took: for your query, measured now.</p></div>"
    )
