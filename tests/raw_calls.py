"""Calls of a served page by hand: what no browser sends, and anybody can."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.page_server import RunningApp
from tests.support import PATIENCE_S


@dataclass(frozen=True)
class RawAnswer:
    """What the server said."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Returns the sentence of an error."""
        found = self.json["error"]
        assert isinstance(found, str), self.body[:300]
        return found


def send(app: RunningApp, path: str, body: bytes | Iterable[bytes], content_type: str) -> RawAnswer:
    """Posts a body, as a whole or in chunks; a server that answers before the end is heard."""
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=PATIENCE_S)
    headers = {"Content-Type": content_type, "Accept": "application/json, text/event-stream"}
    with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough
        connection.request("POST", f"/gradio_api/{path}", body, headers, encode_chunked=not isinstance(body, bytes))
    try:
        answer = connection.getresponse()
        return RawAnswer(answer.status, answer.read())
    finally:
        connection.close()


def call(app: RunningApp, name: str, data: list[Any], session: str = "one") -> RawAnswer:
    """Calls an endpoint or a handler by its name."""
    body = json.dumps({"data": data, "session_hash": session}).encode()
    return send(app, f"run/{name}", body, "application/json")


def upload(app: RunningApp, name: str, content: bytes) -> str:
    """Uploads a file, and returns the path that the server names."""
    boundary = "a-boundary-that-no-file-has"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    answer = send(
        app, "upload", head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
    )  # fmt: skip
    assert answer.status == 200, answer.body
    [path] = answer.json
    return str(path)


def file_data(path: str) -> dict[str, Any]:
    """Returns a file as a browser names it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
