"""Whether this server can answer, for a load balancer or a person."""

from __future__ import annotations

from typing import Any

from retrieval.errors import RetrievalError
from retrieval.serving.background.index import BackgroundIndex
from retrieval.serving.library import Library


def health(library: Library, background: BackgroundIndex | None = None) -> tuple[bool, dict[str, Any]]:
    """Returns whether the default index can be searched, and what is known about it.

    It is warm by then: the page is served once an index is open. `files_checked` is `running` while its files are
    compared with their checksums, then `passed`, or `failed`, which takes the index out of service. Of an index in
    another engine, `engine` says whether that answers.
    """
    try:
        name = library.default
        searcher = library.open(name)
        searcher.store.raise_if_failed()
    except RetrievalError as error:
        return False, {"status": "unavailable", "error": type(error).__name__}
    known: dict[str, Any] = {
        "status": "ok",
        "index": name,
        "documents": len(searcher),
        "files_checked" if searcher.has_files else "engine": searcher.store.state,
    }
    if background is not None:
        status = background.status
        known["background"] = {"index": str(status.job), "state": status.child.state, "phase": status.child.phase}
    return True, known
