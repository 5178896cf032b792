"""The search: query, controls, results and the two panels, and what happens between them."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from retrieval.errors import BundleError, QueryError, RetrievalError
from retrieval.results import SearchResponse, SearchSettings
from retrieval.searcher import Searcher
from retrieval.ui.hit_cards import CardStyle, invitation, member_rows, message, result_list
from retrieval.ui.knobs import Knobs, settings_of, values_of
from retrieval.ui.latency_panel import empty_latency_panel, latency_panel
from retrieval.ui.memory_panel import memory_panel
from retrieval.ui.visit import Visit

MAX_EXAMPLES = 6
UNEXPECTED = "Something went wrong on this side. It was noted in the log; other queries may well work."
_LOG = logging.getLogger(__name__)

Update = dict[Any, Any]
"""New values by component: what a handler returns to Gradio."""


class SearchView:
    """Builds the view inside the `gr.Blocks` that is open, and answers its events."""

    def __init__(self, searcher: Searcher) -> None:
        corpus = searcher.manifest.corpus
        self._searcher = searcher
        self._style = CardStyle(searcher.manifest.dim, corpus.body_language, corpus.name)
        self._examples = corpus.examples[:MAX_EXAMPLES]
        self._place()
        self._wire()

    def _place(self) -> None:
        self.visit = gr.State(Visit())
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="main", scale=3):
                self._place_query()
                start = invitation(len(self._searcher), bool(self._examples))
                self.results = gr.HTML(start, elem_id="results", apply_default_css=False)
            with gr.Column(elem_id="side", scale=1):
                with gr.Accordion("Settings", open=False, elem_id="settings"):
                    self.knobs = Knobs.place(self._searcher.defaults)
                with gr.Column(elem_id="panels"):
                    self.latency = gr.HTML(empty_latency_panel(), apply_default_css=False)
                    self.memory = gr.HTML(memory_panel(self._searcher.memory()), apply_default_css=False)

    def _place_query(self) -> None:
        with gr.Column(elem_id="query-area"):
            with gr.Row(elem_id="query-row"):
                self.query = gr.Textbox(
                    label="Your question",
                    placeholder=self._examples[0] if self._examples else "What are you looking for?",
                    elem_id="query",
                    lines=1,
                    max_lines=1,
                    autofocus=True,
                    scale=1,
                )
                self.button = gr.Button("Search", variant="primary", elem_id="search", scale=0, min_width=110)
            with gr.Row(elem_id="examples", visible=bool(self._examples)):
                self.example_buttons = [
                    gr.Button(example, size="sm", variant="secondary", elem_classes="example", min_width=0, scale=0)
                    for example in self._examples
                ]

    def _wire(self) -> None:
        outputs = [self.results, self.latency, self.memory, self.visit]
        # A query takes a few milliseconds: the queue would cost more than it orders. `always_last` drops what is stale.
        common: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        asked = gr.on(
            [self.query.submit, self.button.click],
            self.search,
            [self.query, self.visit, *self.knobs.inputs],
            outputs,
            trigger_mode="always_last",
            **common,
        )
        gr.on(
            [knob.change for knob in self.knobs.inputs],
            self.search_again,
            [self.visit, *self.knobs.inputs],
            outputs,
            trigger_mode="always_last",
            **common,
        )
        examples = [
            button.click(
                self.search_example, [button, self.visit, *self.knobs.inputs], [self.query, *outputs], **common
            )
            for button in self.example_buttons
        ]
        for event in (asked, *examples):
            event.then(None, js="() => window.revealResults()")
        self.knobs.reset.click(self.default_values, None, self.knobs.inputs, **common)

    def search(self, query: str, visit: Visit, *knob_values: Any) -> Update:
        """Returns the results of `query`, or a message in their place; never an exception."""
        try:
            settings = settings_of(knob_values, self._searcher.defaults)
            response = self._respond(query, settings)
            return self._show(query, response, visit)
        except BundleError as error:
            return {self.results: message("This index cannot be searched now", _sentence(error), is_error=True)}
        except QueryError as error:
            return {self.results: message("No search was made", _sentence(error))}
        except RetrievalError as error:
            return {self.results: message("No search was made", _sentence(error), is_error=True)}
        except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
            _LOG.exception("a search failed")
            return {self.results: message("No search was made", UNEXPECTED, is_error=True)}

    def search_example(self, example: str, visit: Visit, *knob_values: Any) -> Update:
        """Returns the results of an example, with its text in the query box."""
        return {self.query: example, **self.search(example, visit, *knob_values)}

    def search_again(self, visit: Visit, *knob_values: Any) -> Update:
        """Returns the results of the visitor's last query under the controls as they are now."""
        if not visit.last_query:
            return {self.visit: visit}
        return self.search(visit.last_query, visit, *knob_values)

    def default_values(self) -> list[Any]:
        """Returns the values of the controls that this index recommends."""
        return list(values_of(self._searcher.defaults))

    def _respond(self, query: str, settings: SearchSettings) -> SearchResponse:
        return self._searcher.search(
            query,
            settings.top_k,
            num_candidates=settings.num_candidates,
            rescore_multiplier=settings.rescore_multiplier,
            asymmetric=settings.asymmetric,
            rescore=settings.rescore,
        )

    def _show(self, query: str, response: SearchResponse, visit: Visit) -> Update:
        visit = visit.after(query, response.latency.total_ms)
        rows = member_rows(response.hits)
        members = dict(zip(rows, self._searcher.documents(rows), strict=True)) if rows else {}
        return {
            self.results: result_list(response, members, self._style),
            self.latency: latency_panel(response, visit),
            self.memory: memory_panel(self._searcher.memory()),
            self.visit: visit,
        }


def _sentence(error: RetrievalError) -> str:
    """Returns an error's message with a capital letter in front."""
    text = str(error)
    return text[:1].upper() + text[1:]
