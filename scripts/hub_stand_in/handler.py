"""How the hub's stand-in answers a request: what the routes mean."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scripts.hub_stand_in.folders import HubRefusal, find_branch, find_branches
from scripts.hub_stand_in.sending import Sender

_API = re.compile(
    r"/api/(?P<kind>datasets|models|spaces)/(?P<repo>[^/]+/[^/]+)"
    r"(?:/(?P<verb>revision|tree|paths-info|refs|preupload|commit|branch)(?:/(?P<revision>[^/]+)(?:/(?P<path>.*))?)?)?"
)
_RESOLVE = re.compile(r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_BATCH = re.compile(r"/(?:datasets/|spaces/)?(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
_BLOB = re.compile(r"/\.lfs/(?P<oid>[0-9a-f]{64})")
_WRITING = ("preupload", "commit", "branch")


class Handler(Sender):
    """Answers the requests of one connection."""

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

    def _answer(self) -> None:
        url = urlsplit(self.path)
        try:
            if match := _BLOB.fullmatch(url.path):
                self.server.uploads.store(match["oid"], self.chunks_of_body())
                self.send_json({})
                return
            body = b"".join(self.chunks_of_body())
            if match := _API.fullmatch(url.path):
                self.send_json(self._api(match, parse_qs(url.query), body))
            elif match := _RESOLVE.fullmatch(url.path):
                hub, kind, repo = self.server, match["kind"] or "models", match["repo"]
                hub.access.check_read(repo, self.headers.get("Authorization"))
                branch = find_branch(hub.root, kind, repo, unquote(match["revision"]))
                self.send_file(branch.file(unquote(match["path"])), branch.commit)
            elif self.command == "POST":
                self.send_json(self._post(url.path, json.loads(body)))
            elif url.path == "/":
                self.send_json({"stand-in": True})
            else:
                raise HubRefusal("EntryNotFound", f"the stand-in has no route {self.command} {url.path}")
        except HubRefusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": str(refusal)}
            if refusal.commit is not None:
                headers["X-Repo-Commit"] = refusal.commit
            self.send_json(refusal.body, HTTPStatus(refusal.status), headers)

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


def _wanted_paths(body: bytes, content_type: str) -> list[str]:
    """The client sends a form or JSON, whichever its version likes."""
    if "json" in content_type:
        return list(json.loads(body).get("paths", []))
    return parse_qs(body.decode()).get("paths", [])
