"""The float32 baseline: what is damaged is a named error, whatever numpy makes of its header."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BundleCorruptError
from retrieval.bundle.embeddings import map_embeddings, row_of

VECTORS = np.random.default_rng(0).standard_normal((20, 12)).astype(np.float32)


def saved(folder: Path, array: Any) -> Path:
    np.save(folder / "embeddings.npy", array)
    return folder / "embeddings.npy"


def test_rows_are_those_that_were_written(tmp_path: Path) -> None:
    path = saved(tmp_path, VECTORS)
    assert np.array_equal(map_embeddings(path), VECTORS)
    assert np.array_equal(row_of(path, 7), VECTORS[7])
    with pytest.raises(BundleCorruptError, match="has 20 rows, row 20 is needed"):
        row_of(path, 20)


def test_a_header_with_any_bit_altered_is_read_or_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, VECTORS)
    content = path.read_bytes()
    for place in range(128):
        for bit in range(8):
            altered = bytearray(content)
            altered[place] ^= 1 << bit
            path.write_bytes(altered)
            with suppress(BundleCorruptError):
                assert map_embeddings(path).ndim == 2


@pytest.mark.parametrize("kept", [0, 5, 60, 128, 500, -1])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path, VECTORS)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BundleCorruptError, match=r"cannot be read .*build the index again"):
        map_embeddings(path)


@pytest.mark.parametrize("array", [VECTORS[0], VECTORS.astype(np.float64), np.array([["a"]])], ids=["1", "f8", "text"])
def test_another_array_is_refused(tmp_path: Path, array: Any) -> None:
    with pytest.raises(BundleCorruptError, match="does not hold rows of float32"):
        map_embeddings(saved(tmp_path, array))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleCorruptError, match="No such file"):
        map_embeddings(tmp_path / "embeddings.npy")
