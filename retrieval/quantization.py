"""Sign bits and int8 codes: from float32 and back, in plain numpy.

Binary quantization keeps one bit per dimension: 1 where the value is above 0 (Yamada et al., "Efficient Passage
Retrieval with Hashing", arXiv 2106.00882, for the two-stage search; the threshold at 0 is the article's,
https://huggingface.co/blog/embedding-quantization). Scalar quantization keeps 8 bits per dimension: the range of each
dimension over the corpus, cut into 255 equal steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Int8s = npt.NDArray[np.int8]
Bits = npt.NDArray[np.uint8]

_LOWEST_CODE, _HIGHEST_CODE = -128, 127
_NUM_STEPS = _HIGHEST_CODE - _LOWEST_CODE


def num_code_bytes(dim: int) -> int:
    """Returns the bytes that the sign bits of `dim` dimensions take; a last partial byte is padded with zeros."""
    return (dim + 7) // 8


def vector_bytes(dim: int, bits: int) -> int:
    """Returns the bytes of a vector of `dim` numbers of `bits` bits each, rounded up."""
    return (dim * bits + 7) // 8


def binarize(embeddings: Float32s) -> Bits:
    """Returns the sign bits of float32 `(n, dim)` packed as uint8 `(n, ceil(dim / 8))`, first dimension highest."""
    return np.packbits(embeddings > 0, axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class SignQuantizer:
    """Keeps one bit per dimension: whether a value is above a threshold, the corpus's mean there or 0.

    If nearly all values of a dimension have one sign, its bit at 0 no longer distinguishes documents; at the mean it
    does (the centring of RaBitQ, Gao and Long, 2024, arXiv 2405.12497, by one centre for all).
    """

    center: Float32s | None = None
    """`(dim,)` float32, subtracted from documents and queries before the sign; None subtracts nothing."""

    @classmethod
    def fit(cls, batches: Iterable[Float32s]) -> SignQuantizer:
        """Returns the quantizer around the mean of all batches, each float32 `(any, dim)`.

        Raises:
            ValueError: if there is no vector at all.
        """
        total, count = np.zeros(1), 0
        for batch in batches:
            total = total + batch.sum(axis=0, dtype=np.float64)
            count += len(batch)
        if count == 0:
            raise ValueError("no vectors to fit a mean on")
        return cls((total / count).astype(np.float32))

    def encode(self, embeddings: Float32s) -> Bits:
        """Returns the bits of float32 `(n, dim)` or `(dim,)` packed as uint8, as `binarize` does."""
        return np.packbits(embeddings > (0 if self.center is None else self.center), axis=-1)

    def cosines_of_angles(self, query: Float32s, cosines: Float32s) -> Float32s:
        """Returns cosine estimates `(n,)` from those that the bits give between centred vectors.

        With q and d of length 1 and the mean m, q.d is (q - m).(d - m) + q.m + d.m - m.m. Over the corpus, d.m is m.m
        and the square of |d - m| is 1 - m.m on average.
        """
        if self.center is None:
            return cosines
        length = float(np.linalg.norm(query - self.center)) * self._spread
        return cosines * np.float32(length) + np.float32(query @ self.center)

    def cosines_of_products(self, query: Float32s, products: Float32s) -> Float32s:
        """Returns cosine estimates `(n,)` from those of a query `(dim,)` with centred documents of length 1."""
        if self.center is None:
            return products
        return products * np.float32(self._spread) + np.float32(query @ self.center)

    @property
    def _spread(self) -> float:
        """Returns the average length of a document of length 1 after subtracting the mean."""
        return 1.0 if self.center is None else math.sqrt(max(0.0, 1.0 - float(self.center @ self.center)))

    def to_json(self) -> dict[str, Any]:
        """Returns the parameters as JSON values; float32 survives the round trip exactly."""
        return {"center": None if self.center is None else [float(value) for value in self.center]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], dim: int) -> SignQuantizer:
        """Returns the quantizer that `to_json` wrote, for vectors of `dim` dimensions.

        Raises:
            ValueError: if the mean is not a list of `dim` finite numbers.
        """
        if values.get("center") is None:
            return cls()
        center = np.asarray(values["center"], dtype=np.float32)
        if center.shape != (dim,) or not np.isfinite(center).all():
            raise ValueError(f"the mean of the bits has shape {center.shape}: {dim} finite numbers are needed")
        return cls(center)


def unpack_signs(codes: Bits, dim: int) -> Float32s:
    """Returns +1.0 / -1.0 as float32 `(n, dim)` for packed bits `(n, ceil(dim / 8))`."""
    bits = np.unpackbits(codes, axis=-1, count=dim)
    return bits.astype(np.float32) * 2.0 - 1.0


@dataclass(frozen=True, slots=True)
class Int8Quantizer:
    """Maps each dimension's range over the corpus to the codes -128..127."""

    minimum: Float32s
    """`(dim,)`: the value that code -128 stands for."""
    step: Float32s
    """`(dim,)`: the width of one code. 1.0 for a constant dimension, whose width would be 0."""

    @classmethod
    def fit(cls, batches: Iterable[Float32s]) -> Int8Quantizer:
        """Returns the quantizer for the ranges seen over all batches, each float32 `(any, dim)`.

        Raises:
            ValueError: if there is no vector at all.
        """
        lowest: Float32s | None = None
        highest: Float32s | None = None
        for batch in batches:
            if len(batch) == 0:
                continue
            low, high = batch.min(axis=0), batch.max(axis=0)
            lowest = low if lowest is None else np.minimum(lowest, low)
            highest = high if highest is None else np.maximum(highest, high)
        if lowest is None or highest is None:
            raise ValueError("no vectors to fit the int8 ranges on")
        step = ((highest - lowest) / _NUM_STEPS).astype(np.float32)
        step[step == 0] = 1.0
        return cls(minimum=lowest.astype(np.float32), step=step)

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return len(self.step)

    def encode(self, embeddings: Float32s) -> Int8s:
        """Returns int8 codes `(n, dim)` of float32 `(n, dim)`; values outside the fitted range saturate."""
        codes = np.rint((embeddings - self.minimum) / self.step) + _LOWEST_CODE
        clipped: Int8s = np.clip(codes, _LOWEST_CODE, _HIGHEST_CODE).astype(np.int8)
        return clipped

    def decode(self, codes: Int8s) -> Float32s:
        """Returns float32 `(n, dim)`: the value that each code stands for, off by at most half a step."""
        levels = codes.astype(np.float32) - np.float32(_LOWEST_CODE)
        return levels * self.step + self.minimum

    def fold(self, query: Float32s) -> tuple[Float32s, float]:
        """Returns `(scaled, constant)` such that `scaled @ code + constant == query @ decode(code)`.

        Codes are not vectors: a dot product with raw codes ignores each dimension's step and offset
        (huggingface/sentence-transformers#4058). Folding both into the query costs nothing per document.
        """
        scaled = query * self.step
        constant = float(query @ self.minimum) - _LOWEST_CODE * float(scaled.sum())
        return scaled.astype(np.float32), constant

    def to_json(self) -> dict[str, Any]:
        """Returns the parameters as JSON values; float32 survives the round trip exactly."""
        return {
            "scheme": "per-dimension range",
            "minimum": [float(value) for value in self.minimum],
            "step": [float(value) for value in self.step],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Int8Quantizer:
        """Returns the quantizer that `to_json` wrote.

        Raises:
            KeyError: if a parameter is missing.
            ValueError: if a parameter is not a list of finite numbers, or the two lengths differ.
        """
        minimum = np.asarray(values["minimum"], dtype=np.float32)
        step = np.asarray(values["step"], dtype=np.float32)
        if minimum.ndim != 1 or minimum.shape != step.shape:
            raise ValueError(
                f"minimum has shape {minimum.shape}, step {step.shape}: two lists of one length are needed"
            )
        if not (np.isfinite(minimum).all() and np.isfinite(step).all() and (step > 0).all()):
            raise ValueError("int8 parameters must be finite, and every step above 0")
        return cls(minimum=minimum, step=step)
