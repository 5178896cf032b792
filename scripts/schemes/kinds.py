"""Ways to keep a vector in int8 or in sign bits, for comparing: what the product does, and what it might do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Bits, Float32s, Int8Quantizer, binarize, num_code_bytes

CHUNK_ROWS = 32_768
_COLUMNS_AT_ONCE = 32
"""Of 593,891 vectors, 76 MB."""
_CLIPPED_PERCENTS = (99.99, 99.9, 99.0)
_ROTATION_SEEDS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Int8Scheme:
    """One way to make int8 codes."""

    key: str
    label: str
    vector_bytes: int
    restore: Callable[[Float32s], Float32s]
    """Takes vectors `(n, dim)`, and returns what their codes stand for."""


@dataclass(frozen=True, slots=True)
class SignScheme:
    """One way to make sign bits: of the vectors less `mean`, turned by `rotation`."""

    key: str
    label: str
    vector_bytes: int
    mean: Float32s | None = None
    """`(dim,)`"""
    rotation: Float32s | None = None
    """`(dim, dim)`, orthogonal."""

    def codes(self, vectors: Float32s) -> Bits:
        """Returns the packed bits `(n, ceil(dim / 8))` of float32 `(n, dim)`."""
        return binarize(self.moved(vectors))

    def moved(self, vectors: Float32s) -> Float32s:
        """Returns the vectors, float32 `(n, dim)`, whose signs are kept; a query is moved like a document."""
        centred: Float32s = vectors if self.mean is None else vectors - self.mean
        moved: Float32s = centred if self.rotation is None else centred @ self.rotation
        return moved


def int8_schemes(baseline: ExactBaseline, quantizer: Int8Quantizer) -> Iterator[Int8Scheme]:
    """Yields the int8 schemes; the first is the product's, `quantizer`."""
    dim = quantizer.dim

    def ranged(key: str, label: str, lowest: Float32s, highest: Float32s) -> Int8Scheme:
        made = Int8Quantizer.fit([np.stack([lowest, highest])])
        return Int8Scheme(key, label, dim, lambda vectors: made.decode(made.encode(vectors)))

    yield Int8Scheme(
        "dimension", "range of each dimension", dim, lambda vectors: quantizer.decode(quantizer.encode(vectors))
    )
    tails = [tail for percent in _CLIPPED_PERCENTS for tail in ((100 - percent) / 200, (100 + percent) / 200)]
    limits = _quantiles(baseline, [0.0, *tails, 1.0])
    furthest = np.full(dim, np.abs(limits).max(), np.float32)
    yield ranged("global", "one range for all dimensions", -furthest, furthest)
    for percent, low, high in zip(_CLIPPED_PERCENTS, limits[1::2], limits[2::2], strict=False):
        yield ranged(f"clipped_{percent:g}", f"range of each dimension, middle {percent:g} %", low, high)
    yield Int8Scheme("vector", "a scale per vector", dim + 4, _per_vector)
    yield Int8Scheme("vector_length", "a scale per vector, from its length of 1", dim, _per_vector_length)


def sign_schemes(baseline: ExactBaseline) -> Iterator[SignScheme]:
    """Yields the sign schemes; the first is the product's."""
    size = num_code_bytes(baseline.embeddings.shape[1])
    yield SignScheme("plain", "plain", size)
    mean = _mean(baseline)
    yield SignScheme("centred", "less the mean", size, mean)
    for seed in _ROTATION_SEEDS:
        normal = np.random.default_rng(seed).standard_normal((len(mean), len(mean)))
        rotation = np.linalg.qr(normal)[0].astype(np.float32)
        yield SignScheme(f"rotated_{seed}", f"rotated, seed {seed}", size, None, rotation)
        yield SignScheme(f"centred_rotated_{seed}", f"less the mean, rotated, seed {seed}", size, mean, rotation)


def sign_codes(scheme: SignScheme, baseline: ExactBaseline) -> Bits:
    """Returns the bits of every distinct text, `(num_texts, ceil(dim / 8))`."""
    rows = baseline.text_rows
    codes = np.empty((len(rows), num_code_bytes(baseline.embeddings.shape[1])), np.uint8)
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = rows[start : start + CHUNK_ROWS]
        codes[start : start + len(chunk)] = scheme.codes(np.asarray(baseline.embeddings[chunk]))
    return codes


def _quantiles(baseline: ExactBaseline, shares: list[float]) -> Float32s:
    """Returns the quantiles of each dimension over the distinct texts, `(len(shares), dim)`."""
    embeddings = baseline.embeddings
    parts = []
    for start in range(0, embeddings.shape[1], _COLUMNS_AT_ONCE):
        columns = np.asarray(embeddings[:, start : start + _COLUMNS_AT_ONCE])[baseline.text_rows]
        parts.append(np.quantile(columns, shares, axis=0, overwrite_input=True))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _mean(baseline: ExactBaseline) -> Float32s:
    rows = baseline.text_rows
    total = np.zeros(baseline.embeddings.shape[1])
    for start in range(0, len(rows), CHUNK_ROWS):
        total += baseline.embeddings[rows[start : start + CHUNK_ROWS]].sum(axis=0, dtype=np.float64)
    return (total / len(rows)).astype(np.float32)


def _per_vector(vectors: Float32s) -> Float32s:
    scales = np.abs(vectors).max(axis=1, keepdims=True) / np.float32(127)
    scales[scales == 0] = 1.0
    restored: Float32s = np.rint(vectors / scales) * scales
    return restored


def _per_vector_length(vectors: Float32s) -> Float32s:
    """A vector of length 1 needs no stored scale: it is what makes the length of its codes 1."""
    restored = _per_vector(vectors)
    lengths = np.linalg.norm(restored, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    scaled: Float32s = restored / lengths
    return scaled
