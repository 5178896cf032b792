"""faiss IVF RaBitQ with an int8 (SQ8) refine stage, all in RAM."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors

_FILE = "rabitq.faiss"
_TRAINED_ON_A_LIST = 64
"""Vectors a list that the k-means sees: faiss wants 39 at least, and its 256 take minutes more."""
_QUERY_BITS = 8


def num_lists(count: int) -> int:
    """Returns the power of two nearest to 2 sqrt(count), fewer when there are not enough vectors to train so many."""
    lists = 2 ** round(np.log2(2 * np.sqrt(count)))
    while lists > 1 and lists * _TRAINED_ON_A_LIST > count:
        lists //= 2
    return int(lists)


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the index of `vectors` to `folder`."""
    faiss.omp_set_num_threads(threads)
    lists = num_lists(len(vectors))
    # RaBitQ takes its input to be rotated at random, and leaves that to the caller.
    recipe = f"RR{vectors.dim},IVF{lists},RaBitQfs,Refine(SQ8)"
    index = faiss.index_factory(vectors.dim, recipe, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors.sample(lists * _TRAINED_ON_A_LIST))
    for _, batch in vectors.batches(65_536):
        index.add(batch)
    faiss.write_index(index, str(folder / _FILE))


def open_index(folder: Path, threads: int) -> FaissRabitq:
    """Returns the index in `folder`."""
    faiss.omp_set_num_threads(threads)
    return FaissRabitq(faiss.read_index(str(folder / _FILE)), threads)


def lists_of(index: Any) -> Any:
    """Returns the lists behind the refining and the rotation of an index."""
    return faiss.downcast_index(faiss.downcast_index(index.base_index).index)


class FaissRabitq(Opened):
    """An opened index."""

    def __init__(self, index: Any, threads: int) -> None:
        self._index = index
        self._lists = lists_of(index)
        self._threads = threads
        self._caller = threading.local()

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        all_threads = setting["all_threads"] and not getattr(self._caller, "shares_cores", False)
        nearest: Ids = self._found(query[None], top_k, setting, self._threads if all_threads else 1)[0]
        return nearest

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        return self._found(queries, top_k, setting, self._threads)

    def _found(self, queries: Float32s, top_k: int, setting: Mapping[str, int], threads: int) -> Ids:
        faiss.omp_set_num_threads(threads)
        # The way of the scan is the index's, not the call's: it is set once, before callers come from several threads.
        if self._lists.implem != setting["implem"]:
            self._lists.implem = setting["implem"]
        lists = faiss.IVFRaBitQSearchParameters(nprobe=setting["nprobe"], qb=_QUERY_BITS)
        rotated = faiss.SearchParametersPreTransform(index_params=lists)
        refined = faiss.IndexRefineSearchParameters(k_factor=setting["k_factor"], base_index_params=rotated)
        _, ids = self._index.search(queries, top_k, params=refined)
        return np.asarray(ids, dtype=np.int64)

    def enter_caller(self) -> None:
        """Keeps OpenMP, whose setting belongs to the calling thread, to one core a caller."""
        self._caller.shares_cores = True
