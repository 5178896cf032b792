"""The first pass of a build: all rows of a corpus into the documents file, each distinct text into another.

The content is hashed on the way, so that a stopped build knows whether it can continue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retrieval.bundle.documents import GROUP_ID, TEXT_ID
from retrieval.corpus.base import Corpus, free_name
from retrieval.errors import CorpusError, counted
from retrieval.indexing.numbering import DIGEST_BYTES, Numbering

_ROWS_PER_BATCH = 512
_TEXTS_SCHEMA = pa.schema([("text", pa.string())])


@dataclass(frozen=True, slots=True)
class Ingested:
    """What the first pass found."""

    row_count: int
    distinct_text_count: int
    group_count: int | None
    dropped_rows: int
    text_ids: npt.NDArray[np.int32]
    """`(row_count,)`: which distinct text each row has."""
    source_rows: npt.NDArray[np.int64]
    """`(row_count,)`: the position of each row in the corpus as read, dropped rows counted."""
    content_sha256: str

    @property
    def first_rows(self) -> npt.NDArray[np.int64]:
        """Returns the first row with each distinct text, ascending, `(distinct_text_count,)`."""
        return first_rows(self.text_ids)


def first_rows(text_ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Returns the first place of each id, ascending; ids are numbered in order of first appearance."""
    return np.flatnonzero(np.diff(np.maximum.accumulate(text_ids), prepend=np.int32(-1)))


def ingest(
    corpus: Corpus,
    documents_path: Path,
    texts_path: Path,
    *,
    limit: int | None = None,
    row_keys: Callable[[npt.NDArray[np.int64]], Sequence[bytes]] | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Ingested:
    """Writes the documents file and the distinct texts, and returns what was found.

    Rows whose text is null, blank or only NUL are dropped and counted. Rows of one text count as one distinct text,
    unless `row_keys` gives them different keys for their positions in the corpus. `on_rows` is told the rows read so
    far.

    Raises:
        CorpusError: if the corpus cannot be read, or has no usable row.
    """
    texts, groups = Numbering(), Numbering()
    digest = hashlib.sha256()
    text_ids: list[npt.NDArray[np.int32]] = []
    source_rows: list[npt.NDArray[np.int64]] = []
    seen = kept = num_grouped = 0
    with ExitStack() as stack:
        documents: pa.RecordBatchFileWriter | None = None
        distinct = stack.enter_context(pa.OSFile(str(texts_path), "wb"))
        texts_file = stack.enter_context(pa.ipc.new_file(distinct, _TEXTS_SCHEMA))
        for batch in _limited(corpus.batches(), limit):
            first = seen
            seen += batch.num_rows
            batch, positions = _usable_rows(batch, corpus.info.name)
            if batch.num_rows == 0:
                continue
            kept += batch.num_rows
            digest.update(batch.serialize())
            source_rows.append(first + positions)
            keys = None if row_keys is None else row_keys(source_rows[-1])
            ids, new_texts = _number_texts(batch, keys, texts)
            text_ids.append(ids)
            texts_file.write_batch(pa.RecordBatch.from_arrays([new_texts], schema=_TEXTS_SCHEMA))
            batch = batch.append_column(TEXT_ID, pa.array(ids))
            group_ids, num_with_group = _number_groups(batch, groups)
            num_grouped += num_with_group
            batch = batch.append_column(GROUP_ID, group_ids)
            if documents is None:
                sink = stack.enter_context(pa.OSFile(str(documents_path), "wb"))
                documents = stack.enter_context(pa.ipc.new_file(sink, batch.schema))
            # Small batches keep the columns of a row close together: fetching it touches few pages.
            for start in range(0, batch.num_rows, _ROWS_PER_BATCH):
                documents.write_batch(batch.slice(start, _ROWS_PER_BATCH))
            on_rows(seen)
    if kept == 0:
        raise CorpusError(
            f"the corpus {corpus.info.name!r} has no usable row: {counted(seen, 'row was', 'rows were')} read, and "
            f"every text was null or blank. Choose another text column, or another file."
        )
    all_ids = np.concatenate(text_ids)
    return Ingested(
        row_count=kept,
        distinct_text_count=len(texts),
        group_count=len(groups) if num_grouped else None,
        dropped_rows=seen - kept,
        text_ids=all_ids,
        source_rows=np.concatenate(source_rows),
        content_sha256=digest.hexdigest(),
    )


def read_texts(path: Path) -> Iterator[list[str]]:
    """Yields the distinct texts that `ingest` wrote, in order, in lists of the batches they came in."""
    # Read, not mapped: mapped pages stay in this process.
    with pa.OSFile(str(path)) as source:
        file = pa.ipc.open_file(source)
        for index in range(file.num_record_batches):
            yield file.get_batch(index).column("text").to_pylist()


def _limited(batches: Iterator[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
    left = limit
    for batch in batches:
        if left is None:
            yield batch
            continue
        if left <= 0:
            return
        yield batch.slice(0, left)
        left -= batch.num_rows


def _usable_rows(batch: pa.RecordBatch, corpus_name: str) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """Returns the rows with a text, under column names that leave ours free, and their positions in the batch."""
    names = list(batch.schema.names)
    for ours in (TEXT_ID, GROUP_ID):  # the documents of an index have them, if they are indexed again
        if ours in names:
            names[names.index(ours)] = free_name(ours.lstrip("_"), names)
    try:
        batch.validate(full=True)  # unsound values could be written, but never read again
        visible = pc.utf8_trim_whitespace(pc.replace_substring(batch.column("text"), "\0", " "))
        usable = pc.fill_null(pc.greater(pc.utf8_length(visible), 0), False)
        return batch.rename_columns(names).filter(usable), np.flatnonzero(usable.to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid as error:
        raise CorpusError(
            f"the corpus {corpus_name!r} has a text that cannot be read: {error}. Save it as UTF-8."
        ) from error


def _number_texts(
    batch: pa.RecordBatch, keys: Sequence[bytes] | None, texts: Numbering
) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """Returns the text id of each row, and the texts that are new; `keys` belong to the texts, all of one length."""
    column = batch.column("text")
    names = column.to_pylist()
    digests = [_digest(name) for name in names] if keys is None else list(map(_digest, names, keys))
    ids, is_new = texts.number(b"".join(digests), np.ones(batch.num_rows, np.bool_))
    return ids, column.filter(pa.array(is_new))


def _number_groups(batch: pa.RecordBatch, groups: Numbering) -> tuple[pa.Array, int]:
    """Returns the group id of each row, and how many rows name a group; one that is blank is none."""
    names = batch.column("group").to_pylist()
    has_group = np.array([bool(name and name.strip()) for name in names], np.bool_)
    digests = [_digest(name) for name, is_named in zip(names, has_group, strict=True) if is_named]
    ids, _ = groups.number(b"".join(digests), has_group)
    return pa.array(ids), len(digests)


def _digest(key: str, more: bytes = b"") -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass") + more, digest_size=DIGEST_BYTES).digest()
