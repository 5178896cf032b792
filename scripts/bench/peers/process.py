"""Runs one child (see child.py) within a time limit, and says why when it gives no figures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from retrieval.errors import RetrievalError
from scripts.bench.peers.child import Job

_ROOT = Path(__file__).parents[3]
_POOLS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS",
    "LANCE_CPU_THREADS",
)  # fmt: skip
_SHOWN_LINES = 3
"""The last lines of a child's stderr say what went wrong; what comes before is the way there."""


class ChildError(RetrievalError):
    """A measured process ended without figures."""


class ChildTimeoutError(ChildError):
    """A measured process was stopped, because its time was up."""


def run_child(job: Job, folder: Path, timeout_s: float) -> dict[str, Any]:
    """Returns the figures of `job`, done by a fresh process of its own; its files go to `folder`.

    Raises:
        ChildTimeoutError: if it took longer than `timeout_s`; it was killed.
        ChildError: if it failed or died.
    """
    path = folder / f"{job.task}.json"
    path.write_text(json.dumps(asdict(job)), encoding="utf-8")
    with path.with_suffix(".stderr").open("w+b") as errors:
        status = _exit_status(path, job, errors, timeout_s)
        if status != 0:
            errors.seek(0)
            raise ChildError(_why(job.task, status, errors.read().decode(errors="replace")))
    figures: dict[str, Any] = json.loads(path.with_suffix(".figures").read_text(encoding="utf-8"))
    return figures


def _exit_status(path: Path, job: Job, errors: IO[bytes], timeout_s: float) -> int:
    command = [sys.executable, "-m", "scripts.bench.peers.child", str(path)]
    with subprocess.Popen(
        command, cwd=_ROOT, env=_environment(os.environ, job.threads), stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            return process.wait(timeout=max(0.0, timeout_s))
        except subprocess.TimeoutExpired as error:
            raise ChildTimeoutError(f"stopped in its {job.task}: the time limit was up") from error
        finally:
            _kill(process)


def _environment(inherited: Mapping[str, str], threads: int) -> dict[str, str]:
    paths = os.pathsep.join([str(_ROOT), *filter(None, [inherited.get("PYTHONPATH")])])
    return {**inherited, **dict.fromkeys(_POOLS, str(threads)), "PYTHONPATH": paths}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the child with whatever it started: it leads a group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _why(task: str, status: int, errors: str) -> str:
    if status < 0:
        return f"its {task} was ended by {signal.Signals(-status).name}"
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return f"its {task} failed: {' | '.join(lines[-_SHOWN_LINES:]) or f'exit status {status}'}"
