"""Vectors in a file that is appended to, and read in batches."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from retrieval.indexing.vector_file import VectorFile

VECTORS = np.random.default_rng(0).standard_normal((100, 24), dtype=np.float32)


@pytest.fixture
def file(tmp_path: Path) -> VectorFile:
    written = VectorFile(tmp_path / "vectors.npy", 100, 24)
    written.truncate(0)
    for part in np.array_split(VECTORS, 3):
        written.append(part)
    return written


def test_batches_are_the_rows_in_order(file: VectorFile) -> None:
    parts = list(file.batches(7))
    assert {len(part) for part in parts[:-1]} == {7}
    assert np.array_equal(np.concatenate(parts), VECTORS)


@pytest.mark.parametrize(
    "ids",
    [range(100), [5], [0, 99], [7, 8, 9, 3, 4, 50], [3, 3, 3, 2, 1, 0], []],
    ids=["all", "one", "both ends", "runs", "repeated and backwards", "none"],
)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_vectors_are_gathered_in_the_order_asked_for(file: VectorFile, ids: list[int], size: int) -> None:
    wanted = np.array(ids, np.int32)
    parts = list(file.gather(wanted, size))
    assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert np.array_equal(np.concatenate([np.empty((0, 24), np.float32), *parts]), VECTORS[wanted])


def test_a_file_that_was_cut_short_is_noticed(file: VectorFile) -> None:
    os.truncate(file.path, file.path.stat().st_size - 4)
    with pytest.raises(OSError, match="shorter than it was"):
        list(file.gather(np.array([98, 99]), 10))
