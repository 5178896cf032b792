"""The whole page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from retrieval.searcher import Searcher
from retrieval.ui.api import SearchApi
from retrieval.ui.frame import banner, colophon, masthead
from retrieval.ui.public_link import PublicLink
from retrieval.ui.search_view import SearchView

TITLE = "Embedding quantization: semantic search from bits"


def build_page(searcher: Searcher, notes: Sequence[str] = (), public_link: PublicLink | None = None) -> gr.Blocks:
    """Returns the page over `searcher`, not yet served; launch it with `theme.launch_options()`.

    Args:
        searcher: answers the queries.
        notes: what every visitor should know, such as that this is the small default; code between backticks.
        public_link: the link that was asked for with `--share`; the page says what came of it.
    """
    all_notes = (*notes, *searcher.notes)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        SearchApi(searcher)  # first, so that no handler of the page takes the name of the endpoint
        gr.HTML(masthead(searcher.manifest, searcher.memory()), elem_id="masthead", apply_default_css=False)
        gr.HTML(banner(all_notes), visible=bool(all_notes), elem_id="banner", apply_default_css=False)
        if public_link is not None:
            _place_link_note(public_link)
        SearchView(searcher)
        gr.HTML(colophon(searcher.manifest), elem_id="colophon", apply_default_css=False)
    return page


def _place_link_note(link: PublicLink) -> None:
    """Places the note about the public link, which is looked up again until there is nothing left to wait for."""
    note = gr.HTML(banner([link.note]), elem_id="public-link", apply_default_css=False)
    timer = gr.Timer(1.0)

    def look_up() -> tuple[str, Any]:
        return banner([link.note]), gr.Timer(active=not link.is_settled)

    timer.tick(look_up, None, [note, timer], queue=False, show_progress="hidden", api_visibility="private")
