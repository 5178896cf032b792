"""The search: results on the left, time and memory on the right."""

from __future__ import annotations

from functools import partial

import gradio as gr

from retrieval.search.searcher import Searcher
from retrieval.serving.metrics import count_search
from retrieval.serving.turns import SEARCHES
from retrieval.ui.asking import Question, Update
from retrieval.ui.search.hit_cards import CardStyle, invitation, member_rows, result_list
from retrieval.ui.search.latency_panel import empty_latency_panel, latency_panel
from retrieval.ui.search.memory_panel import memory_panel
from retrieval.ui.visit import Visit


class SearchView:
    """Builds the view inside the `gr.Blocks` that is open, and answers the query."""

    key = "search"

    def __init__(self, searcher: Searcher, visit: gr.State) -> None:
        self._visit = visit
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="main", scale=3):
                self.results = gr.HTML(_invitation(searcher), elem_id="results", apply_default_css=False)
            with gr.Column(elem_id="side", scale=1), gr.Column(elem_id="panels"):
                self.latency = gr.HTML(empty_latency_panel(), apply_default_css=False)
                self.memory = gr.HTML(memory_panel(searcher.memory()), apply_default_css=False)
        self.outputs = [self.results, self.latency, self.memory, visit]

    def on_index(self, searcher: Searcher) -> Update:
        """Returns the panels of another index."""
        return {**self.empty(searcher), self.memory: memory_panel(searcher.memory())}

    def empty(self, searcher: Searcher) -> Update:
        """Returns the view before there is a query."""
        return {self.results: _invitation(searcher), self.latency: empty_latency_panel()}

    def show(self, message: str) -> Update:
        """Returns a message in the place of the results."""
        return {self.results: message}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the results of a question, its time and the memory.

        Raises:
            RetrievalError: if the search cannot be made.
        """
        searcher = question.searcher
        response = SEARCHES.call(partial(searcher.search, question.text, **question.search_options()))
        count_search(response)
        visit = visit.after(response.latency.total_ms)
        rows = member_rows(response.hits)
        members = dict(zip(rows, searcher.documents(rows), strict=True)) if rows else {}
        corpus = searcher.manifest.corpus
        style = CardStyle(searcher.manifest.dim, corpus.body_language, corpus.name)
        return {
            self.results: result_list(response, members, style),
            self.latency: latency_panel(response, visit),
            self.memory: memory_panel(searcher.memory()),
            self._visit: visit,
        }


def _invitation(searcher: Searcher) -> str:
    return invitation(len(searcher), bool(searcher.manifest.corpus.examples))
