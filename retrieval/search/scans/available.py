"""The scans of one opened index, by name; those that need preparing are prepared when they are first asked for."""

from __future__ import annotations

import threading

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.results import SCANS
from retrieval.search.scans.float_bits import FloatBits
from retrieval.search.scans.hamming import Hamming
from retrieval.search.scans.scan import Scan


class Scans:
    """Gives each scan of an index by its name. Safe to use from many threads."""

    def __init__(self, texts: BinaryIndex) -> None:
        """Takes the sign bits of the distinct texts.

        Args:
            texts: one code per distinct text.
        """
        self._texts = texts
        self._opened: dict[str, Scan] = {"hamming": Hamming(texts)}
        self._opening = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the scans that this index has, in the order of `SCANS`."""
        return tuple(name for name in SCANS if name != "lists")

    @property
    def nbytes(self) -> int:
        """Returns the bytes that the scans in use hold in RAM, beside the sign bits of the index."""
        return sum(scan.nbytes for scan in list(self._opened.values()))

    def __getitem__(self, name: str) -> Scan:
        """Returns the scan called `name`, one of `names`."""
        scan = self._opened.get(name)
        if scan is None:
            with self._opening:
                scan = self._opened.get(name)
                if scan is None:
                    scan = self._opened[name] = FloatBits(self._texts.codes, self._texts.dim)
        return scan
