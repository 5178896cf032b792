"""The neighbours that are shown of some vectors, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.evaluation.frontier.neighbours import OVERSAMPLING, Neighbours, some_neighbours

VECTORS = np.random.default_rng(3).normal(size=(90, 24)).astype(np.float32)


@pytest.mark.parametrize("inner_product", [True, False], ids=["inner product", "euclidean"])
def test_neighbours_are_those_of_numpy(inner_product: bool) -> None:
    found = some_neighbours(VECTORS, inner_product=inner_product)
    assert [each.row for each in found] == [0, 17, 35, 53, 71, 89]
    for each in found:
        query = VECTORS[each.row]
        scores = VECTORS @ query if inner_product else -np.linalg.norm(VECTORS - query, axis=1)
        scores[each.row] = -np.inf
        assert each.exact == tuple(np.argsort(-scores)[:5])
        distances = np.sum((VECTORS > 0) != (query > 0), axis=1)
        others = np.delete(np.arange(90), each.row)
        assert sorted(distances[list(each.bits)]) == sorted(distances[others])[:5]
        assert each.row not in each.rescored
        assert list(scores[list(each.rescored)]) == sorted(scores[list(each.rescored)], reverse=True)
        # What is rescored is among the nearest by bits, ties included.
        assert max(distances[list(each.rescored)]) <= sorted(distances[others])[OVERSAMPLING * 5 - 1]


def test_equal_vectors_and_very_few_have_neighbours_too() -> None:
    assert some_neighbours(np.ones((4, 8), np.float32), inner_product=True)[0].exact == (1, 2, 3)
    assert some_neighbours(VECTORS[:2], inner_product=True)[1].rescored == (0,)
    assert some_neighbours(VECTORS[:1], inner_product=True) == ()


def test_neighbours_survive_json() -> None:
    for each in some_neighbours(VECTORS, inner_product=True):
        assert Neighbours.from_json(each.to_json()) == each
