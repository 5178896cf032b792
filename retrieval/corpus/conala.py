"""CoNaLa: Stack Overflow questions, with the Python snippets mined from their answers.

The script that the data set's own configurations need is no longer run by `datasets`. The hub keeps the same rows as
Parquet on a branch of the repository, which declares no configurations: so the files are named, not the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from retrieval.corpus.base import CorpusInfo, with_common_columns
from retrieval.corpus.readers.base import Reader
from retrieval.corpus.readers.hub_dataset import open_hub_dataset
from retrieval.corpus.readers.opening import open_reader
from retrieval.errors import CorpusError

REPO_ID = "neulab/conala"
REVISION = "refs/convert/parquet"
FILE = "mined/train/0000.parquet"
SCHEMA = pa.schema(
    [
        ("question_id", pa.int64()),
        ("parent_answer_post_id", pa.int64()),
        ("prob", pa.float64()),
        ("snippet", pa.string()),
        ("intent", pa.string()),
        ("id", pa.string()),
    ]
)
_COLUMNS = {"text": "intent", "body": "snippet", "group": "question_id", "quality": "prob"}
_OTHERWISE = (
    "give a local copy with --path FILE (Parquet or JSON Lines), or use --corpus python, which needs no download"
)
_INFO = CorpusInfo(
    name="conala",
    title="CoNaLa mined: Stack Overflow questions with Python snippets",
    attribution="Stack Overflow contributors, CC BY-SA 4.0; mined as CoNaLa by Yin et al., 2018",
    attribution_url="https://conala-corpus.github.io/",
    body_language="python",
    examples=(
        "How do I sort a dictionary by value?",
        "read a csv file into a list",
        "remove duplicates from a list while keeping the order",
        "How can I merge two dictionaries in one expression?",
        "convert a string to a datetime",
        "get the current working directory",
    ),
)


class ConalaCorpus:
    """The mined pairs, from a local copy (Parquet, JSON Lines, or a folder saved by `datasets`) or from the hub."""

    columns = _COLUMNS
    notes = ()

    def __init__(self, path: Path | None = None, *, otherwise: str = _OTHERWISE) -> None:
        """Takes a copy, or None for the hub; `otherwise` ends the message that the hub is not available."""
        self._path = path
        self._otherwise = otherwise

    def __repr__(self) -> str:
        return f"ConalaCorpus({str(self._path or REPO_ID)!r})"

    @property
    def info(self) -> CorpusInfo:
        """Returns the credit that Stack Overflow's licence asks for, and queries that fit."""
        return _INFO

    @property
    def num_rows(self) -> int | None:
        """Returns the number of rows.

        Raises:
            CorpusError: if the data cannot be opened.
        """
        return self._reader.num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the pairs in the order of the file: the question's title is the text, the snippet is the body.

        Raises:
            CorpusError: if there is neither a hub nor a copy, or the copy is not one of CoNaLa's mined pairs.
        """
        reader = self._reader
        if missing := [name for name in SCHEMA.names if name not in reader.schema.names]:
            raise CorpusError(
                f"{self._path or REPO_ID} is not a copy of CoNaLa's mined pairs: expected the columns "
                f"{', '.join(SCHEMA.names)}, found {', '.join(reader.schema.names)}, without {', '.join(missing)}. "
                f"For a table of another kind use --corpus file."
            )
        for batch in reader.batches():
            yield _with_links(self._cast(batch))

    @cached_property
    def _reader(self) -> Reader:
        if self._path is not None:
            return open_reader(self._path)
        return open_hub_dataset(REPO_ID, parquet_file=FILE, revision=REVISION, otherwise=self._otherwise)

    def _cast(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Selects CoNaLa's columns in its order: copies in other formats may have more columns, and wider types."""
        try:
            return batch.select(SCHEMA.names).cast(SCHEMA)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise CorpusError(
                f"{self._path or REPO_ID} is not a copy of CoNaLa's mined pairs: {error}. Expected "
                f"{', '.join(f'{field.name} ({field.type})' for field in SCHEMA)}."
            ) from error


def _with_links(batch: pa.RecordBatch) -> pa.RecordBatch:
    ids = pc.cast(batch.column("question_id"), pa.string())
    urls = pc.binary_join_element_wise("https://stackoverflow.com/questions", ids, "/")
    common = with_common_columns(batch, **_COLUMNS)
    return common.set_column(common.schema.get_field_index("url"), "url", urls)
