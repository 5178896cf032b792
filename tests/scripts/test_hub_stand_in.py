"""The stand-in of the hub answers as the real one does where its clients look."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.support import PATIENCE_S

FILE = "/datasets/someone/notes/resolve/main/data/big.bin"
CONTENT = bytes(range(256)) * 8_192


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandIn]:
    data = revision_folder(tmp_path, "someone/notes") / "data"
    data.mkdir(parents=True)
    (data / "big.bin").write_bytes(CONTENT)
    (data / "small.txt").write_text("small")
    branch = revision_folder(tmp_path, "someone/notes", "refs/convert/parquet")
    branch.mkdir()
    (branch / "other.txt").write_text("other")
    with HubStandIn(tmp_path) as stand_in:
        yield stand_in


def ask(
    hub: HubStandIn, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=PATIENCE_S)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def test_a_file_comes_with_the_headers_that_the_cache_needs(hub: HubStandIn) -> None:
    response, content = ask(hub, FILE)
    assert content == CONTENT
    assert len(response.headers["X-Repo-Commit"]) == 40
    assert len(response.headers["ETag"].strip('"')) == 64
    head, nothing = ask(hub, FILE, "HEAD")
    assert (head.headers["ETag"], head.headers["Content-Length"]) == (response.headers["ETag"], str(len(CONTENT)))
    assert nothing == b""


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=100-199", 206, CONTENT[100:200]),
        ("bytes=2097000-", 206, CONTENT[2_097_000:]),
        ("bytes=-10", 206, CONTENT[-10:]),
        ("bytes=9999999-", 416, b""),
    ],
)
def test_a_part_of_a_file_can_be_read(hub: HubStandIn, wanted: str, status: int, part: bytes) -> None:
    response, content = ask(hub, FILE, Range=wanted)
    assert (response.status, content) == (status, part)
    assert hub.requests[-1].headers["Range"] == wanted


def test_a_revision_is_found_by_branch_and_by_commit(hub: HubStandIn) -> None:
    info = json.loads(ask(hub, "/api/datasets/someone/notes/revision/refs%2Fconvert%2Fparquet")[1])
    assert info["siblings"] == [{"rfilename": "other.txt"}]
    assert json.loads(ask(hub, f"/api/datasets/someone/notes/revision/{info['sha']}")[1]) == info
    assert ask(hub, f"/datasets/someone/notes/resolve/{info['sha']}/other.txt")[1] == b"other"


def test_the_commit_changes_with_the_files(hub: HubStandIn) -> None:
    before = json.loads(ask(hub, "/api/datasets/someone/notes")[1])["sha"]
    (revision_folder(hub.root, "someone/notes") / "data" / "small.txt").write_text("changed")
    assert json.loads(ask(hub, "/api/datasets/someone/notes")[1])["sha"] != before


def test_the_tree_lists_folders_and_files(hub: HubStandIn) -> None:
    tree = "/api/datasets/someone/notes/tree/main"
    assert [entry["path"] for entry in json.loads(ask(hub, tree)[1])] == ["data"]
    entries = json.loads(ask(hub, f"{tree}?recursive=true")[1])
    assert [entry["path"] for entry in entries] == ["data", "data/big.bin", "data/small.txt"]
    assert entries[1]["lfs"]["size"] == entries[1]["size"] == len(CONTENT)


def test_paths_info_tells_about_those_there_are(hub: HubStandIn) -> None:
    url = "/api/datasets/someone/notes/paths-info/main"
    _, content = ask(hub, url, "POST", "paths=data%2Fsmall.txt&paths=gone&expand=False")
    assert [(entry["path"], entry["size"]) for entry in json.loads(content)] == [("data/small.txt", 5)]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/datasets/someone/gone/resolve/main/a", "RepoNotFound"),
        ("/datasets/someone/notes/resolve/gone/a", "RevisionNotFound"),
        ("/datasets/someone/notes/resolve/main/gone", "EntryNotFound"),
        ("/datasets/someone/notes/resolve/main/..%2F..%2Fnotes", "EntryNotFound"),
    ],
)
def test_a_missing_repository_branch_or_file_is_named_as_the_hub_names_it(
    hub: HubStandIn, path: str, code: str
) -> None:
    response, _ = ask(hub, path)
    assert (response.status, response.headers["X-Error-Code"]) == (404, code)
