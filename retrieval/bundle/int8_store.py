"""int8 vectors in a usearch file that stays on disk, read by row. The only module that imports usearch.

usearch itself writes an index that is whole in RAM. Here the file is written batch by batch in its format: the matrix,
the head that usearch makes, and a graph without links, which is never searched: 247 MB for 593,891 vectors of 384
dimensions, where the default graph makes it 316 MB. Any usearch can open it, get vectors by key and search it with
`exact=True`. Reading maps the matrix as it is, because a usearch view keeps a table of keys in RAM (53 MB for that
file, twice the sign bits) and copies rows one by one.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from usearch.index import Index

from retrieval.bundle.files import write_rows
from retrieval.bundle.scattered_reads import read_rows
from retrieval.errors import BuildError, BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.quantization import Int8s
from retrieval.system import read_into

_HEADER_BYTES = 8
"""A usearch file starts with the rows and the columns of its matrix as uint32; the rows follow in slot order."""
_MOST_ROWS = 2**32 - 2
"""Slots of usearch's graph, and the rows in that header, have 32 bits."""
_CONNECTIVITY = 2
"""The least that usearch accepts. A node has room for twice as many links."""
_HEAD_BYTES = 64
_COUNT_IN_HEAD = 17
"""Where the header, which follows the matrix, has the number of rows as uint64."""
_GRAPH_HEAD = np.dtype([("size", "<u8"), ("rest", "<u8", 2), ("top_level", "<u8"), ("entry", "<u8")])
_LEVEL = np.dtype("<i2")
_NODE = np.dtype([("key", "<u8"), ("level", _LEVEL), ("num_links", "<u4"), ("links", "<u4", 2 * _CONNECTIVITY)])
_NODES_AT_ONCE = 1 << 16


def store_bytes(num_rows: int, dim: int) -> int:
    """Returns the bytes of a file with this many int8 vectors, as `write_int8_store` writes it."""
    heads = _HEADER_BYTES + _HEAD_BYTES + _GRAPH_HEAD.itemsize
    return heads + num_rows * (dim + _LEVEL.itemsize + _NODE.itemsize)


def write_int8_store(path: Path, dim: int, batches: Iterable[Int8s]) -> None:
    """Writes int8 codes, each batch `(any, dim)`, to `path`; keys count from 0 in the order they come.

    Only one batch is in RAM, and writing the same codes twice gives the same bytes.

    Raises:
        BuildError: if there are more rows than the format can number.
        OSError: if the file cannot be written.
    """
    with path.open("wb") as file:
        file.write(bytes(_HEADER_BYTES))
        num_rows = write_rows(file, batches)
        if num_rows > _MOST_ROWS:
            raise BuildError(f"{num_rows:,} rows are too many for a usearch file: build several indexes.")
        file.write(_heads(num_rows, dim))
        for start in range(0, num_rows, _NODES_AT_ONCE):
            file.write(bytes(_LEVEL.itemsize * min(_NODES_AT_ONCE, num_rows - start)))
        for start in range(0, num_rows, _NODES_AT_ONCE):
            nodes = np.zeros(min(_NODES_AT_ONCE, num_rows - start), _NODE)
            nodes["key"] = np.arange(start, start + len(nodes))
            file.write(nodes.data)
        file.seek(0)
        file.write(np.array([num_rows, dim], "<u4").data)
        file.flush()
        os.fsync(file.fileno())
    about = Index.metadata(str(path))
    if about is None or (about["count_present"], about["dimensions"]) != (num_rows, dim):
        raise OSError(f"usearch cannot read back {path}: the installed release differs from the tested one")


def _heads(num_rows: int, dim: int) -> bytes:
    """Returns the bytes between the matrix and the nodes: usearch's headers of an empty index, with the count."""
    empty = Index(ndim=dim, metric="ip", dtype="i8", connectivity=_CONNECTIVITY)
    heads = bytearray(empty.save() or b"")[_HEADER_BYTES:]
    heads[_COUNT_IN_HEAD : _COUNT_IN_HEAD + 8] = num_rows.to_bytes(8, "little")
    if num_rows:
        graph = np.frombuffer(heads, _GRAPH_HEAD, offset=_HEAD_BYTES)
        graph["size"], graph["top_level"], graph["entry"] = num_rows, 0, 0
    return bytes(heads)


