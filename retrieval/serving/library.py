"""The indexes that one process serves, by name: each is opened when it is first asked for, and stays open.

Indexes of the same model share one encoder, which is the larger part of what an open index holds.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.manifest import MANIFEST_FILE, Manifest
from retrieval.encoding.encoder import Encoder
from retrieval.errors import BundleMissingError, RetrievalError, brief
from retrieval.search.query_vectors import QueryVectors
from retrieval.search.searcher import Searcher
from retrieval.search.stores.opening import Where, manifest_at

OpenSearcher = Callable[[Where, Encoder | None], Searcher]
"""Opens the index at a place, with the encoder of an index of the same model where one is open."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An index that can be chosen."""

    name: str
    title: str
    """What the documents are, for people."""
    row_count: int
    place: Where


_WARM_UP = ("read a csv file into a table", "how to sort the numbers of a list", "parse json")


def _open(place: Where, encoder: Encoder | None) -> Searcher:
    searcher = Searcher.open(place, encoder=encoder)
    _warm_up(searcher)
    return searcher


def _warm_up(searcher: Searcher) -> None:
    """Searches a few times, to create what is made on first use, such as threads and page tables."""
    with suppress(RetrievalError):  # a fault is reported on searching, not on opening
        for query in _WARM_UP:
            if searcher.can_encode:
                searcher.search(query)
            else:
                searcher.more_like(0)


def still_there(searcher: Searcher) -> Searcher:
    """Returns the searcher, while its index is where it was opened.

    Raises:
        BundleMissingError: if its folder is gone.
    """
    searcher.store.check_there()
    return searcher


class Library:
    """A registry of indexes. Safe to use from many threads."""

    def __init__(self, folder: Path | None = None, *, open_searcher: OpenSearcher = _open) -> None:
        """Offers every finished index in the sub-folders of `folder`, and those that are added."""
        self._folder = folder
        self._open_searcher = open_searcher
        self._lock = threading.RLock()
        self._opening = threading.Lock()
        """Separate from the other lock: opening takes seconds, while the open ones are searched and listed."""
        self._added: dict[str, Where] = {}
        self._open: dict[str, Searcher] = {}
        self._encoders: weakref.WeakValueDictionary[str, Encoder] = weakref.WeakValueDictionary()
        """Those of all searchers that are in use, private ones too, by the hash of their model."""
        self._vectors: weakref.WeakKeyDictionary[Encoder, QueryVectors] = weakref.WeakKeyDictionary()
        """Recent query vectors, for all indexes of an encoder."""
        self._default: str | None = None

    @property
    def default(self) -> str:
        """Returns the name of the index that visitors see first.

        Raises:
            BundleMissingError: if there is no index at all.
        """
        with self._lock:
            if self._default is not None:
                return self._default
        names = [entry.name for entry in self.entries()]
        if not names:
            raise BundleMissingError("there is no index to search: build one with scripts/build_index.py.")
        return names[0]

    def add(self, place: Where, *, as_default: bool = False) -> str:
        """Adds the index at a place and returns its name: that of its folder or collection.

        Where that name is taken, it gets a number.
        """
        place = place.resolve() if isinstance(place, Path) else place
        with self._lock:
            name = next((name for name, known in self._places().items() if known == place), None)
            if name is None:
                taken = self._places().keys()
                base = place.name or "index"
                name = next(n for n in (base, *(f"{base}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
                self._added[name] = place
            if as_default:
                self._default = name
        return name

    def entries(self) -> tuple[Entry, ...]:
        """Returns the indexes whose manifest can be read, the default first, then by name."""
        found = []
        for name, place in self._places().items():
            try:
                manifest = self._manifest(name, place)
            except RetrievalError:
                continue
            found.append(Entry(name, manifest.corpus.title, manifest.row_count, place))
        return tuple(sorted(found, key=lambda entry: (entry.name != self._default, entry.name)))

    def is_open(self, name: str | None = None) -> bool:
        """Returns whether `open` answers at once, rather than after it has opened the index, or has looked for it."""
        with self._lock:
            name = name or self._default
            return isinstance(name, str) and name in self._open

    def open(self, name: str | None = None) -> Searcher:
        """Returns the searcher of an index, by default of the default one.

        Raises:
            BundleMissingError: if there is no index of that name.
            BundleError: if it cannot be opened.
            ModelError: if its model cannot be loaded.
        """
        name = name or self.default
        if not isinstance(name, str):  # callers may pass on untrusted input
            raise BundleMissingError(f"{brief(name)} is not the name of an index: a text is needed.")
        if (searcher := self._opened(name)) is not None:
            return still_there(searcher)
        with self._opening:
            if (searcher := self._opened(name)) is not None:
                return searcher
            place = self._places().get(name)
            if place is None:
                names = ", ".join(sorted(self._places()))
                raise BundleMissingError(f"there is no index called {brief(name)} here: choose one of {names}.")
            searcher = self._opened_anew(place)
            with self._lock:
                self._open[name] = searcher
            return searcher

    def engines(self) -> tuple[Searcher, ...]:
        """Returns the open searchers whose index lies in another engine."""
        with self._lock:
            return tuple(searcher for searcher in self._open.values() if not searcher.has_files)

    def open_private(self, path: Path) -> Searcher:
        """Returns the searcher of an index that only the caller knows of, with a shared encoder.

        Raises:
            BundleError: if it cannot be opened.
            ModelError: if its model cannot be loaded.
        """
        with self._opening:
            return self._opened_anew(path)

    def _opened(self, name: str) -> Searcher | None:
        """Returns the searcher of an index that is open, and was not replaced where it lies."""
        with self._lock:
            searcher = self._open.get(name)
            if searcher is not None and searcher.store.is_replaced:
                del self._open[name]
                return None
            return searcher

    def _manifest(self, name: str, place: Where) -> Manifest:
        """Returns the manifest of an index: for a remote one, as it was opened; its engine may be down."""
        searcher = None if isinstance(place, Path) else self._opened(name)
        return manifest_at(place) if searcher is None else searcher.manifest

    def _places(self) -> dict[str, Where]:
        with self._lock:
            places = dict(self._added)
        if self._folder is not None and self._folder.is_dir():
            for path in sorted(self._folder.iterdir()):
                if (path / MANIFEST_FILE).is_file() and not path.name.endswith(".building"):
                    resolved = path.resolve()
                    if resolved not in places.values():
                        places.setdefault(path.name, resolved)
        return places

    def _opened_anew(self, place: Where) -> Searcher:
        """Returns a new searcher; called by one thread at a time, so that no model is loaded twice."""
        searcher = self._open_searcher(place, self._encoders.get(manifest_at(place).weights_sha256))
        if searcher.encoder is not None:
            self._encoders.setdefault(searcher.encoder.weights_sha256, searcher.encoder)
            searcher.query_vectors = self._vectors.setdefault(searcher.encoder, QueryVectors())
        return searcher
