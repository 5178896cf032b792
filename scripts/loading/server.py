"""The app under load, in its own process, and what it holds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from retrieval import RetrievalError

_START_LIMIT_S = 300
_IDLE_PERCENT = 8.0
"""Of one core: a server that uses less has finished checking its files."""
_LOOK_S = 0.2
_END_S = 30


@dataclass(frozen=True, slots=True)
class Holding:
    """What a server holds at a moment."""

    rss_bytes: int
    threads: int
    handles: int
    temporary_files: int
    children: int


@dataclass(frozen=True, slots=True)
class Server:
    """An app that answers."""

    url: str
    process: psutil.Process
    temporary: Path
    """Its folder for temporary files, and nobody else's."""

    def holding(self) -> Holding:
        """Returns what it holds now."""
        with self.process.oneshot():
            return Holding(
                rss_bytes=self.process.memory_info().rss,
                threads=self.process.num_threads(),
                handles=self.process.num_fds(),
                temporary_files=sum(path.is_file() for path in self.temporary.rglob("*")),
                children=len(self.process.children(recursive=True)),
            )

    def cpu_seconds(self) -> float:
        """Returns the CPU time that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def served(app: Path, index: Path) -> Iterator[Server]:
    """Yields an app, once it answers and is idle.

    Raises:
        RetrievalError: if the app ends, or does not answer in time.
    """
    with (
        tempfile.TemporaryDirectory() as temporary,
        started(app, index.resolve(), TMPDIR=temporary) as (url, own),
    ):
        process = psutil.Process(own.pid)
        deadline = time.monotonic() + _START_LIMIT_S
        while not answers(url) or process.cpu_percent(1.0) > _IDLE_PERCENT:
            if own.poll() is not None or time.monotonic() > deadline:
                raise RetrievalError(f"the app on {index} does not answer, or is never idle")
            time.sleep(_LOOK_S)
        yield Server(url, process, Path(temporary))


@contextmanager
def started(app: Path, index: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Starts an app on a free port, gives its address and its process at once, and ends it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(app), "--index", str(index), "--port", str(port)], env={**os.environ, **environment}
    )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(_END_S)


def answers(url: str) -> bool:
    """Returns whether the app at an address is ready: it is warm, and its engine answers."""
    try:
        return httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
