"""What a folder is: a saved data set, parts of one table, a clone of a hub data set, or text files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from retrieval.corpus.readers.base import Reader, ReadOptions
from retrieval.corpus.readers.saved_dataset import DatasetReader, is_saved_dataset
from retrieval.corpus.readers.shards import ShardsReader
from retrieval.corpus.readers.splits import choose_split, split_named
from retrieval.corpus.readers.text_folder import TextFolderReader
from retrieval.errors import CorpusError

_DATA_FOLDER = "data"
_ABOUT = ("dataset_infos.json", "dataset_info.json", "metadata.json", "croissant.json", "package.json")
"""Files that accompany a data set, but are not data."""
_MOST_FILES = 1_000_000
OpenFile = Callable[[Path, ReadOptions], Reader]
FormatOf = Callable[[Path], str | None]
"""Returns the format of a file by its name: one of those that hold tables, `text`, or None."""


def open_folder(folder: Path, options: ReadOptions, open_file: OpenFile, format_of: FormatOf) -> Reader:
    """Returns the reader of a folder. Only files inside it are opened, links followed.

    Raises:
        CorpusError: if there is nothing to read in it, or several things.
    """
    if is_saved_dataset(folder):
        return DatasetReader.from_folder(folder, options.split)
    for mark, what in _OTHERS.items():
        if (folder / mark).is_file():
            raise CorpusError(f"{folder} {what}")
    for place in (folder, folder / _DATA_FOLDER):
        if paths := _tables(place, folder, format_of):
            return _open_tables(place, {path: split_named(path.name) for path in paths}, options, open_file)
    for place in (folder, folder / _DATA_FOLDER):
        inner = {sub: paths for sub in _folders(place) if (paths := _tables(sub, folder, format_of))}
        if len(inner) > 1 and None in {split_named(sub.name) for sub in inner}:
            raise CorpusError(
                f"{place} has tables in several folders. Name one of them: {_listed(sub.name for sub in inner)}."
            )
        if inner:
            splits = {path: split_named(sub.name) for sub, paths in inner.items() for path in paths}
            return _open_tables(place, splits, options, open_file)
    return _open_texts(folder, options, format_of)


_OTHERS = {
    "corpus.jsonl": "looks like a BEIR collection: use --corpus beir.",
    "manifest.json": "looks like a built index: open it with --index.",
}


def _tables(place: Path, folder: Path, format_of: FormatOf) -> list[Path]:
    """Returns the files in a place that hold tables.

    Raises:
        CorpusError: if they are of several formats.
    """
    tables = defaultdict(list)
    for path in _files(place, folder):
        if path.name not in _ABOUT and (kind := format_of(path)) not in (None, "text"):
            tables[kind].append(path)
    if len(tables) > 1:
        names = (path.name for paths in tables.values() for path in paths)
        raise CorpusError(f"{place} has files of several formats. Name one of them: {_listed(names)}.")
    return next(iter(tables.values()), [])


def _open_tables(folder: Path, splits: Mapping[Path, str | None], options: ReadOptions, open_file: OpenFile) -> Reader:
    by_split = defaultdict(list)
    for path, name in splits.items():
        by_split[name].append(path)
    chosen, notes = list(splits), tuple[str, ...]()
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
            f"{folder} has nothing to read in it ({found}): expected files of one format (CSV, TSV, JSON "
            f"Lines, Parquet, Arrow), text files, or a data set saved by `datasets`. Name a file or folder "
            f"of those."
        )
    if options.split is not None:
        raise CorpusError(f"{folder} is a folder of text files, which has no splits: leave --split out.")
    return TextFolderReader(folder, sorted(texts, key=_natural), sorted(others))


def _folders(place: Path) -> list[Path]:
    seen = (path for path in place.glob("*/") if not path.name.startswith(".") and not path.is_symlink())
    return sorted(seen) if place.is_dir() else []


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:5]) + (", …" if len(found) > 5 else "")


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
