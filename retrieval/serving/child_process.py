"""How a child process of the server and its caller talk: one line of JSON asks, lines of JSON report.

The child's side is `run_child`, the caller's `child_job`. Nothing heavy is imported here: a child does this first.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from retrieval.errors import RetrievalError

_CALLER_IS_GONE = 3
_REPORT_S = 0.25
"""Reports of one phase are sent at most this often."""

Request = Mapping[str, Any]
State = Literal["waiting", "running", "finished", "failed", "cancelled"]
Failure = Literal["error", "memory", "unexpected", "died", "timeout", "silence", "not started"]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is."""

    state: State = "waiting"
    phase: str = "starting"
    """What the child last reported; it stays when the job is over."""
    done: int = 0
    total: int | None = None
    elapsed_s: float = 0.0
    """Since the child was started."""
    seconds_left: float | None = None
    """Of the phase, by its rate so far; None if that is not known."""
    failure: Failure | None = None
    message: str = ""
    """Of a failure: the text of the `error`, the type of what was `unexpected`, why it was `not started`."""
    exit_status: int | None = None
    """Of a child that `died`: negative numbers are signals."""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Returns whether nothing more will come."""
        return self.state in ("finished", "failed", "cancelled")

    @property
    def fraction(self) -> float | None:
        """Returns how much of the phase is done, in [0, 1]; None if that is not known."""
        return min(1.0, self.done / self.total) if self.total else None


class Reports:
    """Sends reports, from any thread, and skips those that are too frequent to read."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._sent: tuple[str, float] = ("", 0.0)

    def progress(self, phase: str, done: int | None = None, total: int | None = None) -> None:
        """Reports how far a phase is."""
        now = time.monotonic()
        if phase != self._sent[0] or now - self._sent[1] >= _REPORT_S or done == total:
            self._sent = (phase, now)
            self.send(state="running", phase=phase, done=done or 0, total=total)

    def send(self, **status: Any) -> None:
        """Sends some fields of a `JobStatus`."""
        with self._lock:
            self._out.write(json.dumps(status) + "\n")
            self._out.flush()


def run_child(work: Callable[[Request, Reports], Mapping[str, Any]], *, logs_messages: bool = True) -> int:
    """Does what the caller asks, reports the result, and returns the exit status.

    Args:
        work: returns the result; a `RetrievalError` is reported by its message, any other by its type.
        logs_messages: whether the log gets the messages of other errors, which may quote data.
    """
    reports = Reports(_own_output())
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_caller, name="caller", daemon=True).start()
    try:
        result = work(request, reports)
    except MemoryError:
        reports.send(state="failed", failure="memory")
    except RetrievalError as error:
        reports.send(state="failed", failure="error", message=str(error))
    except Exception as error:  # noqa: BLE001 - the border of the process: whatever it is, the caller is told
        name = type(error).__name__
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
        sys.stderr.write(f"{name}: {error}\n" if logs_messages else f"{name}\n")
        reports.send(state="failed", failure="unexpected", message=name)
    else:
        reports.send(state="finished", result=result)
        return 0
    return 1


def _own_output() -> TextIO:
    """Returns the original standard output; everything else written to it from now on goes to standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def _end_with_the_caller() -> None:
    # Not through sys.stdin: holding its lock here would prevent an orderly exit.
    while os.read(0, 4096):
        pass
    os._exit(_CALLER_IS_GONE)
