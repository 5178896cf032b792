"""Under the hood: the query followed through every step, with its real numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.evaluation.comparison.dimensions import drop_dimensions
from retrieval.results import SearchSettings
from retrieval.search.explanation.explain import Explanation, explain, explain_first_document, most_lifted
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.serving.turns import HEAVY, SEARCHES
from retrieval.ui.asking import Asking, question_of
from retrieval.ui.hood.dimensions import HEAD, dimension_choices, dropped_html
from retrieval.ui.hood.steps import document_steps, query_steps
from retrieval.ui.markup import error_words, escaped, message, one_line
from retrieval.ui.theme import QUIET
from retrieval.ui.views import Question, Update
from retrieval.ui.visit import Visit

_LOG = logging.getLogger(__name__)
_CHOICE_CHARS = 36
_MOST_CHOICES = 10
_EXAMPLE_WORDS = 6


class HoodView:
    """Builds the view inside the `gr.Blocks` that is open, and answers the query."""

    key = "hood"

    def __init__(self, library: Library, asking: Asking) -> None:
        self._library = library
        with gr.Column(elem_id="hood"):
            # Empty until the tab is opened: then it is answered.
            self.query_steps = gr.HTML(apply_default_css=False, elem_id="hood-first")
            self.document = gr.Radio(
                [], label="Look closely at", elem_id="hood-document", interactive=True, visible=False
            )
            self.document_steps = gr.HTML(apply_default_css=False, elem_id="hood-second")
            with gr.Column(elem_id="hood-fewer", visible=False) as self.fewer:
                gr.HTML(HEAD, apply_default_css=False)
                self.dimensions = gr.Radio([], label="Keep the first", elem_id="hood-dims", interactive=True)
                self.dropped = gr.HTML(apply_default_css=False, elem_id="hood-dropped")
        self.outputs = [
            self.query_steps, self.document, self.document_steps, self.fewer, self.dimensions, self.dropped
        ]  # fmt: skip
        self.dimensions.input(
            self.drop, [self.dimensions, *asking.inputs], self.dropped, trigger_mode="always_last", **QUIET
        )
        self.document.input(
            self.choose, [self.document, *asking.inputs], self.document_steps, trigger_mode="always_last", **QUIET
        )

    def on_index(self, searcher: Searcher) -> Update:
        """Returns nothing new: the view is filled when it is opened."""
        return {}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the steps of a query, and its hits to choose a document from.

        Raises:
            RetrievalError: if the search cannot be made.
        """
        found = SEARCHES.call(partial(_followed, question, None))
        lead = f'<p class="lead">Your query, <q dir="auto">{_short(question.text, 120)}</q>, step by step.</p>'
        return self._update(question.searcher, question.index, found, lead)

    def empty(self, searcher: Searcher) -> Update:
        """Returns the steps of an example."""
        found = SEARCHES.call(partial(follow_example, searcher, searcher.defaults))
        words, more = "An example", "Type your own question above, and every picture changes."
        if not searcher.can_encode:
            words, more = (
                "A document",
                "It is used as the query, because this index has no model to turn a question into a vector.",
            )
        lead = f'<p class="lead">{words}, <q dir="auto">{_short(found.text, 120)}</q>, step by step. {more}</p>'
        return self._update(searcher, searcher.store.name, found, lead)

    def show(self, message: str) -> Update:
        """Returns a message instead of the steps."""
        return {
            self.query_steps: f'<div class="hood">{message}</div>',
            self.document: gr.Radio(visible=False),
            self.document_steps: "",
            self.fewer: gr.Column(visible=False),
        }

    def choose(self, row: int | None, *asked: Any) -> str:
        """Returns the steps of the document that was chosen; never an exception."""

        def steps() -> str:
            question = question_of(self._library, asked)
            found = SEARCHES.call(partial(_followed, question, row))
            return document_steps(question.searcher.manifest, question.index, found)

        return _guarded("This document cannot be shown", partial(HEAVY.call, steps))

    def drop(self, dim: int | None, *asked: Any) -> str:
        """Returns what the bits of the first `dim` dimensions lose; never an exception."""

        def lost() -> str:
            question = question_of(self._library, asked)
            vector = SEARCHES.call(partial(_followed, question, None)).vector
            dropped = drop_dimensions(question.searcher, vector, min(question.settings.top_k, _MOST_CHOICES))
            return dropped_html(dropped, dim or 0)

        return _guarded("This cannot be measured now", partial(HEAVY.call, lost))

    def _update(self, searcher: Searcher, index: str, found: Explanation, lead: str) -> Update:
        manifest = searcher.manifest
        return {
            self.query_steps: query_steps(manifest, index, found, lead + lifted_words(found)),
            self.document: gr.Radio(document_choices(found), value=found.hit.row, visible=True),
            self.document_steps: document_steps(manifest, index, found),
            self.fewer: gr.Column(visible=True),
            self.dimensions: gr.Radio(dimension_choices(manifest.dim), value=None),
            self.dropped: "",
        }


def _followed(question: Question, row: int | None) -> Explanation:
    """Returns the explanation of a query, or of an example where there is none."""
    if not question.text.strip():
        return follow_example(question.searcher, question.settings, row)
    return explain(question.searcher, question.text, question.settings, row, otherwise=most_lifted)


def _guarded(what_failed: str, make: Callable[[], str]) -> str:
    """Returns what `make` returns, or a message in its place; never an exception."""
    try:
        return make()
    except RetrievalError as error:
        return message(what_failed, error_words(error), is_error=True)
    except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
        _LOG.exception("an explanation failed")
        return message(what_failed, "It was logged.", is_error=True)


def lifted_words(found: Explanation) -> str:
    """Returns how rescoring moved the chosen document up; empty if it did not."""
    hit, num_hits = found.hit, len(found.response.hits)
    if hit.binary_rank <= hit.rank:
        return ""
    missed = f", outside the first {num_hits:,}" if hit.binary_rank > num_hits else ""
    return (
        f'<p class="lifted">By bits alone, <q dir="auto">{_short(hit.document.text, 90)}</q> was number '
        f"<strong>{hit.binary_rank:,}</strong>{missed}. Now it is number <strong>{hit.rank:,}</strong>. These steps "
        "show what happened to it; below you can choose another document.</p>"
    )


def document_choices(found: Explanation) -> Sequence[tuple[str, int]]:
    """Returns the hits that can be chosen, as labels and rows."""
    hits = found.response.hits[:_MOST_CHOICES]
    return [(f"{hit.rank}  {one_line(hit.document.text, _CHOICE_CHARS)}", hit.row) for hit in hits]


def follow_example(searcher: Searcher, settings: SearchSettings, row: int | None = None) -> Explanation:
    """Returns the explanation of an example; without a model, of a document that serves as the query."""
    if searcher.can_encode:
        return explain(searcher, example_query(searcher), settings, row, otherwise=most_lifted)
    return explain_first_document(searcher, settings, row)


def example_query(searcher: Searcher) -> str:
    """Returns the first example of an index; where there is none, the beginning of its first document."""
    examples = searcher.manifest.corpus.examples
    if examples:
        return examples[0]
    [document] = searcher.documents([0])
    return " ".join(document.text.split()[:_EXAMPLE_WORDS])


def _short(text: str, max_chars: int) -> str:
    return escaped(one_line(text, max_chars))
