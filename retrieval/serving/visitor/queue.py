"""Work on visitors' data in child processes: in turn, on one core, within a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from retrieval.errors import BuildError
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import Request

_CHILD = "retrieval.serving.visitor.child"
_END_S = 1.0
"""A child that is killed has ended long before."""
# What the child needs to start and to find the model. The rest stays out: it is full of secrets, and the child reads
# strangers' files.
_KEPT_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "XDG_CACHE_HOME", "EMBEDDING_QUANTIZATION_CACHE"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE"),
)
_CHILD_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONWARNINGS": "ignore",
}


class ChildQueue:
    """Runs jobs in the order in which they came, a few at a time."""

    def __init__(self, num_slots: int = 1, max_waiting: int = 20) -> None:
        self._num_slots = num_slots
        self._max_waiting = max_waiting
        self._lock = threading.RLock()
        self._jobs: list[ChildJob] = []
        """Those that run, then those that wait, oldest first."""

    def __len__(self) -> int:
        with self._lock:
            return len(self._jobs)

    def submit(self, request: Request, *, max_seconds: float) -> ChildJob:
        """Returns the job, which starts when its turn has come.

        Raises:
            BuildError: if too many are waiting already.
        """
        job = ChildJob(
            _CHILD, request, environment=_environment(os.environ), one_core=True, max_seconds=max_seconds,
            on_end=self._leave,
        )  # fmt: skip
        with self._lock:
            if len(self._jobs) >= self._num_slots + self._max_waiting:
                raise BuildError(f"{self._max_waiting} builds are waiting for their turn already: try again later.")
            self._jobs.append(job)
            self._start_next()
        return job

    def place_of(self, job: ChildJob) -> int:
        """Returns how many jobs are before this one, those that run included."""
        with self._lock:
            return self._jobs.index(job) if job in self._jobs else 0

    def close(self) -> None:
        """Ends all jobs."""
        with self._lock:
            jobs = list(self._jobs)
        for job in reversed(jobs):  # those that wait first, so that none of them starts
            job.cancel()
        for job in jobs:
            job.wait(_END_S)

    def _start_next(self) -> None:
        for job in self._jobs[: self._num_slots]:
            job.start()

    def _leave(self, job: ChildJob) -> None:
        with self._lock:
            self._jobs.remove(job)
            self._start_next()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {**{name: ours[name] for name in _KEPT_ENVIRONMENT if name in ours}, **_CHILD_ENVIRONMENT}
