"""What the stand-in sends, and what the faults do to it; and the server that its answers share."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripts.hub_stand_in.faults import Access, Fault
from scripts.hub_stand_in.file_bytes import CHUNK_BYTES, altered, file_chunks, first_bytes, wanted_range
from scripts.hub_stand_in.folders import HubRefusal, etag
from scripts.hub_stand_in.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the stand-in answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


class HubServer(ThreadingHTTPServer):
    """The server as its handlers see it."""

    daemon_threads = True

    def __init__(self, root: Path, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.root = root
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.access = Access()
        self.uploads = Uploads(root)
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", port), handler)

    @property
    def endpoint(self) -> str:
        """Returns the URL for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing about clients that hang up: a test that resumes a download does just that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Sender(BaseHTTPRequestHandler):
    """Reads the body of a request, notes it, and sends an answer."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the requests in `HubStandIn.requests` instead of printing them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Notes a request and the status of its answer."""
        status = int(code.value if isinstance(code, HTTPStatus) else code)
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items()), status))

    def chunks_of_body(self) -> Iterator[bytes]:
        """Yields the body of the request."""
        left = int(self.headers.get("Content-Length", 0))
        while left and (chunk := self.rfile.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def send_json(self, value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        """Answers with JSON."""
        body = json.dumps(value).encode()
        self._send_head(
            status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        )
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, path: Path, commit: str) -> None:
        """Answers with the file at `path`, or the part of it that is asked for, as far as the faults let it."""
        size = path.stat().st_size
        start, end = wanted_range(self.headers.get("Range"), size)
        headers = {
            **{"ETag": f'"{etag(path)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"},
            **{"Content-Type": "application/octet-stream", "Content-Length": str(end - start)},
        }
        if start >= size and size:
            self._send_head(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            )
            return
        fault = None if self.command == "HEAD" else self._fault(path.as_posix())
        if "Range" in self.headers:
            self._send_head(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})
        else:
            self._send_head(HTTPStatus.OK, headers)
        if self.command != "HEAD":
            self._send_bytes(path, start, end, fault)

    def _fault(self, path: str) -> Fault | None:
        """Returns what happens to this answer, after holding it back if that is all that happens."""
        fault = next((fault for fault in self.server.faults if fault.strikes(path)), None)
        if fault is not None and fault.kind == "busy":
            raise HubRefusal("", "the hub is busy", status=503)
        if fault is not None and fault.kind == "stall" and not fault.after_bytes:
            self.server.closing.wait()
        return fault

    def _send_bytes(self, path: Path, start: int, end: int, fault: Fault | None) -> None:
        chunks = file_chunks(path, start, end)
        if fault is not None:
            cut = fault.kind in ("cut", "stall")
            chunks = first_bytes(chunks, fault.after_bytes) if cut else altered(chunks, fault.after_bytes)
        for chunk in chunks:
            self.wfile.write(chunk)
        if fault is not None and fault.kind == "stall":
            self.server.closing.wait()
        if fault is not None and fault.kind != "alter":
            self.close_connection = True

    def _send_head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
