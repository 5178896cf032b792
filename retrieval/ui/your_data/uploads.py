"""Moves a visitor's upload, pasted lines or the sample into the visitor's folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from dataclasses import replace
from pathlib import Path

from retrieval.errors import CorpusError
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.markup import data_size
from retrieval.ui.request_limits import MAX_PASTED_BYTES
from retrieval.ui.your_data.session import OwnSession, Source

PASTED = "pasted lines.txt"
_MAX_NAME_CHARS = 80
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
