"""No visitor gets at a file of the server, or takes away what others brought: attacks on a served page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from tests.page_server import RunningApp, running_app
from tests.raw_calls import call, file_data, send, upload

pytestmark = pytest.mark.model
SECRET = "a private row that nobody else may read"
REFUSED = "names a file that was not uploaded here"


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def served(tiny_index: Path, uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    environment = {"GRADIO_TEMP_DIR": str(uploads), "TMPDIR": str(uploads)}
    with running_app(
        tmp_path_factory.mktemp("served"), "--index", str(tiny_index), "--mcp", environment=environment
    ) as running:
        yield running


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Returns the Arrow file of a data set that lies elsewhere on the server."""
    Dataset.from_dict({"text": [f"{SECRET} {n}" for n in range(40)]}).save_to_disk(tmp_path / "private")
    return tmp_path / "private" / "data-00000-of-00001.arrow"


def look(app: RunningApp, path: str, session: str) -> str:
    taken = call(app, "take_file", [file_data(path)], session)
    looked = call(app, "look", [], session)
    return taken.body.decode() + looked.body.decode()


def test_a_folder_that_names_a_file_of_the_server_is_not_read(served: RunningApp, private: Path) -> None:
    state: dict[str, Any] = {
        "_data_files": [{"filename": str(private)}], "_split": None, "_fingerprint": "f", "_format_type": None,
        "_format_kwargs": {}, "_format_columns": None, "_output_all_columns": False,
    }  # fmt: skip
    content = json.dumps(state).encode()
    paths = [Path(upload(served, name, content)) for name in ("state.json", "dataset_info.json")]
    assert paths[0].parent == paths[1].parent
    assert SECRET not in look(served, str(paths[0].parent), "thief")
    assert paths[0].exists()


def test_the_folder_of_all_uploads_stays_where_it_is(served: RunningApp, uploads: Path) -> None:
    kept = Path(upload(served, "kept.csv", b"text\nsomebody else's line\n"))
    for path in (uploads, uploads / "x" / "..", kept.parent):
        assert REFUSED in look(served, str(path), "mover")
    assert kept.exists()
    assert "somebody else" in look(served, str(kept), "owner")


def test_a_link_is_not_an_upload(served: RunningApp, uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(f"text\n{SECRET}\n")
    folder = uploads / "linked"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (uploads / "folder-link").symlink_to(tmp_path)
    for path in (folder / "link.csv", uploads / "folder-link" / "secret.csv"):
        assert SECRET not in look(served, str(path), "linker")


@pytest.mark.parametrize("handler", ["search", "follow", "take_lines", "start"])
def test_no_value_makes_the_server_fetch_or_copy_a_file(served: RunningApp, handler: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    for path in (str(tmp_path / "secret.txt"), "/etc/passwd", "http://127.0.0.1:9/x.txt"):
        answer = call(served, handler, [file_data(path)] * 8)
        assert (answer.status, REFUSED in answer.error) == (400, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_refusal_is_not_escaped_from(served: RunningApp, encoding: str) -> None:
    body = json.dumps({"data": [file_data("/etc/passwd")]}).replace("FileData", "\\u0046ileData").encode(encoding)
    assert send(served, "run/search", body, "application/json").status == 400


def tool_call(app: RunningApp, **arguments: Any) -> bytes:
    """Returns what a tool call by hand is answered."""
    params = {"name": "search", "arguments": arguments}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return send(app, "mcp/", body, "application/json").body


def test_a_tool_call_copies_no_file_of_the_server(served: RunningApp, uploads: Path, tmp_path: Path) -> None:
    (tmp_path / "passwords.txt").write_text(SECRET)
    assert b"sort a list of numbers" in tool_call(served, query="sort a list")
    tool_call(served, query=file_data(str(tmp_path / "passwords.txt")))
    assert not list(uploads.rglob("passwords.txt"))


def test_a_session_lies_outside_what_is_served_and_survives_its_loss(served: RunningApp, uploads: Path) -> None:
    assert call(served, "take_lines", ["my own line\nand another"], "lost").status == 200
    assert not list(uploads.rglob("pasted lines.txt"))
    for folder in uploads.glob("embedding-quantization-own-*"):
        for each in sorted(folder.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() else each.unlink()
        folder.rmdir()
    assert "my own line" in call(served, "look", [], "lost").body.decode()
    path = upload(served, "after.csv", b"text\na line after the loss\nand one more\n")
    assert "a line after the loss" in look(served, path, "lost")


@pytest.mark.parametrize("value", [{}, "x", 2.5, 1e30, True, 10**9])
def test_a_tool_is_bounded_too(served: RunningApp, value: Any) -> None:
    for name in ("top_k", "num_candidates", "rescore_multiplier"):
        told = tool_call(served, query="sort a list", **{name: value})
        # The protocol checks types itself, before we see them.
        assert b"a whole number from 1 to " in told or b"Input validation error" in told
    assert b"at most 20,000" in tool_call(served, query="x" * 30_000)
    assert len(tool_call(served, query="x", index="n" * 1_000_000)) < 1_000