class Int8Store:
    """Reads int8 vectors by row from a mapped file. Safe to use from many threads."""

    def __init__(self, path: Path, num_rows: int, dim: int) -> None:
        """Maps the matrix of `path`, whose header `open` has checked."""
        self.path = path
        self.dim = dim
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        mapped = mmap.mmap(self._file, 0, prot=mmap.PROT_READ)
        if hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)  # rows are far apart: read-ahead would load rows that nobody asked for
        self.codes: Int8s = np.frombuffer(mapped, np.int8, num_rows * dim, _HEADER_BYTES).reshape(num_rows, dim)
        """`(n, dim)`: the mapped matrix, for scans of all of it."""

    @classmethod
    def open(cls, path: Path, dim: int) -> Int8Store:
        """Returns the vectors in `path`.

        Raises:
            BundleMissingError: if the file is not there.
            BundleCorruptError: if it is no usearch file, or is shorter than it says.
            BundleIncompatibleError: if it holds vectors of another length or type.
        """
        if not path.is_file():
            raise BundleMissingError(f"{path} is missing: build the index again, or copy the whole folder.")
        try:
            about = Index.metadata(str(path))
            num_rows, num_columns = (int(value) for value in np.fromfile(path, dtype="<u4", count=2))
        except (RuntimeError, ValueError, OSError) as error:
            raise BundleCorruptError(f"usearch cannot read {path}: {error}. Build the index again.") from error
        if about is None:
            raise BundleCorruptError(f"usearch finds no index in {path}. Build the index again.")
        kind, found_dim = about["kind_scalar"].name, int(about["dimensions"])
        if (kind, found_dim) != ("I8", dim) or not about["matrix_included"] or about["matrix_uses_64_bit_dimensions"]:
            raise BundleIncompatibleError(
                f"{path} holds {kind} vectors of {found_dim} dimensions; "
                f"I8 vectors of {dim} are needed. Build the index again."
            )
        size = path.stat().st_size
        if num_rows != about["count_present"] or num_columns != dim or size < _HEADER_BYTES + num_rows * dim:
            raise BundleCorruptError(
                f"{path} has {size:,} bytes and says {num_rows:,} x {num_columns} in its header, "
                f"{about['count_present']:,} x {dim} after it. Build the index again."
            )
        return cls(path, num_rows, dim)

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Int8Store({len(self):,} x {self.dim} int8, {self.path.stat().st_size / 1e6:.1f} MB mapped)"

    def fetch(self, rows: npt.NDArray[np.int64]) -> Int8s:
        """Returns the codes at `rows`, int8 `(len(rows), dim)`.

        Read from the file by position, not through the map: a page fault maps the 64 KB around a row, so a hundred
        queries of 200 rows would pull the whole file into this process. A read does not.

        Raises:
            IndexError: if a row is not in the file.
            BundleCorruptError: if the file was cut short since it was opened.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are not all in {self!r}")
        codes = np.empty((len(rows), self.dim), np.int8)
        if not read_rows(self._file, _HEADER_BYTES + self.dim * rows.astype(np.int64), codes):
            raise BundleCorruptError(f"{self.path} was truncated. Copy it again, or build the index again.")
        return codes

    def read_into(self, first_row: int, into: Int8s) -> None:
        """Fills int8 `(any, dim)` with the codes from `first_row` on, without the map: nothing stays in this process.

        Raises:
            BundleCorruptError: if the file was cut short since it was opened.
        """
        start = _HEADER_BYTES + first_row * self.dim
        if not read_into(self._file, into, start):
            raise BundleCorruptError(f"{self.path} was truncated. Copy it again, or build the index again.")
