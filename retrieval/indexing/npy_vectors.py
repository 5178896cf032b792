"""Vectors in a `.npy` file that someone else made: checked before anything is read, never unpickled, never read whole.

Plain reads rather than a memory map, as in `vector_file`: a truncated file or a failing disk is then an
error to report, not a signal that ends the process.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from retrieval.bundle.embeddings import HEADER_DAMAGE
from retrieval.errors import VectorsError
from retrieval.quantization import Float32s

LEAST_DIM = 8
"""Fewer columns are not embeddings, but a transposed file or another kind of table."""
_BFLOAT16 = "V2"
"""How numpy writes the bfloat16 of ml_dtypes (JAX, TensorFlow): two bytes without a type."""
_TAKEN = ("f2", "f4", "f8", "i1", _BFLOAT16)
WINDOW_BYTES = 1 << 24
"""The bytes read at once while gathering rows that may be far apart."""


class NpyVectors:
    """Floats, bfloat16 or int8 `(num_vectors, dim)` in a `.npy` file, in C or Fortran order."""

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic], *, fortran: bool, start: int
    ) -> None:
        self.path = path
        self.num_vectors, self.dim = shape
        self.dtype = dtype
        self._fortran = fortran
        self._start = start
        self._state = _state(path)

    @classmethod
    def open(cls, path: Path, *, may_be_one: bool = False) -> Self:
        """Returns the vectors in `path`, after checking type, shape and size; `may_be_one` allows one vector `(dim,)`.

        Raises:
            VectorsError: if the file is missing, is no `.npy` file, or holds something else than rows of floats.
        """
        return cls.open_within(path, 0, None, may_be_one=may_be_one)

    @classmethod
    def open_within(cls, path: Path, offset: int, size: int | None, *, may_be_one: bool = False) -> Self:
        """Returns the vectors of a `.npy` inside `path`, from byte `offset` on, `size` bytes long or to the end.

        Raises:
            VectorsError: as `open` does.
        """
        try:
            with path.open("rb") as file:
                file.seek(offset)
                shape, fortran, dtype = _header(file)
                start = file.tell()
            size = path.stat().st_size - offset if size is None else size
        except OSError as error:
            raise VectorsError(f"cannot read the vectors in {path}: {error.strerror or error}.") from error
        except HEADER_DAMAGE as error:
            reason = str(error) or type(error).__name__
            raise VectorsError(
                f"{path} is not an .npy file: {reason}. Save one array of vectors with numpy.save."
            ) from error
        _check_type(path, dtype)
        if may_be_one and len(shape) == 1:
            shape = (1, *shape)
        _check_shape(path, shape)
        needed = start - offset + shape[0] * shape[1] * dtype.itemsize
        if size < needed:
            raise VectorsError(
                f"{path} is cut short: it has {size:,} bytes, {needed:,} are expected for {shape[0]:,} x {shape[1]:,} "
                f"{dtype.name}. Copy or save it again."
            )
        return cls(path, shape, dtype, fortran=fortran, start=start)

    def __len__(self) -> int:
        return self.num_vectors

    def __repr__(self) -> str:
        return f"NpyVectors({self.num_vectors:,} x {self.dim} {self.dtype.name}, {self.path})"

    def read(self, start: int, stop: int) -> Float32s:
        """Returns rows `start` to `stop`, float32 `(stop - start, dim)`.

        Raises:
            VectorsError: if the file was changed since it was opened, or cannot be read.
        """
        try:
            if _state(self.path) != self._state:
                raise VectorsError(f"{self.path} was changed while it was read: run the same command again.")
            with self.path.open("rb") as file:
                values = self._columns(file, start, stop) if self._fortran else self._rows(file, start, stop)
        except (OSError, ValueError) as error:
            raise VectorsError(f"cannot read rows {start:,} to {stop:,} of {self.path}: {error}.") from error
        if self.dtype.str[1:] == _BFLOAT16:
            # The upper half of a float32.
            values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        # Values too large for float32 become infinite, which is checked afterwards.
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(values, dtype=np.float32)

    def gather(self, rows: npt.NDArray[np.int64], window_bytes: int = WINDOW_BYTES) -> Float32s:
        """Returns the rows at `rows`, which ascend, float32 `(len(rows), dim)`; reads at most `window_bytes` at once.

        Raises:
            VectorsError: if the file was changed since it was opened, or cannot be read.
        """
        gathered = np.empty((len(rows), self.dim), dtype=np.float32)
        window = max(1, window_bytes // (self.dim * self.dtype.itemsize))
        done = 0
        while done < len(rows):
            first = int(rows[done])
            end = int(np.searchsorted(rows, first + window))
            gathered[done:end] = self.read(first, int(rows[end - 1]) + 1)[rows[done:end] - first]
            done = end
        return gathered

    def _rows(self, file: BinaryIO, start: int, stop: int) -> npt.NDArray[np.generic]:
        file.seek(self._start + start * self.dim * self.dtype.itemsize)
        return np.fromfile(file, self.dtype, (stop - start) * self.dim).reshape(stop - start, self.dim)

    def _columns(self, file: BinaryIO, start: int, stop: int) -> npt.NDArray[np.generic]:
        values = np.empty((stop - start, self.dim), self.dtype)
        for column in range(self.dim):
            file.seek(self._start + (column * self.num_vectors + start) * self.dtype.itemsize)
            values[:, column] = np.fromfile(file, self.dtype, stop - start)
        return values


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Returns shape, whether the order is Fortran's, and type.

    Raises:
        ValueError: if the file is of another format.
    """
    start = file.tell()
    first = file.read(2)
    file.seek(start)
    if first == b"PK":
        raise ValueError("it is a zip archive, as numpy.savez writes")
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"its version {version} is for tables with named columns")


def _check_type(path: Path, dtype: np.dtype[np.generic]) -> None:
    if dtype.str[1:] in _TAKEN and dtype.names is None:
        return
    if dtype.hasobject:
        reason = "pickled objects, which are never loaded: they could run a program"
    elif dtype == np.uint8:
        reason = (
            "uint8: packed bits (ubinary), or codes around 128, and not vectors. Bits become vectors of -1 and 1 with "
            "numpy.unpackbits(codes, axis=1) * 2.0 - 1, codes with codes - 128.0"
        )
    elif dtype.kind in "iub":
        reason = f"{dtype.name}: whole numbers are codes of vectors, not vectors"
    else:
        reason = f"{dtype}"
    raise VectorsError(
        f"{path} holds {reason}. float32 or float16 numbers are needed: save them with "
        f"numpy.save(path, numpy.asarray(vectors, dtype=numpy.float32))."
    )


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or min(shape) < 0:
        raise VectorsError(
            f"{path} holds an array of {len(shape)} dimensions, shape {shape}: one vector per row, shape (rows, "
            f"dimensions), is needed. If it has token vectors, pool them first."
        )
    if shape[0] == 0:
        raise VectorsError(f"{path} is empty, shape {shape}: at least one vector is needed.")
    if shape[1] < LEAST_DIM:
        raise VectorsError(
            f"{path} has shape {shape}: vectors of at least {LEAST_DIM} dimensions, one per row, are needed. "
            f"If the vectors are its columns, save its transpose."
        )


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
