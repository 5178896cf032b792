"""Our own path, `Searcher.nearest_texts`, over a bundle that is already built."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from retrieval import BuildError, Searcher, SearchSettings
from retrieval.bundle.bundle import Bundle
from scripts.bench.job import prepare_as_served
from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Raises BuildError: our index is the one that is compared with."""
    raise BuildError("our index is given, and not built for the comparison: use scripts/build_index.py.")


def open_index(folder: Path, threads: int) -> Ours:
    """Returns the bundle in `folder`, without the encoder that a vector does not need."""
    return Ours(Searcher(Bundle.open(folder), None))


class Ours(Opened):
    """An opened searcher. It answers with rows of the corpus, not with positions among the distinct texts."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._prepared: set[str] = set()

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        settings = self._settings(top_k, setting)
        return np.asarray(self._searcher.nearest_texts(query, settings), dtype=np.int64)

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> object:
        return self._searcher.nearest_texts_of_each(queries, self._settings(top_k, setting))

    def _settings(self, top_k: int, setting: Mapping[str, int]) -> SearchSettings:
        settings = dataclasses.replace(self._searcher.defaults, top_k=top_k, scan=_scan_of(setting))
        if settings.scan not in self._prepared:
            self._prepared.add(settings.scan)
            prepare_as_served(self._searcher, settings.scan)
        if "num_candidates" in setting:
            settings = dataclasses.replace(settings, num_candidates=setting["num_candidates"])
        if "probes" in setting:
            settings = dataclasses.replace(settings, probes=setting["probes"] or settings.probes)
        if "int8_rows" in setting:
            settings = dataclasses.replace(settings, rescore_multiplier=max(1, setting["int8_rows"] // top_k))
        return settings

    def held_bytes(self) -> int | None:
        """Returns the bytes of the sign bits and of the tables that go with them."""
        memory = self._searcher.memory()
        return memory["codes"] + memory["row_tables"] + memory["lists"]


def _scan_of(setting: Mapping[str, int]) -> str:
    """Returns the scan that a setting is for: each has knobs of its own."""
    if "probes" in setting:
        return "lists"
    return "hamming" if "num_candidates" in setting or not setting else "float-bits"
