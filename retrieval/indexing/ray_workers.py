"""A build's batches on the machines of a Ray cluster: one worker on each, which loads the encoder once.

What must be in one place stays in the build process: recognizing repeated texts, fitting the ranges, and writing. A
bounded number of batches is in progress, and results come in order. Ray restarts a worker that dies and repeats its
batches; if the build itself dies, its next run continues from the vectors on disk.

Ray is optional, and takes seconds to import: it is imported only when needed.
"""

from __future__ import annotations

import os
import pickle
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from retrieval.corpus.base import Corpus
from retrieval.encoding.encoder import Encoder
from retrieval.errors import BuildError, DependencyError, ModelError
from retrieval.indexing.read_ahead import ReadAhead, brief_of, ray_errors
from retrieval.indexing.workers import Batch, Result, Workers
from retrieval.quantization import Float32s

RAY_COMMAND = "pip install -r requirements-ray.txt"
LOCAL = "local"
"""The address of a cluster that is started for the build, and ends with it."""
_BATCHES_OF_WORKER = 2
"""One in progress, and one waiting."""
_BATCHES_READY = 2
"""Results for each worker that may wait for an earlier one."""
_OBJECT_STORE_BYTES = 1 << 29
_REACHED_WITHIN_S = 10

LoadEncoder = Callable[[], Encoder]


@contextmanager
def ray_workers(address: str, load: LoadEncoder | None) -> Iterator[RayWorkers]:
    """Provides the workers of the cluster at `address`, one on each machine, and releases them afterwards.

    Args:
        address: `LOCAL`, `auto` for the cluster that this machine belongs to, or `HOST:PORT`.
        load: loads the encoder, on each machine; None when nothing is encoded.

    Raises:
        DependencyError: if Ray is not installed.
        BuildError: if there is no such cluster, or it has no CPU for a worker.
    """
    # Before the import: neither this process nor those it starts may send usage statistics.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == LOCAL:
        # The one setting that keeps Ray on 127.0.0.1 on Linux, too.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
    except ImportError as error:
        raise DependencyError(f"--ray needs Ray, which is not installed: {RAY_COMMAND}") from error
    options: dict[str, Any] = {"logging_level": "warning", "log_to_driver": False}
    if address == LOCAL:
        options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        _reach(address)
        ray.init(address=address, **options)
    except Exception as error:
        # If a node does not start in time, Ray raises a bare Exception.
        raise BuildError(f"no Ray cluster at {address}: {brief_of(error)} Start one with: ray start --head") from error
    try:
        yield RayWorkers(ray, load)
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Tries a `HOST:PORT`: Ray itself waits for minutes if nobody listens.

    Raises:
        OSError, ValueError: if it is not reached, or its port is not a number.
    """
    host, colon, port = address.rpartition(":")
    if colon and "://" not in address:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_WITHIN_S).close()


class RayWorkers(Workers):
    """One process on each machine of a Ray cluster."""

    def __init__(self, ray: Any, load: LoadEncoder | None) -> None:
        """Starts the workers; `ray` is the module, connected to a cluster."""
        self._ray = ray
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        if not nodes:
            raise BuildError("no machine of the Ray cluster has a free CPU: start a node with --num-cpus 1 or more.")
        # One per machine: an encoder uses all cores. Ray restarts a worker that dies, and repeats its batches.
        worker = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1, scheduling_strategy="SPREAD")(_Worker)
        self._workers = [worker.remote(load) for _ in nodes]
        self.num_workers = len(nodes)

    @property
    def most_under_way(self) -> int:
        """Returns how many batches may be with the workers, or finished but not yet taken, at once."""
        return self.num_workers * (_BATCHES_OF_WORKER + _BATCHES_READY)

    def reading(self, corpus: Corpus) -> Corpus:
        """Returns a corpus of the same rows, read ahead by another process on this machine.

        A corpus that is opened already cannot be sent to another process, and is returned as it is.
        """
        try:
            return ReadAhead(self._ray, corpus)
        except (TypeError, ValueError, pickle.PicklingError):
            return corpus

    def encode(self, encoder: Encoder, texts: Iterable[Sequence[str]]) -> Iterator[Float32s]:
        """Yields the vectors of each batch of texts, float32 `(len(batch), dim)`, from the workers' encoders.

        Raises:
            ModelError: if a machine has another model than `encoder` is.
            BuildError: if the cluster fails.
        """
        sha256 = encoder.weights_sha256
        return self._in_order(lambda worker, batch: worker.encode.remote(batch, sha256), texts)

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """Yields what a function makes of each batch, in order.

        Raises:
            BuildError: if the cluster fails.
        """
        shared = self._ray.put(function)
        return self._in_order(lambda worker, batch: worker.apply.remote(shared, batch), batches)

    def _in_order(self, start: Callable[[Any, Batch], Any], batches: Iterable[Batch]) -> Iterator[Any]:
        """Yields the results in the order of the batches, with at most `most_under_way` of them begun."""
        results: deque[Any] = deque()
        at_work: dict[Any, int] = {}
        for batch in batches:
            if len(results) >= self.most_under_way:
                yield self._result(results.popleft())
            results.append(ref := start(self._workers[worker := self._least_busy(at_work)], batch))
            at_work[ref] = worker
        while results:
            yield self._result(results.popleft())

    def _least_busy(self, at_work: dict[Any, int]) -> int:
        """Returns a worker with less than its share of the batches in `at_work`, after removing finished ones."""
        waits_for: float | None = 0
        while True:
            if at_work:
                done, _ = self._ray.wait(list(at_work), num_returns=len(at_work) if waits_for == 0 else 1,
                                         timeout=waits_for, fetch_local=False)  # fmt: skip
                for ref in done:
                    del at_work[ref]
            busy = Counter(at_work.values())
            worker = min(range(self.num_workers), key=lambda number: busy[number])
            if busy[worker] < _BATCHES_OF_WORKER:
                return worker
            waits_for = None

    def _result(self, ref: Any) -> Any:
        with ray_errors(self._ray):
            return self._ray.get(ref)


class _Worker:
    """A process on one machine."""

    def __init__(self, load: LoadEncoder | None) -> None:
        # Ray gives a worker of one CPU one thread; but an encoder has the machine to itself.
        os.environ.pop("OMP_NUM_THREADS", None)
        self._load = load
        self._encoder: Encoder | None = None

    def encode(self, texts: Sequence[str], weights_sha256: str) -> Float32s:
        # Not when the process starts: only errors of calls come back as they were raised.
        if self._encoder is None and self._load is not None:
            self._encoder = self._load()
        if self._encoder is None or self._encoder.weights_sha256 != weights_sha256:
            raise ModelError("a machine of the cluster has a different model: give all of them the same one.")
        return self._encoder.encode(texts)

    def apply(self, function: Callable[[Any], Any], batch: Any) -> Any:
        return function(batch)
