"""An index that is made ready beside the page: built or fetched in a process of its own, while another one serves."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from retrieval.errors import RetrievalError
from retrieval.serving.background.status import BackgroundStatus, Pace, failed, in_progress, ready, starting

_LOG = logging.getLogger(__name__)
_PACKAGE_FOLDER = Path(__file__).resolve().parents[3]
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class BuildJob:
    """A corpus that needs no path is to be built."""

    task: ClassVar[str] = "build"
    silence_limit_s: ClassVar[float] = 3_600.0
    """Some steps of a large build take long without a word."""
    corpus: str
    """One of `SOURCES`."""
    output: str
    limit: int | None = None

    @property
    def label(self) -> str:
        """Returns what is made ready, for people."""
        return f"The index of {self.corpus}"


@dataclass(frozen=True, slots=True)
class FetchJob:
    """A published index is to be fetched."""

    task: ClassVar[str] = "fetch"
    silence_limit_s: ClassVar[float] = 180.0
    """A hub that sends nothing for so long is given up."""
    address: str

    @property
    def label(self) -> str:
        """Returns what is made ready, for people."""
        return f"The index {self.address}"


Job = BuildJob | FetchJob
OnReady = Callable[[Path], str]
"""Takes the folder of the index into service, and returns its name."""


class BackgroundIndex:
    """Runs a job in a child process. `status` says how far it is, and may be read from any thread."""

    def __init__(self, job: Job, on_ready: OnReady, *, log: Callable[[str], None] = lambda line: None) -> None:
        """Takes what to do, what to call when the index is there, and what hears of beginnings and ends."""
        self.job = job
        self.status: BackgroundStatus = starting(job.label)
        self._on_ready = on_ready
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._heard_at = time.monotonic()
        self._gave_up = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background-index", daemon=True)

    @property
    def process_id(self) -> int | None:
        """Returns the id of the child, None before it is started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Starts the child, and returns."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the child; an unfinished build or download goes on where it was at the next start."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()
        if self._thread.is_alive():
            self._thread.join(10)

    def wait(self, timeout_s: float | None = None) -> BackgroundStatus:
        """Returns the status once there is nothing left to wait for, or after the time."""
        self._thread.join(timeout_s)
        return self.status

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - the border of the thread: the page must not wait for ever
            _LOG.exception("an index in the background failed")
            self._fail(f"unexpectedly, {type(error).__name__}: the log says more")

    def _work(self) -> None:
        self._log(self.status.message)
        try:
            self._process = _start_child(self.job)
        except OSError as error:
            self._fail(f"no process can be started ({error})")
            return
        if self._stopped.is_set():  # before there was a process to end
            self._process.kill()
        threading.Thread(target=self._give_up_when_silent, name="background-silence", daemon=True).start()
        with self._process:
            result = self._finished(self._process.stdout)
        if self._stopped.is_set():
            return
        if result is None and not self.status.failed:
            self._fail(
                f"it gave no sign of life for {self.job.silence_limit_s:.0f} s"
                if self._gave_up
                else f"its process ended with {self._process.returncode}; the log says more"
            )
        elif result is not None:
            self._take_over(Path(result["path"]), result["detail"])

    def _finished(self, lines: IO[str] | None) -> dict[str, str] | None:
        """Returns the last report, on the finished index, or None when there is none."""
        pace = Pace()
        for line in lines or ():
            self._heard_at = time.monotonic()
            report = json.loads(line)
            if report["kind"] == "finished":
                return dict(report)
            if report["kind"] == "failed":
                self._fail(report["message"])
            else:
                self.status = in_progress(self.job.label, report, pace)
        return None

    def _take_over(self, path: Path, detail: str) -> None:
        try:
            name = self._on_ready(path)
        except RetrievalError as error:
            self._fail(str(error))
            return
        self.status = ready(self.job.label, name, detail)
        self._log(self.status.message)

    def _fail(self, reason: str) -> None:
        self.status = failed(self.job.label, reason)
        self._log(self.status.message)

    def _give_up_when_silent(self) -> None:
        process = self._process
        while process is not None and process.poll() is None and not self._stopped.wait(_POLL_S):
            if time.monotonic() - self._heard_at > self.job.silence_limit_s:
                self._gave_up = True
                process.kill()


def _start_child(job: Job) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "retrieval.serving.background.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(os.environ),
        start_new_session=True,  # Ctrl-C is for this process, which ends the child
    )
    if process.stdin is not None:
        process.stdin.write(json.dumps({"task": job.task, **_values(job)}) + "\n")
        process.stdin.flush()  # and left open: its end tells the child that this process is gone
    return process


def _values(job: Job) -> dict[str, Any]:
    return asdict(job)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The package may be known by the folder of app.py only, as on a Space."""
    paths = [str(_PACKAGE_FOLDER), ours.get("PYTHONPATH", "")]
    return {**ours, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
