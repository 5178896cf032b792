"""The child process that works on a visitor's data: how it starts, and what its end means."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_COMMAND = (sys.executable, "-P", "-W", "ignore", "-m", "retrieval.serving.visitor.child")
_NICENESS = 10
# What the program needs to start and to find the model. The rest stays out: it is full of secrets, and the child reads
# strangers' files.
_KEPT_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "XDG_CACHE_HOME", "EMBEDDING_QUANTIZATION_CACHE"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE"),
)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
_KILLED = -9


def start_child() -> subprocess.Popen[bytes]:
    """Returns the child, at low priority on one core; it waits for a request on its standard input.

    Raises:
        OSError: if it cannot be started.
    """
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    process = subprocess.Popen(
        _COMMAND,
        env={**kept, **_ONE_THREAD, "PYTHONPATH": str(_ROOT)},
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for the server, which ends its children itself
    )
    # Before it has begun: its threads take after it. The encoders use as many cores as they may run on.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    return process


def why_died(status: int) -> str:
    """Returns what to tell of a child that ended without an answer, by its exit status."""
    if status == _KILLED:
        return "The system ended the work, most likely because memory ran out: use fewer rows, or shorter texts."
    return f"The work ended unexpectedly (status {status}): try again, with fewer rows or another file."


def why_timed_out(phase: str, done: int, total: int | None, max_seconds: float) -> str:
    """Returns what to tell of a job that took too long, and what to do."""
    if phase == "looking":
        return f"The file could not be looked through in {max_seconds:,.0f} s: bring a smaller one, or another format."
    stopped = f"Stopped after {max_seconds:,.0f} s, the most that a build may take here"
    if phase == "encoding" and total and done:
        return (
            f"{stopped}: {done:,} of {total:,} texts were encoded by then. "
            f"Use the first {_rounded_down(done):,} rows or so, or shorter texts."
        )
    return f"{stopped}. Use fewer rows, or shorter texts."


def _rounded_down(count: int) -> int:
    """Returns about nine tenths of a count, as a round number: the rest of the build wants time, too."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return max(step, count * 9 // 10 // step * step)
