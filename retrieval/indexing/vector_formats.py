"""File formats of vectors other than `.npy`: `.npz` with one array, and `.fvecs`."""

from __future__ import annotations

import os
import tempfile
import weakref
import zipfile
import zlib
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from retrieval.errors import VectorsError
from retrieval.indexing.npy_vectors import LEAST_DIM, NpyVectors

_LOCAL_HEADER_BYTES = 30
_MOST_DIM = 1_000_000


def open_vectors(path: Path, *, may_be_one: bool = False) -> NpyVectors:
    """Returns the vectors of a `.npy`, `.npz` or `.fvecs` file, checked; `may_be_one` allows one vector `(dim,)`.

    Raises:
        VectorsError: if the file is missing or damaged, or does not hold rows of numbers.
    """
    if path.suffix.lower() == ".fvecs":
        return FvecsVectors.open(path)
    try:
        with path.open("rb") as file:
            is_archive = file.read(4) == b"PK\x03\x04"
    except OSError:
        is_archive = False  # the reader of .npy files says what is wrong
    return _open_npz(path, may_be_one=may_be_one) if is_archive else NpyVectors.open(path, may_be_one=may_be_one)


class FvecsVectors(NpyVectors):
    """float32 vectors, each after its number of dimensions as int32 (http://corpus-texmex.irisa.fr)."""

    @classmethod
    def open(cls, path: Path, *, may_be_one: bool = False) -> Self:
        """Returns the vectors in `path`, after checking its size; one vector is a row of its own.

        Raises:
            VectorsError: if the file is missing, or is no `.fvecs` file.
        """
        try:
            with path.open("rb") as file:
                dim = int.from_bytes(file.read(4), "little", signed=True)
            size = path.stat().st_size
        except OSError as error:
            raise VectorsError(f"cannot read the vectors in {path}: {error.strerror or error}.") from error
        num_vectors, rest = divmod(size, 4 + 4 * max(dim, 0))
        if not LEAST_DIM <= dim <= _MOST_DIM or rest or not num_vectors:
            raise VectorsError(
                f"{path} is not an .fvecs file, or is cut short: it begins with {dim:,} dimensions and has {size:,} "
                f"bytes, not a whole number of vectors of at least {LEAST_DIM} dimensions. Copy or save it again."
            )
        return cls(path, (num_vectors, dim), np.dtype("<f4"), fortran=False, start=0)

    def _rows(self, file: BinaryIO, start: int, stop: int) -> npt.NDArray[np.generic]:
        record = np.dtype([("dim", "<i4"), ("values", "<f4", (self.dim,))])
        file.seek(start * record.itemsize)
        records = np.fromfile(file, record, stop - start)
        if len(records) != stop - start or (records["dim"] != self.dim).any():
            raise ValueError(f"not every vector has {self.dim:,} dimensions")
        return np.asarray(records["values"])


def _open_npz(path: Path, *, may_be_one: bool) -> NpyVectors:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
            if len(members) != 1:
                names = ", ".join(each.filename.removesuffix(".npy") for each in members[:5]) or "none"
                raise VectorsError(
                    f"{path} is a zip archive, as numpy.savez writes, of {len(members)} arrays ({names}): one is "
                    f"needed. Save the vectors alone with numpy.save."
                )
            [member] = members
            if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
                offset = _content_offset(path, member)
                return NpyVectors.open_within(path, offset, member.file_size, may_be_one=may_be_one)
            return _unpacked(archive, member, path, may_be_one=may_be_one)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise VectorsError(f"cannot read the archive {path}: {error}. Save the vectors with numpy.save.") from error


def _content_offset(path: Path, member: zipfile.ZipInfo) -> int:
    """Returns where the bytes of a stored member begin: after a header of variable length."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
    if len(header) < _LOCAL_HEADER_BYTES or header[:4] != b"PK\x03\x04":
        raise ValueError("a member is not where the archive says")
    name_bytes, extra_bytes = (int.from_bytes(header[place : place + 2], "little") for place in (26, 28))
    return member.header_offset + _LOCAL_HEADER_BYTES + name_bytes + extra_bytes


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, *, may_be_one: bool) -> NpyVectors:
    """Returns the vectors of a compressed member, from a temporary file that is deleted with them."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.stem}-", suffix=".npy")
    try:
        with os.fdopen(descriptor, "wb") as file, archive.open(member) as content:
            copyfileobj(content, file)
        vectors = NpyVectors.open(Path(name), may_be_one=may_be_one)
    except BaseException:
        Path(name).unlink()
        raise
    weakref.finalize(vectors, Path(name).unlink, missing_ok=True)
    return vectors
