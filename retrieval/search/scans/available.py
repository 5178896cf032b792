"""The scans of one opened index, by name; those that need preparation are prepared on first use."""

from __future__ import annotations

import threading

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import LISTS_FILE
from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Bits
from retrieval.results import SCANS
from retrieval.search.scans.float_bits import FloatBits
from retrieval.search.scans.hamming import Hamming
from retrieval.search.scans.lists import Lists
from retrieval.search.scans.pack import pack
from retrieval.search.scans.packed_bits import PackedBits
from retrieval.search.scans.scan import Scan

WORTH_PACKING = 40_000
"""Fewer codes are compared in a tenth of a millisecond, packed or not."""


class Scans:
    """Gives each scan of an index by its name. Safe to use from many threads."""

    def __init__(self, bundle: Bundle, texts: BinaryIndex) -> None:
        """Takes the opened index and the sign bits of its distinct texts, one code per text."""
        self._bundle = bundle
        self._texts = texts
        self._packed: PackedBits | None = None
        self._opened: dict[str, Scan] = {"hamming": Hamming(texts, lambda: self._packed)}
        self._opening = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the scans that this index has, in the order of `SCANS`."""
        return tuple(name for name in SCANS if name != "lists" or self._bundle.manifest.has_lists)

    @property
    def codes_bytes(self) -> int:
        """Returns the bytes of the sign bits that queries are compared with, in all forms that stay in RAM."""
        own = 0 if self._packed is not None and self._texts.is_mapped else self._texts.codes.nbytes
        return own + (0 if self._packed is None else self._packed.nbytes)

    @property
    def lists_bytes(self) -> int:
        """Returns the bytes of the lists, 0 until their first use."""
        lists = self._opened.get("lists")
        return lists.nbytes if isinstance(lists, Lists) else 0

    def prepare(self, name: str) -> None:
        """Prepares the scan called `name`: `hamming` takes half the time with packed bits, which `float-bits` needs.

        Searches then no longer read the index's own copy, and its pages are released. `choose_cores` comes next.

        Raises:
            BundleError: if its file is missing, altered or of another index, or the index was replaced since.
        """
        with self._opening:
            if name == "lists":
                self._open(name)
            else:
                self._pack()

    def choose_cores(self) -> None:
        """Measures whether a single query is faster on several cores; best called when nothing else is running."""
        if self._packed is not None:
            self._packed.choose_cores()
        if isinstance(lists := self._opened.get("lists"), Lists):
            lists.choose_cores()

    def _pack(self) -> PackedBits:
        if self._packed is None:
            self._packed = pack(self._texts.codes, self._texts.dim, after_chunk=self._texts.release)
        return self._packed

    def codes_at(self, texts: Rows) -> Bits:
        """Returns the sign bits of distinct texts `(m,)`, uint8 `(m, ceil(dim / 8))`."""
        packed = self._packed
        return self._texts.codes_at(texts) if packed is None else packed.codes_at(texts)

    def __getitem__(self, name: str) -> Scan:
        """Returns the scan called `name`, one of `names`.

        Raises:
            BundleError: if its file is missing, altered or of another index, or the index was replaced since.
        """
        scan = self._opened.get(name)
        if scan is not None:
            return scan
        with self._opening:
            is_new, was_packed = name not in self._opened, self._packed is not None
            scan = self._open(name)
        if is_new and isinstance(scan, Lists):
            scan.choose_cores()
        elif is_new and not was_packed and self._packed is not None:
            self._packed.choose_cores()
        return scan

    def _open(self, name: str) -> Scan:
        if name not in self._opened:
            if name not in ("float-bits", "lists"):
                raise KeyError(f"no scan {name!r}")
            self._opened[name] = FloatBits(self._pack()) if name == "float-bits" else self._open_lists()
        return self._opened[name]

    def _open_lists(self) -> Lists:
        bundle = self._bundle
        bundle.check_current()
        bundle.check_size(LISTS_FILE)
        bundle.check_whole(LISTS_FILE)
        tuning = bundle.manifest.tuning
        probes, reach = (None, None) if tuning is None else (tuning.probes, tuning.reach)
        return Lists.open(bundle.file(LISTS_FILE), self._texts.dim, len(self._texts), probes, reach)
