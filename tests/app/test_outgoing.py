"""What leaves the process: without an address on the hub, no program here looks a name up or connects to anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.page_server import APP, running_app
from tests.raw_calls import call
from tests.support import PATIENCE_S

_HOOK = '''
"""Notes where Python connects to, in this process and its children; this machine itself does not count."""
import os, sys

def _note(event, arguments):
    if event == "socket.getaddrinfo":
        where = arguments[0]
    elif event == "socket.connect":
        where = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event == "socket.gethostbyname":
        where = arguments[0]
    else:
        return
    where = where.decode() if isinstance(where, bytes) else where
    if where and where not in ("localhost", "127.0.0.1", "::1", "0.0.0.0"):
        with open(os.environ["OUTGOING_LOG"], "a") as log:
            log.write(f"{event} {where}\\n")

sys.addaudithook(_note)
'''
SCRIPTS = APP.parent / "scripts"


@pytest.fixture
def watched(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a program whose connections are noted; as at its first start, with no cache and no home."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_HOOK)
    paths = [str(hooks), str(APP.parent)]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "OUTGOING_LOG": str(tmp_path / "outgoing.log"),
        "EMBEDDING_QUANTIZATION_CACHE": str(tmp_path / "cache"),
        "HOME": str(tmp_path / "home"),
    }


def outgoing(watched: Mapping[str, str]) -> str:
    log = Path(watched["OUTGOING_LOG"])
    return log.read_text() if log.exists() else ""


def run(watched: Mapping[str, str], *command: str) -> str:
    left_out = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "INDEX_REPO", "CI")
    environment = {**{name: value for name, value in os.environ.items() if name not in left_out}, **watched}
    Path(watched["HOME"]).mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_watch_sees_connections_of_a_program_and_of_its_children(watched: Mapping[str, str]) -> None:
    connect = "import socket; s = socket.socket(); s.settimeout(0.1); s.connect_ex(('192.0.2.1', 9))"
    run(watched, "-c", connect)
    run(watched, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {connect!r}])")
    assert outgoing(watched).count("192.0.2.1") == 2


@pytest.mark.model
def test_building_and_searching_connect_to_nobody(watched: Mapping[str, str], tmp_path: Path) -> None:
    """The model is converted on the way, which OpenVINO would report to its makers."""
    texts = tmp_path / "texts.txt"
    texts.write_text("sort a list\nread a file\nopen a socket\n")
    index = str(tmp_path / "index")
    run(watched, str(SCRIPTS / "build_index.py"), "--corpus", "file", "--path", str(texts), "--output", index)
    assert any((tmp_path / "cache").iterdir()), "the model was not converted"
    found = json.loads(run(watched, str(SCRIPTS / "search.py"), "--index", index, "sort numbers", "--json"))
    assert found["hits"]
    assert outgoing(watched) == ""
    assert not (tmp_path / "home" / "intel").exists(), "OpenVINO's telemetry keeps an id of this user there"


@pytest.mark.model
def test_serving_the_page_connects_to_nobody(watched: Mapping[str, str], tiny_index: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in watched.items() if name in ("PYTHONPATH", "OUTGOING_LOG")}
    with running_app(tmp_path, "--index", str(tiny_index), environment=kept) as app:
        for path in ("", "gradio_api/info", "config", "health"):
            with urllib.request.urlopen(app.url + path, timeout=PATIENCE_S) as answer:
                assert answer.status == 200
        found = call(app, "search", ["sort a list", 5, None, None, True, True, None, None, None])
        assert found.status == 200, found.body
    assert outgoing(watched) == ""
