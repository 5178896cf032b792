"""What every part of the benchmark is given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from retrieval import RetrievalError, Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.quantization import Float32s

TOP_K = 10


class NotMeasurableError(RetrievalError):
    """This index lacks what a part needs: no failure, but no figure either. The message says how to get it."""


Report = Callable[[str], None]
"""Told, in a few words, what is being measured."""


@dataclass(frozen=True, slots=True)
class QuerySet:
    """Queries of one kind, and their embeddings."""

    texts: tuple[str, ...]
    """Empty for an index without a model, which is asked with vectors."""
    vectors: Float32s
    """`(m, dim)` of length 1."""

    def first(self, count: int) -> QuerySet:
        """Returns the first `count` queries."""
        return QuerySet(self.texts[:count], self.vectors[:count])


@dataclass(frozen=True, slots=True)
class Job:
    """What is measured, with what, and how thoroughly."""

    index: Path
    query_sets: Mapping[str, QuerySet]
    threads: int
    work: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    """Where large temporary files may go."""
    seed: int = 0
    rounds: int = 3
    """How often each query is asked."""
    growth_sizes: tuple[int, ...] = ()
    """Numbers of documents; none for 10,000, 100,000, all, and 2,000,000."""

    def all_vectors(self, of_each: int) -> Float32s:
        """Returns the embeddings of the first `of_each` queries of every set, one set after the other."""
        return np.concatenate([each.vectors[:of_each] for each in self.query_sets.values()])


def open_for(index: Path, queries: Iterable[QuerySet]) -> Searcher:
    """Returns the index; with its model where all of the queries are texts."""
    if all(each.texts for each in queries):
        return Searcher.open(index, verify="never")
    return Searcher(Bundle.open(index), None)


def require_baseline(index: Path, has_baseline: bool) -> None:
    """Checks that the float32 embeddings are there.

    Raises:
        NotMeasurableError: if they are not.
    """
    if not has_baseline:
        raise NotMeasurableError(
            f"{index.name} has no float32 baseline, so this cannot be measured: build it again without --no-baseline."
        )


def prepare_as_served(searcher: Searcher, scan: str) -> None:
    """Prepares a scan as `Searcher.open` does in the background: only where there is much to compare."""
    if searcher.files.is_worth_preparing:
        searcher.files.prepare_scan(scan)
