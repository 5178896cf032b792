"""The state that Gradio keeps for a visitor goes minutes after the visitor did, and not before."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

import gradio as gr

from retrieval.serving.open_pages import OpenPages
from retrieval.ui.server.sessions import Heartbeats, let_go_of_left
from tests.support import in_loop


def page_with_state(deleted: list[str]) -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as page:
        gr.State("mine", delete_callback=deleted.append)
    return page


def test_state_goes_when_its_page_is_closed_and_nothing_was_asked_for_a_while() -> None:
    deleted: list[str] = []
    page = in_loop(lambda: page_with_state(deleted))
    states, pages = page.state_holder, OpenPages()
    (component,) = [key for key, block in page.blocks.items() if isinstance(block, gr.State)]
    for session in ("open", "left", "just used"):
        assert states[session][component] == "mine"
        states[session][component] = session
    for session in ("open", "left"):
        states.time_last_used[session] = datetime.now() - timedelta(minutes=10)
    with pages.held("open"):
        assert let_go_of_left(states, pages) == 1
    assert set(states.session_data) == {"open", "just used"}
    assert deleted == ["left"]
    assert let_go_of_left(states, pages) == 1


def test_a_page_is_open_for_as_long_as_its_heartbeat_runs() -> None:
    pages = OpenPages()
    seen: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(pages.is_open("abc"))
        if scope["path"].endswith("abc"):
            raise ConnectionResetError

    async def ask(path: str) -> None:
        with contextlib.suppress(ConnectionResetError):
            await Heartbeats(app, pages=pages)({"type": "http", "path": path}, None, None)  # type: ignore[arg-type]

    asyncio.run(ask("/gradio_api/heartbeat/abc"))
    asyncio.run(ask("/gradio_api/run/search"))
    assert seen == [True, False]
    assert not pages.is_open("abc")
