"""What a visitor brings, brought into the visitor's folder: an upload, pasted lines, or the sample."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

from retrieval.errors import CorpusError
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.ui.markup import data_size
from retrieval.ui.your_data.sessions import OwnSession, Source

PASTED = "pasted lines.txt"
_MAX_NAME_CHARS = 80


def take_upload(upload: Path, session: OwnSession, limits: OwnLimits) -> Source:
    """Returns the uploaded file, moved to where nothing is served; nothing of it stays where Gradio put it.

    Raises:
        CorpusError: if it is too large or empty, or did not arrive.
    """
    try:
        size_bytes = upload.stat().st_size
        if size_bytes > limits.max_bytes:
            raise too_large(upload.name, size_bytes, limits)
        if size_bytes == 0:
            raise CorpusError(f"{upload.name} is empty: bring a file with at least one row.")
        target = session.folder / _safe_name(upload.name)
        shutil.move(upload, target)
    except FileNotFoundError as error:
        raise CorpusError("the file did not arrive whole: choose it again.") from error
    except OSError as error:
        raise CorpusError(f"the file cannot be kept here: {error.strerror}. Try again later.") from error
    finally:
        with contextlib.suppress(OSError):
            upload.unlink(missing_ok=True)
            upload.parent.rmdir()
    return Source(target, upload.name, size_bytes)


def take_text(text: str, session: OwnSession, limits: OwnLimits, title: str = PASTED) -> Source:
    """Returns a text as a file of the visitor's.

    Raises:
        CorpusError: if it is blank or too large.
    """
    content = text.replace("\r\n", "\n").encode("utf-8", "replace")
    if not content.strip():
        raise CorpusError("there are no lines yet: paste some texts, one a line.")
    if len(content) > limits.max_bytes:
        raise too_large("the text", len(content), limits)
    path = session.folder / title
    path.write_bytes(content)
    return Source(path, title, len(content))


def too_large(what: str, size_bytes: int, limits: OwnLimits) -> CorpusError:
    """Returns the error for something beyond the limit."""
    return CorpusError(
        f"{what} has {data_size(size_bytes)}: at most {data_size(limits.max_bytes)} can be used here. Bring a part of "
        f"it, or run the program on your own machine."
    )


def _safe_name(name: str) -> str:
    """Returns a name for a file, by which the reader still knows its format."""
    path = Path(name)
    stem = re.sub(r"[^\w. -]", "_", path.stem).strip(". -")[:_MAX_NAME_CHARS]
    return f"{stem or 'data'}{re.sub(r'[^.a-zA-Z0-9]', '_', path.suffix)[:12]}"
