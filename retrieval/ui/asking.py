"""What a visitor asks: the query bar, the choice of index and the settings, shared by all views that show a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from retrieval.results import SearchSettings
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library, still_there
from retrieval.ui.knobs import Knobs, OpenDropdown, settings_of
from retrieval.ui.markup import escaped
from retrieval.ui.notes import defaults_note
from retrieval.ui.request_limits import MAX_QUERY_CHARS, served_query
from retrieval.ui.views import Question, Update
from retrieval.ui.visit import Visit
from retrieval.ui.your_data.own_index import OWN, OwnIndex, discard

MAX_EXAMPLES = 6
OF_OPEN_VIEW = "(active, ...asked) => [window.openView(active), ...asked]"
"""As `js` of an event: the browser knows the open view before the server does."""
_TOOLS = (
    '<div class="tools"><button type="button" class="quiet" data-copy-link>Copy link</button>'
    '<button type="button" class="quiet" id="settings-button" aria-expanded="false" aria-controls="settings">'
    '<span class="words">Settings</span></button></div>'
)
"""The buttons in the row of tabs; the script of the page answers them."""


def searcher_of(library: Library, index: str | None, own: OwnIndex | None) -> Searcher:
    """Returns the searcher that a choice of index stands for.

    Raises:
        RetrievalError: if it cannot be opened.
    """
    if index == OWN and own is not None:
        return still_there(own.searcher)
    return library.open(None if index == OWN else index)


def index_choices(library: Library, own: OwnIndex | None) -> list[tuple[str, str]]:
    """Returns the indexes that can be selected, as labels and names; the visitor's own comes first."""
    yours = [(f"Yours: {own.label}, {len(own.searcher):,}", OWN)] if own is not None else []
    return yours + [(f"{entry.name}, {entry.row_count:,}", entry.name) for entry in library.entries()]


def place_index(library: Library) -> OpenDropdown:
    """Returns the choice of index, placed in the layout that is being built."""
    return OpenDropdown(
        index_choices(library, None), value=library.default, label="Index", elem_id="index", scale=0, min_width=120,
        filterable=False,
    )  # fmt: skip


class Asking:
    """The components that make up a question."""

    def __init__(self, searcher: Searcher, index: OpenDropdown) -> None:
        """Places the query bar and the settings in the layout that is being built.

        Args:
            searcher: the one that is searched first.
            index: the choice of index, placed elsewhere.
        """
        self.index = index
        self.visit, self.own = gr.State(Visit()), gr.State(None, delete_callback=discard)
        self.active = gr.Textbox("search", visible="hidden", elem_id="active-view")
        """Hidden: the key of the open view."""
        with gr.Column(elem_id="query-area"):
            with gr.Row(elem_id="query-row"):
                self.query = gr.Textbox(
                    label="Your question", placeholder=placeholder(searcher), elem_id="query", lines=1, max_lines=1,
                    autofocus=True, scale=1, max_length=MAX_QUERY_CHARS,
                )  # fmt: skip
                self.button = gr.Button("Search", variant="primary", elem_id="search", scale=0, min_width=110)
                # The page's script presses it when the typing pauses.
                self.follow = gr.Button("Search as you type", elem_id="follow", visible="hidden")
            self.examples = gr.HTML(example_buttons(searcher), elem_id="examples", apply_default_css=False)
        with gr.Column(elem_id="tools"):
            gr.HTML(_TOOLS, apply_default_css=False)
            with gr.Column(elem_id="settings"):
                # Where the settings of the index come from.
                self.origin = gr.HTML(defaults_note(searcher.manifest), apply_default_css=False)
                self.knobs = Knobs(searcher)

    @property
    def inputs(self) -> list[Any]:
        """Returns the components whose values `question_of` takes, in its order."""
        return [self.query, self.index, self.own, *self.knobs.inputs]

    @property
    def index_outputs(self) -> list[Any]:
        """Returns the components that `on_index` updates."""
        return [self.query, self.index, self.examples, self.origin, *self.knobs.inputs]

    def on_index(self, searcher: Searcher, settings: SearchSettings) -> Update:
        """Returns the query bar for another index: its examples, and `settings` in its controls."""
        return {
            self.query: gr.Textbox(placeholder=placeholder(searcher)),
            self.examples: example_buttons(searcher),
            self.origin: defaults_note(searcher.manifest),
            **dict(zip(self.knobs.inputs, self.knobs.updates(searcher, settings), strict=True)),
        }


def question_of(library: Library, values: Sequence[Any]) -> Question:
    """Returns the question that the values of `Asking.inputs` stand for.

    Raises:
        QueryError: if the query or a setting is beyond what is answered here.
        RetrievalError: if the index cannot be opened.
    """
    text, index, own, *knobs = values
    searcher = searcher_of(library, index, own)
    if (text or "").strip():
        served_query(text)
    return Question(text or "", index or library.default, searcher, settings_of(tuple(knobs), searcher.defaults))


def example_buttons(searcher: Searcher) -> str:
    """Returns the examples for the index, shown under the empty query box."""
    examples = "".join(
        f'<button type="button" class="example" data-example>{escaped(example)}</button>'
        for example in searcher.manifest.corpus.examples[:MAX_EXAMPLES]
    )
    return f'<div class="examples">{examples}</div>'


def placeholder(searcher: Searcher) -> str:
    """Returns the placeholder of the query box."""
    if not searcher.can_encode:
        return "This index has no model, so it cannot read questions"
    examples = searcher.manifest.corpus.examples
    return examples[0] if examples else "What are you looking for?"
