"""Opens an index where it lies, by what its place looks like."""

from __future__ import annotations

from pathlib import Path

from retrieval.bundle.manifest import Manifest
from retrieval.milvus.address import MilvusAddress, is_milvus_address
from retrieval.milvus.collection import Collection
from retrieval.milvus.marks import whole_marks
from retrieval.milvus.server import Server
from retrieval.search.stores.collection import CollectionStore
from retrieval.search.stores.files import FileStore
from retrieval.search.stores.store import Store

Where = Path | MilvusAddress
"""A folder, or the address of a collection."""
Place = Where | str


def place_of(place: Place) -> Where:
    """Returns a folder, or the address of a collection.

    Raises:
        BundleMissingError: if it is meant to be an address, and is none.
    """
    if isinstance(place, MilvusAddress):
        return place
    return MilvusAddress.parse(str(place)) if is_milvus_address(place) else Path(place)


def open_store(place: Place, verify: str) -> Store:
    """Returns the index at a place; see `Searcher.open`.

    Raises:
        BundleError: if it cannot be opened.
        DependencyError: if an optional package for it is not installed.
    """
    where = place_of(place)
    if isinstance(where, MilvusAddress):
        return CollectionStore(Collection.open(where))
    return FileStore.open(where, verify)


def manifest_at(place: Place) -> Manifest:
    """Returns the manifest of the index at a place, which is not opened for it.

    Raises:
        BundleError: if there is none, or it cannot be read.
        DependencyError: if an optional package for it is not installed.
    """
    where = place_of(place)
    if isinstance(where, MilvusAddress):
        return whole_marks(Server(where)).manifest
    return Manifest.read(where)
