"""An index that is made ready while another one serves: built or fetched in its own process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

from retrieval.errors import RetrievalError
from retrieval.serving.child_job import ChildJob
from retrieval.serving.child_process import JobStatus

_LOG = logging.getLogger(__name__)
_CHILD = "retrieval.serving.background.child"
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class BuildJob:
    """A corpus that needs no path is to be built."""

    task: ClassVar[str] = "build"
    max_silence_s: ClassVar[float] = 3_600.0
    """Some steps of a large build report nothing for a long time."""
    corpus: str
    """One of `SOURCES`."""
    output: str
    limit: int | None = None

    def __str__(self) -> str:
        return self.corpus


@dataclass(frozen=True, slots=True)
class FetchJob:
    """A published index is to be fetched."""

    task: ClassVar[str] = "fetch"
    max_silence_s: ClassVar[float] = 180.0
    """A hub that sends nothing for this long is given up."""
    address: str

    def __str__(self) -> str:
        return self.address


Job = BuildJob | FetchJob
OnReady = Callable[[Path], str]
"""Takes the folder of the index into service, and returns its name."""


@dataclass(frozen=True, slots=True)
class BackgroundStatus:
    """How far an index is."""

    job: Job
    child: JobStatus
    """How far the child is. Also `failed` if its index cannot be taken into service."""
    max_silence_s: float
    index_name: str | None = None
    """The name under which the index is searched, once it is."""

    @property
    def has_failed(self) -> bool:
        """Returns whether there will be no index."""
        return self.child.state == "failed"

    @property
    def is_settled(self) -> bool:
        """Returns whether there is nothing left to wait for."""
        return self.has_failed or self.index_name is not None


class BackgroundIndex:
    """Runs a job in a child process. `status` says how far it is, and may be read from any thread."""

    def __init__(self, job: Job, on_ready: OnReady, *, max_silence_s: float | None = None) -> None:
        """Takes what to do, what to call when the index is there, and how long the child may report nothing."""
        self.job = job
        self._max_silence_s = job.max_silence_s if max_silence_s is None else max_silence_s
        self._on_ready = on_ready
        self._failure: JobStatus | None = None
        self._index_name: str | None = None
        self._child = ChildJob(
            _CHILD, {"task": job.task, **asdict(job)}, max_silence_s=self._max_silence_s, on_end=self._take_over
        )

    @property
    def status(self) -> BackgroundStatus:
        """Returns how far it is."""
        child = self._failure or self._child.status
        return BackgroundStatus(self.job, child, self._max_silence_s, self._index_name)

    @property
    def process_id(self) -> int | None:
        """Returns the id of the child, None before it is started."""
        return self._child.pid

    def start(self) -> None:
        """Starts the child, and returns."""
        _LOG.info("%s of %s begins in the background", self.job.task, self.job)
        self._child.start()

    def stop(self) -> None:
        """Ends the child; an unfinished build or download continues at the next start."""
        self._child.cancel()
        self._child.wait(_STOP_S)

    def wait(self, timeout_s: float | None = None) -> BackgroundStatus:
        """Returns the status once there is nothing left to wait for, or after the time."""
        self._child.wait(timeout_s)
        return self.status

    def _take_over(self, child: ChildJob) -> None:
        status = child.status
        if status.state == "finished":
            try:
                self._index_name = self._on_ready(Path(status.result["path"]))
            except RetrievalError as error:
                self._failure = replace(status, state="failed", failure="error", message=str(error))
            except Exception as error:  # noqa: BLE001 - the end of a thread: the page must not wait forever
                _LOG.exception("an index in the background failed")
                self._failure = replace(status, state="failed", failure="unexpected", message=type(error).__name__)
        self._tell(self.status)

    def _tell(self, status: BackgroundStatus) -> None:
        if status.index_name is not None:
            _LOG.info("%s of %s is ready after %.1f s", self.job.task, self.job, status.child.elapsed_s)
        elif status.has_failed:
            child = status.child
            _LOG.warning("%s of %s failed (%s): %s", self.job.task, self.job, child.failure, child.message)
