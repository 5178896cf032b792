"""Moves a visitor's upload into the visitor's folder, and from there to the child process that reads or builds it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from retrieval.encoding.encoder import Encoder
from retrieval.errors import CorpusError, brief
from retrieval.evaluation.frontier.given import METRICS
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.markup import data_size
from retrieval.ui.request_limits import MAX_PASTED_BYTES
from retrieval.ui.your_data.sessions import OwnSession, Source
from retrieval.ui.your_data.vectors import MAX_DIM

BUILT = ".built"
"""No uploaded file has this name: theirs do not begin with a dot."""
PASTED = "pasted lines.txt"
_MAX_NAME_CHARS = 80
_MAX_QUERIES = 200
_SHARE_OF_TIME = 0.9
"""The part of a job's time for measuring: the rest is for starting and reading."""
_MAX_SUFFIX_CHARS = 12
_PACKED = (".gz", ".bz2", ".xz", ".zst")


def take_upload(upload: Path, session: OwnSession, limits: OwnLimits, uploads: Path) -> Source:
    """Returns the uploaded file, moved to where nothing is served; nothing of it stays where Gradio put it.

    Args:
        upload: what the page says was uploaded. A request can claim anything here.
        session: whose it becomes.
        limits: how large it may be.
        uploads: the folder in which Gradio keeps what is uploaded.

    Raises:
        CorpusError: if it is no upload, is too large or empty, or did not arrive.
    """
    upload = _absolute(upload)
    if not is_upload(upload, uploads):
        raise CorpusError("the file did not arrive completely: choose it again.")
    try:
        size_bytes = upload.stat().st_size
        if size_bytes > limits.max_bytes:
            raise too_large(upload.name, size_bytes, limits)
        if size_bytes == 0:
            raise CorpusError(f"{upload.name} is empty: upload a file with at least one row.")
        target = session.folder / _safe_name(upload.name)
        shutil.move(upload, target)
    except FileNotFoundError as error:
        raise CorpusError("the file did not arrive completely: choose it again.") from error
    except OSError as error:
        raise CorpusError(f"the file cannot be stored here: {error.strerror}. Try again later.") from error
    finally:
        with contextlib.suppress(OSError):
            upload.unlink(missing_ok=True)
            upload.parent.rmdir()
    return Source(target, upload.name, size_bytes)


def is_upload(path: Path, uploads: Path) -> bool:
    """Tells whether `path` is where Gradio puts a file: a plain file in its own folder below the folder of uploads.

    A folder, a link, or anything in a linked folder or elsewhere is not.
    """
    own_folder = path.parent
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode) and stat.S_ISDIR(own_folder.lstat().st_mode)
        return is_file and own_folder.parent.resolve() == uploads.resolve()
    except (OSError, ValueError):  # a name with a NUL in it, or one that is too long
        return False


def may_be_upload(path: Path, uploads: Path) -> bool:
    """Tells whether a request may name `path`: an upload, or a deleted one, which its handler reports."""
    path = _absolute(path)
    try:
        return is_upload(path, uploads) if os.path.lexists(path) else path.parent.parent.resolve() == uploads.resolve()
    except (OSError, ValueError):
        return False


def take_pasted(text: str, session: OwnSession, limits: OwnLimits) -> Source:
    """Returns pasted lines as a file of the visitor's.

    Raises:
        CorpusError: if they are blank or too large.
    """
    most = min(MAX_PASTED_BYTES, limits.max_bytes)
    return take_text(text, session, replace(limits, max_bytes=most))


def take_text(text: str, session: OwnSession, limits: OwnLimits, title: str = PASTED) -> Source:
    """Returns a text as a file of the visitor's.

    Raises:
        CorpusError: if it is blank or too large.
    """
    content = text.replace("\r\n", "\n").encode("utf-8", "replace")
    if not content.strip():
        raise CorpusError("there are no lines yet: paste some texts, one per line.")
    if len(content) > limits.max_bytes:
        raise too_large("the text", len(content), limits)
    path = session.folder / title
    path.write_bytes(content)
    return Source(path, title, len(content))


def too_large(what: str, size_bytes: int, limits: OwnLimits) -> CorpusError:
    """Returns the error for something beyond the limit."""
    return CorpusError(
        f"{what} has {data_size(size_bytes)}: at most {data_size(limits.max_bytes)} can be used here. Upload a part of "
        f"it, or run the program on your own machine."
    )


def _absolute(path: Path) -> Path:
    # As Gradio reads it: `..` is handled as text. Resolving would follow links, and they must be noticed.
    return Path(os.path.abspath(path))  # noqa: PTH100


def _safe_name(name: str) -> str:
    """Returns a name for a file that still tells the reader its format."""
    path = Path(name)
    suffix = path.suffix
    if suffix.lower() in _PACKED:  # the suffix before it tells what is compressed
        suffix = Path(path.stem).suffix[:_MAX_SUFFIX_CHARS] + suffix
    stem = re.sub(r"[^\w. -]", "_", path.name.removesuffix(suffix)).strip(". -")[:_MAX_NAME_CHARS]
    return f"{stem or 'data'}{re.sub(r'[^.a-zA-Z0-9]', '_', suffix)[: 2 * _MAX_SUFFIX_CHARS]}"


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
        "max_dim": MAX_DIM,
        "max_queries": _MAX_QUERIES,
        "max_seconds": _SHARE_OF_TIME * limits.max_seconds,
        "max_file_bytes": limits.max_file_bytes,
    }
