"""The whole page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import gradio as gr

from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.serving.stopping import at_end
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.answering import Answering
from retrieval.ui.api import Api
from retrieval.ui.asking import Asking, place_index
from retrieval.ui.benchmarks.view import BenchmarksView
from retrieval.ui.compare.view import CompareView
from retrieval.ui.frame import NO_NOTES, Frame, IndexNotes, banner
from retrieval.ui.hood.view import HoodView
from retrieval.ui.notes import place_background_note, place_engine_note
from retrieval.ui.public_link import PublicLink
from retrieval.ui.search.view import SearchView
from retrieval.ui.theme import QUIET
from retrieval.ui.your_data.view import OwnView

TITLE = "Embedding quantization: semantic search from bits"
UPLOADS_KEPT_S = (60, 600)
"""How often to look for uploads that no view took, and how old they may become."""


def build_page(
    library: Library,
    notes: Sequence[str] = (),
    public_link: PublicLink | None = None,
    *,
    index_notes: IndexNotes = NO_NOTES,
    background: BackgroundIndex | None = None,
) -> gr.Blocks:
    """Returns the page over the indexes of a library, not yet served; launch it with `theme.launch_options()`.

    Args:
        library: the indexes; the default one is opened now.
        notes: what every visitor should know; code between backticks.
        public_link: the link requested with `--share`; the page shows its status.
        index_notes: notes about the index in a folder, such as that it is the small default.
        background: the index that is being prepared; the page shows its progress.

    Raises:
        RetrievalError: if the default index cannot be opened.
    """
    library.open()  # an index that cannot be opened is reported before a page is made
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=UPLOADS_KEPT_S) as page:
        lay_out(page, library, notes, public_link, index_notes=index_notes, background=background)
    return page


def lay_out(
    page: gr.Blocks,
    library: Library,
    notes: Sequence[str] = (),
    public_link: PublicLink | None = None,
    *,
    index_notes: IndexNotes = NO_NOTES,
    background: BackgroundIndex | None = None,
) -> Answering:
    """Places everything in `page`, which is open, and returns its event handlers; see `build_page`."""
    searcher = library.open()
    frontiers = IndexFrontiers()
    at_end(frontiers.close)
    Api(library, frontiers)  # first, so that no handler of the page takes the name of an endpoint
    frame = Frame(searcher, notes, index_notes)
    with gr.Column(elem_id="top"):
        frame.head.render()
        index = place_index(library)
    frame.notes.render()
    if background is not None:
        place_background_note(page, background)
    if public_link is not None:
        _place_link_note(public_link)
    engine_changes = place_engine_note(page, library)
    asking = Asking(searcher, index)
    with gr.Tabs(elem_id="views", overflow_behavior="wrap") as tabs:
        with gr.Tab("Search", id="search"):
            search = SearchView(library, asking, searcher)
        with gr.Tab("Compare", id="compare"):
            comparing = CompareView(searcher)
        with gr.Tab("Under the hood", id="hood"):
            hood = HoodView(library, asking)
        with gr.Tab("Your data", id="own"):
            own = OwnView(page, library, asking, tabs, OwnLimits.from_environment(os.environ))
        with gr.Tab("Benchmarks", id="benchmarks") as tab:
            BenchmarksView(library, asking, tab, frontiers)
    frame.foot.render()
    return Answering(page, library, asking, frame, tabs, [search, comparing, hood], own.index_changes, engine_changes)


def _place_link_note(link: PublicLink) -> None:
    """Places the note about the public link, which is polled until there is nothing left to wait for."""
    note = gr.HTML(banner([link.note]), elem_id="public-link", apply_default_css=False)
    timer = gr.Timer(1.0)

    def look_up() -> tuple[str, Any]:
        return banner([link.note]), gr.Timer(active=not link.is_settled)

    timer.tick(look_up, None, [note, timer], **QUIET)
