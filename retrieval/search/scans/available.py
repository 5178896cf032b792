"""The scans of one opened index, by name; those that need preparing are prepared when they are first asked for."""

from __future__ import annotations

import threading

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import LISTS_FILE, Bundle
from retrieval.results import SCANS
from retrieval.search.scans.float_bits import FloatBits
from retrieval.search.scans.hamming import Hamming
from retrieval.search.scans.lists import Lists
from retrieval.search.scans.scan import Scan


class Scans:
    """Gives each scan of an index by its name. Safe to use from many threads."""

    def __init__(self, bundle: Bundle, texts: BinaryIndex) -> None:
        """Takes the opened index and the sign bits of its distinct texts, one code per text."""
        self._bundle = bundle
        self._texts = texts
        self._opened: dict[str, Scan] = {"hamming": Hamming(texts)}
        self._opening = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the scans that this index has, in the order of `SCANS`."""
        return tuple(name for name in SCANS if name != "lists" or self._bundle.manifest.has_lists)

    @property
    def nbytes(self) -> int:
        """Returns the bytes that the scans in use hold in RAM, beside the sign bits of the index."""
        return sum(scan.nbytes for scan in list(self._opened.values()))

    def __getitem__(self, name: str) -> Scan:
        """Returns the scan called `name`, one of `names`.

        Raises:
            BundleError: if its file is missing, altered or of another index, or the index was replaced since.
        """
        scan = self._opened.get(name)
        if scan is None:
            with self._opening:
                scan = self._opened.get(name)
                if scan is None:
                    scan = self._opened[name] = self._prepared(name)
        return scan

    def _prepared(self, name: str) -> Scan:
        if name == "float-bits":
            return FloatBits(self._texts.codes, self._texts.dim)
        if name != "lists":
            raise KeyError(f"no scan {name!r}")
        bundle = self._bundle
        bundle.check_current()
        bundle.check_size(LISTS_FILE)
        bundle.check_whole(LISTS_FILE)
        return Lists.open(bundle.file(LISTS_FILE), self._texts.dim, len(self._texts), bundle.manifest.defaults.probes)
