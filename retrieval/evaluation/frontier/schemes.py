"""The schemes that the frontier compares: faiss's own, by factory string, and those of this project.

faiss's schemes are made with `faiss.index_factory` (https://github.com/facebookresearch/faiss/wiki/The-index-factory),
so that anyone can reproduce them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import faiss
import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.frontier.scheme import CannotFitError, Index, Scheme
from retrieval.evaluation.frontier.scores import highest, similarity
from retrieval.quantization import Float32s, Int8Quantizer, binarize, num_code_bytes, unpack_signs

_MOST_SUBQUANTIZERS = 48
_PQ_CENTROIDS = 256
_PQ_TRAINING_VECTORS = 8_192
_PQ_ITERATIONS = 8
"""faiss trains with 25 and warns below 9,984 vectors; 8 on 8,192 lose less than a point of recall in a tenth of the
time."""


@dataclass(frozen=True, repr=False)
class FaissScheme(Scheme):
    """A scheme that faiss makes from a factory string."""

    key: str
    factory: Callable[[int], str]
    """Returns the factory string for a number of dimensions."""

    @classmethod
    def of(cls, key: str, factory: str) -> Self:
        """Returns the scheme whose factory string is the same for all dimensions."""
        return cls(key, lambda dim: factory)

    def factory_string(self, dim: int) -> str:
        """Returns the factory string for `dim` dimensions."""
        return self.factory(dim)

    def fit(self, sample: Float32s, *, inner_product: bool) -> Index:
        """Returns the index that faiss trains on `sample`."""
        factory = self.factory(sample.shape[1])
        metric = faiss.METRIC_INNER_PRODUCT if inner_product else faiss.METRIC_L2
        index = faiss.index_factory(sample.shape[1], factory, metric)
        if hasattr(index, "pq"):
            if len(sample) < _PQ_CENTROIDS:
                raise CannotFitError(f"{factory} needs at least {_PQ_CENTROIDS} vectors to train, got {len(sample)}")
            index.pq.cp.niter = _PQ_ITERATIONS
            index.pq.cp.min_points_per_centroid = 1
            index.do_polysemous_training = False  # it only helps a search that is not used here
            sample = sample[:_PQ_TRAINING_VECTORS]
        index.train(np.ascontiguousarray(sample))
        return _FaissIndex(index, largest_first=inner_product)


def _product_quantizer(dim: int) -> str:
    parts = next(parts for parts in range(min(dim, _MOST_SUBQUANTIZERS), 0, -1) if dim % parts == 0)
    return f"PQ{parts}x8"


class _FaissIndex(Index):
    def __init__(self, index: Any, *, largest_first: bool) -> None:
        self._index = index
        self._sign = 1.0 if largest_first else -1.0

    @property
    def bytes_per_vector(self) -> int:
        return int(self._index.sa_code_size())

    def load(self, chunk: Float32s) -> None:
        self._index.reset()
        self._index.add(np.ascontiguousarray(chunk))

    def best_of(self, queries: Float32s, depth: int) -> tuple[Float32s, Rows]:
        distances, rows = self._index.search(np.ascontiguousarray(queries), min(depth, self._index.ntotal))
        return np.where(rows < 0, -np.inf, self._sign * distances).astype(np.float32), rows


@dataclass(frozen=True, repr=False)
class RangeInt8(Scheme):
    """This project's int8: the range of each dimension in 255 steps, de-quantized before it is compared."""

    key: str = "int8"

    def fit(self, sample: Float32s, *, inner_product: bool) -> Index:
        """Returns the index with the ranges of `sample`."""
        quantizer = Int8Quantizer.fit([sample])

        def decoded(chunk: Float32s) -> Float32s:
            return quantizer.decode(quantizer.encode(chunk))

        return _DecodedIndex(decoded, sample.shape[1], inner_product=inner_product)


@dataclass(frozen=True, repr=False)
class FloatBits(Scheme):
    """The sign bits of a vector against a float query: the exact order that a FastScan of the signs approaches."""

    key: str = "float-bits"

    def fit(self, sample: Float32s, *, inner_product: bool) -> Index:
        """Returns the index; nothing is learned from `sample`. All signs have one length, so both metrics agree."""
        dim = sample.shape[1]
        return _DecodedIndex(lambda chunk: unpack_signs(binarize(chunk), dim), num_code_bytes(dim), inner_product=True)


@dataclass(frozen=True, repr=False)
class Hamming(Scheme):
    """The sign bits of a vector against those of the query, by Hamming distance: the article's binary search."""

    key: str = "bits"

    def fit(self, sample: Float32s, *, inner_product: bool) -> Index:
        """Returns the index; nothing is learned from `sample`."""
        return _HammingIndex(sample.shape[1])


class _HammingIndex(Index):
    def __init__(self, dim: int) -> None:
        self._index = faiss.IndexBinaryFlat(8 * num_code_bytes(dim))

    @property
    def bytes_per_vector(self) -> int:
        return int(self._index.code_size)

    def load(self, chunk: Float32s) -> None:
        self._index.reset()
        self._index.add(binarize(chunk))

    def best_of(self, queries: Float32s, depth: int) -> tuple[Float32s, Rows]:
        distances, rows = self._index.search(binarize(queries), min(depth, self._index.ntotal))
        return -distances.astype(np.float32), rows


class _DecodedIndex(Index):
    """Compares queries with the decoded vectors: the answers of a scan of the codes, but not its time."""

    scans_natively = False

    def __init__(self, decoded: Callable[[Float32s], Float32s], bytes_per_vector: int, *, inner_product: bool) -> None:
        self._decoded = decoded
        self._bytes = bytes_per_vector
        self._inner_product = inner_product
        self._vectors: Float32s = np.empty((0, 0), np.float32)

    @property
    def bytes_per_vector(self) -> int:
        return self._bytes

    def load(self, chunk: Float32s) -> None:
        self._vectors = self._decoded(chunk)

    def best_of(self, queries: Float32s, depth: int) -> tuple[Float32s, Rows]:
        return highest(similarity(queries, self._vectors, inner_product=self._inner_product), depth)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits faiss to one thread in the whole process, to time a single query."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


SCHEMES: tuple[Scheme, ...] = (
    FaissScheme.of("float32", "Flat"),
    FaissScheme.of("float16", "SQfp16"),
    FaissScheme.of("bfloat16", "SQbf16"),
    RangeInt8(),
    FaissScheme.of("8 bits", "SQ8"),
    FaissScheme.of("6 bits", "SQ6"),
    FaissScheme.of("4 bits", "SQ4"),
    FaissScheme.of("RaBitQ 4 bits", "RaBitQ4"),
    FaissScheme.of("RaBitQ 3 bits", "RaBitQ3"),
    FaissScheme.of("RaBitQ 2 bits", "RaBitQ2"),
    FaissScheme.of("RaBitQ 1 bit", "RaBitQ"),
    FaissScheme("PQ", _product_quantizer),
    FloatBits(),
    Hamming(),
)
"""All that the frontier compares, from most bytes to fewest."""
