"""What is wrong with given vectors, or worth a note, counted in chunks; and scaling them to length 1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.errors import VectorsError, counted
from retrieval.quantization import Float32s

_UNIT_TOLERANCE = 1e-5
"""A length this close to 1 is rounding of float32: such vectors are kept to the bit."""
_FAR = 64
_FEWEST_FAR, _MOST_FAR = 0.4, 0.6
_NOTED_TOLERANCE = 2e-3
"""A length this close to 1 is rounding of float16, and nothing to tell the user."""


@dataclass
class VectorSurvey:
    """What was seen of the vectors while the corpus was read."""

    num_not_finite: int = 0
    num_zero: int = 0
    first_not_finite: int = -1
    first_zero: int = -1
    num_values: int = 0
    num_far_values: int = 0
    """Beyond 64 either way: half of the values in packed bits, few of those in int8 vectors."""
    shortest: float = np.inf
    longest: float = 0.0

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def add(self, rows: npt.NDArray[np.int64], vectors: Float32s) -> None:
        """Counts the vectors `(n, dim)` at the positions `rows`, `(n,)`."""
        self.digest.update(vectors.data)
        self.num_values += vectors.size
        self.num_far_values += int(np.count_nonzero(np.abs(vectors) > _FAR))
        finite = np.isfinite(vectors).all(axis=1)
        lengths = _lengths(vectors[finite])
        not_finite, zero = rows[~finite], rows[finite][lengths == 0]
        self.num_not_finite += len(not_finite)
        self.num_zero += len(zero)
        if len(not_finite) and self.first_not_finite < 0:
            self.first_not_finite = int(not_finite[0])
        if len(zero) and self.first_zero < 0:
            self.first_zero = int(zero[0])
        if len(lengths):
            self.shortest, self.longest = min(self.shortest, lengths.min()), max(self.longest, lengths.max())

    def raise_if_unusable(self, path: Path, dtype: np.dtype[np.generic]) -> None:
        """Raises the error for unusable vectors, which `path` holds as this type.

        Raises:
            VectorsError: if some are not finite, or 0, or look like bits rather than vectors.
        """
        if dtype == np.int8 and _FEWEST_FAR <= self.num_far_values / max(1, self.num_values) <= _MOST_FAR:
            raise packed_bits_error(path)
        for count, first, what in (
            (self.num_not_finite, self.first_not_finite, "NaN or infinite numbers"),
            (self.num_zero, self.first_zero, "nothing but zeros"),
        ):
            if count:
                raise VectorsError(
                    f"{path} has {counted(count, 'vector')} with {what}, the first in row {first:,} (counted from 0): "
                    f"finite vectors other than 0 are needed. Embed these rows again, or leave them out of both files."
                )

    def notes(self, dtype: np.dtype[np.generic]) -> list[str]:
        """Returns what the user should know about vectors that were of this type."""
        notes = []
        if dtype == np.int8:
            notes.append(
                "The vectors are int8, as embedding services return them: they are used unchanged, without "
                "the ranges they were made with, which costs little if these are similar."
            )
            return notes
        if dtype.kind == "V":
            notes.append("The numbers have two bytes and no type: they are read as bfloat16.")
        if dtype.itemsize > 4:
            notes.append(f"The vectors are {dtype.name}: they are used as float32.")
        if max(1 - self.shortest, self.longest - 1) > _NOTED_TOLERANCE:
            notes.append(
                f"The vectors have lengths from {self.shortest:.3g} to {self.longest:.3g}: they are scaled to "
                f"length 1, so that scores are cosine similarities."
            )
        return notes


def packed_bits_error(path: Path) -> VectorsError:
    """Returns the error for int8 numbers that are eight bits each, shifted by 128: what Cohere calls `binary`."""
    return VectorsError(
        f"{path} holds int8 numbers that look like packed bits (binary), eight dimensions in each, and not like "
        f"vectors. Make vectors of -1 and 1 of them with "
        f"numpy.unpackbits((codes.astype(int) + 128).astype(numpy.uint8), axis=1) * 2.0 - 1, and save these with "
        f"numpy.save."
    )


def normalized(vectors: Float32s) -> Float32s:
    """Returns finite vectors `(n, dim)` that are not 0 at length 1; those that have it already are left as they are."""
    lengths = _lengths(vectors)
    lengths[np.abs(lengths - 1) <= _UNIT_TOLERANCE] = 1
    return np.asarray(vectors / lengths[:, None], dtype=np.float32)


def _lengths(vectors: Float32s) -> npt.NDArray[np.float64]:
    # In float64: the square of a float32 may not fit into a float32.
    squares: npt.NDArray[np.float64] = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    return np.sqrt(squares)
