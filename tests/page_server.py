"""The real app in a process of its own, on a free port, for the tests that talk to it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval import build_index, load_encoder
from tests.conftest import RowsCorpus
from tests.support import PATIENCE_S

APP = Path(__file__).parents[1] / "app.py"
EXAMPLE = "How do I sort a list?"
HOSTILE_TEXT = "<img src=x onerror=document.title='run'> ${document.title='run'} {{value}} `tick`"
SNIPPET = "sorted(numbers, key=lambda n: -n)\nnumbers.sort()"
ROWS: list[dict[str, Any]] = [
    {"text": "sort a list of numbers", "body": SNIPPET, "url": "https://stackoverflow.com/questions/1", "group": "1",
     "quality": 0.9},
    {"text": "sort a list of numbers", "body": "numbers.sort(reverse=True)", "group": "1", "quality": 0.4,
     "url": "https://stackoverflow.com/questions/1"},
    {"text": "read a csv file into a table", "body": "pandas.read_csv(path)", "group": "2", "quality": float("nan"),
     "url": "https://stackoverflow.com/questions/2"},
    {"text": HOSTILE_TEXT, "body": f"</code></pre>{HOSTILE_TEXT}", "group": "3",
     "url": "javascript:document.title='run'"},
    {"text": "a very long line " + "without_any_space" * 60, "body": "x = " + "'long'" * 200, "group": "4"},
    *({"text": f"open the file number {n}", "body": f"open('{n}.txt')", "group": f"f{n}"} for n in range(20)),
]  # fmt: skip


def build_tiny_index(path: Path) -> Path:
    """Builds an index of a few rows with the real model, and returns its path."""
    corpus = RowsCorpus(ROWS, name="tiny")
    corpus.info = replace(
        corpus.info, body_language="python", examples=(EXAMPLE, "read a csv file"),
        attribution="Stack Overflow contributors, CC BY-SA 4.0", attribution_url="https://stackoverflow.com/help/licensing",
    )  # fmt: skip
    return build_index(corpus, load_encoder(), path).path


def free_port() -> int:
    """Returns a port that nobody has, below those that a system gives to outgoing connections: so it stays free."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class RunningApp:
    """A served app."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def output(self) -> str:
        """Returns what it wrote to the terminal so far."""
        return self.log.read_text()


def app_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the environment without what would decide for the test which index or port it is."""
    chosen = (
        "INDEX_DIR",
        "INDEX_REPO",
        "BUILD_CORPUS",
        "BUILD_LIMIT",
        "SPACE_ID",
        "GRADIO_SERVER_PORT",
        "GRADIO_SERVER_NAME",
        "GRADIO_SHARE",
    )
    return {**{k: v for k, v in os.environ.items() if k not in chosen}, "PYTHONUNBUFFERED": "1", **(changes or {})}


@contextmanager
def running_app(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, app: Path = APP
) -> Iterator[RunningApp]:
    """Runs the app from another working directory, and yields it once it answers."""
    port, log = free_port(), folder / "app.log"
    command = [sys.executable, str(app), "--port", str(port), *arguments]
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=app_environment(environment), stdout=stream, stderr=stream, text=True
        )
    running = RunningApp(f"http://127.0.0.1:{port}/", process, log)
    try:
        _wait_until_served(running)
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait_until_served(app: RunningApp) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and app.process.poll() is None:
        try:
            with urllib.request.urlopen(app.url, timeout=PATIENCE_S):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the app is not served:\n{app.output}")
