"""What a collection says about itself, in its properties: which index it holds, and whether it is complete."""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from retrieval.bundle.manifest import REQUIRED_FILES, Manifest
from retrieval.errors import BundleCorruptError, BundleIncompatibleError, BundleMissingError, RetrievalError
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.server import Server

FORMAT_VERSION = "1"
_PREFIX = "embedding_quantization."
FLAT, IVF = "flat", "ivf"
INDEX_TYPES = {FLAT: "BIN_FLAT", IVF: "BIN_IVF_FLAT"}
"""Milvus's index type by the name in `--scan`: exact, or approximate from the nearest lists."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The properties of a collection that holds an index, or a part of one."""

    manifest: Manifest
    load_id: str
    """Names the partitions: a program that opened one load never reads another load of the same collection."""
    num_loaded: int
    """Rows that are certainly loaded; some of the following ones may be, too."""
    is_complete: bool
    """Set last, when all rows were counted and are in the server's memory."""
    scan: str = FLAT
    probes: int = 0
    """Lists that a search visits, when `scan` is `ivf`."""
    writer: str = ""
    """The process that loads it: if a second one takes over, the first one ends."""

    @classmethod
    def new(cls, manifest: Manifest, scan: str, probes: int) -> Self:
        """Returns the marks of a collection that holds nothing yet of the index with this manifest."""
        return cls(carried(manifest), secrets.token_hex(4), 0, False, scan, probes, writer=secrets.token_hex(4))

    @classmethod
    def read(cls, properties: Mapping[str, str], address: MilvusAddress) -> Self:
        """Returns the marks among the properties of a collection.

        Raises:
            BundleMissingError: if it holds no index.
            BundleIncompatibleError: if it was loaded by another release.
            BundleCorruptError: if they cannot be read.
        """
        values = {key.removeprefix(_PREFIX): value for key, value in properties.items() if key.startswith(_PREFIX)}
        if not values:
            raise BundleMissingError(
                f"{address} is a collection of something else: load an index into another with scripts/load_milvus.py."
            )
        if (version := values.get("format")) != FORMAT_VERSION:
            raise BundleIncompatibleError(
                f"{address} has format {version!r}, this program reads {FORMAT_VERSION}: load the index again with "
                f"scripts/load_milvus.py --replace."
            )
        try:
            scan = values["scan"]
            if scan not in INDEX_TYPES:
                raise ValueError(f"scan is {scan!r}")
            return cls(
                manifest=Manifest.from_json(values["manifest"]),
                load_id=values["load_id"],
                num_loaded=int(values["num_loaded"]),
                is_complete=values["is_complete"] == "true",
                scan=scan,
                probes=int(values["probes"]),
                writer=values["writer"],
            )
        except RetrievalError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BundleCorruptError(
                f"cannot read the properties of {address}: {error}. Load the index again with "
                f"scripts/load_milvus.py --replace."
            ) from error

    def to_properties(self) -> dict[str, str]:
        """Returns them as the properties of a collection."""
        values = {
            "format": FORMAT_VERSION,
            "manifest": self.manifest.to_json(),
            "load_id": self.load_id,
            "scan": self.scan,
            "probes": str(self.probes),
        }
        return {**{f"{_PREFIX}{key}": value for key, value in values.items()}, **self.progress()}

    def progress(self) -> dict[str, str]:
        """Returns those of the properties that change while an index is loaded."""
        return {
            f"{_PREFIX}num_loaded": str(self.num_loaded),
            f"{_PREFIX}is_complete": "true" if self.is_complete else "false",
            f"{_PREFIX}writer": self.writer,
        }

    def kept(self) -> dict[str, str]:
        """Returns a meaningless property: Milvus 2.3.5 forgets the last change to properties when it is killed."""
        return {f"{_PREFIX}kept": self.load_id}

    @property
    def partition(self) -> str:
        """Returns the partition of the rows that are searched: the first one with each text."""
        return f"texts_{self.load_id}"

    @property
    def partitions(self) -> tuple[str, ...]:
        """Returns all partitions; a second one holds the rows that repeat a text, if there are any."""
        if self.manifest.distinct_text_count == self.manifest.row_count:
            return (self.partition,)
        return (self.partition, f"repeats_{self.load_id}")


def whole_marks(server: Server) -> Marks:
    """Returns what a collection says about itself, if it holds a complete index.

    Raises:
        BundleMissingError: if there is no such collection, or it holds a part of an index.
        BundleError: if it holds something else.
    """
    address, properties = server.address, server.properties()
    if properties is None:
        raise BundleMissingError(
            f"Milvus at {address.server} has no collection {address.collection}: load an index with "
            f"scripts/load_milvus.py, or name another collection."
        )
    marks = Marks.read(properties, address)
    if not marks.is_complete:
        raise BundleMissingError(
            f"{address} holds {marks.num_loaded:,} of {marks.manifest.row_count:,} rows: it is still being loaded, or "
            f"the load was interrupted and continues with scripts/load_milvus.py."
        )
    return marks


def num_lists(num_texts: int) -> int:
    """Returns the number of lists for a number of texts, with `ivf`."""
    return min(max(1, round(4 * math.sqrt(num_texts))), 65_536)


def carried(manifest: Manifest) -> Manifest:
    """Returns the manifest for the parts of an index in Milvus: without float32 vectors and faiss's lists."""
    files = {name: record for name, record in manifest.files.items() if name in REQUIRED_FILES}
    return dataclasses.replace(manifest, files=files)
