"""A request to a child process, and how far it is.

A child is a new interpreter, not a fork: the server has threads and open connections that it must not inherit. It
runs at low priority, so that searches keep the machine. It ends with its work, with its time, when it is cancelled, and
with this process, whatever ends that: its standard input stays open for as long as somebody waits for the answer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from retrieval.serving.child_process import Failure, JobStatus, Request

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
"""The folder that contains `retrieval/`. A Space finds the package only through the folder of app.py."""
_NICENESS = 10
"""With this, searches in the other process get nine tenths of a shared core."""
_FIRST_ESTIMATE_S = 2.0
"""How long a phase is watched before its end is estimated."""
_LOG = logging.getLogger(__name__)


class Pace:
    """Estimates when a phase ends from its rate so far. What was done before it was first heard of does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase = ""
        self._started_at = 0.0
        self._started_done = self._done = 0

    def note(self, phase: str, done: int) -> None:
        """Records how far a phase is."""
        if phase != self._phase:
            self._phase, self._started_at, self._started_done = phase, self._clock(), done
        self._done = done

    def seconds_left(self, total: int | None) -> float | None:
        """Returns how long the phase will go on, or None if that is not known yet."""
        elapsed, gained = self._clock() - self._started_at, self._done - self._started_done
        if total is None or elapsed < _FIRST_ESTIMATE_S or gained <= 0:
            return None
        return max(0.0, elapsed / gained * (total - self._done))


class ChildJob:
    """One request to a child process. `status` says how far it is, and may be read from any thread."""

    def __init__(
        self,
        module: str,
        request: Request,
        *,
        environment: Mapping[str, str] = os.environ,
        one_core: bool = False,
        max_seconds: float = float("inf"),
        max_silence_s: float = float("inf"),
        on_end: Callable[[ChildJob], None] = lambda job: None,
    ) -> None:
        """Takes the module that calls `run_child`, and what is called in the job's thread when the job is over."""
        self._module, self._request, self._environment, self._one_core = module, request, environment, one_core
        self._limits_s: dict[Failure, float] = {"timeout": max_seconds, "silence": max_silence_s}
        self._on_end = on_end
        self._lock = threading.RLock()
        self._status = JobStatus()
        self._pace = Pace()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._started_at = self._heard_at = self._ended_at = 0.0
        self._overrun: Failure | None = None
        self._is_cancelled = False
        self._is_over = threading.Event()

    @property
    def status(self) -> JobStatus:
        """Returns how far it is."""
        with self._lock:
            status = self._status
            if not self._started_at:
                return status
            now = self._ended_at or time.monotonic()
            left = None if status.is_over else self._pace.seconds_left(status.total)
            return replace(status, elapsed_s=now - self._started_at, seconds_left=left)

    @property
    def pid(self) -> int | None:
        """Returns the id of the child, None before it is started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Starts the child, unless the job was started or cancelled before."""
        with self._lock:
            if self._thread is None and not self._is_cancelled:
                self._thread = threading.Thread(target=self._run, name=f"job-{self._module}", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> JobStatus:
        """Returns the status once the job is over and `on_end` was called, or after the time."""
        self._is_over.wait(timeout_s)
        return self.status

    def cancel(self) -> None:
        """Ends the job, whatever it is doing."""
        with self._lock:
            was_cancelled, self._is_cancelled = self._is_cancelled, True
            is_waiting = self._thread is None
        if self._process is not None:
            self._process.kill()
        if is_waiting and not was_cancelled:
            self._close()

    def _run(self) -> None:
        try:
            with self._lock:
                self._started_at = self._heard_at = time.monotonic()
                self._status = JobStatus("running")
            exit_status = self._work()
            if not self._status.is_over:
                self._end(JobStatus("failed", failure=self._overrun or "died", exit_status=exit_status))
        except OSError as error:
            self._end(JobStatus("failed", failure="not started", message=error.strerror or str(error)))
        except Exception as error:  # noqa: BLE001 - the end of a thread: nobody must wait forever for a word of it
            _LOG.exception("a child process could not be followed")
            self._end(JobStatus("failed", failure="unexpected", message=type(error).__name__))
        finally:
            self._close()

    def _work(self) -> int:
        with _spawn(self._module, self._environment, self._one_core) as process:
            try:
                self._process = process
                if self._is_cancelled:  # before there was a process to end
                    process.kill()
                threading.Thread(target=self._watch, args=[process], name="job-limits", daemon=True).start()
                self._converse(process)
            finally:
                process.kill()
        return process.returncode

    def _converse(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the child has no pipes")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(dict(self._request)).encode() + b"\n")
            process.stdin.flush()  # and left open: its end tells the child that this process is gone
        for line in process.stdout:
            try:
                report = json.loads(line)
            except ValueError:
                continue  # the last line of a killed child may be incomplete
            self._heard_at = time.monotonic()
            if report["state"] == "running":
                with self._lock:
                    self._pace.note(report["phase"], report["done"])
                    self._status = JobStatus(**report)
            else:
                self._end(JobStatus(**report))

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while process.returncode is None:
            since: dict[Failure, float] = {"timeout": self._started_at, "silence": self._heard_at}
            left_s = {kind: start + self._limits_s[kind] - time.monotonic() for kind, start in since.items()}
            if overrun := [kind for kind, seconds in left_s.items() if seconds <= 0]:
                self._overrun = overrun[0]
                process.kill()
                return
            self._is_over.wait(min(1.0, *left_s.values()))

    def _end(self, status: JobStatus) -> None:
        with self._lock:
            self._ended_at = time.monotonic()
            last = self._status
            self._status = replace(status, phase=last.phase, done=last.done, total=last.total)

    def _close(self) -> None:
        if self._is_cancelled:
            self._end(JobStatus("cancelled"))
        try:
            self._on_end(self)
        finally:
            self._is_over.set()


def _spawn(module: str, environment: Mapping[str, str], one_core: bool) -> subprocess.Popen[bytes]:
    paths = [str(PROJECT_FOLDER), environment.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        (sys.executable, "-P", "-m", module),
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for the server, which ends its children itself
    )
    # Before it has begun: its threads inherit both, and the encoders use as many cores as they may run on.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        if one_core and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    return process
