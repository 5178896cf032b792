"""Exact scans against the plain way: score everything, sort everything."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.benchmark.scan_kernels import Float32Scan, HammingScan, Int8Scan, Slices, best_positions
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.quantization import Float32s, Int8Quantizer, binarize
from scripts.bench.scans import FaissFloat32Scan

K = 10


@pytest.fixture(scope="module")
def vectors() -> Float32s:
    values = np.random.default_rng(0).standard_normal((9001, 64), dtype=np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values


@pytest.mark.parametrize("width", [1, 10, 511, 512, 5119, 5120, 6000, 20_001])
def test_the_best_positions_are_those_of_a_full_sort(width: int) -> None:
    scores = np.random.default_rng(width).standard_normal((3, width)).astype(np.float32)
    assert (best_positions(scores, K) == np.argsort(-scores, axis=1)[:, :K]).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_slices_find_the_best_of_all_rows(threads: int) -> None:
    scores = np.random.default_rng(1).standard_normal((2, 20_001))
    assert (Slices(20_001, threads).best(scores, K) == np.argsort(-scores, axis=1)[:, :K]).all()


def test_fewer_rows_than_threads_are_all_found() -> None:
    assert Slices(2, 4).best(np.array([[0.1, 0.2]]), K).tolist() == [[1, 0]]


@pytest.mark.parametrize("scan", [Float32Scan, FaissFloat32Scan])
@pytest.mark.parametrize("count", [1, 5, 40])
def test_float32_finds_the_highest_dot_products(
    scan: type[Float32Scan] | type[FaissFloat32Scan], count: int, vectors: Float32s
) -> None:
    queries = vectors[:count]
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :K]
    assert (scan(vectors, K, 2).search(queries) == exact).all()


@pytest.mark.parametrize("count", [1, 5, 40])
def test_int8_finds_the_highest_whole_number_sums(count: int, vectors: Float32s) -> None:
    quantizer = Int8Quantizer.fit([vectors])
    codes = quantizer.encode(vectors)
    found = Int8Scan(codes, quantizer, K, 2).search(vectors[:count])
    sums = codes[:count].astype(np.int64) @ codes.T.astype(np.int64)
    best = -np.sort(-sums, axis=1)[:, :K]
    assert (np.take_along_axis(sums, found, axis=1) == best).all()


@pytest.mark.parametrize("count", [1, 5])
def test_hamming_finds_the_fewest_differing_bits(count: int, vectors: Float32s) -> None:
    codes = binarize(vectors)
    found = HammingScan(BinaryIndex(codes, 64), K).search(vectors[:count])
    distances = np.unpackbits(codes[:count, None] ^ codes[None], axis=2).sum(axis=2)
    assert (np.take_along_axis(distances, found, axis=1) == np.sort(distances, axis=1)[:, :K]).all()
