"""Work on visitors' data in child processes: in fair turns, on one core, within a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from retrieval.errors import BuildError
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import Request

_CHILD = "retrieval.serving.visitor.child"
_END_S = 1.0
"""A child that is killed has ended long before."""
# What the child needs to start and to find the model. The rest stays out: it is full of secrets, and the child reads
# untrusted files.
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


@dataclass(frozen=True, slots=True)
class Client:
    """Whose job it is. Sessions can be invented at will, addresses cannot: turns go by address first."""

    address: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    job: ChildJob
    client: Client


class ChildQueue:
    """Runs a few jobs at a time: one job of each address in turn, and among those, one of each session in turn.

    No address takes all slots while there are several. If too many wait, the last one in turn is dropped: it belongs to
    the visitor with the most jobs.
    """

    def __init__(self, num_slots: int = 1, max_waiting: int = 20, make_job: Callable[..., ChildJob] = ChildJob) -> None:
        self._make_job = make_job
        self._num_slots = num_slots
        self._max_waiting = max_waiting
        self._lock = threading.RLock()
        self._running: list[_Entry] = []
        self._waiting: list[_Entry] = []
        """In the order in which they came."""
        self._served: dict[Hashable, int] = {}
        """When each address and each client that has jobs here last began one, as a number that counts up."""

    def __len__(self) -> int:
        with self._lock:
            return len(self._running) + len(self._waiting)

    def submit(self, request: Request, *, max_seconds: float, client: Client | None = None) -> ChildJob:
        """Returns the job, which starts when its turn has come.

        Args:
            request: what the child is to do.
            max_seconds: how long it may take, from its start.
            client: whose job it is; by default, everybody's without a name.

        Raises:
            BuildError: if too many are waiting already, and none of them is of a client with more jobs.
        """
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment = {**kept, **_CHILD_ENVIRONMENT}
        job = self._make_job(
            _CHILD, request, environment=environment, one_core=True, max_seconds=max_seconds,
            on_end=self._leave,
        )  # fmt: skip
        entry = _Entry(job, client or Client())
        with self._lock:
            self._waiting.append(entry)
            self._start_next()
            if len(self._waiting) > self._max_waiting:
                last = self._in_turn()[-1]
                if last is entry:
                    self._waiting.remove(entry)
                    raise BuildError(f"{self._max_waiting} jobs are already waiting for their turn: try again later.")
                last.job.cancel()
        return job

    def place_of(self, job: ChildJob) -> int:
        """Returns how many jobs are before this one, those that run included."""
        with self._lock:
            jobs = [entry.job for entry in (*self._running, *self._in_turn())]
            return jobs.index(job) if job in jobs else 0

    def close(self) -> None:
        """Ends all jobs."""
        with self._lock:
            jobs = [entry.job for entry in (*self._waiting, *self._running)]
        for job in jobs:  # waiting ones first, so that none of them starts
            job.cancel()
        for job in jobs:
            job.wait(_END_S)

    def _in_turn(self) -> list[_Entry]:
        """Returns those that wait, in the order in which they will start if nobody else comes."""
        served, left, order = dict(self._served), list(self._waiting), []
        while left:
            # Of equal ones, the first.
            entry = min(left, key=lambda each: (served.get(each.client.address, 0), served.get(each.client, 0)))
            left.remove(entry)
            order.append(entry)
            _serve(served, entry.client)
        return order

    def _start_next(self) -> None:
        while len(self._running) < self._num_slots:
            entry = next((entry for entry in self._in_turn() if self._may_start(entry)), None)
            if entry is None:
                return
            self._waiting.remove(entry)
            self._running.append(entry)
            _serve(self._served, entry.client)
            entry.job.start()

    def _may_start(self, entry: _Entry) -> bool:
        if not entry.client.address:
            return True
        own = sum(running.client.address == entry.client.address for running in self._running)
        return own < max(1, self._num_slots - 1)

    def _leave(self, job: ChildJob) -> None:
        with self._lock:
            self._running = [entry for entry in self._running if entry.job is not job]
            self._waiting = [entry for entry in self._waiting if entry.job is not job]
            self._start_next()
            clients = {entry.client for entry in (*self._running, *self._waiting)}
            here = {*clients, *(client.address for client in clients)}
            self._served = {name: turn for name, turn in self._served.items() if name in here}


def _serve(served: dict[Hashable, int], client: Client) -> None:
    served[client.address] = served[client] = max(served.values(), default=0) + 1
