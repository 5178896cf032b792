"""The search: results on the left, time and memory on the right."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.serving.memory import RecentMemory
from retrieval.serving.metrics import count_search
from retrieval.serving.turns import SEARCHES
from retrieval.ui.asking import Asking, searcher_of
from retrieval.ui.search.hit_cards import CardStyle, invitation, member_rows, result_list
from retrieval.ui.search.latency_panel import empty_latency_panel, latency_panel
from retrieval.ui.search.memory_panel import memory_panel
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Question, Update
from retrieval.ui.visit import Visit
from retrieval.ui.your_data.own_index import OwnIndex


class SearchView:
    """Builds the view inside the `gr.Blocks` that is open, and answers the query."""

    key = "search"

    def __init__(self, library: Library, asking: Asking, searcher: Searcher) -> None:
        self._library = library
        self._visit = asking.visit
        self._recent_memory = RecentMemory()
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="main", scale=3):
                self.results = gr.HTML(_invitation(searcher), elem_id="results", apply_default_css=False)
            with gr.Column(elem_id="side", scale=1), gr.Column(elem_id="panels"):
                self.latency = gr.HTML(empty_latency_panel(), apply_default_css=False)
                self.memory = gr.HTML(self._memory_panel(searcher), apply_default_css=False)
        # Pressed by the page's script some seconds after an answer: no search waits for the measurement.
        measure = gr.Button("Measure the memory", elem_id="measure-memory", visible="hidden")
        measure.click(self.measured_memory, [asking.index, asking.own], self.memory, **QUIET)
        self.outputs = [self.results, self.latency, self.memory, self._visit]

    def on_index(self, searcher: Searcher) -> Update:
        """Returns the panels of another index."""
        return {**self.empty(searcher), self.memory: self._memory_panel(searcher)}

    def measured_memory(self, index: str | None, own: OwnIndex | None) -> Any:
        """Returns the memory panel of the selected index, or leaves it as it was if the index cannot be opened."""
        try:
            return self._memory_panel(searcher_of(self._library, index, own))
        except RetrievalError:
            return gr.skip()

    def empty(self, searcher: Searcher) -> Update:
        """Returns the view before there is a query."""
        return {self.results: _invitation(searcher), self.latency: empty_latency_panel()}

    def show(self, message: str) -> Update:
        """Returns a message instead of the results."""
        return {self.results: message}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the results of a question and its time.

        Raises:
            RetrievalError: if the search cannot be made.
        """
        searcher = question.searcher
        response = SEARCHES.call(partial(searcher.search, question.text, **asdict(question.settings)))
        count_search(response)
        visit = visit.after(response.latency.total_ms)
        rows = member_rows(response.hits)
        members = dict(zip(rows, searcher.documents(rows), strict=True)) if rows else {}
        corpus = searcher.manifest.corpus
        style = CardStyle(searcher.manifest.dim, corpus.body_language, corpus.name)
        return {
            self.results: result_list(response, members, style),
            self.latency: latency_panel(response, visit),
            self._visit: visit,
        }

    def _memory_panel(self, searcher: Searcher) -> str:
        return memory_panel(self._recent_memory.of(searcher))


def _invitation(searcher: Searcher) -> str:
    return invitation(len(searcher), bool(searcher.manifest.corpus.examples))
