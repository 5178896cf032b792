"""How the hub's stand-in answers a request: what the routes mean, and what the faults do to the answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scripts.hub_stand_in.faults import Access, Fault
from scripts.hub_stand_in.file_bytes import CHUNK_BYTES, altered, file_chunks, first_bytes, wanted_range
from scripts.hub_stand_in.folders import HubRefusal, etag, find_branch, find_branches
from scripts.hub_stand_in.uploads import Uploads

_API = re.compile(
    r"/api/(?P<kind>datasets|models|spaces)/(?P<repo>[^/]+/[^/]+)"
    r"(?:/(?P<verb>revision|tree|paths-info|refs|preupload|commit|branch)(?:/(?P<revision>[^/]+)(?:/(?P<path>.*))?)?)?"
)
_RESOLVE = re.compile(r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_BATCH = re.compile(r"/(?:datasets/|spaces/)?(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
_BLOB = re.compile(r"/\.lfs/(?P<oid>[0-9a-f]{64})")
_WRITING = ("preupload", "commit", "branch")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the stand-in answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


class HubServer(ThreadingHTTPServer):
    """The server as its handlers see it."""

    root: Path
    requests: list[Request]
    faults: list[Fault]
    access: Access
    uploads: Uploads
    closing: threading.Event

    @property
    def endpoint(self) -> str:
        """Returns the URL for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_HEAD(self) -> None:
        """Answers as GET does, without a body."""
        self._answer()

    def do_GET(self) -> None:
        """Answers with information about a repository, or with a file."""
        self._answer()

    def do_POST(self) -> None:
        """Answers questions that come with a body, and takes commits."""
        self._answer()

    def do_PUT(self) -> None:
        """Takes a large file."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the requests in `HubStandIn.requests` instead of printing them."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Notes a request and the status of its answer."""
        status = int(code.value if isinstance(code, HTTPStatus) else code)
        self.server.requests.append(Request(self.command, self.path, dict(self.headers.items()), status))

    def _answer(self) -> None:
        url = urlsplit(self.path)
        try:
            if match := _BLOB.fullmatch(url.path):
                self.server.uploads.store(match["oid"], self._chunks_of_body())
                self._send_json({})
                return
            body = b"".join(self._chunks_of_body())
            if match := _API.fullmatch(url.path):
                self._send_json(self._api(match, parse_qs(url.query), body))
            elif match := _RESOLVE.fullmatch(url.path):
                self._send_file(match)
            elif self.command == "POST":
                self._send_json(self._post(url.path, json.loads(body)))
            elif url.path == "/":
                self._send_json({"stand-in": True})
            else:
                raise HubRefusal("EntryNotFound", f"the stand-in has no route {self.command} {url.path}")
        except HubRefusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": str(refusal)}
            if refusal.commit is not None:
                headers["X-Repo-Commit"] = refusal.commit
            self._send_json(refusal.body, HTTPStatus(refusal.status), headers)

    def _chunks_of_body(self) -> Iterator[bytes]:
        left = int(self.headers.get("Content-Length", 0))
        while left and (chunk := self.rfile.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def _api(self, match: re.Match[str], query: dict[str, list[str]], body: bytes) -> Any:
        hub, kind, repo, verb = self.server, match["kind"], match["repo"], match["verb"]
        hub.access.check_read(repo, self.headers.get("Authorization"))
        revision = unquote(match["revision"] or "main")
        if verb == "refs":
            branches = find_branches(hub.root, kind, repo)
            refs = [{"name": it.name, "ref": f"refs/heads/{it.name}", "targetCommit": it.commit} for it in branches]
            return {"branches": refs, "tags": [], "converts": []}
        if verb in _WRITING:
            hub.access.check_write(self.headers.get("Authorization"))
        if verb == "branch":
            return hub.uploads.create_branch(kind, repo, revision)
        branch = find_branch(hub.root, kind, repo, revision)
        if verb == "preupload":
            return hub.uploads.modes(branch, json.loads(body))
        if verb == "commit":
            return hub.uploads.commit(hub.endpoint, branch, body)
        if verb == "tree":
            recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            return branch.entries(unquote(match["path"] or ""), recursive=recursive)
        if verb == "paths-info":
            return branch.entries_of(_wanted_paths(body, self.headers.get("Content-Type", "")))
        return branch.info()

    def _post(self, path: str, wanted: dict[str, Any]) -> Any:
        hub = self.server
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        hub.access.check_write(self.headers.get("Authorization"))
        if path == "/api/repos/create":
            return hub.uploads.create_repository(hub.endpoint, wanted)
        if _BATCH.fullmatch(path):
            return hub.uploads.batch(hub.endpoint, wanted)
        raise HubRefusal("EntryNotFound", f"the stand-in has no route POST {path}")

    def _send_json(self, value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self._send_head(
            status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        )
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, match: re.Match[str]) -> None:
        hub, kind = self.server, match["kind"] or "models"
        hub.access.check_read(match["repo"], self.headers.get("Authorization"))
        branch = find_branch(hub.root, kind, match["repo"], unquote(match["revision"]))
        path = branch.file(unquote(match["path"]))
        size = path.stat().st_size
        start, end = wanted_range(self.headers.get("Range"), size)
        headers = {
            **{"ETag": f'"{etag(path)}"', "X-Repo-Commit": branch.commit, "Accept-Ranges": "bytes"},
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
        hub = self.server
        fault = next((fault for fault in hub.faults if fault.strikes(path)), None)
        if fault is not None and fault.kind == "busy":
            raise HubRefusal("", "the hub is busy", status=503)
        if fault is not None and fault.kind == "stall" and not fault.after_bytes:
            hub.closing.wait()
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


def _wanted_paths(body: bytes, content_type: str) -> list[str]:
    """The client sends a form or JSON, whichever its version likes."""
    if "json" in content_type:
        return list(json.loads(body).get("paths", []))
    return parse_qs(body.decode()).get("paths", [])
