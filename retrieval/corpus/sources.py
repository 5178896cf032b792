"""The sources by name, as `--corpus` takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.corpus.base import Corpus
from retrieval.errors import CorpusError

SOURCES = ("python", "conala", "beir", "file")


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The user's options for the source."""

    name: str
    """One of `SOURCES`."""
    path: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column by role: text, body, url, group, quality; "" for none. For files; the other sources know their own."""
    embeddings_column: str | None = None
    """For files: the column that has the vectors of the rows."""
    split: str | None = None
    """For files: which split of a data set is read."""
    has_header: bool = True
    """For files: whether the first row has the names of the columns."""
    table: str | None = None
    """For files: which table of a database, or sheet of a workbook, is read."""
    packages: Sequence[str] | None = None
    """For `python`: the packages to add to the standard library; None for the defaults."""


def open_corpus(options: SourceOptions) -> Corpus:
    """Returns the source that the options name.

    Raises:
        CorpusError: if an option is missing, does not belong to this source, or the source cannot be opened.
    """
    if options.name != "file":
        _refuse_file_options(options)
    if options.packages is not None and options.name != "python":
        raise CorpusError(f"--packages is for --corpus python, not {options.name}.")
    # Imported when chosen: each imports readers that the others do not need.
    if options.name == "python":
        from retrieval.corpus.python.corpus import PythonCorpus

        if options.path:
            raise CorpusError("--corpus python reads this interpreter: leave --path out.")
        return PythonCorpus() if options.packages is None else PythonCorpus(options.packages)
    if options.name == "conala":
        from retrieval.corpus.conala import ConalaCorpus

        return ConalaCorpus(Path(options.path) if options.path else None)
    if options.path is None:
        raise CorpusError(f"--corpus {options.name} needs --path.")
    if options.name == "beir":
        from retrieval.corpus.beir import BeirCorpus

        return BeirCorpus(Path(options.path))
    if options.name == "file":
        from retrieval.corpus.files import FileCorpus
        from retrieval.corpus.readers.base import ReadOptions

        return FileCorpus(
            options.path,
            **{f"{role}_column": column for role, column in options.columns.items()},
            embeddings_column=options.embeddings_column,
            options=ReadOptions(options.split, options.has_header, options.table),
        )
    raise CorpusError(f"there is no corpus {options.name!r}: choose one of {', '.join(SOURCES)}.")


def _refuse_file_options(options: SourceOptions) -> None:
    if options.columns or options.embeddings_column:
        raise CorpusError(f"--corpus {options.name} knows its own columns: leave the column options out.")
    for option, is_given in (
        ("--split", options.split is not None),
        ("--no-header", not options.has_header),
        ("--table", options.table is not None),
    ):
        if is_given:
            raise CorpusError(f"{option} is for --corpus file, not {options.name}: leave it out.")
