"""Answers to failed requests: a sentence instead of an error that is empty or repeats what was sent."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

_WATCHED = (422, 500)
_MOST_BYTES = 4_000
"""A longer error repeats what was sent."""
_NOT_USABLE = "The call could not be answered: check its name, and the number and types of its values."


def sentence(status: int, text: str, *, close: bool = False) -> JSONResponse:
    """Returns an error as Gradio's clients and browsers show it; with `close`, nothing more is read of the request."""
    content = {"error": text, "visible": True, "title": "Error", "duration": 10}
    return JSONResponse(content, status, headers={"connection": "close"} if close else None)


class GuardedAnswer:
    """Passes an answer on; an error that says nothing, or too much, is replaced by a sentence first."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        """The start of an error whose rest has not arrived yet."""
        self._body = bytearray()
        self._is_started = False

    async def send(self, message: Message) -> None:
        """Takes a message from the application."""
        if message["type"] == "http.response.start" and message["status"] in _WATCHED:
            self._held = message
        elif self._held is None:
            self._is_started = True
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._release(self._held)

    async def fail(self, scope: Scope, receive: Receive) -> None:
        """Sends the sentence, if nothing was sent yet."""
        if not self._is_started:
            self._is_started = True
            await sentence(500, _NOT_USABLE)(scope, receive, self._send)

    async def _release(self, start: Message) -> None:
        self._is_started = True
        if not _says_something(bytes(self._body)):
            answer = sentence(start["status"], _NOT_USABLE)
            start = {**start, "headers": answer.raw_headers}
            self._body = bytearray(answer.body)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(self._body)})


def _says_something(body: bytes) -> bool:
    try:
        content = json.loads(body)
    except ValueError:
        return False
    return (
        len(body) <= _MOST_BYTES and isinstance(content, dict) and bool(content.get("error") or content.get("detail"))
    )
