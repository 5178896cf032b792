"""A corpus that another process of a Ray cluster reads ahead; and failures there, as our errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from retrieval.corpus.base import Corpus, WrappedCorpus
from retrieval.errors import BuildError, RetrievalError

_BATCHES_READ = 4
"""Batches that may wait to be taken."""
_MESSAGE_CHARS = 300


class ReadAhead(WrappedCorpus):
    """A corpus that another process reads, some batches ahead."""

    def __init__(self, ray: Any, corpus: Corpus) -> None:
        self._ray = ray
        super().__init__(corpus)
        self._unread = ray.put(corpus)  # before any of it is opened here
        self._told: tuple[str, ...] = ()

    @property
    def notes(self) -> Sequence[str]:
        """Returns what the user should know about how the source is read, here and there."""
        return (*self._corpus.notes, *(note for note in self._told if note not in self._corpus.notes))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows in the order of the source. A process that dies is started again, and its batches read again.

        Raises:
            CorpusError: if the source cannot be read.
            BuildError: if the cluster fails.
        """
        node_id = self._ray.get_runtime_context().get_node_id()
        here = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id, soft=False)
        read = self._ray.remote(
            num_cpus=0, num_returns="streaming", max_retries=-1, scheduling_strategy=here,
            _generator_backpressure_num_objects=_BATCHES_READ,
        )(_read)  # fmt: skip
        for ref in read.remote(self._unread):
            with ray_errors(self._ray):
                batch = self._ray.get(ref)
            if isinstance(batch, tuple):
                self._told = batch
            else:
                yield batch


def _read(corpus: Corpus) -> Iterator[pa.RecordBatch | tuple[str, ...]]:
    """Yields the batches of a corpus, and at the end its notes."""
    yield from corpus.batches()
    yield tuple(corpus.notes)


@contextmanager
def ray_errors(ray: Any) -> Iterator[None]:
    """Maps failures on the cluster to the errors of this package."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, RetrievalError):
            raise cause from error
        raise BuildError(
            f"the Ray cluster failed: {brief_of(error)} Run the same command again; it continues where it stopped."
        ) from error


def brief_of(error: Exception) -> str:
    """Returns the last line of what an error says, as a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return f"{lines[-1][:_MESSAGE_CHARS].rstrip('.')}."
