"""The frontier: every scheme's recall against plain numpy, and what it does with few, odd and equal vectors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from retrieval.corpus.vector_columns import ArrayVectors
from retrieval.errors import VectorsError
from retrieval.evaluation.frontier.judged import judge_of
from retrieval.evaluation.frontier.measure import measure_frontier
from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.run import OVERSAMPLINGS, FrontierOptions
from retrieval.evaluation.frontier.scheme import Scheme
from retrieval.evaluation.frontier.schemes import SCHEMES, FloatBits, Hamming, RangeInt8
from retrieval.quantization import Float32s, Int8Quantizer


def unit(n: int, dim: int, seed: int = 0) -> Float32s:
    made = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    lengths: Float32s = np.linalg.norm(made, axis=1, keepdims=True)
    return made / lengths


VECTORS, QUERIES = unit(600, 48), unit(20, 48, seed=1)


def measured(schemes: tuple[Scheme, ...] = SCHEMES, **options: object) -> Frontier:
    return measure_frontier(ArrayVectors(VECTORS), QUERIES, FrontierOptions(schemes=schemes, **options))  # type: ignore[arg-type]


def recall_of(scores: Float32s, vectors: Float32s, queries: Float32s, k: int) -> float:
    truth = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]
    found = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean([len(set(one) & set(other)) / k for one, other in zip(truth, found, strict=True)]))


def alone(frontier: Frontier, key: str, dim: int) -> float:
    (point,) = [p for p in frontier.points if (p.scheme, p.dim, p.rescoring) == (key, dim, "none")]
    return point.recall.mean


@pytest.mark.parametrize("k", [1, 10])
def test_float_query_against_bits_is_the_order_of_their_products(k: int) -> None:
    scores = QUERIES @ np.where(VECTORS > 0, 1, -1).T.astype(np.float32)
    assert alone(measured((FloatBits(),), k=k), "float-bits", 48) == pytest.approx(
        recall_of(scores, VECTORS, QUERIES, k)
    )


def test_int8_is_scored_by_what_the_codes_stand_for() -> None:
    quantizer = Int8Quantizer.fit([VECTORS])
    scores = QUERIES @ quantizer.decode(quantizer.encode(VECTORS)).T
    assert alone(measured((RangeInt8(),)), "int8", 48) == pytest.approx(recall_of(scores, VECTORS, QUERIES, 10))


def test_hamming_distance_counts_differing_signs() -> None:
    distances = np.sum((QUERIES[:, None] > 0) != (VECTORS[None] > 0), axis=2)
    # Equal distances may come in any order: the recall lies between that of the best and of the worst order.
    exact = QUERIES @ VECTORS.T
    best, worst = (recall_of(-distances + sign * 1e-3 * exact, VECTORS, QUERIES, 10) for sign in (1, -1))
    assert worst <= alone(measured((Hamming(),)), "bits", 48) <= best


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.key)
def test_a_scheme_stores_what_faiss_says_and_finds_more_with_rescoring(scheme: Scheme) -> None:
    frontier = measured((scheme,))
    points = [p for p in frontier.points if p.dim == 48]
    assert all(p.ram_bytes <= 4 * 48 for p in points)
    by_float = [p.recall.mean for p in points if p.rescoring == "float32"]
    assert by_float == sorted(by_float)
    assert len(by_float) == (0 if scheme.key == "float32" else len(OVERSAMPLINGS))


def test_the_whole_set_rescored_by_float32_finds_everything() -> None:
    points = measured((Hamming(),)).points
    assert max(p.recall.mean for p in points if p.rescoring == "float32" and p.oversampling == 100) == 1.0


def test_float32_on_all_dimensions_is_the_truth() -> None:
    assert alone(measured(), "float32", 48) == 1.0


def test_fewer_dimensions_are_brought_to_length_one_again() -> None:
    cut = VECTORS[:, :24] / np.linalg.norm(VECTORS[:, :24], axis=1, keepdims=True)
    queries = QUERIES[:, :24] / np.linalg.norm(QUERIES[:, :24], axis=1, keepdims=True)
    truth = np.argsort(-(QUERIES @ VECTORS.T), axis=1)[:, :10]
    found = np.argsort(-(queries @ cut.T), axis=1)[:, :10]
    expected = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth, found, strict=True)])
    assert alone(measured(), "float32", 24) == pytest.approx(expected)


def test_equal_vectors_are_all_right_answers() -> None:
    same = np.repeat(unit(1, 16), 100, axis=0)
    frontier = measure_frontier(ArrayVectors(same), unit(3, 16, seed=2), FrontierOptions(k=5))
    assert {p.recall.mean for p in frontier.points} == {1.0}


def test_queries_held_out_are_not_searched() -> None:
    frontier = measure_frontier(ArrayVectors(VECTORS), options=FrontierOptions(max_queries=50, schemes=(FloatBits(),)))
    assert (frontier.num_vectors, frontier.num_queries, frontier.held_out) == (550, 50, True)
    assert alone(frontier, "float-bits", 48) < 1.0


def test_euclidean_distance_finds_the_nearest_of_unequal_lengths() -> None:
    long = VECTORS * np.linspace(0.5, 3, 600, dtype=np.float32)[:, None]
    options = FrontierOptions(metric="euclidean", schemes=(RangeInt8(),))
    frontier = measure_frontier(ArrayVectors(long), QUERIES, options)
    assert alone(frontier, "int8", 48) > 0.9


def test_schemes_that_cannot_be_trained_are_left_out_with_a_reason() -> None:
    frontier = measure_frontier(ArrayVectors(unit(100, 48)), QUERIES)
    assert {"PQ"} == {each.scheme for each in frontier.left_out}
    assert "256" in frontier.left_out[0].reason


@pytest.mark.parametrize("dim", [1, 3, 17, 1000])
def test_any_number_of_dimensions_can_be_measured(dim: int) -> None:
    frontier = measure_frontier(ArrayVectors(unit(300, dim)), unit(5, dim, seed=3))
    assert {p.scheme for p in frontier.points} | {each.scheme for each in frontier.left_out} == {s.key for s in SCHEMES}


@pytest.mark.parametrize("n", [0, 1, 4, 11])
def test_too_few_vectors_are_refused(n: int) -> None:
    with pytest.raises(VectorsError):
        measure_frontier(ArrayVectors(unit(n, 8)))


def test_queries_of_another_dimension_are_refused() -> None:
    with pytest.raises(VectorsError, match="48"):
        measure_frontier(ArrayVectors(VECTORS), unit(5, 47))


def test_no_point_of_the_pareto_frontier_is_beaten() -> None:
    frontier = measured()
    kept = frontier.pareto()
    for one in kept:
        assert not [p for p in frontier.points if p.ram_bytes < one.ram_bytes and p.recall.mean >= one.recall.mean]


def test_a_frontier_comes_back_from_json() -> None:
    frontier = measured((FloatBits(), Hamming()))
    assert Frontier.from_json(json.loads(json.dumps(frontier.to_json()))) == frontier


def test_queries_that_people_judged_are_judged_as_found_alone_and_rescored() -> None:
    vectors = np.random.default_rng(5).normal(size=(60, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"d{row}" for row in range(60)]
    # Each query is a document, and that document alone is relevant: an exact search has it first.
    judge = judge_of({f"q{row}": {f"d{row}": 1} for row in range(5)}, [f"q{row}" for row in range(5)], ids)
    schemes = [scheme for scheme in SCHEMES if scheme.key in ("float32", "bits")]
    options = FrontierOptions(judge=judge, dim_parts=(1,), schemes=schemes)
    points = measure_frontier(ArrayVectors(vectors), vectors[:5], options).points
    assert {point.ndcg for point in points if point.scheme == "float32"} == {1.0}
    assert next(point.ndcg for point in points if point.rescoring == "float32") == 1.0
    held_out = measure_frontier(ArrayVectors(vectors), None, options)
    assert not held_out.is_judged
