"""What a child process is asked to do with a visitor's data: inspect it, build an index, or measure vectors."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.bundle.manifest import EMBEDDINGS_FILE
from retrieval.encoding.encoder import Encoder
from retrieval.errors import CorpusError, brief
from retrieval.evaluation.frontier.given import METRICS
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.your_data.session import OwnSession, Source

BUILT = ".built"
"""No uploaded file has this name: theirs do not begin with a dot."""
_MAX_QUERIES = 200
_MAX_DIM = 4_096
"""Dimensions of vectors that are measured here."""
_SHARE_OF_TIME = 0.9
"""The part of a job's time for measuring: the rest is for starting and reading."""


def look_request(session: OwnSession, source: Source, limits: OwnLimits) -> dict[str, Any]:
    """Returns the request to inspect a file."""
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
        encoder: the one that the server has open; the new index uses its model, so that both can share it.

    Raises:
        CorpusError: if there is nothing to build from, no text column, or one column in two roles.
    """
    source = session.source
    if source is None or not session.looked:
        raise CorpusError("there is no data to build from: upload a file, or paste lines.")
    chosen = {role: column or "" for role, column in columns.items()}  # none is a choice too, and nothing to guess
    if not chosen.get("text"):
        raise CorpusError("no text column is chosen: choose the one to search.")
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


def vectors_request(session: OwnSession, column: str | None, metric: str, limits: OwnLimits) -> dict[str, Any]:
    """Returns the request to measure the uploaded vectors.

    Raises:
        CorpusError: if there are none, or there is no such metric.
    """
    source, vectors = session.source, session.looked.get("vectors")
    if source is None or not vectors:
        raise CorpusError("there are no vectors to measure: upload a file of them.")
    return measure_request(source.path, column if vectors["columns"] else None, metric, limits)


def index_request(session: OwnSession, limits: OwnLimits) -> dict[str, Any]:
    """Returns the request to measure the vectors of the index that was built.

    Raises:
        CorpusError: if there is none.
    """
    return measure_request(session.built().folder / EMBEDDINGS_FILE, None, "cosine", limits)


def measure_request(vectors: Path, column: str | None, metric: str, limits: OwnLimits) -> dict[str, Any]:
    """Returns the request to measure the frontier of the vectors in a file.

    Raises:
        CorpusError: if there is no such metric.
    """
    if metric not in METRICS:
        raise CorpusError(f"{brief(metric)} is not a metric: choose one of {', '.join(METRICS)}.")
    return {
        "task": "measure",
        "vectors": str(vectors),
        "column": column,
        "metric": metric,
        "spread": False,
        "max_rows": limits.max_rows,
        "max_dim": _MAX_DIM,
        "max_queries": _MAX_QUERIES,
        "max_seconds": _SHARE_OF_TIME * limits.max_seconds,
        "max_file_bytes": limits.max_file_bytes,
    }
