"""How far from a query the lists are that it visits, as a build measures it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval.bundle.binary_file import write_binary_index
from retrieval.bundle.int8_store import write_int8_store
from retrieval.bundle.manifest import BINARY_FILE, INT8_FILE, LISTS_FILE
from retrieval.bundle.tuning import ScanRecall, Tuning
from retrieval.indexing.lists import build_lists
from retrieval.indexing.tuning_sweep import TuningSweep
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Float32s, Int8Quantizer, SignQuantizer, binarize

NUM_LISTS = 64


def tuned(folder: Path, vectors: Float32s) -> Tuning:
    quantizer = Int8Quantizer.fit([vectors])
    file = VectorFile(folder / "vectors.npy", *vectors.shape)
    file.truncate(0)
    file.append(vectors)
    write_binary_index(folder / BINARY_FILE, vectors.shape[1], [binarize(vectors)])
    write_int8_store(folder / INT8_FILE, vectors.shape[1], [quantizer.encode(vectors)])
    build_lists(folder / LISTS_FILE, file, NUM_LISTS, SignQuantizer())
    text_ids = np.arange(len(vectors), dtype=np.int32)
    tuning = TuningSweep(folder, file, quantizer, text_ids, SignQuantizer()).run(0.99)
    assert tuning is not None
    return tuning


def around(num_centers: int, each: int, spread: float) -> Float32s:
    """Returns vectors of length 1 around random directions, `each` around every one of them."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(num_centers, 32)), each, axis=0)
    vectors += spread * rng.normal(size=vectors.shape)
    units: Float32s = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units


def scans(tuning: Tuning) -> tuple[ScanRecall, ScanRecall]:
    """Returns what was measured of `float-bits`, and of the lists that were chosen."""
    assert tuning.reach == tuning.scans[-1].reach
    return tuning.scans[0], tuning.scans[-1]


def test_lists_out_of_reach_are_skipped_and_little_is_lost(tmp_path: Path) -> None:
    everything, chosen = scans(tuned(tmp_path, around(200, 20, spread=0.9)))
    assert chosen.reach is not None
    assert 0 < chosen.reach < 1
    assert chosen.recall >= 0.994 * 0.995 * everything.recall


def test_near_copies_do_not_make_the_reach_short(tmp_path: Path) -> None:
    _, chosen = scans(tuned(tmp_path, around(200, 20, spread=0.02)))
    assert chosen.reach is None
