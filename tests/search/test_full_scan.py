"""The scan of all vectors for one query, against numpy's product with all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from retrieval import BundleCorruptError
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import EMBEDDINGS_FILE, INT8_FILE
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.search.full_scan import all_scores, taken
from tests.conftest import Build, FakeEncoder, random_texts

RANDOM = np.random.default_rng(4)
MATRIX = RANDOM.standard_normal((500, 24)).astype(np.float32)
QUERY = RANDOM.standard_normal(24).astype(np.float32)


def read(first_row: int, into: npt.NDArray[Any]) -> None:
    assert first_row + len(into) <= len(MATRIX)
    into[:] = MATRIX[first_row : first_row + len(into)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(np.arange(500), id="all"),
        pytest.param(np.arange(0, 500, 2), id="every second"),
        pytest.param(np.arange(0, 500, 40), id="far apart"),
        pytest.param(np.sort(RANDOM.choice(500, 77, replace=False)), id="here and there"),
        pytest.param(np.array([499]), id="one"),
        pytest.param(np.arange(0), id="none"),
    ],
)
def test_the_scores_are_those_of_the_whole_product(rows: npt.NDArray[np.int64]) -> None:
    scores = all_scores(QUERY, rows, read, np.float32, block_values=7 * 24)
    np.testing.assert_allclose(scores, MATRIX[rows] @ QUERY, atol=1e-5)


def test_a_block_holds_one_vector_however_long_it_is() -> None:
    scores = all_scores(QUERY, np.arange(500), read, np.float32, block_values=1)
    np.testing.assert_allclose(scores, MATRIX @ QUERY, atol=1e-5)


def test_an_error_in_a_thread_comes_out() -> None:
    def fail(first_row: int, into: npt.NDArray[Any]) -> None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        all_scores(QUERY, np.arange(500), fail, np.float32, block_values=24)


def test_int8_codes_are_read_from_the_file_as_they_are_mapped(build: Build) -> None:
    bundle = build(random_texts(300))
    store = Int8Store.open(bundle.file(INT8_FILE), 64)
    query = RANDOM.standard_normal(64).astype(np.float32)
    found = all_scores(query, np.arange(300), store.read_into, np.int8)
    np.testing.assert_allclose(found, store.codes.astype(np.float32) @ query, rtol=1e-4)


def test_float32_vectors_are_read_from_the_file_as_they_are_mapped(build: Build, encoder: FakeEncoder) -> None:
    baseline = ExactBaseline.open(build([text for text in random_texts(150) for _ in range(3)]))
    vector = encoder.encode(["sort a list"])[0]
    np.testing.assert_allclose(baseline.scores(vector), baseline.embeddings[baseline.text_rows] @ vector, atol=1e-6)


def test_one_query_is_answered_as_many_are(build: Build, encoder: FakeEncoder) -> None:
    baseline = ExactBaseline.open(build(random_texts(400)))
    queries = encoder.encode(random_texts(6, seed=3))
    for query, answer in zip(queries, baseline.search(queries, 10), strict=True):
        (alone,) = baseline.search(query[None], 10)
        assert alone.rows.tolist() == answer.rows.tolist()


def test_files_that_were_truncated_are_refused(build: Build, encoder: FakeEncoder) -> None:
    bundle = build(random_texts(50))
    baseline = ExactBaseline.open(bundle)
    store = Int8Store.open(bundle.file(INT8_FILE), 64)
    for name in (EMBEDDINGS_FILE, INT8_FILE):
        with bundle.file(name).open("r+b") as file:
            file.truncate(1000)
    with pytest.raises(BundleCorruptError, match="truncated"):
        baseline.scores(encoder.encode(["red"])[0])
    with pytest.raises(BundleCorruptError, match="truncated"):
        store.read_into(0, np.empty((50, 64), np.int8))


@pytest.mark.parametrize("rows", [[3, 4, 5], [5, 3, 4], [3, 9, 5], [7], [], [2, 2, 4]])
def test_rows_are_taken_in_their_order_whether_they_lie_together_or_not(rows: list[int]) -> None:
    assert np.array_equal(taken(MATRIX, np.array(rows, np.int64)), MATRIX[np.array(rows, np.int64)])
