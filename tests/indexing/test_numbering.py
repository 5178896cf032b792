"""Numbers of distinct keys, held against a dict."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from retrieval.indexing.numbering import Numbering


def by_dict(keys: list[bytes | None], known: dict[bytes, int], count: int) -> tuple[list[int], int]:
    numbers = []
    for key in keys:
        if key is None or key not in known:
            if key is not None:
                known[key] = count
            numbers.append(count)
            count += 1
        else:
            numbers.append(known[key])
    return numbers, count


def random_keys(rng: np.random.Generator, count: int, num_distinct: int, same_bytes: int) -> list[bytes]:
    """Returns keys of which `num_distinct` are drawn from; all of them share their first bytes."""
    numbers: npt.NDArray[np.int64] = rng.integers(0, num_distinct, count)
    return [bytes(same_bytes) + int(number).to_bytes(16 - same_bytes, "little") for number in numbers]


@pytest.mark.parametrize("same_bytes", [0, 8, 13], ids=lambda count: f"{count} bytes alike")
@pytest.mark.parametrize("without_key", [0.0, 0.3, 1.0], ids=lambda share: f"{share:.0%} without a key")
def test_numbers_are_those_of_a_dict(same_bytes: int, without_key: float) -> None:
    rng = np.random.default_rng(0)
    numbering, known, count = Numbering(), dict[bytes, int](), 0
    for size in (1, 2000, 1, 3000, 7, 4000):
        drawn = random_keys(rng, size, 3000, same_bytes)
        keys = [None if rng.random() < without_key else key for key in drawn]
        has_key = np.array([key is not None for key in keys])
        numbers, is_first = numbering.number(b"".join(key for key in keys if key is not None), has_key)
        before = count
        expected, count = by_dict(keys, known, count)
        assert numbers.tolist() == expected
        assert numbers[is_first].tolist() == list(range(before, count))
    assert len(numbering) == count


def test_a_key_is_found_again_after_the_table_has_grown() -> None:
    numbering, digests = Numbering(), np.random.default_rng(0).bytes(16 * 100_000)
    every = np.ones(100_000, np.bool_)
    first, is_first = numbering.number(digests, every)
    again, is_new = numbering.number(digests, every)
    assert is_first.all()
    assert not is_new.any()
    assert np.array_equal(first, np.arange(100_000))
    assert np.array_equal(again, first)


def test_no_row_changes_nothing() -> None:
    numbering = Numbering()
    numbers, is_first = numbering.number(b"", np.zeros(0, np.bool_))
    assert (len(numbers), len(is_first), len(numbering)) == (0, 0, 0)


def test_a_key_takes_a_fraction_of_what_it_takes_in_a_dict() -> None:
    rng, every = np.random.default_rng(0), np.ones(10_000, np.bool_)
    tracemalloc.start()
    numbering = Numbering()
    for _ in range(20):
        numbering.number(rng.bytes(16 * 10_000), every)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(numbering) == 200_000
    assert kept < 60 * 200_000
    assert peak < 90 * 200_000
