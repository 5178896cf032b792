"""A stand-in of the Hugging Face hub on this machine, for tests and rehearsals.

It serves folders (`hub_folders.py` says how they are laid out) over the routes on which the real clients, `datasets`
and `huggingface_hub`, read:

    with HubStandIn(root) as hub:
        subprocess.run(command, env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(empty_folder)})

The clients read HF_ENDPOINT when they are imported, hence the process of its own.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scripts.hub_folders import HubRefusal, etag, find_branch, find_branches

_CHUNK_BYTES = 1 << 20
_POLL_SECONDS = 0.02
_API = re.compile(
    r"/api/(?P<kind>datasets|models|spaces)/(?P<repo>[^/]+/[^/]+)"
    r"(?:/(?P<verb>revision|tree|paths-info|refs)(?:/(?P<revision>[^/]+)(?:/(?P<path>.*))?)?)?"
)
_RESOLVE = re.compile(r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the stand-in answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


class HubStandIn:
    """Serves the repositories under `root` while it is entered; `requests` lists what it was asked, in order."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self.requests: list[Request] = []
        self._server = _Server(self, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="hub-stand-in", daemon=True
        )

    def __enter__(self) -> HubStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """Returns the URL for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubStandIn, port: int) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing about clients that hang up: a test that resumes a download does just that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        """Answers as GET does, without a body."""
        self._answer()

    def do_GET(self) -> None:
        """Answers with information about a repository, or with a file."""
        self._answer()

    def do_POST(self) -> None:
        """Answers `paths-info`, the one question that comes with a body."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the requests in `HubStandIn.requests` instead of printing them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Notes a request and the status of its answer."""
        status = int(code.value if isinstance(code, HTTPStatus) else code)
        self.server.hub.requests.append(Request(self.command, self.path, dict(self.headers.items()), status))

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        url = urlsplit(self.path)
        try:
            if match := _API.fullmatch(url.path):
                self._send_json(self._api(match, parse_qs(url.query), parse_qs(body)))
            elif match := _RESOLVE.fullmatch(url.path):
                self._send_file(match)
            elif url.path == "/":
                self._send_json({"stand-in": True})
            else:
                raise HubRefusal("EntryNotFound", f"the stand-in has no route {self.command} {url.path}")
        except HubRefusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": str(refusal)}
            if refusal.commit is not None:
                headers["X-Repo-Commit"] = refusal.commit
            self._send_json({"error": str(refusal)}, HTTPStatus.NOT_FOUND, headers)

    def _api(self, match: re.Match[str], query: dict[str, list[str]], form: dict[str, list[str]]) -> Any:
        root, kind, repo = self.server.hub.root, match["kind"], match["repo"]
        if match["verb"] == "refs":
            branches = find_branches(root, kind, repo)
            refs = [{"name": it.name, "ref": f"refs/heads/{it.name}", "targetCommit": it.commit} for it in branches]
            return {"branches": refs, "tags": [], "converts": []}
        branch = find_branch(root, kind, repo, unquote(match["revision"] or "main"))
        if match["verb"] == "tree":
            recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            return branch.entries(unquote(match["path"] or ""), recursive=recursive)
        if match["verb"] == "paths-info":
            return branch.entries_of(form.get("paths", []))
        return branch.info()

    def _send_json(self, value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self._send_head(
            status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        )
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, match: re.Match[str]) -> None:
        kind = match["kind"] or "models"
        branch = find_branch(self.server.hub.root, kind, match["repo"], unquote(match["revision"]))
        path = branch.file(unquote(match["path"]))
        size = path.stat().st_size
        start, end = self._wanted_range(size)
        headers = {
            **{"ETag": f'"{etag(path)}"', "X-Repo-Commit": branch.commit, "Accept-Ranges": "bytes"},
            **{"Content-Type": "application/octet-stream", "Content-Length": str(end - start)},
        }
        if start >= size and size:
            self._send_head(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            )
            return
        if "Range" in self.headers:
            self._send_head(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})
        else:
            self._send_head(HTTPStatus.OK, headers)
        if self.command != "HEAD":
            self._send_bytes(path, start, end)

    def _wanted_range(self, size: int) -> tuple[int, int]:
        """Returns the first byte that is wanted, and the one behind the last."""
        match = _RANGE.fullmatch(self.headers.get("Range", "bytes=0-"))
        if match is None:
            return 0, size
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size

    def _send_bytes(self, path: Path, start: int, end: int) -> None:
        with path.open("rb") as file:
            file.seek(start)
            while start < end:
                chunk = file.read(min(_CHUNK_BYTES, end - start))
                self.wfile.write(chunk)
                start += len(chunk)

    def _send_head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
