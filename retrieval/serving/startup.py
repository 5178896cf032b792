"""Which index the app serves first, which one it prepares meanwhile, and how one follows the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle.manifest import MANIFEST_FILE
from retrieval.errors import HubError, RetrievalError
from retrieval.hub import HubAddress, fetched_bundle, is_hub_address
from retrieval.search.stores.opening import Where, place_of
from retrieval.serving.background.index import BuildJob, FetchJob, Job
from retrieval.serving.library import Library

INDEXES = Path("assets", "indexes")
CONALA = INDEXES / "conala"
DEFAULT = INDEXES / "python"


@dataclass(frozen=True, slots=True)
class IndexChoice:
    """The index to open first, and the one to prepare meanwhile."""

    path: Where
    is_default: bool = False
    """Whether it is the small default, which is built when it is missing."""
    job: Job | None = None


def choose_index(named: str | None, environment: Mapping[str, str], root: Path) -> IndexChoice:
    """Returns what to serve; `root` is the folder of the project, whatever the working directory is.

    Raises:
        HubError: if `named` is meant to be an address on the hub, and is none.
        BundleMissingError: if it is meant to be an address of Milvus, and is none.
        RetrievalError: if BUILD_LIMIT is not a number.
    """
    if named is not None and is_hub_address(named):
        return _published(HubAddress.parse(named), root)
    if named is not None:
        return IndexChoice(place_of(named))
    if environment.get("INDEX_DIR"):
        return IndexChoice(place_of(environment["INDEX_DIR"]))
    if repository := environment.get("INDEX_REPO", "").strip():
        try:
            return _published(HubAddress.parse(repository), root)
        except HubError:
            # The owner of a Space looks at its page: the job fails with the same message, and the page shows it.
            return _what_is_there(root, FetchJob(repository))
    if corpus := environment.get("BUILD_CORPUS", "").strip():
        return _to_be_built(corpus, _limit(environment), root)
    return _what_is_there(root)


def is_built(path: Where) -> bool:
    """Returns whether a finished index is in a folder; one in another engine is taken to be."""
    return not isinstance(path, Path) or (path / MANIFEST_FILE).exists()  # it is written last


def build_default(path: Path) -> None:
    """Builds the small default index, with its progress on standard error.

    Raises:
        RetrievalError: if it cannot be built.
    """
    # Imported only when needed: the index is usually there.
    from retrieval.corpus.sources import SourceOptions, open_corpus
    from retrieval.encoding.encoder import load_encoder
    from retrieval.indexing.indexer import build_index
    from retrieval.indexing.progress import BuildProgress
    from retrieval.indexing.progress_bar import ProgressBars

    bars = ProgressBars()
    bars(BuildProgress("note", message=f"No index yet: building the small default in {path}; about a minute."))
    try:
        build_index(open_corpus(SourceOptions("python")), load_encoder(), path, report=bars)
    finally:
        bars.close()


def take_over(library: Library, path: Path) -> str:
    """Makes the index in `path` the one that visitors meet first, once it is open, and returns its name.

    Raises:
        RetrievalError: if it cannot be opened.
    """
    library.open(library.add(path))
    return library.add(path, as_default=True)


def _published(address: HubAddress, root: Path) -> IndexChoice:
    here = fetched_bundle(str(address))
    return IndexChoice(here) if here is not None else _what_is_there(root, FetchJob(str(address)))


def _to_be_built(corpus: str, limit: int | None, root: Path) -> IndexChoice:
    # An unknown corpus, or a name that leads elsewhere, fails in the job, before anything is written.
    path = root / INDEXES / (corpus if limit is None else f"{corpus}-{limit}")
    if path == root / DEFAULT:
        return IndexChoice(path, is_default=True)
    if is_built(path):
        return IndexChoice(path)
    return _what_is_there(root, BuildJob(corpus, str(path), limit))


def _limit(environment: Mapping[str, str]) -> int | None:
    text = environment.get("BUILD_LIMIT", "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise RetrievalError(f"BUILD_LIMIT is {text!r}: a whole number of at least 1 is expected, or nothing.")
    return int(text)


def _what_is_there(root: Path, job: Job | None = None) -> IndexChoice:
    if is_built(root / CONALA):
        return IndexChoice(root / CONALA, job=job)
    return IndexChoice(root / DEFAULT, is_default=True, job=job)
