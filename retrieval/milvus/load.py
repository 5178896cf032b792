"""Loads a bundle into a collection, piece by piece: RAM hardly grows with the index.

An interrupted load continues where it stopped. The rows of the last pieces, which may be there already, are deleted
and written again. The collection counts as complete once all rows were counted.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.bundle import Bundle
from retrieval.errors import BuildError
from retrieval.milvus import schema
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.marks import FLAT, IVF, Marks, carried, num_lists
from retrieval.milvus.pieces import ROWS_AT_ONCE, Piece, Pieces
from retrieval.milvus.server import Server
from retrieval.milvus.settling import Report, settle

_PIECES_BETWEEN_MARKS = 10
_UNCERTAIN_ROWS = _PIECES_BETWEEN_MARKS * ROWS_AT_ONCE
"""At most this many rows beyond those marked as loaded may be in the collection."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How an index is stored in Milvus."""

    scan: str = FLAT
    """`flat` is exact; `ivf` visits the lists nearest to a query."""
    probes: int | None = None
    """Lists that a search visits, with `ivf`; None: an eighth of them."""
    shards: int = 1
    replace: bool = False
    """Whether to drop the collection's content first."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load."""

    address: MilvusAddress
    num_rows: int
    num_written: int
    """Rows written by this run: none if the index was already there, a part if the run continued another."""
    num_cut: int
    """Documents of this run that were longer than Milvus allows."""
    seconds: float


def load(path: Path, address: MilvusAddress, options: LoadOptions, report: Report) -> Loaded:
    """Loads the index in a folder into a collection, or continues an interrupted load.

    Raises:
        DependencyError: if pymilvus is not installed.
        BundleError: if the index cannot be opened, or the server does not answer or fails.
        BuildError: if the collection holds another index, another process loads it, or rows are missing at the end.
    """
    start = time.monotonic()
    bundle = Bundle.open(path)
    server = Server(address)
    marks, is_new = _marks(server, bundle, options)
    writer = _Writer(server, marks, is_new, report)
    if not marks.is_complete:
        writer.write(Pieces(bundle))
        settle(server, marks, report)
        server.set_properties(dataclasses.replace(writer.marks, is_complete=True).progress())
        server.set_properties(writer.marks.kept())
    return Loaded(address, marks.manifest.row_count, writer.num_written, writer.num_cut, time.monotonic() - start)


def _marks(server: Server, bundle: Bundle, options: LoadOptions) -> tuple[Marks, bool]:
    """Returns what the collection says about itself, and whether it was created just now."""
    lists = num_lists(bundle.manifest.distinct_text_count)
    probes = min(options.probes or max(1, lists // 8), lists) if options.scan == IVF else 0
    fresh = Marks.new(bundle.manifest, options.scan, probes)
    address, properties = server.address, server.properties()
    if properties is not None and options.replace:
        server.drop()
        properties = None
    if properties is None:
        server.create(schema.fields(fresh.manifest.dim), fresh.to_properties(), options.shards)
        for partition in fresh.partitions:
            server.add_partition(partition)
        return fresh, True
    found = Marks.read(properties, address)
    if found.manifest != carried(bundle.manifest):
        raise BuildError(
            f"{address} holds another index, {found.manifest.corpus.title} built {found.manifest.built_at[:10]}: name "
            f"another --collection, or drop that one with --replace."
        )
    if found.scan != options.scan:
        raise BuildError(f"{address} was loaded with --scan {found.scan}: name another --collection, or use --replace.")
    for partition in found.partitions:  # the run that created the collection may have stopped before it created these
        server.add_partition(partition)
    return dataclasses.replace(found, writer=fresh.writer), False


class _Writer:
    """Writes the rows of a bundle in order, and marks how far it is."""

    def __init__(self, server: Server, marks: Marks, is_new: bool, report: Report) -> None:
        self.marks = marks
        self._server, self._report = server, report
        self._uncertain_until = 0 if is_new else marks.num_loaded + _UNCERTAIN_ROWS
        self.num_written = self.num_cut = 0

    def write(self, pieces: Pieces) -> None:
        """Writes what is missing."""
        num_rows = self.marks.manifest.row_count
        self._server.set_properties(self.marks.progress())
        for number, piece in enumerate(pieces.behind(self.marks.num_loaded), start=1):
            self._write(piece)
            self._report("writing", piece.stop, num_rows)
            if number % _PIECES_BETWEEN_MARKS == 0 or piece.stop == num_rows:
                self._mark(piece.stop)

    def _write(self, piece: Piece) -> None:
        if piece.start < self._uncertain_until:
            self._server.delete([entity[schema.ROW] for entity in piece.entities])
        for repeats, entities in piece.parts():
            self._server.insert(entities, self.marks.partitions[1 if repeats else 0])
        self.num_written += len(piece.entities)
        self.num_cut += piece.num_cut

    def _mark(self, num_loaded: int) -> None:
        properties = self._server.properties()
        found = None if properties is None else Marks.read(properties, self._server.address)
        if found is None or (found.load_id, found.writer) != (self.marks.load_id, self.marks.writer):
            raise BuildError(
                f"{self._server.address} is also being loaded by another process, or was dropped meanwhile: let one of "
                f"them finish, then load again with --replace."
            )
        self.marks = dataclasses.replace(self.marks, num_loaded=num_loaded)
        self._server.set_properties(self.marks.progress())
