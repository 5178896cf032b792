"""What is asked of the child process, for a visitor's choices."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from retrieval.encoding.encoder import Encoder
from retrieval.errors import CorpusError, brief
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.your_data.sessions import OwnSession, Source

BUILT = ".built"
"""No file that a visitor brings is called like this: their names do not begin with a dot."""


def look_request(session: OwnSession, source: Source, limits: OwnLimits) -> dict[str, Any]:
    """Returns the request to look into a file."""
    return {
        "task": "inspect",
        "folder": str(session.folder),
        "source": str(source.path),
        "max_file_bytes": limits.max_file_bytes,
    }


def build_request(
    session: OwnSession,
    columns: Mapping[str, str | None],
    rows: float | None,
    limits: OwnLimits,
    encoder: Encoder | None,
) -> dict[str, Any]:
    """Returns the request to build an index, into an empty place.

    Args:
        encoder: the one that the server has open; the new index takes its model, so that both can share it.

    Raises:
        CorpusError: if there is nothing to build from, no text column, or one column in two roles.
    """
    source = session.source
    if source is None or not session.looked:
        raise CorpusError("there is no data to build from: bring a file, or paste lines.")
    chosen = {role: column or "" for role, column in columns.items()}  # none is a choice too, and nothing to guess
    if not chosen.get("text"):
        raise CorpusError("no text column is chosen: choose the one to search in.")
    if unknown := [column for column in chosen.values() if column and column not in session.looked["columns"]]:
        raise CorpusError(f"the file has no column {brief(unknown[0])}: choose one of those it has.")
    for leftover in session.folder.glob(f"{BUILT}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return {
        **look_request(session, source, limits),
        "task": "build",
        "title": source.title,
        "columns": chosen,
        "output": str(session.folder / BUILT),
        "max_rows": min(limits.max_rows, max(1, int(rows or limits.max_rows))),
        "max_text_chars": limits.max_text_chars,
        "model": {"id": encoder.model_id, "weights_sha256": encoder.weights_sha256} if encoder is not None else None,
    }
