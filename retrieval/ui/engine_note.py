"""The note that a remote engine does not answer, or is back; the page polls for it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.ui.markup import error_words, escaped

_LOOK_S = 2.0


def engine_note(searchers: tuple[Searcher, ...]) -> str:
    """Returns, as HTML, which engines do not answer; empty while all do."""
    notes = []
    for searcher in searchers:
        try:
            searcher.store.raise_if_failed()
        except RetrievalError as error:
            words = f"{error_words(error)} This page continues by itself when it is back."
            notes.append(f'<p class="banner" role="status" data-kind="error">{escaped(words)}</p>')
    return "".join(notes)


def place_engine_note(page: gr.Blocks, library: Library) -> list[Any]:
    """Places the note if an index is kept in another engine.

    Returns the events for when such an engine stops answering or answers again.
    """
    if not library.engines():
        return []
    note = gr.HTML("", elem_id="engine-note", apply_default_css=False)
    timer = gr.Timer(_LOOK_S)
    gr.on(
        [page.load, timer.tick], lambda: engine_note(library.engines()), None, note, queue=False,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return [note.change]
