"""The file of the sign bits, a plain `faiss.IndexBinaryFlat`: written batch by batch, read into RAM or mapped."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import faiss
import numpy as np

from retrieval.bundle.files import write_rows
from retrieval.errors import BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.quantization import Bits, num_code_bytes

_COUNT_IN_HEAD = 12
"""Where a file's header has the number of codes as uint64; its last 8 bytes are the size of the codes after it."""


def write_binary_index(path: Path, dim: int, batches: Iterable[Bits]) -> None:
    """Writes a `faiss.IndexBinaryFlat` of packed codes, each batch uint8 `(any, ceil(dim / 8))`, to `path`.

    The bytes are the same that faiss writes for an index in RAM; here only one batch is in RAM.

    Raises:
        OSError: if the file cannot be written.
    """
    code_bytes = num_code_bytes(dim)
    head = bytearray(faiss.serialize_index_binary(faiss.IndexBinaryFlat(8 * code_bytes)).tobytes())
    with path.open("wb") as file:
        file.write(head)
        num_rows = write_rows(file, batches)
        head[_COUNT_IN_HEAD : _COUNT_IN_HEAD + 8] = num_rows.to_bytes(8, "little")
        head[-8:] = (num_rows * code_bytes).to_bytes(8, "little")
        file.seek(0)
        file.write(head)
        file.flush()
        os.fsync(file.fileno())
    try:
        found = faiss.read_index_binary(str(path), faiss.IO_FLAG_MMAP_IFC).ntotal
    except RuntimeError as error:
        raise OSError(f"faiss cannot read {path} as it was written: {error}") from error
    if found != num_rows:
        raise OSError(f"faiss finds {found:,} codes in {path}, {num_rows:,} were written")


def read_binary_codes(path: Path, dim: int, *, mapped: bool) -> Bits:
    """Returns the codes in `path`, uint8 `(n, ceil(dim / 8))`, read into RAM or mapped.

    Raises:
        BundleMissingError: if the file is not there.
        BundleCorruptError: if faiss cannot read it.
        BundleIncompatibleError: if it holds codes of another length.
    """
    if not path.is_file():
        raise BundleMissingError(f"{path} is missing: build the index again, or copy the whole folder.")
    try:
        index = faiss.read_index_binary(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except RuntimeError as error:
        raise BundleCorruptError(f"faiss cannot read {path}: {error}. Build the index again.") from error
    if not isinstance(index, faiss.IndexBinaryFlat) or index.code_size != num_code_bytes(dim):
        raise BundleIncompatibleError(
            f"{path} holds {type(index).__name__} codes of {index.code_size} bytes; "
            f"IndexBinaryFlat codes of {num_code_bytes(dim)} bytes are needed. Build the index again."
        )
    codes: Bits = np.asarray(_CodesOf(index)).reshape(index.ntotal, index.code_size)
    return codes


class _CodesOf:
    """The codes of a faiss index for numpy: an array made from this keeps the index alive."""

    def __init__(self, index: faiss.IndexBinaryFlat) -> None:
        self._index = index
        view = faiss.rev_swig_ptr(index.xb.data(), index.ntotal * index.code_size)
        self.__array_interface__ = view.__array_interface__
