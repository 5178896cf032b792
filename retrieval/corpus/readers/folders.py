"""What a folder is: a data set that was saved, parts of one table, a clone of a data set of the hub, or text files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from retrieval.corpus.readers.base import Reader, ReadOptions
from retrieval.corpus.readers.saved_dataset import DatasetReader, is_saved_dataset
from retrieval.corpus.readers.shards import ShardsReader
from retrieval.corpus.readers.splits import choose_split, split_named
from retrieval.corpus.readers.text_folder import TextFolderReader
from retrieval.errors import CorpusError

_DATA_FOLDER = "data"
_ABOUT = ("dataset_infos.json", "dataset_info.json", "metadata.json", "croissant.json", "package.json")
"""What tells of a data set, and is none."""
_MOST_FILES = 1_000_000
OpenFile = Callable[[Path, ReadOptions], Reader]
FormatOf = Callable[[Path], str | None]
"""Returns the format of a file by its name: one of those that hold tables, `text`, or None."""


def open_folder(folder: Path, options: ReadOptions, open_file: OpenFile, format_of: FormatOf) -> Reader:
    """Returns the reader of a folder. Only files inside of it are opened, links followed.

    Raises:
        CorpusError: if there is nothing to read in it, or several things.
    """
    if is_saved_dataset(folder):
        return DatasetReader.from_folder(folder, options.split)
    for mark, what in _OTHERS.items():
        if (folder / mark).is_file():
            raise CorpusError(f"{folder} {what}")
    for place in (folder, folder / _DATA_FOLDER):
        tables = defaultdict(list)
        for path in _files(place, folder):
            if path.name not in _ABOUT and (kind := format_of(path)) not in (None, "text"):
                tables[kind].append(path)
        if len(tables) > 1:
            names = sorted(path.name for paths in tables.values() for path in paths)
            raise CorpusError(
                f"{place} has files of several formats. Name one of them: {', '.join(names[:5])}"
                f"{', …' if len(names) > 5 else ''}."
            )
        if tables:
            return _open_tables(place, next(iter(tables.values())), options, open_file)
    return _open_texts(folder, options, format_of)


_OTHERS = {
    "corpus.jsonl": "looks like a BEIR collection: use --corpus beir.",
    "manifest.json": "looks like an index that is built already: open it with --index.",
}


def _open_tables(folder: Path, paths: Sequence[Path], options: ReadOptions, open_file: OpenFile) -> Reader:
    by_split = defaultdict(list)
    for path in paths:
        by_split[split_named(path.name)].append(path)
    chosen, notes = list(paths), tuple[str, ...]()
    if None not in by_split and (len(by_split) > 1 or options.split is not None):
        split, notes = choose_split({str(name): None for name in by_split}, options.split, folder)
        chosen = by_split[split]
    elif options.split is not None:
        raise CorpusError(f"{folder} has no splits: the names of its files do not begin with one. Leave --split out.")
    each = ReadOptions(None, options.has_header, options.table, options.max_unpacked_bytes)
    reader = ShardsReader([(path, open_file(path, each)) for path in sorted(chosen, key=_natural)], folder)
    reader.notes = (*notes, *reader.notes)
    return reader


def _open_texts(folder: Path, options: ReadOptions, format_of: FormatOf) -> Reader:
    texts, others = [], []
    for path in _files(folder, folder, recursive=True):
        if format_of(path) == "text" and path.suffix:
            texts.append(path)
        else:
            others.append(str(path.relative_to(folder)))
    if not texts:
        found = f"found {', '.join(sorted(others)[:5])}" if others else "it is empty"
        raise CorpusError(
            f"{folder} is a folder with nothing to read in it ({found}): expected files of one format (CSV, TSV, JSON "
            f"Lines, Parquet, Arrow), text files, or what save_to_disk of `datasets` writes. Name a file or folder "
            f"of those."
        )
    if options.split is not None:
        raise CorpusError(f"{folder} is a folder of text files, which has no splits: leave --split out.")
    return TextFolderReader(folder, sorted(texts, key=_natural), sorted(others))


def _files(place: Path, folder: Path, *, recursive: bool = False) -> Iterator[Path]:
    """Yields the files in a place that lie in the folder, links followed; hidden ones and their folders are no data."""
    inside = folder.resolve()
    for number, path in enumerate(place.rglob("*") if recursive else place.glob("*")):
        if number >= _MOST_FILES:
            raise CorpusError(f"{folder} has more than {_MOST_FILES:,} files: name a smaller folder.")
        if any(part.startswith(".") for part in path.relative_to(place).parts) or not path.is_file():
            continue
        if path.resolve().is_relative_to(inside):
            yield path


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts part-2 before part-10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
