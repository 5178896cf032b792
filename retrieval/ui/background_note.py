"""The note about the index that is made ready beside the page: how far it is, and the way to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import gradio as gr

from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.background.status import BackgroundStatus
from retrieval.ui.markup import escaped

_LOOK_S = 2.0


def background_note(status: BackgroundStatus) -> str:
    """Returns the status as a banner, with a bar where the share that is done is known."""
    bar = ""
    if status.fraction is not None and not status.is_settled:
        bar = f' <progress value="{status.fraction:.3f}" max="1" aria-label="{escaped(status.phase)}"></progress>'
    way = ""
    if status.index_name is not None:
        way = f' <a href="?index={quote(status.index_name, safe="")}">Search it</a>'
    kind = ' data-kind="error"' if status.failed else ""
    return f'<p class="banner" role="status"{kind}>{escaped(status.message)}{bar}{way}</p>'


def place_background_note(page: gr.Blocks, index: BackgroundIndex) -> None:
    """Places the note, which is looked up again until there is nothing left to wait for."""
    note = gr.HTML(background_note(index.status), elem_id="background-note", apply_default_css=False)
    timer = gr.Timer(_LOOK_S)

    def look_up() -> tuple[str, Any]:
        status = index.status
        return background_note(status), gr.Timer(active=not status.is_settled)

    gr.on(
        [page.load, timer.tick], look_up, None, [note, timer], queue=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
