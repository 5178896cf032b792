"""Scores of a few candidates against one float32 query: by sign bits in RAM, by int8 codes from disk.

Formulas only: which candidates are scored, and in which order, is up to `Ranker` in `ranking.py`.

Both take a query of length 1 and estimate the cosine similarity with the float32 document.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from retrieval.native.library import address, library
from retrieval.quantization import Bits, Float32s, Int8Quantizer, Int8s

Codes = TypeVar("Codes", Bits, Int8s)

_ROWS_AT_ONCE = 20_000
MEAN_COSINE_WITH_OWN_SIGNS = math.sqrt(2.0 / math.pi)
"""Cosine between a vector and its own signs, when its values are normally distributed: E|x| / sqrt(E x^2)."""


def hamming_scores(distances: np.typing.NDArray[np.int32], dim: int) -> Float32s:
    """Returns cosine estimates `(n,)` for Hamming distances `(n,)`: `cos(pi * distance / dim)`.

    Two random hyperplanes separate vectors at an angle a with probability a / pi (Charikar, 2002,
    "Similarity estimation techniques from rounding algorithms").
    """
    angles = distances.astype(np.float32) * np.float32(np.pi / dim)
    scores: Float32s = np.cos(angles, dtype=np.float32)
    return scores


def asymmetric_scores(query: Float32s, codes: Bits) -> Float32s:
    """Returns cosine estimates `(n,)` of a float32 query `(dim,)` with documents known by sign bits `(n, bytes)`.

    The dot product with the signs, divided by the length of a sign vector and by the cosine of a document with its
    own signs on average, so an estimate may slightly exceed 1. Only the order matters to the search; the constant
    makes it readable as a cosine.
    """
    scores: Float32s = _sign_dots(query, codes) * np.float32(1.0 / (math.sqrt(len(query)) * MEAN_COSINE_WITH_OWN_SIGNS))
    return scores


def int8_scores(query: Float32s, codes: Int8s, quantizer: Int8Quantizer) -> Float32s:
    """Returns the dot products `(n,)` of a float32 query `(dim,)` with the de-quantized int8 `(n, dim)`."""
    scaled, constant = quantizer.fold(query)
    dots = np.concatenate([part.astype(np.float32) @ scaled for part in _parts(codes)])
    return (dots + np.float32(constant)).astype(np.float32)


def _sign_dots(query: Float32s, codes: Bits) -> Float32s:
    """Returns the dot products `(n,)` of a query `(dim,)` with the signs that codes `(n, bytes)` stand for."""
    if (functions := library()) is None:
        # sum(q * sign) = 2 * sum(q where the bit is set) - sum(q): no need to turn bits into +1 and -1.
        dots: Float32s = 2.0 * np.concatenate([_bits(part, len(query)) @ query for part in _parts(codes)]) - query.sum()
        return dots
    padded, codes = np.zeros(8 * codes.shape[1], np.float32), np.ascontiguousarray(codes)
    padded[: len(query)] = query
    dots = np.empty(len(codes), np.float32)
    if functions.sign_dots(address(padded), address(codes), *codes.shape, address(dots)):
        raise MemoryError("no memory for the tables of a query")
    return dots


def _bits(codes: Bits, dim: int) -> Float32s:
    return np.unpackbits(codes, axis=-1, count=dim).astype(np.float32)


def _parts(codes: Codes) -> list[Codes]:
    """Returns the rows in chunks: as float32 they are much larger, and there may be as many as in the corpus."""
    return [codes[start : start + _ROWS_AT_ONCE] for start in range(0, max(1, len(codes)), _ROWS_AT_ONCE)]
