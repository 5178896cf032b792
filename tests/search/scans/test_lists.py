"""The texts in the nearest lists, against the scan of all sign bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.errors import BundleCorruptError, BundleIncompatibleError
from retrieval.indexing.lists import AUTO_FROM_TEXTS, auto_lists, build_lists, chosen_lists
from retrieval.indexing.vector_file import VectorFile
from retrieval.quantization import Float32s, SignQuantizer
from retrieval.search.scans import kernel, sign_patterns
from retrieval.search.scans import lists as lists_module
from retrieval.search.scans.lists import Lists, nearest_list
from retrieval.search.scans.scan import Queries
from tests.search.scans.test_float_bits import DIMS, scan_of, unit


def lists_of(folder: Path, vectors: Float32s, num_lists: int) -> Path:
    file = VectorFile(folder / "vectors.npy", *vectors.shape)
    file.truncate(0)
    file.append(vectors)
    build_lists(folder / "lists.faiss", file, num_lists, SignQuantizer())
    return folder / "lists.faiss"


def opened(folder: Path, vectors: Float32s, num_lists: int) -> Lists:
    return Lists.open(lists_of(folder, vectors, num_lists), vectors.shape[1], len(vectors))


@pytest.mark.parametrize("dim", DIMS)
def test_all_lists_give_what_the_scan_of_all_bits_gives(tmp_path: Path, dim: int) -> None:
    documents, queries = unit(500, dim), Queries.of(unit(7, dim, seed=1), SignQuantizer())
    lists = opened(tmp_path, documents, 8)
    everything = scan_of(documents).search(queries, 30)
    for found, expected in zip(lists.search(queries, 30, probes=8), everything, strict=True):
        assert np.allclose(found.scores, expected.scores, atol=1e-5)
        above = expected.scores > expected.scores[-1] + 1e-5
        assert set(expected.texts[above].tolist()) <= set(found.texts.tolist())


def test_more_lists_never_find_worse_texts(tmp_path: Path) -> None:
    documents, queries = unit(5000, 64), Queries.of(unit(20, 64, seed=1), SignQuantizer())
    lists = opened(tmp_path, documents, 32)
    sums = [sum(float(found.scores.sum()) for found in lists.search(queries, 10, probes)) for probes in (1, 4, 16, 32)]
    assert sums == sorted(sums)
    assert sums[0] < sums[-1]


@pytest.mark.parametrize("reach", [0.0, 0.05, 0.2, 2.0])
def test_the_lists_in_reach_are_searched_and_no_others(tmp_path: Path, reach: float) -> None:
    documents, vectors = unit(1000, 16), unit(20, 16, seed=1)
    lists = opened(tmp_path, documents, 16)
    lists.probes, lists.reach = 8, reach
    queries = Queries.of(vectors, SignQuantizer())
    for place, batched in enumerate(lists.search(queries, 5)):
        cosines = lists.centroids @ vectors[place]
        is_visited = (cosines >= cosines.max() - reach) & (cosines >= np.sort(cosines)[-8])
        in_reach = np.flatnonzero(is_visited[nearest_list(lists.centroids, documents)])
        [alone] = lists.search(queries[place], len(in_reach))
        assert set(alone.texts.tolist()) == set(in_reach.tolist())
        assert set(batched.texts.tolist()) <= set(in_reach.tolist())


def test_a_number_of_lists_that_was_asked_for_is_visited_in_full(tmp_path: Path) -> None:
    documents = unit(300, 64)
    lists = opened(tmp_path, documents, 16)
    queries = Queries.of(unit(1, 64, seed=1), SignQuantizer())
    [expected] = lists.search(queries, 10, probes=7)
    lists.probes, lists.reach = 8, 0.0
    [found] = lists.search(queries, 10, probes=7)
    assert found.texts.tolist() == expected.texts.tolist()
    assert len(lists.search(queries, 300, probes=16)[0].texts) == 300


def test_many_texts_are_shared_among_cores_where_that_pays(
    tmp_path: Path, scanned_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = unit(2000, 64)
    lists = opened(tmp_path, documents, 16)
    queries = Queries.of(unit(1, 64, seed=1), SignQuantizer())
    [alone] = lists.search(queries, 30)
    numbers: list[int] = []

    def best(*arguments: Any) -> Any:
        numbers.append(arguments[-1])
        return kernel_best(*arguments)

    kernel_best = kernel.best
    monkeypatch.setattr(kernel, "best", best)
    monkeypatch.setattr(lists_module, "usable_cores", lambda: 2)
    monkeypatch.setattr(lists_module, "_MANY_ROWS", 500)
    lists.choose_cores()
    for several_pay, many_rows in ((False, 500), (True, 500), (True, 3000)):
        monkeypatch.setattr(lists_module, "_MANY_ROWS", many_rows)
        monkeypatch.setattr(lists, "_several_pay", several_pay)
        numbers.clear()
        [shared] = lists.search(queries, 30)
        assert numbers == ([2 if several_pay and many_rows == 500 else 1] if scanned_by == "kernel" else [])
        assert shared.texts.tolist() == alone.texts.tolist()
        assert np.array_equal(shared.scores, alone.scores)


def test_each_core_takes_whole_queries_of_a_batch(tmp_path: Path) -> None:
    lists, queries = opened(tmp_path, unit(2000, 64), 16), Queries.of(unit(9, 64, seed=1), SignQuantizer())
    for place, found in enumerate(lists.search(queries, 30)):
        [alone] = lists.search(queries[place], 30)
        assert found.texts.tolist() == alone.texts.tolist()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_lists_that_hold_too_few_texts_are_followed_by_more(tmp_path: Path, count: int) -> None:
    documents = unit(count, 64)
    lists = opened(tmp_path, documents, min(count, 20))
    for found in lists.search(Queries.of(unit(3, 64, seed=1), SignQuantizer()), count + 5, probes=1):
        assert sorted(found.texts.tolist()) == list(range(count))


def test_texts_with_one_vector_are_all_found(tmp_path: Path) -> None:
    documents = np.concatenate([np.tile(unit(1, 64), (50, 1)), unit(50, 64, seed=2)])
    [found] = opened(tmp_path, documents, 4).search(Queries.of(documents[:1], SignQuantizer()), 50, probes=1)
    assert found.texts.tolist() == list(range(50))


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    vectors = unit(3000, 64)
    files = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        files.append(lists_of(tmp_path / name, vectors, 16).read_bytes())
    assert files[0] == files[1]


def test_lists_with_blocks_of_another_size_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, queries = unit(500, 64), Queries.of(unit(7, 64, seed=1), SignQuantizer())
    expected = opened(tmp_path, documents, 8).search(queries, 30, probes=5)
    with monkeypatch.context() as earlier:
        for module in (sign_patterns, lists_module):
            earlier.setattr(module, "BLOCK_ROWS", 32)
        lists = lists_of(tmp_path, documents, 8)
    for found, own in zip(Lists.open(lists, 64, 500).search(queries, 30, probes=5), expected, strict=True):
        assert np.allclose(found.scores, own.scores, atol=0.02)
        assert len(set(found.texts.tolist()) & set(own.texts.tolist())) >= 28


@pytest.mark.parametrize(("count", "dim"), [(200, 64), (100, 72)])
def test_lists_of_another_index_are_refused(tmp_path: Path, count: int, dim: int) -> None:
    path = lists_of(tmp_path, unit(100, 64), 4)
    with pytest.raises(BundleIncompatibleError, match=rf"{count} x {dim + 8}"):
        Lists.open(path, dim, count)


@pytest.mark.parametrize("kept", [0, 10, 2000, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = lists_of(tmp_path, unit(100, 64), 4)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BundleCorruptError):
        Lists.open(path, 64, 100)


@pytest.mark.parametrize(("num_texts", "expected"), [(593_891, 1024), (1_000_000, 1024), (10_000_000, 4096), (1, 1)])
def test_the_number_of_lists_grows_as_the_root_of_the_texts(num_texts: int, expected: int) -> None:
    assert auto_lists(num_texts) == expected


def test_a_build_makes_lists_when_asked_or_from_a_million_texts_on() -> None:
    assert chosen_lists(None, AUTO_FROM_TEXTS - 1) == 0
    assert chosen_lists(None, AUTO_FROM_TEXTS) > 0
    assert chosen_lists(0, AUTO_FROM_TEXTS) == 0
    assert chosen_lists(50, 20) == 20
