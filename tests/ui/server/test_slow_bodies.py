"""A body that trickles in is given up after a while; one that arrives in time is passed on unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive, Scope, Send

from retrieval.ui.server.guard import RequestGuard

PIECE = b'{"data": []}'


def guarded(seen: list[bytes], tmp_path: Path, **limits: float) -> RequestGuard:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            seen.append(message["body"])
            if not message.get("more_body", False):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    sizes = {"max_body_bytes": 1000, "max_upload_bytes": 1000, "max_uploads_bytes": 1000}
    return RequestGuard(app, uploads=tmp_path, **sizes, **limits)  # type: ignore[arg-type]


def sent(guard: RequestGuard, path: str, pieces: Sequence[bytes | None]) -> list[Message]:
    """Returns what is answered to a body in pieces; after None, nothing comes any more."""
    left, answered = list(pieces), list[Message]()

    async def receive() -> Message:
        piece = left.pop(0)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Message) -> None:
        answered.append(message)

    scope: dict[str, Any] = {"type": "http", "path": path, "headers": [], "method": "POST"}
    asyncio.run(guard(scope, receive, send))
    return answered


def test_a_body_that_stops_coming_is_given_up_and_its_connection_closed(tmp_path: Path) -> None:
    seen: list[bytes] = []
    start, body = sent(guarded(seen, tmp_path, body_s=0.05), "/gradio_api/run/search", [PIECE, None])
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert "too slowly" in json.loads(body["body"])["error"]
    assert seen == []


@pytest.mark.parametrize("limits", [{"silence_s": 0.05}, {"upload_s": 0.05}])
def test_an_upload_that_stops_coming_is_given_up(tmp_path: Path, limits: dict[str, float]) -> None:
    seen: list[bytes] = []
    with pytest.raises(MultiPartException, match="too slowly"):
        sent(guarded(seen, tmp_path, **limits), "/gradio_api/upload", [PIECE, None])
    assert seen == [PIECE]


@pytest.mark.parametrize("path", ["/gradio_api/run/search", "/gradio_api/upload"])
def test_a_body_in_pieces_that_come_is_passed_on(tmp_path: Path, path: str) -> None:
    seen: list[bytes] = []
    start, _ = sent(guarded(seen, tmp_path), path, [PIECE[:5], PIECE[5:]])
    assert start["status"] == 200
    assert b"".join(seen) == PIECE
