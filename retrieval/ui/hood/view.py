"""Under the hood: the query followed through every step, with its real numbers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.results import SearchSettings
from retrieval.search.explanation.explain import Explanation, explain, explain_first_document
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.serving.turns import SEARCHES
from retrieval.ui.asking import Asking, Question, Update, question_of
from retrieval.ui.hood.steps import document_steps, query_steps
from retrieval.ui.markup import error_words, escaped, one_line
from retrieval.ui.search.hit_cards import message
from retrieval.ui.visit import Visit

_LOG = logging.getLogger(__name__)
_CHOICE_CHARS = 36
_MOST_CHOICES = 10
_EXAMPLE_WORDS = 6
_QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


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
        self.outputs = [self.query_steps, self.document, self.document_steps]
        self.document.input(
            self.choose, [self.document, *asking.inputs], self.document_steps, trigger_mode="always_last", **_QUIET
        )

    def on_index(self, searcher: Searcher) -> Update:
        """Returns nothing new: the view is answered when it is opened, and until then it is not seen."""
        return {}

    def answer(self, question: Question, visit: Visit) -> Update:
        """Returns the steps of a query, and its hits to choose a document from.

        Raises:
            RetrievalError: if the search cannot be made.
        """
        found = SEARCHES.call(partial(explain, question.searcher, question.text, question.settings))
        lead = f'<p class="lead">Your query, <q dir="auto">{_short(question.text, 120)}</q>, step by step.</p>'
        return self._update(question.searcher, question.index, found, lead)

    def empty(self, searcher: Searcher) -> Update:
        """Returns the steps of an example."""
        found = SEARCHES.call(partial(follow_example, searcher, searcher.defaults))
        words, more = "An example", "Type a question of your own above, and every picture follows."
        if not searcher.can_encode:
            words, more = (
                "A document",
                "It serves as the query: this index has no model to turn a question into a vector.",
            )
        lead = f'<p class="lead">{words}, <q dir="auto">{_short(found.text, 120)}</q>, step by step. {more}</p>'
        return self._update(searcher, searcher.bundle.path.name, found, lead)

    def show(self, message: str) -> Update:
        """Returns a message in the place of the steps."""
        return {
            self.query_steps: f'<div class="hood">{message}</div>',
            self.document: gr.Radio(visible=False),
            self.document_steps: "",
        }

    def choose(self, row: int | None, *asked: Any) -> str:
        """Returns the steps of the document that was chosen; never an exception."""
        try:
            question = question_of(self._library, asked)
            searcher = question.searcher
            if question.text.strip():
                explained = partial(explain, searcher, question.text, question.settings, row)
            else:
                explained = partial(follow_example, searcher, question.settings, row)
            found = SEARCHES.call(explained)
        except RetrievalError as error:
            return message("This document cannot be shown", error_words(error), is_error=True)
        except Exception:  # noqa: BLE001 - the border to the visitor: whatever it is, the page goes on working
            _LOG.exception("an explanation failed")
            return message("This document cannot be shown", "It was noted in the log.", is_error=True)
        return document_steps(searcher.manifest, question.index, found)

    def _update(self, searcher: Searcher, index: str, found: Explanation, lead: str) -> Update:
        manifest = searcher.manifest
        return {
            self.query_steps: query_steps(manifest, index, found, lead),
            self.document: gr.Radio(document_choices(found), value=found.hit.row, visible=True),
            self.document_steps: document_steps(manifest, index, found),
        }


def document_choices(found: Explanation) -> Sequence[tuple[str, int]]:
    """Returns the hits that can be chosen: what the visitor reads, and the row."""
    hits = found.response.hits[:_MOST_CHOICES]
    return [(f"{hit.rank}  {one_line(hit.document.text, _CHOICE_CHARS)}", hit.row) for hit in hits]


def follow_example(searcher: Searcher, settings: SearchSettings, row: int | None = None) -> Explanation:
    """Returns the explanation of an example; without a model, of a document that serves as the query."""
    if searcher.can_encode:
        return explain(searcher, example_query(searcher), settings, row)
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
