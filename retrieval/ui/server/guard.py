"""Checks in front of the page and its endpoints: no request is too large, and no error is empty.

Gradio reads bodies of any size, follows every file that a body names, and answers what it cannot use with an empty
error.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieval.serving.temp_folders import folder_bytes
from retrieval.ui.markup import data_size
from retrieval.ui.server.answer import GuardedAnswer, sentence
from retrieval.ui.your_data.uploads import may_be_upload

BODY_S = 30.0
"""How long the body of a request may take, unless it is an upload."""
UPLOAD_S = 900.0
"""How long an upload may take: 25 MB at 28 kB per second."""
UPLOAD_SILENCE_S = 30.0
"""How long the next chunk of an upload may take."""
_NEVER_USED = ("/process_recording",)
"""What Gradio offers to components that this page does not have."""
_MAY_NAME_FILES = (b"FileData", b"\\u", b"\0")
"""A body without any of these names no file: JSON can spell the word only plainly, escaped, or in UTF-16 or 32."""


class RequestGuard:
    """Refuses requests that are too large, or that name a file that was not uploaded, and says why."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        max_upload_bytes: int,
        uploads: Path,
        max_uploads_bytes: int,
        body_s: float = BODY_S,
        upload_s: float = UPLOAD_S,
        silence_s: float = UPLOAD_SILENCE_S,
    ) -> None:
        """Takes the application for requests that pass, the limits, and the folder in which Gradio keeps uploads."""
        self._body_s, self._upload_s, self._silence_s = body_s, upload_s, silence_s
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes
        self._uploads = uploads
        self._max_uploads_bytes = max_uploads_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].rstrip("/")
        if path.endswith(_NEVER_USED):
            await sentence(404, "This page does not accept recordings.")(scope, receive, send)
            return
        is_upload = path.endswith("/upload")
        most = self._max_upload_bytes if is_upload else self._max_body_bytes
        if _announced_bytes(scope) > most:
            await _too_large(most)(scope, receive, send)
            return
        if is_upload and await run_in_threadpool(folder_bytes, self._uploads) >= self._max_uploads_bytes:
            full = "This server has no space for more uploads now: try again in a few minutes."
            await sentence(507, full, close=True)(scope, receive, send)
            return
        if is_upload:
            await self._answer(scope, _Counted(receive, most, self._silence_s, self._upload_s).receive, send)
            return
        try:
            async with asyncio.timeout(self._body_s):
                body = await _read(receive, most)
        except TimeoutError:
            await sentence(408, "The request arrived too slowly: send it again.", close=True)(scope, receive, send)
            return
        except _TooLargeError:
            await _too_large(most)(scope, receive, send)
            return
        if body is None:
            return  # nobody is waiting for an answer any more
        if (refused := self._refusal(body)) is not None:
            await sentence(400, refused)(scope, receive, send)
            return
        await self._answer(scope, _Replayed(body, receive).receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = GuardedAnswer(send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            await answer.fail(scope, receive)
            raise  # to whom it is noted in the log

    def _refusal(self, body: bytes) -> str | None:
        if not any(mark in body for mark in _MAY_NAME_FILES):
            return None
        try:
            paths = list(_file_paths(json.loads(body)))
        except (ValueError, RecursionError):
            return "The request cannot be read: JSON in UTF-8 is needed."
        if all(may_be_upload(Path(path), self._uploads) for path in paths):
            return None
        return "The request names a file that was not uploaded here: upload it first, and use the name in the answer."


class _TooLargeError(Exception):
    """A body is too large."""


class _Counted:
    """Passes an upload on in chunks, up to a limit of bytes and of time.

    Gradio deletes the chunks if it gets its own exception.
    """

    def __init__(self, receive: Receive, most: int, silence_s: float, upload_s: float) -> None:
        self._receive = receive
        self._left = most
        self._is_whole = False
        self._silence_s = silence_s
        self._ends_at = time.monotonic() + upload_s

    async def receive(self) -> Message:
        limit_s = None if self._is_whole else min(self._silence_s, self._ends_at - time.monotonic())
        try:
            async with asyncio.timeout(limit_s):
                message = await self._receive()
        except TimeoutError as error:
            raise MultiPartException("The upload arrived too slowly.") from error
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise MultiPartException("The upload is larger than the maximum allowed size.")
        if message["type"] == "http.disconnect" and not self._is_whole:
            raise MultiPartException("The upload was interrupted.")
        self._is_whole = not message.get("more_body", False)
        return message


class _Replayed:
    """Passes on a body that was already read, and then anything that follows."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def receive(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read(receive: Receive, most: int) -> bytes | None:
    """Returns a whole body, None if the client left before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def _announced_bytes(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _file_paths(value: Any) -> Iterator[str]:
    """Yields the paths of everything that Gradio takes for files, anywhere in the value."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if isinstance(path := each.get("path"), str) and "meta" in each:
                yield path
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


def _too_large(most: int) -> JSONResponse:
    return sentence(413, f"The request is too large: at most {data_size(most)} can be sent.", close=True)
