"""The frontiers of the library's indexes: each measured once, in a child process, and kept for all visitors."""

from __future__ import annotations

import threading

from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE
from retrieval.errors import BuildError, BundleMissingError
from retrieval.evaluation.frontier.points import Frontier
from retrieval.search.searcher import Searcher
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import JobStatus
from retrieval.serving.visitor.queue import ChildQueue

MAX_VECTORS = 10_000
"""How many vectors of an index are measured, spread over all of it."""
MAX_QUERIES = 100
MAX_SECONDS = 120.0
_MAX_WAITING = 5
_MAX_DIM = 8_192
_MAX_FILE_BYTES = 1_000_000


class IndexFrontiers:
    """Measures on request, one index at a time. An index is known by the SHA-256 of its codes."""

    def __init__(self) -> None:
        self._queue = ChildQueue(1, _MAX_WAITING)
        self._lock = threading.Lock()
        self._jobs: dict[str, ChildJob] = {}
        self._kept: dict[str, Frontier] = {}

    def close(self) -> None:
        """Ends what is being measured."""
        self._queue.close()

    def kept(self, searcher: Searcher) -> Frontier | None:
        """Returns the frontier of an index if it was measured."""
        return self._kept.get(_key(searcher))

    def status(self, searcher: Searcher) -> JobStatus | None:
        """Returns how far the measurement of an index is; None if none was started, or it is over and was told of."""
        with self._lock:
            job = self._jobs.get(_key(searcher))
            if job is None:
                return None
            status = job.status
            if status.is_over:
                del self._jobs[_key(searcher)]
                if status.state == "finished":
                    self._kept[_key(searcher)] = Frontier.from_json(dict(status.result["frontier"]))
            return status

    def start(self, searcher: Searcher) -> ChildJob:
        """Returns the job that measures an index: the running one, if there is one.

        Raises:
            BundleMissingError: if the index has no float32 vectors.
            BuildError: if too many are waiting already.
        """
        if not searcher.manifest.has_baseline:
            raise BundleMissingError(
                "this index has no float32 vectors to compare with: build it without --no-baseline to measure it."
            )
        with self._lock:
            job = self._jobs.get(_key(searcher))
            if job is None or job.status.is_over:
                job = self._queue.submit(_request(searcher), max_seconds=MAX_SECONDS)
                self._jobs[_key(searcher)] = job
            return job

    def cancel(self, searcher: Searcher) -> None:
        """Ends the measurement of an index, if one is running."""
        with self._lock:
            job = self._jobs.pop(_key(searcher), None)
        if job is not None:
            job.cancel()

    def of(self, searcher: Searcher) -> Frontier:
        """Returns the frontier of an index, which is measured now if it was not before: that takes up to two minutes.

        Raises:
            RetrievalError: if it cannot be measured.
        """
        kept = self.kept(searcher)
        if kept is not None:
            return kept
        status = self.start(searcher).wait(MAX_SECONDS * 2)
        self.status(searcher)
        kept = self.kept(searcher)
        if kept is not None:
            return kept
        if not status.is_over:
            raise BuildError("others are measuring, and it is not this index's turn yet: try again in a minute.")
        raise BuildError(f"the frontier could not be measured: {status.message or status.failure or status.state}.")


def _key(searcher: Searcher) -> str:
    return searcher.manifest.files[BINARY_FILE].sha256


def _request(searcher: Searcher) -> dict[str, object]:
    return {
        "task": "measure",
        "vectors": str(searcher.bundle.path / EMBEDDINGS_FILE),
        "column": None,
        "metric": "cosine",
        "spread": True,
        "max_rows": MAX_VECTORS,
        "max_dim": _MAX_DIM,
        "max_queries": MAX_QUERIES,
        "max_seconds": 0.9 * MAX_SECONDS,
        "max_file_bytes": _MAX_FILE_BYTES,
    }
