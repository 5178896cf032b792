"""Float query x sign bits over all texts, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.quantization import Float32s, SignQuantizer, binarize, unpack_signs
from retrieval.search.rescoring import asymmetric_scores
from retrieval.search.scans.float_bits import FloatBits
from retrieval.search.scans.pack import pack
from retrieval.search.scans.scan import Candidates, Queries

DIMS = (1, 2, 3, 4, 5, 7, 8, 9, 12, 31, 64, 100, 127, 128, 384, 385, 768, 1023, 1024, 1025)


def unit(count: int, dim: int, seed: int = 0) -> Float32s:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def scan_of(documents: Float32s) -> FloatBits:
    return FloatBits(pack(binarize(documents), documents.shape[1]))


def search(documents: Float32s, queries: Float32s, k: int) -> list[Candidates]:
    return scan_of(documents).search(Queries.of(queries, SignQuantizer()), k)


@pytest.mark.parametrize("dim", DIMS)
def test_scores_are_those_of_numpy_up_to_the_tables_of_8_bits(dim: int) -> None:
    documents, queries = unit(333, dim), unit(5, dim, seed=1)
    for query, found in zip(queries, search(documents, queries, 20), strict=True):
        exact = asymmetric_scores(query, binarize(documents))
        step = 2 * np.abs(query).max() * 4 / 255
        allowed = step * -(-dim // 4) / (np.sqrt(dim) * np.sqrt(2 / np.pi)) + 1e-5
        assert len(found.texts) == len(set(found.texts.tolist())) == 20
        assert np.abs(found.scores - exact[found.texts]).max() <= allowed
        assert np.sort(exact)[-20] - exact[found.texts].min() <= 2 * allowed


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 300])
def test_every_text_comes_when_more_are_asked_for_than_there_are(count: int) -> None:
    [found] = search(unit(count, 64), unit(1, 64, seed=1), count + 10)
    assert sorted(found.texts.tolist()) == list(range(count))
    assert np.all(np.diff(found.scores) <= 0)


def test_equal_scores_are_in_order_of_position() -> None:
    documents = np.tile(unit(1, 64), (50, 1))
    [found] = search(documents, unit(1, 64, seed=1), 50)
    assert found.texts.tolist() == list(range(50))


def test_a_batch_is_answered_as_single_queries_are() -> None:
    scan = scan_of(unit(5000, 128))
    queries = Queries.of(unit(37, 128, seed=1), SignQuantizer())
    for place, found in enumerate(scan.search(queries, 40)):
        [alone] = scan.search(queries[place], 40)
        assert np.array_equal(found.scores, alone.scores)
        assert set(found.texts[found.scores > found.scores[-1]]) == set(alone.texts[alone.scores > alone.scores[-1]])


def test_codes_of_several_chunks_keep_their_positions() -> None:
    documents = unit(70_001, 16)
    for place in (0, 32_767, 32_768, 65_536, 70_000):
        query = unpack_signs(binarize(documents[place : place + 1]), 16)[0] / 4
        [found] = search(documents, query[None], 40)
        same = np.flatnonzero((binarize(documents) == binarize(documents[place : place + 1])).all(axis=1))
        assert set(found.texts.tolist()) <= set(same.tolist()) or set(same.tolist()) <= set(found.texts.tolist())


def test_nearly_all_of_the_exact_order_is_kept() -> None:
    documents, queries = unit(20_000, 384), unit(20, 384, seed=1)
    shared = 0
    for query, found in zip(queries, search(documents, queries, 100), strict=True):
        exact = np.argsort(-asymmetric_scores(query, binarize(documents)))[:100]
        shared += len(set(exact.tolist()) & set(found.texts.tolist()))
    assert shared >= 0.98 * 20 * 100
