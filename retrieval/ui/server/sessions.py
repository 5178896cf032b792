"""Gradio's state per visitor: about 0.2 MB, which it keeps forever. Here it is deleted minutes after visitors leave."""

from __future__ import annotations

from datetime import datetime

from gradio.state_holder import StateHolder
from starlette.types import ASGIApp, Receive, Scope, Send

from retrieval.serving.open_pages import LEFT_S, OpenPages

MAX_SESSIONS = 2_000
"""Beyond this, the least recently used state is deleted."""
_HEARTBEAT = "/heartbeat/"


class Heartbeats:
    """Notes which pages are open: each holds one request for that long."""

    def __init__(self, app: ASGIApp, *, pages: OpenPages) -> None:
        """Takes the application, and the register."""
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        _, found, session = scope.get("path", "").partition(_HEARTBEAT)
        if not found or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._pages.held(session.strip("/")):
            await self._app(scope, receive, send)


def let_go_of_left(states: StateHolder, pages: OpenPages, left_s: float = LEFT_S) -> int:
    """Deletes the state of visitors without an open page or a recent request; returns how many."""
    now, left = datetime.now(), 0
    for session, last_used in list(states.time_last_used.items()):
        if pages.is_open(session) or (now - last_used).total_seconds() < left_s:
            continue
        states.delete_state(session)
        with states.lock:
            states.session_data.pop(session, None)
            states.time_last_used.pop(session, None)
        left += 1
    return left
