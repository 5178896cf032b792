"""From a path to its reader."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from retrieval.corpus.readers.arrow_file import ArrowReader
from retrieval.corpus.readers.base import Reader, ReadOptions
from retrieval.corpus.readers.byte_source import PACKED, STREAMS, ByteSource, byte_source
from retrieval.corpus.readers.database import DatabaseReader
from retrieval.corpus.readers.delimited import DelimitedReader
from retrieval.corpus.readers.folders import open_folder
from retrieval.corpus.readers.hub_dataset import open_hub_dataset
from retrieval.corpus.readers.json_records import JsonReader
from retrieval.corpus.readers.parquet import ParquetReader
from retrieval.corpus.readers.plain_text import MarkdownReader, PlainTextReader
from retrieval.corpus.readers.workbook import WorkbookReader
from retrieval.errors import CorpusError

_FORMATS = {
    "CSV": (".csv",),
    "TSV": (".tsv", ".tab"),
    "JSON": (".jsonl", ".ndjson", ".json", ".geojson"),
    "Parquet": (".parquet", ".pq"),
    "Arrow": (".arrow", ".feather", ".ipc"),
    "workbook": (".xlsx", ".xlsm"),
    "database": (".sqlite", ".sqlite3", ".db", ".db3"),
    "Markdown": (".md", ".markdown"),
    "text": (".txt", ".text", ".log", ""),
}
_FORMAT_OF = {suffix: name for name, suffixes in _FORMATS.items() for suffix in suffixes}
_KNOWN = tuple(suffix for suffix in (*_FORMAT_OF, *PACKED) if suffix)
_AS_TEXT = ("Markdown", "text")
_WITH_HEADER = ("CSV", "TSV", "workbook")
_WITH_TABLES = ("workbook", "database")
_HINTS = {
    ".xls": "In the spreadsheet program, save it as .xlsx, or as CSV UTF-8.",
    ".ods": "In the spreadsheet program, save it as .xlsx, or as CSV UTF-8.",
    ".numbers": "In Numbers, export it as Excel (.xlsx) or CSV.",
    ".pdf": "Save its text as .txt.",
    ".docx": "Save it as plain text (.txt).",
    ".doc": "Save it as plain text (.txt).",
    ".npy": "Vectors belong to texts: pass them with --embeddings.",
    ".tar": "Unpack it, and use the file or the folder in it.",
    ".tgz": "Unpack it, and use the file or the folder in it.",
    ".7z": "Unpack it, and use the file or the folder in it.",
}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def open_reader(source: str | Path, options: ReadOptions | None = None) -> Reader:
    """Returns the reader of a file, of a folder, or of a data set on the hub.

    Raises:
        CorpusError: if it is not there, is of no format known here, is not what its name says, or has no use for an
            option.
    """
    options = options or ReadOptions()
    path = Path(source).expanduser()
    try:
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}. Check --path.") from error
    if is_folder:
        return open_folder(path, options, _open_file, _format_of)
    if is_file:
        return _open_file(path, options)
    if exists:
        raise CorpusError(f"{path} is neither a file nor a folder. Name a file that can be read from its beginning.")
    if is_hub_id(source):
        otherwise = f"give a local copy (there is no file or folder {path})"
        return open_hub_dataset(str(source), otherwise=otherwise, split=options.split)
    raise CorpusError(f"there is no file or folder {path}. Check --path; it is relative to {Path.cwd()}.")


def open_plain_file(source: str | Path, options: ReadOptions | None = None) -> Reader:
    """Returns the reader of an untrusted file: never of a folder, a link, or anything elsewhere.

    Raises:
        CorpusError: if it is no regular file, is of no format known here, or is not what its name says.
    """
    path = Path(source)
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened: {error.strerror}. Upload it again.") from error
    if not is_plain:
        raise CorpusError(f"{path} is not a plain file: expected a file, not a folder or link. Upload a single file.")
    return _open_file(path, options)


def is_hub_id(source: str | Path) -> bool:
    """Tells whether `source` names a data set on the hub, `owner/name`, and nothing on this machine."""
    path = Path(source).expanduser()
    looks_like_id = _HUB_ID.fullmatch(str(source)) is not None and path.suffix.lower() not in _KNOWN
    return looks_like_id and not path.exists()


def _format_of(path: Path) -> str | None:
    """Returns the format of a file in a folder by its name; None if it is unknown, or only looks compressed."""
    suffix = path.suffix.lower()
    if suffix in STREAMS:
        suffix = Path(path.stem).suffix.lower() or suffix
    found = _FORMAT_OF.get(suffix)
    return "text" if found in _AS_TEXT else found


def _open_file(path: Path, options: ReadOptions | None = None) -> Reader:
    options = options or ReadOptions()
    source = byte_source(path, options.max_unpacked_bytes)
    name = _FORMAT_OF.get(source.suffix)
    if name is None:
        if source.suffix in PACKED:
            raise CorpusError(
                f"{path} is compressed twice ({source.suffix} inside): unpack it once, and use the result."
            )
        hint = _HINTS.get(source.suffix)
        raise CorpusError(
            f"{path} has an unknown format ({source.suffix}): expected one of {', '.join(_KNOWN)}, a folder, "
            f"or a hub id (owner/name).{f' {hint}' if hint else ''}"
        )
    for option, is_given, takers in (
        ("--split", options.split is not None, ()),
        ("--no-header", not options.has_header, _WITH_HEADER),
        ("--table", options.table is not None, _WITH_TABLES),
    ):
        if is_given and name not in takers:
            raise CorpusError(f"{path} is a {name} file, to which {option} does not apply: leave it out.")
    return _reader(name, source, options)


def _reader(name: str, source: ByteSource, options: ReadOptions) -> Reader:
    match name:
        case "CSV" | "TSV":
            return DelimitedReader(source, "," if name == "CSV" else "\t", has_header=options.has_header)
        case "JSON":
            return JsonReader(source)
        case "Parquet":
            return ParquetReader(source)
        case "Arrow":
            return ArrowReader(source)
        case "workbook":
            return WorkbookReader(source, options)
        case "database":
            return DatabaseReader(source, options)
        case "Markdown":
            return MarkdownReader(source)
        case _:
            return PlainTextReader(source)
