"""ScaNN: lists, 4-bit anisotropic product codes, float32 rescoring, all in RAM."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scann

from scripts.bench.peers.engine import Float32s, Ids, Opened, Vectors

_MOST_TRAINED_ON = 250_000
_DIMS_PER_CODE = 2
_ANISOTROPIC_THRESHOLD = 0.2
"""What ScaNN's documentation takes for dot products."""


def num_leaves(count: int) -> int:
    """Returns about the square root of the number of vectors, as ScaNN's documentation has it."""
    return max(1, round(math.sqrt(count)))


def build(vectors: Vectors, folder: Path, threads: int) -> None:
    """Writes the index of `vectors` to `folder`."""
    everything = np.concatenate([batch for _, batch in vectors.batches(65_536)])
    leaves = num_leaves(len(vectors))
    builder = scann.scann_ops_pybind.builder(everything, 10, "dot_product").set_n_training_threads(threads)
    trained_on = min(len(vectors), _MOST_TRAINED_ON)
    tree = builder.tree(num_leaves=leaves, num_leaves_to_search=max(1, leaves // 10), training_sample_size=trained_on)
    coded = tree.score_ah(_DIMS_PER_CODE, anisotropic_quantization_threshold=_ANISOTROPIC_THRESHOLD)
    coded.reorder(100).build().serialize(str(folder), relative_path=True)


def open_index(folder: Path, threads: int) -> ScannTree:
    """Returns the index in `folder`."""
    return ScannTree(scann.scann_ops_pybind.load_searcher(str(folder)))


class ScannTree(Opened):
    """An opened index. One query takes one core."""

    def __init__(self, searcher: Any) -> None:
        self._searcher = searcher

    def search(self, query: Float32s, top_k: int, setting: Mapping[str, int]) -> Ids:
        ids, _ = self._searcher.search(query, **_knobs(top_k, setting))
        return np.asarray(ids, dtype=np.int64)

    def search_batch(self, queries: Float32s, top_k: int, setting: Mapping[str, int]) -> object:
        return self._searcher.search_batched_parallel(queries, **_knobs(top_k, setting))


def _knobs(top_k: int, setting: Mapping[str, int]) -> dict[str, int]:
    return {
        "final_num_neighbors": top_k,
        "pre_reorder_num_neighbors": setting["reordered"],
        "leaves_to_search": setting["leaves"],
    }
