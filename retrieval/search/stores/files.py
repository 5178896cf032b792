"""An index in the files of a folder: bits in RAM, int8 vectors and documents read from the disk by row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE, MANIFEST_FILE
from retrieval.bundle.row_tables import Rows, RowTables
from retrieval.bundle.verification import Verification
from retrieval.errors import BundleCorruptError, BundleError, BundleMissingError
from retrieval.quantization import Bits, Float32s, Int8s
from retrieval.results import Document, MemoryItem
from retrieval.search.memory_report import file_items
from retrieval.search.scans.available import WORTH_PACKING, Scans
from retrieval.search.scans.scan import Scan
from retrieval.system import give_back_freed, wait_until_idle

PREPARATION = "prepare-search"
"""The thread that prepares the search of an index after it is opened. While it is there, searches get faster."""
_MOST_WAITING_S = 20.0
"""A program that opens an index is often still busy with its own start, which would mislead the choice of cores."""


class FileStore:
    """The opened files of an index, a `Store`. Safe to use from many threads."""

    notes: tuple[str, ...] = ()
    is_replaced = False

    def __init__(self, bundle: Bundle, verification: Verification | None = None) -> None:
        """Opens the files of a bundle.

        Raises:
            BundleError: if one cannot be read, or has another number of rows.
        """
        self.manifest = manifest = bundle.manifest
        self.name = bundle.path.name
        self.place = bundle.path.resolve()
        self.bundle = bundle
        self.verification = verification or Verification(bundle)
        self._documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
        # Many codes are packed in RAM, after which the file is not read again; few are copied at once. A file that is
        # cut short while it is mapped would end the process.
        mapped = manifest.distinct_text_count >= WORTH_PACKING
        self.index = BinaryIndex.open(bundle.file(BINARY_FILE), manifest.dim, mapped=mapped)
        self.int8 = Int8Store.open(bundle.file(INT8_FILE), manifest.dim)
        self._check_row_counts()
        self._tables = RowTables.of(
            self._documents, distinct_text_count=manifest.distinct_text_count, grouped=manifest.group_count is not None
        )
        # Rows with one text have one code: searching each text once gives as many distinct texts as are asked for.
        first_rows = self._tables.first_rows
        self.texts = self.index if first_rows is None else self.index.subset(first_rows)
        """The sign bits that are searched, one code per distinct text."""
        self._scans = Scans(bundle, self.texts)
        if not mapped:
            self.verification.is_in_ram(BINARY_FILE)

    @classmethod
    def open(cls, path: Path, verify: str) -> Self:
        """Returns the index in a folder; see `Searcher.open` on `verify`.

        Raises:
            BundleError: if the bundle is missing, altered, or of another format version.
        """
        bundle = Bundle.open(path)
        verification = Verification(bundle)
        if verify == "now":  # before anything parses a file that may be damaged
            verification.start(verify)
        return cls(bundle, verification)

    def __repr__(self) -> str:
        return repr(self.index)

    @property
    def state(self) -> str:
        """Returns how far the check of the files is: `not started`, `running`, `passed` or `failed`."""
        return self.verification.status

    @property
    def scans(self) -> tuple[str, ...]:
        return self._scans.names

    @property
    def num_results(self) -> int:
        return self._tables.num_results

    @property
    def text_rows(self) -> Rows:
        """Returns the first row of each distinct text, `(num_texts,)`, ascending."""
        first_rows = self._tables.first_rows
        return np.arange(len(self.index)) if first_rows is None else first_rows

    def check_there(self) -> None:
        if not self.bundle.file(MANIFEST_FILE).is_file():
            raise BundleMissingError(
                f"the folder of the index {self.name} is gone: choose another index, or build it again."
            )

    def raise_if_failed(self) -> None:
        self.verification.raise_if_failed()

    def prepare(self, verify: str, scan: str, when_fast: Callable[[], None] = lambda: None) -> None:
        """Prepares a scan, where there is much to scan, and starts the check; see `Store.prepare`."""
        if self.is_worth_preparing:

            def prepare() -> None:
                with suppress(BundleError):  # a search reports it
                    self._scans.prepare(scan)
                give_back_freed()
                wait_until_idle(_MOST_WAITING_S)
                if threading.main_thread().is_alive():  # the program does not end meanwhile
                    self._scans.choose_cores()
                    when_fast()
                give_back_freed()

            # Not a daemon: Python stops those in the middle of a call into faiss or OpenVINO, which aborts the process.
            threading.Thread(target=prepare, name=PREPARATION).start()
        if verify != "now":
            self.verification.start(verify)
        self.bundle.check_current()

    @property
    def is_worth_preparing(self) -> bool:
        """Returns whether there is so much to compare that a prepared scan is faster."""
        return len(self.texts) >= WORTH_PACKING

    def prepare_scan(self, name: str) -> None:
        """Brings what a scan needs into RAM; see `Scans.prepare`."""
        self._scans.prepare(name)
        self._scans.choose_cores()
        give_back_freed()

    def scan(self, name: str) -> Scan:
        return self._scans[name]

    def codes_at(self, texts: Rows) -> Bits:
        return self._scans.codes_at(texts)

    def int8_codes(self, texts: Rows) -> Int8s:
        return self.int8.fetch(self.first_row_of(texts))

    def int8_codes_of_row(self, row: int) -> Int8s:
        return self.int8.fetch(np.array([row]))

    def first_row_of(self, texts: Rows) -> Rows:
        return self._tables.first_row_of(texts)

    def best_rows(self, texts: Rows, scores: Float32s, top_k: int) -> tuple[Rows, Rows]:
        return self._tables.best_rows(texts, scores, top_k)

    def members(self, rows: Rows, texts: Rows) -> list[tuple[int, ...]]:
        return self._tables.members(rows, texts)

    def documents(self, rows: Rows) -> tuple[Document, ...]:
        return self._documents.fetch(rows.tolist())

    def memory(self) -> list[MemoryItem]:
        """Returns what is held in RAM, and how much of each mapped file is in RAM now."""
        return [
            MemoryItem("codes", "sign bits that every query is compared with", self._scans.codes_bytes, "ram"),
            MemoryItem("lists", "sign bits in lists, once the scan of them is in use", self._scans.lists_bytes, "ram"),
            MemoryItem("row_tables", "which rows share a text or a group", self._tables.nbytes, "ram"),
            *file_items(self.bundle),
        ]

    def _check_row_counts(self) -> None:
        expected = self.manifest.row_count
        for part in (self.index, self.int8, self._documents):
            if len(part) != expected:
                raise BundleCorruptError(
                    f"{self.bundle.path}: {part!r}, the manifest says {expected:,} rows. "
                    f"Copy the whole folder again, or build the index again."
                )
