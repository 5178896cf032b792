"""Queries that wait for a core go as one batch, and each gets its own answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrieval.quantization import Float32s
from retrieval.search.scans.scan import Candidates
from retrieval.search.scans.together import MOST_IN_A_BATCH, Together
from tests.support import PATIENCE_S


class Held:
    """A search that waits until it may go on, and answers with the value of each vector, k times."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_go = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self, vectors: Float32s, k: int, is_alone: bool) -> list[Candidates]:
        self.sizes.append(len(vectors))
        self.has_begun.set()
        assert self.may_go.wait(PATIENCE_S)
        if vectors.min() < 0:
            raise ValueError("negative")
        return [Candidates(np.full(k, int(vector[0])), np.zeros(k, np.float32)) for vector in vectors]


def ask(together: Together, value: int, k: int = 3) -> list[int]:
    found: list[int] = together.search(np.full((1, 4), value, np.float32), k).texts.tolist()
    return found


@pytest.mark.parametrize("num_waiting", [1, 5, MOST_IN_A_BATCH + 3])
def test_those_who_wait_are_answered_together(num_waiting: int) -> None:
    search = Held()
    together = Together(search, 1)
    with ThreadPoolExecutor(num_waiting + 1) as pool:
        first = pool.submit(ask, together, 100)
        assert search.has_begun.wait(PATIENCE_S)
        others = [pool.submit(ask, together, value, 1 + value % 4) for value in range(num_waiting)]
        while len(together._waiting) < num_waiting:
            threading.Event().wait(0.001)
        search.may_go.set()
        assert first.result(PATIENCE_S) == [100] * 3
        assert [each.result(PATIENCE_S) for each in others] == [
            [value] * (1 + value % 4) for value in range(num_waiting)
        ]
    assert search.sizes == [1, min(num_waiting, MOST_IN_A_BATCH), *([3] if num_waiting > MOST_IN_A_BATCH else [])]


def test_as_many_search_at_once_as_there_are_cores() -> None:
    search = Held()
    search.may_go.set()
    together = Together(search, 2)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda value: ask(together, value)[0], range(500))) == list(range(500))
    assert sum(search.sizes) == 500
    assert together._free == 2


def test_an_error_reaches_the_query_that_made_it_and_nobody_waits_forever() -> None:
    search = Held()
    together = Together(search, 1)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, together, 1)
        assert search.has_begun.wait(PATIENCE_S)
        wrong, *right = [pool.submit(ask, together, value) for value in (-1, 2, 3)]
        while len(together._waiting) < 3:
            threading.Event().wait(0.001)
        search.may_go.set()
        assert first.result(PATIENCE_S) == [1] * 3
        with pytest.raises(ValueError, match="negative"):
            wrong.result(PATIENCE_S)
        assert [each.result(PATIENCE_S) for each in right] == [[2] * 3, [3] * 3]
    assert ask(together, 5) == [5] * 3
