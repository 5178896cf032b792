"""Queries that wait for a core, answered in one batch: one pass over the bits serves them all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.search.scans.scan import Candidates
from retrieval.system import UnderWay

MOST_IN_A_BATCH = 32
Search = Callable[[npt.NDArray[Any], int, bool], list[Candidates]]
"""Searches vectors or codes `(m, any)` for this many texts each; the flag tells whether it has the cores to itself."""


@dataclass(slots=True)
class _Waiting:
    query: npt.NDArray[Any]
    k: int
    is_alone: bool
    woken: threading.Event = field(default_factory=threading.Event)
    batch: list[_Waiting] | None = None
    """The batch that this query searches for all of them; None until it is chosen to."""
    found: list[Candidates] = field(default_factory=list)


class Together:
    """Lets as many queries search at once as there are cores; later ones wait, and are searched as a batch."""

    def __init__(self, search: Search, num_cores: int) -> None:
        self._search = search
        self._under_way = UnderWay()
        self._free = num_cores
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def search(self, query: npt.NDArray[Any], k: int) -> Candidates:
        """Returns the best `k` texts for a vector or code `(1, any)`, as the search alone would."""
        with self._under_way as is_alone:
            return self._answered(_Waiting(query, k, is_alone))

    def _answered(self, own: _Waiting) -> Candidates:
        with self._lock:
            if self._free:
                self._free -= 1
                own.batch = [own]
            else:
                self._waiting.append(own)
        if own.batch is None:
            own.woken.wait()
        if own.batch is not None:
            with suppress(Exception):  # perhaps because of another query
                self._answer(own.batch)
        # If the batch failed, each query searches alone and gets its own error.
        return own.found[0] if own.found else self._search(own.query, own.k, False)[0]

    def _answer(self, batch: list[_Waiting]) -> None:
        """Answers a batch that begins with the caller's query, and passes the core on to those waiting by then."""
        try:
            k = max(each.k for each in batch)
            queries = batch[0].query if len(batch) == 1 else np.concatenate([each.query for each in batch])
            for each, found in zip(batch, self._search(queries, k, batch[0].is_alone), strict=True):
                each.found.append(found.first(each.k))
        finally:
            self._pass_on()
            for each in batch[1:]:
                each.woken.set()

    def _pass_on(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:MOST_IN_A_BATCH], self._waiting[MOST_IN_A_BATCH:]
            if not batch:
                self._free += 1
                return
        batch[0].batch = batch
        batch[0].woken.set()
