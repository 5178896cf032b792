"""From a path to its reader."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from retrieval.corpus.readers.base import Reader
from retrieval.corpus.readers.delimited import DelimitedReader
from retrieval.corpus.readers.hub_dataset import open_hub_dataset
from retrieval.corpus.readers.json_lines import JsonLinesReader
from retrieval.corpus.readers.parquet import ParquetReader
from retrieval.corpus.readers.plain_text import PlainTextReader
from retrieval.corpus.readers.saved_dataset import DatasetReader
from retrieval.errors import CorpusError

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_PLAIN_TEXT = (".txt", ".text", ".md", ".log", "")
_KNOWN = (*_DELIMITERS, *_JSON_LINES, *_PARQUET, *_PLAIN_TEXT[:-1])
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def open_reader(source: str | Path) -> Reader:
    """Returns the reader of a file, of a folder saved by `datasets`, or of a data set on the hub.

    Raises:
        CorpusError: if it is not there, is of no format known here, or is not what its name says.
    """
    path = Path(source).expanduser()
    try:
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}. Check --path.") from error
    if is_folder:
        return DatasetReader.from_folder(path)
    if is_file:
        return _open_file(path)
    if exists:
        raise CorpusError(f"{path} is neither a file nor a folder. Name a file that can be read from its beginning.")
    if is_hub_id(source):
        return open_hub_dataset(str(source), otherwise=f"give a local copy (there is no file or folder {path})")
    raise CorpusError(f"there is no file or folder {path}. Check --path; it is relative to {Path.cwd()}.")


def open_plain_file(source: str | Path) -> Reader:
    """Returns the reader of a file that a stranger brought: never that of a folder, of a link, or of what is elsewhere.

    Raises:
        CorpusError: if it is no regular file, is of no format known here, or is not what its name says.
    """
    path = Path(source)
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}. Bring it again.") from error
    if not is_plain:
        raise CorpusError(f"{path} is not a plain file: expected a file, and no folder or link. Bring a single file.")
    return _open_file(path)


def is_hub_id(source: str | Path) -> bool:
    """Tells whether `source` names a data set on the hub, `owner/name`: nothing here is called so."""
    path = Path(source).expanduser()
    looks_like_id = _HUB_ID.fullmatch(str(source)) is not None and path.suffix.lower() not in _KNOWN
    return looks_like_id and not path.exists()


def _open_file(path: Path) -> Reader:
    suffix = path.suffix.lower()
    if suffix in _DELIMITERS:
        return DelimitedReader(path, _DELIMITERS[suffix])
    if suffix in _JSON_LINES:
        return JsonLinesReader(path)
    if suffix in _PARQUET:
        return ParquetReader(path)
    if suffix in _PLAIN_TEXT:
        return PlainTextReader(path)
    raise CorpusError(
        f"{path} is of a format not known here ({suffix}): expected one of {', '.join(_KNOWN)}, a folder written by "
        f"save_to_disk, or a hub id (owner/name)."
    )
