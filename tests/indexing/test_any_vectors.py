"""Vectors in whichever file they come: a file of vectors, or a column of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval import VectorsError
from retrieval.indexing.any_vectors import open_any_vectors
from retrieval.quantization import Float32s

VECTORS = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)


def as_npy(path: Path) -> Path:
    np.save(path / "v.npy", VECTORS)
    return path / "v.npy"


def as_npz(path: Path) -> Path:
    np.savez(path / "v.npz", VECTORS)
    return path / "v.npz"


def as_lists(path: Path) -> Path:
    pq.write_table(pa.table({"text": ["a"] * 40, "v": VECTORS.tolist()}), path / "v.parquet")
    return path / "v.parquet"


def as_fixed_lists(path: Path) -> Path:
    column = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.reshape(-1)), 16)
    pq.write_table(pa.table({"v": column}), path / "v.parquet")
    return path / "v.parquet"


def as_json_lines(path: Path, rows: list[Any] | None = None) -> Path:
    values = VECTORS.tolist() if rows is None else rows
    (path / "v.jsonl").write_text("".join(json.dumps({"text": "a", "v": row}) + "\n" for row in values))
    return path / "v.jsonl"


@pytest.mark.parametrize("write", [as_npy, as_npz, as_lists, as_fixed_lists, as_json_lines])
def test_rows_are_those_that_were_written(write: Any, tmp_path: Path) -> None:
    vectors = open_any_vectors(write(tmp_path), None, 1000)
    read: Float32s = vectors.read(3, 30)
    assert (len(vectors), vectors.dim, vectors.num_vectors) == (40, 16, 40)
    assert read.dtype == np.float32
    assert np.allclose(read, VECTORS[3:30])


def test_the_first_rows_of_a_table_are_taken_and_all_are_counted(tmp_path: Path) -> None:
    vectors = open_any_vectors(as_lists(tmp_path), "v", 7)
    assert (len(vectors), vectors.num_vectors) == (7, 40)
    assert np.array_equal(vectors.read(0, 7), VECTORS[:7])


def test_of_two_columns_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    pq.write_table(pa.table({"a": VECTORS.tolist(), "b": (2 * VECTORS).tolist()}), path)
    with pytest.raises(VectorsError, match="'a', 'b'"):
        open_any_vectors(path, None, 10)
    assert np.allclose(open_any_vectors(path, "b", 10).read(0, 10), 2 * VECTORS[:10])
    with pytest.raises(VectorsError, match="'c'"):
        open_any_vectors(path, "c", 10)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["a", "b"]] * 9, "no column with lists"),
        ([VECTORS[0].tolist()] * 9 + [[1.0] * 15], "all of one length"),
        ([VECTORS[0].tolist()] * 9 + [None], "row 10 "),
        ([[1.0]] * 9, "at least 8"),
        ([{"x": 1.0}] * 9, "no column with lists"),
    ],
)
def test_values_that_are_not_vectors_are_refused(rows: list[Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match=told):
        open_any_vectors(as_json_lines(tmp_path, rows), None, 100)


def test_a_ragged_column_that_is_named_is_refused_with_its_row(tmp_path: Path) -> None:
    path = as_json_lines(tmp_path, [VECTORS[0].tolist()] * 9 + [[1.0] * 15])
    with pytest.raises(VectorsError, match="row 10 "):
        open_any_vectors(path, "v", 100)
