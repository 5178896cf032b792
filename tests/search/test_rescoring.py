"""Scores of candidates: each against the plain formula."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.quantization import Float32s, Int8Quantizer, binarize
from retrieval.search import rescoring
from retrieval.search.rescoring import asymmetric_scores, hamming_scores, int8_scores
from tests.support import COMPILED_OR_NOT


@pytest.fixture(params=COMPILED_OR_NOT)
def _summed_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(rescoring, "library", lambda: None)


either_way = pytest.mark.usefixtures("_summed_by")


def unit_vectors(count: int, dim: int, seed: int = 0) -> Float32s:
    values = np.random.default_rng(seed).standard_normal((count, dim))
    scaled: Float32s = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def test_hamming_estimate_is_1_for_equal_bits_0_for_half_and_minus_1_for_none() -> None:
    scores = hamming_scores(np.array([0, 4, 8], dtype=np.int32), dim=8)
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx([1.0, 0.0, -1.0], abs=1e-6)


def test_hamming_estimate_falls_as_the_distance_grows() -> None:
    assert (np.diff(hamming_scores(np.arange(385, dtype=np.int32), dim=384)) < 0).all()


def test_hamming_estimate_is_near_the_cosine_of_random_vectors() -> None:
    documents, query = unit_vectors(200, 2048), unit_vectors(1, 2048, seed=1)[0]
    documents[:100] = (documents[:100] + query) / np.linalg.norm(documents[:100] + query, axis=1, keepdims=True)
    distances = np.bitwise_count(binarize(documents) ^ binarize(query)).sum(axis=1).astype(np.int32)
    assert np.abs(hamming_scores(distances, 2048) - documents @ query).max() < 0.15


@either_way
@pytest.mark.parametrize("dim", [1, 7, 8, 13, 384])
def test_asymmetric_order_is_the_dot_product_with_the_signs(dim: int) -> None:
    documents, query = unit_vectors(50, dim), unit_vectors(1, dim, seed=1)[0]
    dots = np.where(documents > 0, 1.0, -1.0) @ query.astype(np.float64)
    scores = asymmetric_scores(query, binarize(documents))
    assert scores.shape == (50,)
    assert scores / np.sqrt(np.pi / 2 / dim) == pytest.approx(dots, abs=1e-4)


@either_way
def test_asymmetric_scores_of_the_best_are_distinguished() -> None:
    """Limiting estimates to 1 here would make the closest documents of a short query equal."""
    query = np.full(4, 0.5, dtype=np.float32)
    best, second = asymmetric_scores(query, binarize(np.array([[1, 1, 1, 1], [1, 1, 1, -1]], dtype=np.float32)))
    assert best > second


@either_way
def test_asymmetric_estimate_is_near_the_cosine_of_random_vectors() -> None:
    documents, query = unit_vectors(200, 2048), unit_vectors(1, 2048, seed=1)[0]
    assert np.abs(asymmetric_scores(query, binarize(documents)) - documents @ query).max() < 0.1


@pytest.mark.parametrize("dim", [1, 7, 384])
def test_int8_scores_are_dot_products_with_decoded_vectors(dim: int) -> None:
    documents, query = unit_vectors(50, dim), unit_vectors(1, dim, seed=1)[0]
    quantizer = Int8Quantizer.fit([documents])
    codes = quantizer.encode(documents)
    scores = int8_scores(query, codes, quantizer)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(quantizer.decode(codes).astype(np.float64) @ query, abs=1e-5)


def test_int8_scores_are_near_the_float_cosine() -> None:
    documents, query = unit_vectors(1000, 64), unit_vectors(1, 64, seed=1)[0]
    quantizer = Int8Quantizer.fit([documents])
    assert np.abs(int8_scores(query, quantizer.encode(documents), quantizer) - documents @ query).max() < 0.01


def test_a_constant_dimension_adds_its_share_to_the_score() -> None:
    documents = np.array([[0.6, 0.8], [0.6, -0.8]], dtype=np.float32)
    quantizer = Int8Quantizer.fit([documents])
    scores = int8_scores(np.array([1.0, 0.0], dtype=np.float32), quantizer.encode(documents), quantizer)
    assert scores.tolist() == pytest.approx([0.6, 0.6], abs=1e-5)


def test_no_candidates_give_no_scores() -> None:
    query = np.ones(8, dtype=np.float32)
    quantizer = Int8Quantizer.fit([np.eye(8, dtype=np.float32)])
    assert asymmetric_scores(query, np.empty((0, 1), np.uint8)).shape == (0,)
    assert int8_scores(query, np.empty((0, 8), np.int8), quantizer).shape == (0,)
