"""Work on a visitor's data beside the searches of all others: in a child process, in turn, within a time.

The child runs at low priority on one core, so that searches keep the machine. It is a fresh interpreter and no fork:
the server has threads and open connections that a child must not inherit. It ends with its work, with its time, with
a cancel, and with this process, whatever ends that.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from retrieval.errors import BuildError
from retrieval.serving.visitor.process import start_child, why_died, why_timed_out

_LOG = logging.getLogger(__name__)
_OVER = ("finished", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is."""

    phase: str = "waiting"
    """`waiting`, `starting`, what the child reports (`looking`, `model`, `reading`, `encoding`, `writing`, ...), and in
    the end `finished`, `failed` or `cancelled`."""
    done: int = 0
    total: int | None = None
    message: str = ""
    """What went wrong; else what the child has to say."""
    place: int = 0
    """While it waits: how many are before it, those that run included."""
    elapsed_s: float = 0.0
    """Since the child was started."""
    seconds_left: float | None = None
    """For this phase, by its rate so far."""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Returns whether nothing more will come."""
        return self.phase in _OVER

    @property
    def share(self) -> float | None:
        """Returns how much of the phase is done, 0.0 to 1.0; None where nobody knows."""
        return min(1.0, self.done / self.total) if self.total else None


class ChildQueue:
    """Runs jobs in the order in which they came, a few at a time."""

    def __init__(self, num_slots: int = 1, max_waiting: int = 20) -> None:
        self._num_slots = num_slots
        self._max_waiting = max_waiting
        self._turn = threading.Condition()
        self._jobs: list[BuildJob] = []
        """Those that run, then those that wait, oldest first."""

    def submit(self, request: Mapping[str, Any], *, max_seconds: float) -> BuildJob:
        """Returns the job, which starts when its turn has come.

        Raises:
            BuildError: if too many are waiting already.
        """
        job = BuildJob(self, request, max_seconds)
        with self._turn:
            if len(self._jobs) >= self._num_slots + self._max_waiting:
                raise BuildError(f"{self._max_waiting} builds are waiting for their turn already: try again later.")
            self._jobs.append(job)
        job.start()
        return job

    def close(self) -> None:
        """Ends all jobs."""
        with self._turn:
            jobs = list(self._jobs)
        for job in jobs:
            job.cancel()

    def place_of(self, job: BuildJob) -> int:
        """Returns how many jobs are before this one."""
        with self._turn:
            return self._jobs.index(job) if job in self._jobs else 0

    def wait_for_turn(self, job: BuildJob) -> None:
        """Returns when the job may run, or was cancelled."""
        with self._turn:
            self._turn.wait_for(lambda: job.is_cancelled or self._jobs.index(job) < self._num_slots)

    def leave(self, job: BuildJob) -> None:
        """Makes room for the next one."""
        with self._turn:
            self._jobs.remove(job)
            self._turn.notify_all()

    def wake(self) -> None:
        """Makes those that wait look again."""
        with self._turn:
            self._turn.notify_all()


class BuildJob:
    """One request to a child process. Safe to use from many threads."""

    def __init__(self, queue: ChildQueue, request: Mapping[str, Any], max_seconds: float) -> None:
        """Use `ChildQueue.submit`."""
        self._queue = queue
        self._request = request
        self._max_seconds = max_seconds
        self._lock = threading.Lock()
        self._status = JobStatus()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._phase_started = self._ended = 0.0
        self._phase_done = 0
        self._is_timed_out = False
        self.is_cancelled = False
        self._thread = threading.Thread(target=self._run, name="own-build", daemon=True)

    @property
    def status(self) -> JobStatus:
        """Returns how far it is."""
        place = self._queue.place_of(self)
        with self._lock:
            status, now = self._status, time.monotonic()
            if status.phase == "waiting":
                return replace(status, place=place)
            elapsed_s = (now if not status.is_over else self._ended) - self._started if self._started else 0.0
            progressed = status.done - self._phase_done
            left = None
            if status.total and progressed > 0 and not status.is_over:
                left = max(0.0, (status.total - status.done) * (now - self._phase_started) / progressed)
        return replace(status, elapsed_s=elapsed_s, seconds_left=left)

    @property
    def pid(self) -> int | None:
        """Returns the id of the child while there is one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Waits for its turn, and runs, in a thread."""
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> JobStatus:
        """Returns the status when it is over, or the time is."""
        self._thread.join(timeout_s)
        return self.status

    def cancel(self) -> None:
        """Ends it, whatever it is doing."""
        with self._lock:
            self.is_cancelled = True
        self._queue.wake()
        self._kill()

    def _run(self) -> None:
        try:
            self._queue.wait_for_turn(self)
            if not self.is_cancelled:
                self._work()
        except OSError as error:
            self._end("failed", f"The work could not be started here: {error.strerror}. Try again later.")
        except Exception:  # noqa: BLE001 - the end of a thread: the page must not wait for ever for a word of it
            _LOG.exception("a build of a visitor failed")
            self._end("failed", "Something went wrong on this side. It was noted in the log.")
        finally:
            self._queue.leave(self)
            if self.is_cancelled:
                self._end("cancelled", "")

    def _work(self) -> None:
        with self._lock:
            self._started = self._phase_started = time.monotonic()
            self._status = JobStatus("starting")
        process = self._process = start_child()
        if self.is_cancelled:  # it was cancelled before there was a process to kill
            self._kill()
        timer = threading.Timer(self._max_seconds, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            self._read_reports(process)
        finally:
            timer.cancel()
            with process:  # which closes its pipes
                self._kill()
                status = process.wait()
        if not self._status.is_over:
            self._end("failed", self._died(status))

    def _read_reports(self, process: subprocess.Popen[bytes]) -> None:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the child has no pipes to talk through")
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(dict(self._request)).encode() + b"\n")
            stdin.flush()
        for line in stdout:
            try:
                report = json.loads(line)
            except ValueError:
                continue  # the last line of a child that was killed is not whole
            if report["kind"] == "progress":
                self._note(report)
            elif report["kind"] == "failed":
                self._end("failed", report["message"])
            else:
                self._end("finished", "", report["result"])

    def _note(self, report: Mapping[str, Any]) -> None:
        with self._lock:
            if report["phase"] == "note":
                self._status = replace(self._status, message=report.get("message", ""))
                return
            done = report.get("done") or 0
            if report["phase"] != self._status.phase:
                self._phase_started, self._phase_done = time.monotonic(), done
            self._status = JobStatus(report["phase"], done, report.get("total"), report.get("message") or "")

    def _end(self, phase: str, message: str, result: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            self._ended = time.monotonic()
            self._status = replace(self._status, phase=phase, message=message, result=result or {})

    def _time_out(self) -> None:
        self._is_timed_out = True
        self._kill()

    def _kill(self) -> None:
        if (process := self._process) is not None and process.poll() is None:
            process.kill()

    def _died(self, status: int) -> str:
        if self._is_timed_out:
            return why_timed_out(self._status.phase, self._status.done, self._status.total, self._max_seconds)
        return why_died(status)
