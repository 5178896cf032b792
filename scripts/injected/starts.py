"""Starts of the app on a port that another program has, or takes meanwhile."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval import build_index, load_encoder
from scripts.injected.parts import PROJECT_FOLDER, Fault, WordCorpus, child_environment, not_refused
from scripts.loading.server import answers

_ROWS = 100
_TIME_LIMIT_S = 600.0
_TAKEN = (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"))
"""Addresses that another program has, and those that the app is to have."""


@dataclass
class _App:
    process: subprocess.Popen[str]
    temporary: Path

    def refusal(self) -> str:
        """Waits until the app ends, and returns what came of it: it is to say in one line why, and to leave nothing."""
        errors = self.process.communicate(timeout=_TIME_LIMIT_S)[1]
        lines = [line for line in errors.splitlines() if line.startswith("error: ")]
        if wrong := not_refused(self.process.returncode, errors):
            return wrong
        if len(lines) != 1:
            print(errors, file=sys.stderr)
            return "another error"
        return "files left behind" if any(self.temporary.iterdir()) else "refused with a message"


def run() -> list[Fault]:
    """Returns what came of starts on ports that were taken, before or meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        build_index(WordCorpus(_ROWS), load_encoder(), home / "index")
        taken = Fault("server started on a port in use")
        taken.outcomes.update(_on_taken_port(home, has, wants) for has, wants in _TAKEN)
        at_once = Fault("two servers started at once on one port")
        at_once.outcomes[_two_at_once(home)] += 1
    return [taken, at_once]


@contextmanager
def _app(home: Path, host: str, port: int) -> Iterator[_App]:
    temporary = Path(tempfile.mkdtemp(dir=home))
    command = [sys.executable, str(PROJECT_FOLDER / "app.py"), "--index", str(home / "index")]
    with subprocess.Popen(
        [*command, "--host", host, "--port", str(port)], env={**child_environment(), "TMPDIR": str(temporary)},
        cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield _App(process, temporary)
        finally:
            process.kill()


def _on_taken_port(home: Path, has: str, wants: str) -> str:
    with socket.create_server((has, 0)) as other, _app(home, wants, other.getsockname()[1]) as app:
        return app.refusal()


def _two_at_once(home: Path) -> str:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with ExitStack() as stack:
        apps = [stack.enter_context(_app(home, "127.0.0.1", port)) for _ in range(2)]
        deadline = time.monotonic() + _TIME_LIMIT_S
        while all(app.process.poll() is None for app in apps):
            if time.monotonic() > deadline:
                return "no answer in time"
            time.sleep(0.1)
        [loser, winner] = sorted(apps, key=lambda app: app.process.poll() is None)
        if (refused := loser.refusal()) != "refused with a message":
            return refused
        while not answers(f"http://127.0.0.1:{port}"):
            if winner.process.poll() is not None:
                return "process died"
            if time.monotonic() > deadline:
                return "no answer in time"
            time.sleep(0.1)
        winner.process.terminate()
        winner.process.communicate(timeout=_TIME_LIMIT_S)
        if winner.process.returncode != os.EX_OK:
            return "another error"
        return "files left behind" if any(winner.temporary.iterdir()) else "one served, one refused with a message"
