"""What the search asks of an index, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from retrieval.bundle.manifest import Manifest
from retrieval.bundle.row_tables import Rows
from retrieval.milvus.address import MilvusAddress
from retrieval.quantization import Bits, Float32s, Int8s
from retrieval.results import Document, MemoryItem
from retrieval.search.scans.scan import Scan


class Store(Protocol):
    """An opened index: its bits are searched by scans, all else is read by row. Safe to use from many threads.

    A text is known by an id that the store chooses; ids are in order of the first row with the text.
    """

    @property
    def manifest(self) -> Manifest:
        """Returns what the index is made of."""

    @property
    def name(self) -> str:
        """Returns what the index is called where it lies."""

    @property
    def place(self) -> Path | MilvusAddress:
        """Returns the folder, or the address."""

    @property
    def is_replaced(self) -> bool:
        """Returns whether another index was found where this one was: it must be opened again."""

    @property
    def state(self) -> str:
        """Returns what is known of its soundness, in a word or two."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know about the place where the index lies."""

    @property
    def scans(self) -> tuple[str, ...]:
        """Returns the names of the scans that it has, of `SCANS`."""

    @property
    def num_results(self) -> int:
        """Returns how many hits a search can give at most: groups, or rows where there are no groups."""

    def check_there(self) -> None:
        """Checks that the index is still where it was opened, as far as that takes no time.

        Raises:
            BundleMissingError: if it is gone: some of it could be read still, and some could not.
        """

    def raise_if_failed(self) -> None:
        """Raises what is known to be wrong with the index.

        Raises:
            BundleError: if it is altered, or gone.
        """

    def prepare(self, verify: str, scan: str, when_fast: Callable[[], None] = ...) -> None:
        """Makes searches by `scan` faster and checks the index, both meanwhile; see `Searcher.open` on `verify`.

        `when_fast` is called, in the background, once searches are as fast as they get; never where they are at once.

        Raises:
            BundleError: if it was replaced since it was opened.
        """

    def scan(self, name: str) -> Scan:
        """Returns the scan called `name`, one of `scans`.

        Raises:
            BundleError: if it cannot be opened.
        """

    def codes_at(self, texts: Rows) -> Bits:
        """Returns the sign bits of texts `(m,)`, uint8 `(m, ceil(dim / 8))`."""

    def int8_codes(self, texts: Rows) -> Int8s:
        """Returns the int8 codes of texts `(m,)`, int8 `(m, dim)`."""

    def int8_codes_of_row(self, row: int) -> Int8s:
        """Returns the int8 codes of a row, int8 `(1, dim)`."""

    def first_row_of(self, texts: Rows) -> Rows:
        """Returns the first row of each text, `(m,)`."""

    def best_rows(self, texts: Rows, scores: Float32s, top_k: int) -> tuple[Rows, Rows]:
        """Returns the best `top_k` rows, one per group, and the position in `texts` each came from.

        Texts `(m,)` are given best first with their scores `(m,)`. Among equal scores, the higher quality comes first,
        then the earlier row.
        """

    def members(self, rows: Rows, texts: Rows) -> list[tuple[int, ...]]:
        """Returns, for each row, the other rows of its group: those of the texts found first, then by quality."""

    def documents(self, rows: Rows) -> tuple[Document, ...]:
        """Returns the documents at `rows`, in that order.

        Raises:
            IndexError: if a row is not in the corpus.
        """

    def memory(self) -> list[MemoryItem]:
        """Returns what this process holds of the index."""
