"""The real app and real signals: however it ends, it ends soon, and no file and no child of it stays."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import random_texts
from tests.page_server import APP, RunningApp, app_environment, free_port, running_app
from tests.raw_calls import call, file_data, upload
from tests.support import is_alive, wait_until

pytestmark = pytest.mark.model
ENDS_WITHIN_S = 60.0
"""The deadline of the program is 5 s; the rest is for a busy machine."""


@pytest.fixture
def index(tiny_index: Path) -> Path:
    return tiny_index


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the app keeps its temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@contextlib.contextmanager
def serving(index: Path, tmp_path: Path, scratch: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path, "--index", str(index), environment={"TMPDIR": str(scratch)}) as running:
        yield running


def children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def busy(app: RunningApp) -> int:
    """Has a visitor's data on the disk and an index being built from it, and returns the id of the child."""
    text = "\n".join(random_texts(20_000, words=30))
    path = upload(app, "notes.csv", b"title\n" + text.encode())
    assert call(app, "take_file", [file_data(path)], "busy").status == 200
    assert call(app, "look", [], "busy").status == 200
    assert call(app, "build", ["title", "", "", "", "", 20_000], "busy").status == 200
    upload(app, "forgotten.csv", b"text\nnobody takes this one\n")
    wait_until(lambda: children(app.process.pid))
    return children(app.process.pid)[0]


@contextlib.contextmanager
def open_page(app: RunningApp) -> Iterator[None]:
    """Holds a connection as an open page does, and one that sends half a request."""
    heartbeat = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=60)
    heartbeat.request("GET", "/gradio_api/heartbeat/busy")
    heartbeat.getresponse()
    with socket.create_connection(("127.0.0.1", urlsplit(app.url).port or 0)) as half:
        half.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        yield
    heartbeat.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_one_signal_ends_a_busy_server_with_nothing_left(
    number: signal.Signals, index: Path, tmp_path: Path, scratch: Path
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, as under nohup, and by every process that is started from here")
    with serving(index, tmp_path, scratch) as app, open_page(app):
        child = busy(app)
        app.process.send_signal(number)
        assert app.process.wait(ENDS_WITHIN_S) == 0
    wait_until(lambda: not is_alive(child))
    assert files(scratch) == []
    assert "Traceback" not in app.output
    assert "stopped" in app.output


def test_more_signals_do_not_disturb_the_end(index: Path, tmp_path: Path, scratch: Path) -> None:
    with serving(index, tmp_path, scratch) as app:
        busy(app)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ProcessLookupError):
                app.process.send_signal(number)
            time.sleep(0.05)
        assert app.process.wait(ENDS_WITHIN_S) == 0
        assert "Traceback" not in app.output
    assert files(scratch) == []


def takes_signals(process: subprocess.Popen[str]) -> bool:
    """Returns whether the program has taken over SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [caught] = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_a_signal_while_it_starts_ends_it(index: Path, tmp_path: Path, scratch: Path) -> None:
    """At any moment: before, while and after Gradio is imported, which swallows exceptions."""
    statuses = {}
    for delay_s in (-1.0, 0.0, 0.2, 0.5, 0.8, 1.1, 3.0):
        command = [sys.executable, str(APP), "--port", str(free_port()), "--index", str(index)]
        environment = app_environment({"TMPDIR": str(scratch)})
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
            if delay_s >= 0:
                wait_until(lambda process=process: takes_signals(process))  # type: ignore[misc]
                time.sleep(delay_s)
            process.send_signal(signal.SIGTERM)
            statuses[delay_s] = process.wait(ENDS_WITHIN_S)
    # Before its first lines have run, the system's own way to end is all there is; after them, it is never taken.
    assert statuses.pop(-1.0) in (-signal.SIGTERM, 0)
    assert set(statuses.values()) == {0}
    assert files(scratch) == []


def test_a_hangup_that_is_to_be_ignored_is_ignored(index: Path, tmp_path: Path, scratch: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; the child inherits it
    try:
        with serving(index, tmp_path, scratch) as app:
            app.process.send_signal(signal.SIGHUP)
            time.sleep(1)
            assert app.process.poll() is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_files_of_a_killed_server_are_removed_by_the_next(index: Path, tmp_path: Path, scratch: Path) -> None:
    with serving(index, tmp_path, scratch) as app:
        child = busy(app)
        app.process.kill()
        app.process.wait(ENDS_WITHIN_S)
    wait_until(lambda: not is_alive(child))
    left = files(scratch)
    assert any(b"nobody takes" in path.read_bytes() for path in left)
    with serving(index, tmp_path, scratch) as app:
        assert not [path for path in left if path.exists()]
        app.process.terminate()
        assert app.process.wait(ENDS_WITHIN_S) == 0
    assert files(scratch) == []


def test_an_upload_leaves_no_empty_file(index: Path, tmp_path: Path, scratch: Path) -> None:
    with serving(index, tmp_path, scratch) as app:
        before = set(files(scratch))
        path = upload(app, "notes.csv", b"title\na bird on a wire\na whale in the deep\n")
        assert call(app, "take_file", [file_data(path)], "one").status == 200
        new = set(files(scratch)) - before
        assert [path.name for path in new if path.stat().st_size == 0] == []
        assert [path.name for path in new] == ["notes.csv"]


PROGRAM = """
import os, sys, threading, time
from pathlib import Path
from retrieval.serving.stopping import StopRequest, at_end

stop = StopRequest(grace_s=0.5)
at_end(lambda: 1 / 0)
at_end(lambda: Path(sys.argv[1]).unlink(missing_ok=True))
at_end(lambda: time.sleep(60))
threading.Thread(target=time.sleep, args=[60]).start()  # one that the interpreter would wait for
print("up", flush=True)
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass  # as a library swallows it
"""


def test_a_program_that_hangs_is_cut_off_after_its_files_are_gone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(kept)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(APP.parent)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN_S) == 0
    assert not kept.exists()
