"""Vectors that a table brings in a column: written to a file, and taken by the build as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval import VectorsError
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import EMBEDDINGS_FILE, Manifest
from retrieval.indexing.any_vectors import write_column_vectors
from scripts import build_index as build_script
from tests.conftest import random_texts

TEXTS = random_texts(30)
VECTORS = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)


def written(folder: Path, *columns: pa.Array) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = np.load(write_column_vectors(columns, folder / "vectors.npy"))
    return values


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 16), pa.list_(pa.float16())]
)
def test_lists_of_every_kind_are_written_batch_by_batch(tmp_path: Path, kind: pa.DataType) -> None:
    columns = [pa.array(VECTORS[part].tolist(), kind) for part in (slice(0, 7), slice(7, 30))]
    assert np.allclose(written(tmp_path, *columns), VECTORS, atol=2e-3)


def test_lists_as_json_text_are_vectors(tmp_path: Path) -> None:
    assert np.allclose(written(tmp_path, pa.array([json.dumps(row.tolist()) for row in VECTORS])), VECTORS)


def test_a_row_without_a_vector_is_zeros_wherever_it_is(tmp_path: Path) -> None:
    kind = pa.list_(pa.float32())
    found = written(tmp_path, pa.array([None, None], kind), pa.array([None, [1.0] * 8], kind), pa.array([None], kind))
    assert found.tolist() == [[0.0] * 8] * 3 + [[1.0] * 8] + [[0.0] * 8]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0] * 8, [1.0] * 9], "row 2 has a vector of shape .9,.: 8 numbers"),
        (["[1, 2", "x"], "row 1 has no vector"),
        ([None, None], "no vector in any row"),
        ([1.5, 2.5], "holds no vectors"),
    ],
)
def test_values_that_are_not_vectors_are_refused_with_their_row(
    tmp_path: Path, values: Sequence[Any], message: str
) -> None:
    column = pa.array(values) if values[0] is not None else pa.nulls(2, pa.list_(pa.float32()))
    with pytest.raises(VectorsError, match=message):
        written(tmp_path, column)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_build_takes_the_vectors_of_the_file_and_keeps_them_out_of_the_documents(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"rows.{kind}"
    table = pa.table({"text": TEXTS, "vec": [list(row) for row in VECTORS.astype(np.float64)]})
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    output = tmp_path / "index"
    arguments = ["--corpus", "file", "--path", str(path), "--embeddings-column", "vec", "--output", str(output)]
    assert build_script.main(arguments) == 0
    assert np.allclose(np.load(output / EMBEDDINGS_FILE), VECTORS / np.linalg.norm(VECTORS, axis=1)[:, None], atol=1e-6)
    assert not Manifest.read(output).has_model
    assert "vec" not in DocumentStore.open(output / "documents" / "documents.arrow").column_names


def test_a_column_of_vectors_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "rows.parquet")
    arguments = ["--corpus", "file", "--path", str(tmp_path / "rows.parquet"), "--output", str(tmp_path / "index")]
    assert build_script.main([*arguments, "--embeddings-column", "vec"]) == 1
    assert "no column 'vec' for the embeddings" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--split", "test"], ["--no-header"], ["--table", "x"], ["--embeddings-column", "vec"]]
)
def test_options_for_files_are_refused_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert build_script.main(["--corpus", "python", "--output", str(tmp_path / "index"), *options]) == 1
    assert "leave" in capsys.readouterr().err
