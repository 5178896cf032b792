"""A judged collection planted among other texts: the same questions, in a bigger haystack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from retrieval.corpus.base import BATCH_ROWS, Corpus, CorpusInfo, sliced

_ORDER_SEED = 0


class PlantedCorpus:
    """The rows of a collection, scattered among distractors.

    Scattered, because equal scores are answered in order of row: a collection that stands in front would win each tie,
    and sign bits alone tie often.
    """

    def __init__(self, collection: Corpus, distractors: Corpus) -> None:
        self._collection = collection
        self._distractors = distractors
        self.num_identical = 0
        """Distractors left out because the collection has the same text; known once `batches` was read."""

    def __repr__(self) -> str:
        return f"PlantedCorpus({self._collection!r}, {self._distractors!r})"

    @property
    def info(self) -> CorpusInfo:
        """Returns the collection's own, with the distractors in the title."""
        info = self._collection.info
        return replace(info, title=f"{info.title} among the texts of {self._distractors.info.title}")

    @property
    def columns(self) -> Mapping[str, str]:
        """Returns the collection's own."""
        return self._collection.columns

    @property
    def notes(self) -> Sequence[str]:
        """Returns what there is to tell of the collection, then of the distractors."""
        return (*self._collection.notes, *self._distractors.notes)

    @property
    def num_rows(self) -> None:
        """Returns None: only reading would tell."""
        return None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields all rows in a fixed random order; a distractor has its text, and null in every other column.

        Raises:
            CorpusError: if the collection or the distractors cannot be read.
        """
        collection = pa.Table.from_batches(list(self._collection.batches()))
        taken = {_normal(text) for text in collection.column("text").to_pylist() if text is not None}
        texts = [
            text
            for batch in self._distractors.batches()
            for text in batch.column("text").to_pylist()
            if text is not None and text.strip()
        ]
        kept = [text for text in texts if _normal(text) not in taken]
        self.num_identical = len(texts) - len(kept)
        columns = [
            pa.array(kept, field.type) if field.name == "text" else pa.nulls(len(kept), field.type)
            for field in collection.schema
        ]
        table = pa.concat_tables([collection, pa.Table.from_arrays(columns, schema=collection.schema)])
        order = np.random.default_rng(_ORDER_SEED).permutation(table.num_rows)
        for start in range(0, table.num_rows, BATCH_ROWS):
            rows = table.take(pa.array(order[start : start + BATCH_ROWS])).combine_chunks()
            for batch in rows.to_batches():
                yield from sliced(batch)


def _normal(text: str) -> str:
    """Texts that differ in case or spaces are the same to a reader: one of them judged, the other must not compete."""
    return " ".join(text.split()).casefold()
